# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Events one by one, with arguments and results: topic 25. Waiting: topics 18, 21."""
from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

import uprobe_multi as um
from support import Target, Worker

OPEN = "libc.so.6:open64"
SIGNATURE = "int open(char *path, int flags, unsigned mode)"


def test_an_event_for_each_hit(target: Target) -> None:
    with um.trace(f"{target.path}:known_000[01]", pid=target.pid) as events:
        target.call(times=3, functions=2)
    found = list(events)
    assert [event.probe.symbol for event in found] == ["known_0000", "known_0001"] * 3
    for event in found:
        assert (event.pid, event.tid, event.comm) == (target.pid, target.pid, "known")
        assert event.kind == um.EventKind.ENTRY and event.result is None and not event.stack
    times = [event.time_ns for event in found]
    assert times == sorted(times) and times[-1] <= time.monotonic_ns()
    assert events.counts() == [um.TraceCount(3, 3, 0, 0, 0, 0)] * 2
    assert events.kind == "trace"


def test_arguments_by_signature(worker: Worker) -> None:
    """On topic 11: texts with what is not ASCII, and what is not UTF-8."""
    paths = ["/no/such", "/caf\u00e9", os.fsdecode(b"/\xff\xfe")]
    with um.trace(OPEN, SIGNATURE, pid=worker.pid) as events:
        for path in paths:
            worker.open(path)
    found = [event for event in events if event.values["path"] in paths]
    assert [event.values["path"] for event in found] == paths
    assert all(isinstance(event.values["flags"], int) for event in found)
    argument = events.signature(0).arguments[0]
    assert (argument.name, argument.form, argument.in_text) == ("path", um.Form.STRING, True)
    assert 'path=\'/no/such\'' in str(found[0])


def test_results_and_durations(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    with um.trace({OPEN}, {"open64": SIGNATURE}, returns=True, pid=worker.pid) as events:
        worker.open(str(tmp_path / "there"))
        worker.open(str(tmp_path / "absent"))
    found = {str(event.arguments[0]): event for event in events}
    there, absent = (found[str(tmp_path / name)] for name in ("there", "absent"))
    assert there.kind == um.EventKind.CALL and there.duration_ns > 0
    assert isinstance(there.result, int) and there.result > 2
    assert absent.result == -1
    assert " = -1 <" in str(absent) and "µs>" in str(absent)


def test_filters_are_applied_and_counted(worker: Worker) -> None:
    with um.trace(OPEN, SIGNATURE, filter='path ^= "/wanted/"', pid=worker.pid) as events:
        for path in ("/wanted/1", "/other", "/wanted/2"):
            worker.open(path)
    assert [event.arguments[0] for event in events] == ["/wanted/1", "/wanted/2"]
    count = events.counts()[0]
    assert count.events == 2 and count.hits == count.events + count.filtered
    for wrong in ('path ^^ "x"', "nothing == 3"):
        with pytest.raises(um.Error) as caught:
            um.trace(OPEN, SIGNATURE, filter=wrong, pid=worker.pid)
        assert caught.value.message
    with pytest.raises(um.SpecError):
        um.trace(OPEN, "(char *path", pid=worker.pid)


def test_long_texts_are_cut_and_marked(worker: Worker) -> None:
    path = "/" + "x" * 200
    with um.trace(OPEN, SIGNATURE, text_bytes=64, pid=worker.pid) as events:
        worker.open(path)
    event = next(event for event in events if str(event.arguments[0]).startswith("/xx"))
    text = event.arguments[0]
    assert isinstance(text, str)
    assert event.truncated == 1 and path.startswith(text) and 60 <= len(text) <= 64


def test_what_does_not_fit_is_counted_as_lost(target: Target) -> None:
    with um.trace(f"{target.path}:known_0000", ring_bytes=4096, pid=target.pid) as events:
        target.call(times=5000)
    found = sum(1 for _ in events)
    total = events.snapshot().total
    assert total.hits == 5000 and total.lost > 0
    assert total.events == found == total.hits - total.lost
    assert "lost" in str(events.snapshot()) and "lost" in events.snapshot()._repr_html_()
    assert list(events.snapshot().to_frame()["lost"]) == [total.lost]


def test_next_waits_and_gives_up(target: Target) -> None:
    with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
        assert events.next(timeout=0) is None
        assert events.next(timeout=0.03) is None
        timer = threading.Timer(0.05, target.call)
        timer.start()
        event = events.next()
        timer.join()
        assert event is not None and event.probe.symbol == "known_0000"
    assert events.next() is None  # stopped and empty: nothing can come


def test_run_calls_until_told_to_end(target: Target) -> None:
    """On topic 16: an exception of the function comes out of run()."""
    with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
        target.call(times=5)
        seen: list[um.Event] = []

        def take_two(event: um.Event) -> object:
            seen.append(event)
            return "enough" if len(seen) == 2 else None

        assert events.run(take_two) == "enough" and len(seen) == 2
        with pytest.raises(ZeroDivisionError):
            events.run(lambda event: 1 / 0)
        assert events.run(seen.append, timeout=0) is None
        assert len(seen) == 4


def numbers(events: list[um.Event]) -> list[object]:
    return [event.arguments[0] for event in events]


@pytest.fixture
def hundred() -> Iterator[um.Trace]:
    """A stopped trace with 100 events unread, whose first argument counts from 0."""
    with Target("target/traced") as target:
        with um.trace(f"{target.path}:counted", "(int n)", pid=target.pid) as events:
            target.ask("count 100")
    yield events
    events.close()


def test_readers_go_on_where_another_one_left_off(hundred: um.Trace) -> None:
    """Whatever ends a reading early: what it has not given out is there for the next one."""

    async def leave() -> um.Event:
        async for event in hundred:
            return event
        raise AssertionError("there are events")

    taken: list[um.Event] = []
    for _ in range(3):
        for event in hundred:
            taken.append(event)
            break
        following = hundred.next(0)
        assert following is not None
        taken += [following, asyncio.run(leave())]
        assert hundred.run(lambda event: [taken.append(event)])  # type: ignore[func-returns-value]
    assert numbers(taken) == list(range(12))
    batch = hundred.read_batch(events=8)
    assert list(batch["arguments"][:, 0]) == list(range(12, 20))
    assert numbers(list(hundred)) == list(range(20, 100))
    assert hundred.next() is None and len(hundred.read_batch()) == 0


def test_batches_begin_with_what_iteration_has_left(worker: Worker) -> None:
    paths = [f"/no/such/{number}" for number in range(20)]
    with um.trace(OPEN, SIGNATURE, stacks=True, pid=worker.pid) as events:
        for path in paths:
            worker.open(path)
    for event in events:
        assert event.arguments[0] == paths[0]
        break
    batches = list(events.batches(events=6))
    assert [text for batch in batches for text in batch.strings(0)] == paths[1:]
    assert all(tuple(batch.stack(0)) == event.stack for batch in batches)


def test_other_threads_run_while_one_waits(target: Target) -> None:
    """One waits for events without end; another stops the trace, which ends the wait."""
    events = um.trace(f"{target.path}:known_0000", pid=target.pid)
    found: list[um.Event] = []
    thread = threading.Thread(target=lambda: found.extend(events))
    thread.start()
    target.call(times=3)
    while len(found) < 3:
        time.sleep(0.001)
    assert len(events.counts()) == 1
    events.stop()
    thread.join()
    assert len(found) == 3
    events.close()


def test_ctrl_c_ends_a_wait(target: Target) -> None:
    with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
        for wait in (events.next, lambda: list(events), lambda: events.read_batch(None)):
            timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                wait()
            timer.join()


def test_usdt_arguments_come_from_the_notes() -> None:
    with Target("target/usdt-gcc-O2") as target:
        sites = um.resolve(f"usdt:{target.path}:*:*").attachable
        with um.trace(sites, pid=target.pid) as events:
            assert events.signature(0).probe.provider
            for position, probe in enumerate(sites[:20]):
                assert len(events.signature(position).arguments) == min(12, len(probe.arguments))


def test_64_bits_stay(target: Target) -> None:
    """On topic 12: unsigned and signed values at both ends."""
    from uprobe_multi.events import decode

    unsigned = um.EventArgument("a", "unsigned long", um.Form.UNSIGNED, 8)
    signed = unsigned._replace(form=um.Form.SIGNED)
    assert decode(2**64 - 1, unsigned, None) == 2**64 - 1
    assert decode(2**64 - 1, signed, None) == -1
    assert decode(2**63, signed, None) == -(2**63)
    assert decode(2**63 - 1, signed, None) == 2**63 - 1
    assert decode(0x41, unsigned._replace(form=um.Form.CHARACTER), None) == "A"
    assert decode(1, unsigned._replace(form=um.Form.BOOLEAN), None) is True
    assert decode(1, unsigned._replace(form=um.Form.UNREADABLE), None) is None
