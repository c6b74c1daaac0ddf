# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The shared test target, BPF maps, descriptors."""
from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, TypeVar

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "bindings" / "python"
BUILD = Path(os.environ["UPM_BUILD"])


def built(name: str) -> str:
    """Path of a file that the build made."""
    path = BUILD / name
    assert path.exists(), f"{path} is not built: make tests"
    return str(path)


Self = TypeVar("Self", bound="Obedient")


class Obedient:
    """A process that does what it is told, line by line, until the end of the block."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid
        assert self.answer() == f"ready {self.pid}"

    def send(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self, line: str) -> str:
        self.send(line)
        return self.answer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class Target(Obedient):
    """tests/target/known.c: told to call functions so many times."""

    def __init__(self, program: str = "target/known", *arguments: str) -> None:
        self.path = built(program)
        super().__init__(self.path, *arguments)

    def call(self, times: int = 1, functions: int = 1, threads: int = 1) -> None:
        """Calls known_0000 … and shared_0000 …, each so many times by every thread."""
        total = times * functions * threads
        answer = self.ask(f"call times={times} functions={functions} threads={threads}")
        assert answer == f"call total={total}"


class Worker(Obedient):
    """A process that opens files when told to: open64() of its libc, once each."""

    comm = "worker"
    _CODE = """
import os, sys
with open("/proc/self/comm", "w") as comm:
    comm.write("worker")
print("ready", os.getpid(), flush=True)
for line in sys.stdin:
    try:
        os.close(os.open(os.fsdecode(bytes.fromhex(line)), os.O_RDONLY))
    except OSError:
        pass
    print("done", flush=True)
"""

    def __init__(self) -> None:
        super().__init__(sys.executable, "-I", "-c", self._CODE)

    def open(self, path: str) -> None:
        assert self.ask(os.fsencode(path).hex()) == "done"


def collect() -> None:
    """Free what is unreachable. Twice: what a finalizer lets go of goes in the next round."""
    gc.collect()
    gc.collect()


def descriptors() -> set[str]:
    """Open descriptors of this process, as "number -> what it is", without the fonts and the like
    that other packages keep open."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            what = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue  # the one that lists them
        if not what.startswith(sys.prefix):
            found.add(f"{number} -> {what}")
    return found


@contextmanager
def bpf_file_system(place: Path) -> Iterator[Path]:
    """Mounted for the length of the block; what still has it open then has left something."""
    place.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", str(place)], check=True)
    try:
        yield place
        collect()
    finally:
        subprocess.run(["umount", str(place)], check=True)


def left_in(place: Path) -> set[str]:
    """What is pinned there, beside the kernel's own."""
    return set(os.listdir(place)) - {"maps.debug", "progs.debug"}


def map_value(fd: int, key: int) -> int:
    """The u64 of a BPF array map with u32 keys: bpf(BPF_MAP_LOOKUP_ELEM)."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_uint32(key)
    value = ctypes.c_uint64()
    attr = (ctypes.c_uint64 * 4)(fd, ctypes.addressof(number), ctypes.addressof(value), 0)
    system_call = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    assert libc.syscall(system_call, 1, attr, ctypes.sizeof(attr)) == 0, ctypes.get_errno()
    return value.value


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )
