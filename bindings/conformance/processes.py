# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The processes that a run talks to, a line at a time: adapters and the shared test target."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import tempfile
import time
from typing import Iterator, List

import languages

# How long an answer, and the end of perf events, may take.
PATIENCE_SECONDS = int(os.environ.get("UPM_PATIENCE_SECONDS", "60"))
SETTLE_SECONDS = int(os.environ.get("UPM_SETTLE_SECONDS", "60"))


class AdapterDied(Exception):
    pass


@contextlib.contextmanager
def bpf_file_system() -> Iterator[str]:
    """One of its own, always at the same place for the sake of equal answers."""
    place = os.path.join(tempfile.gettempdir(), f"upm-conformance-{os.getpid()}")
    os.mkdir(place)
    try:
        subprocess.run(["mount", "-t", "bpf", "bpf", place], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=True)
    finally:
        os.rmdir(place)


class Lines:
    """A process that answers a line for a line."""

    def __init__(self, command: List[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=languages.TOP
        )
        self.rest = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """The next line; raises TimeoutError or EOFError."""
        assert self.process.stdout
        end = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], end - time.monotonic())
            if not ready:
                raise TimeoutError
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                raise EOFError
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            with contextlib.suppress(BrokenPipeError):  # what it did not read before it ended
                pipe.close()
        try:
            self.process.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Adapter:
    """An adapter; a dead one is started anew when it is asked next."""

    def __init__(self, name: str, command: List[str]) -> None:
        self.name = name
        self.command = command
        self.lines: Lines | None = None

    def _started(self) -> Lines:
        if self.lines is None:
            self.lines = Lines(self.command)
            self.ask('{"do":"check"}')  # what the library finds out once and keeps
        return self.lines

    def ask(self, step: str) -> str:
        lines = self._started()
        try:
            lines.say(step)
            return lines.hear()
        except (OSError, EOFError) as error:
            self.end()
            raise AdapterDied(
                f"the adapter of {self.name} "
                f"{'did not answer' if isinstance(error, TimeoutError) else 'ended'} at {step}"
            ) from None

    def reset(self) -> None:
        if self.lines is not None:
            self.ask('{"do":"reset"}')

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self._started().pid}/fd"))

    def _what_is_open(self) -> str:
        folder = f"/proc/{self._started().pid}/fd"
        return ", ".join(os.readlink(f"{folder}/{each}") for each in os.listdir(folder))

    def wait_for_descriptors(self, count: int) -> None:
        """Until as many are open as were before: ending perf events takes a while."""
        end = time.monotonic() + SETTLE_SECONDS
        while self.descriptors() > count:
            if time.monotonic() > end:
                raise AdapterDied(f"{self.name} left descriptors open: {self._what_is_open()}; "
                                  f"{count} before")
            time.sleep(0.02)

    def end(self) -> None:
        if self.lines is not None:
            self.lines.end()
            self.lines = None


class Target(Lines):
    """tests/target/known.c, or a program like it that says "ready PID" and obeys lines."""

    def __init__(self, path: str) -> None:
        super().__init__([path])
        self.hear()

    def ask(self, command: str) -> str:
        self.say(command)
        return self.hear()

    def __enter__(self) -> "Target":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
