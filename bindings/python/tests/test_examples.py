# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The examples, under the names that they have in every language: topic 31."""
from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from support import PACKAGE, Target, Worker, bpf_file_system, built, left_in

pytestmark = pytest.mark.story

NAMES = {"count", "latency", "trace", "usdt", "attach_own_program", "pinned"}


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(PACKAGE / "examples" / f"{name}.py"), *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def busy(target: Target) -> Iterator[None]:
    """Calls known_0000 and shared_0000 all the time."""
    target.send("spin functions=1 threads=1")
    yield
    assert target.ask("stop").startswith("spin")


def test_all_are_there() -> None:
    assert {path.stem for path in (PACKAGE / "examples").glob("*.py")} == NAMES


@pytest.mark.parametrize("name", ["count", "latency"])
def test_count_and_latency(name: str, target: Target) -> None:
    with busy(target):
        output = run(name, str(target.pid), f"{target.path}:known_000?", "0.2")
    line = next(line for line in output.splitlines() if line.endswith("known_0000"))
    assert int(line.split()[0].replace(",", "")) > 0


def test_trace(worker: Worker) -> None:
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.01):
            worker.open("/no/such/file")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        output = run("trace", str(worker.pid), "0.5")
    finally:
        ended.set()
        thread.join()
    assert "open64(path='/no/such/file', flags=" in output and "= -1" in output


def test_usdt() -> None:
    output = run("usdt", built("target/usdt-gcc-O2"))
    assert len(output.splitlines()) > 10 and "@" in output


def test_attach_own_program(target: Target) -> None:
    output = run(
        "attach_own_program", built("tests/bpf/sections.bpf.o"), "entry",
        f"{target.path}:known_000?", str(target.pid), "0",
    )
    assert output.startswith("10 probes attached") and "10 probes in" in output


def test_pinned(target: Target, tmp_path: Path) -> None:
    with bpf_file_system(tmp_path / "bpf") as place:
        name = f"{place}/example"
        run("pinned", "start", name, str(target.pid), f"{target.path}:known_0000")
        target.call(times=3)
        assert "3  known_0000" in run("pinned", "read", name)
        run("pinned", "stop", name)
        assert left_in(place) == set()
