# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What a callback or a signal handler does with the handle whose call it runs inside of: topic 16.
Closing there is the case that would free memory in use: topics 3, 4."""
from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Callable

import pytest

import uprobe_multi as um
from support import Target, built, python

OBJECT = "tests/bpf/sections.bpf.o"

# In interpreters of their own: what is wrong here ends the process.
SELF = """
import os, signal, sys, threading
import uprobe_multi as um
events = um.trace("libc.so.6:getppid", pid=os.getpid())
before = len(os.listdir("/proc/self/fd"))
"""
CLOSED = """
assert events.closed and len(os.listdir("/proc/self/fd")) < before
try:
    events.counts()
except um.StateError:
    print("ended")
"""


def check_ends(code: str) -> None:
    done = python(SELF + code + CLOSED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")


def test_a_function_that_run_calls_may_close() -> None:
    check_ends("""
for _ in range(5):
    os.getppid()
seen = []
assert events.run(lambda event: seen.append(event) or events.close(), timeout=30) is None
assert len(seen) == 1
""")


def test_a_signal_handler_may_close_under_run() -> None:
    """It comes while the function of the first event runs."""
    check_ends("""
signal.signal(signal.SIGUSR1, lambda *_: events.close())
for _ in range(5):
    os.getppid()
assert events.run(lambda event: signal.raise_signal(signal.SIGUSR1), timeout=30) is None
""")


@pytest.mark.parametrize(
    "wait",
    ["events.run(print)", "events.next()", "list(events)", "list(events.batches())",
     "len(events.read_batch(None))"],
)
def test_a_signal_handler_may_close_under_a_wait(wait: str) -> None:
    """It comes when there has been a first look for events."""
    check_ends(f"""
import time
def end():
    while not events._next_look:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGUSR1)
signal.signal(signal.SIGUSR1, lambda *_: events.close())
threading.Thread(target=end).start()
assert not {wait}
""")


def test_the_body_of_a_loop_may_close() -> None:
    check_ends("""
for _ in range(5):
    os.getppid()
assert [events.close() for event in events] == [None]
""")


def test_the_body_of_an_async_loop_may_close(target: Target) -> None:
    events = um.trace(f"{target.path}:known_0000", pid=target.pid)
    target.call(times=5)

    async def close_all() -> list[None]:
        return [events.close() async for event in events]  # type: ignore[func-returns-value]

    assert asyncio.run(close_all()) == [None] and events.closed


def test_progress_may_close_what_is_attached(target: Target) -> None:
    probes = um.resolve(f"{target.path}:known_*")
    with um.count(probes, pid=target.pid, progress=lambda *_: probes.close()) as calls:
        target.call()
    assert probes.closed and calls.snapshot()["known_0000"] == 1
    for specs in (f"{target.path}:known_*", um.resolve(f"{target.path}:known_*")):
        object = um.Object(built(OBJECT))
        link = um.attach(
            object, specs, name="entry", pid=target.pid, progress=lambda *_: object.close()
        )
        assert object.closed and link.attached_count == 1000
        link.close()


def test_a_set_in_use_is_not_changed(target: Target) -> None:
    probes = um.resolve(f"{target.path}:known_*")
    one = probes[:1]
    changes: list[Callable[[], object]] = [
        lambda: probes.add(target.path, [one[0].offset]),
        lambda: probes.join(one),
        lambda: setattr(probes, "cookies", range(1000)),
        lambda: probes.place(),
    ]

    def change(*_: object) -> None:
        while changes:
            with pytest.raises(um.StateError, match="when that call has returned"):
                changes.pop()()
        assert len(probes) == 1000 and len(probes + one) == 1001

    um.count(probes, pid=target.pid, progress=change).close()
    assert not changes and len(probes) == 1000
    one.join(probes)
    probes.join(one)
    assert len(one) == 1001 and len(probes) == 2001


def test_events_are_not_read_inside_of_run(target: Target) -> None:
    with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
        target.call(times=3)
        for read in (events.next, events.read_batch, lambda: next(iter(events))):
            with pytest.raises(um.StateError, match="running"):
                events.run(lambda event: read())
        assert events.next(0) is None
        target.call(times=3)
        seen: list[int] = []

        def stop(event: um.Event) -> float:
            seen.append(events.counts()[0].hits)
            return events.stop()  # which is more than 0, and so ends the run

        assert isinstance(events.run(stop), float)
        assert seen == [6] and len(list(events)) == 2


def test_a_fork_inside_of_run(target: Target) -> None:
    """The child goes on with the handle that it is inside of, and closes it."""
    with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
        target.call()

        def fork(event: um.Event) -> object:
            child = os.fork()
            if child == 0:
                try:
                    wrong = len(events.counts()) != 1
                    events.close()
                    os._exit(int(wrong or not events.closed))
                except BaseException:
                    os._exit(2)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        assert events.run(fork) == 0
        target.call()
        assert events.next(30) is not None


def test_another_thread_closes_while_one_waits(target: Target) -> None:
    events = um.trace(f"{target.path}:known_0000", pid=target.pid)
    ended: list[object] = []

    def end(wait: Callable[[], object]) -> None:
        try:
            ended.append(wait())
        except um.StateError:  # it came too late
            ended.append(None)

    waits: list[Callable[[], object]] = [
        lambda: events.run(print), lambda: list(events), events.next,
    ]
    threads = [threading.Thread(target=end, args=(wait,)) for wait in waits]
    for thread in threads:
        thread.start()
    while not events._next_look:
        time.sleep(0.001)
    events.close()
    for thread in threads:
        thread.join(30)
    assert len(ended) == 3 and not any(ended)


def test_a_closed_trace_is_not_read(target: Target) -> None:
    events = um.trace(f"{target.path}:known_0000", pid=target.pid)
    descriptor = events.fileno()
    os.fstat(descriptor)
    events.close()
    events.close()

    async def first() -> object:
        return await events.__aiter__().__anext__()

    uses: list[Callable[[], object]] = [
        events.fileno, events.next, events.read_batch, lambda: events.run(print),
        lambda: next(iter(events)), lambda: next(iter(events.batches())),
        lambda: asyncio.run(first()),
    ]
    for use in uses:
        with pytest.raises(um.StateError, match="closed"):
            use()

