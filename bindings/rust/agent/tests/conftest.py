# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from agent import Agent
from programs import Programs
from prometheus import Prometheus


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path_factory.mktemp("prometheus"))
    yield server
    server.end()


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path / "programs")


@pytest.fixture
def start_agent(tmp_path: Path, prometheus: Prometheus) -> Iterator[Callable[..., Agent]]:
    """Starts agents with the rules given; each has to end well after the test."""
    started: list[Agent] = []

    def start(rules: str, **options: Any) -> Agent:
        folder = tmp_path / f"agent{len(started)}"
        folder.mkdir()
        started.append(Agent(folder, prometheus, rules, **options))
        return started[-1]

    yield start
    for agent in started:
        if agent.runs():
            assert agent.end(signal.SIGTERM) == 0, agent.printed()
        print(agent.printed())
