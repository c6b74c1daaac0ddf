# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Waiting, ports, and servers that end with the tests."""
from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Sequence, TypeVar

BUILD = Path(os.environ["UPM_BUILD"])
TOP = Path(__file__).resolve().parents[4]
PATIENCE = 60  # seconds; the machine may be loaded

T = TypeVar("T")


def eventually(what: str, ask: Callable[[], T]) -> T:
    """The first answer that is true; fails when none comes in a minute."""
    end = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < end, f"{what}: not after {PATIENCE} s"
        time.sleep(0.05)
    return answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Server:
    """A process in the background. What it prints is in `log`; it ends with us, whatever we end by."""

    def __init__(self, log: Path, command: Sequence[str], **options: object) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", *command], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, **options,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def printed(self) -> str:
        return self.log.read_text(errors="replace")

    def runs(self) -> bool:
        return self.process.poll() is None

    def wait_until(self, what: str, ask: Callable[[], T]) -> T:
        """As eventually(), and it has to be alive meanwhile."""
        def ask_living() -> T:
            assert self.runs(), f"{what}: it ended with {self.process.returncode}:\n{self.printed()}"
            return ask()

        return eventually(what, ask_living)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        if self.runs():
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it goes on after {how.name}:\n{self.printed()}") from None
