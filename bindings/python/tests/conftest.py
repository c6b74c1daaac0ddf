# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What the tests share: the target, the build, and checks that nothing is left behind."""
from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import support  # noqa: E402


@pytest.fixture
def target() -> Iterator[support.Target]:
    """The shared test target, running."""
    with support.Target() as running:
        yield running


@pytest.fixture
def worker() -> Iterator[support.Worker]:
    """A process that opens files when told to."""
    with support.Worker() as running:
        yield running


@pytest.fixture
def known() -> str:
    """Path of the shared test target."""
    return support.built("target/known")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No test leaves a descriptor open."""
    before = support.descriptors()
    yield
    if support.descriptors() - before:
        support.collect()
    assert support.descriptors() - before == set()


def pytest_configure() -> None:
    assert os.geteuid() == 0, "these tests attach probes: run them as root"
