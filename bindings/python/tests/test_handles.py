# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Handles are closed once, by whatever comes first: topics 2, 3, 4, 5, 6. Across threads, fork and
exit: topics 17, 19, 20."""
from __future__ import annotations

import gc
import os
import threading
from contextlib import contextmanager
from typing import Callable, Iterator

import pytest

import uprobe_multi as um
from support import Target, built, descriptors, python
from uprobe_multi import errors
from uprobe_multi._handle import Handle, Slot
from uprobe_multi._native import ffi, lib

OBJECT = "tests/bpf/sections.bpf.o"


def test_close_is_final_and_can_be_repeated(target: Target) -> None:
    probes = um.resolve(f"{target.path}:known_000?")
    calls = um.count(probes, pid=target.pid)
    for handle in (probes, calls):
        handle.close()
        handle.close()
        assert handle.closed
        assert "closed" in repr(handle)
    for use in (lambda: len(probes), calls.hits, calls.snapshot, lambda: calls.attached):
        with pytest.raises(RuntimeError) as caught:
            use()
        assert isinstance(caught.value, um.StateError)
    assert "closed" in calls._repr_html_()


@contextmanager
def no_collector() -> Iterator[None]:
    """What is freed in the block is freed by its last reference."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("observe", [um.count, um.latency, um.trace])
def test_close_alone_gives_descriptors_back(
    target: Target, observe: Callable[..., um.Observer]
) -> None:
    with no_collector():
        before = descriptors()
        observer = observe(f"{target.path}:known_0000", pid=target.pid)
        target.call()
        assert len(observer.probes) == 1
        observer.snapshot()
        events = observer.read_batch() if isinstance(observer, um.Trace) else None
        assert descriptors() > before
        observer.close()
        assert descriptors() == before
        del events


def test_the_last_reference_closes_a_trace(target: Target) -> None:
    with no_collector():
        before = descriptors()
        events = um.trace(f"{target.path}:known_0000", pid=target.pid)
        target.call(times=2)
        batch = events.read_batch(1)
        symbols = [event.probe.symbol for event in iter(lambda: events.next(0), None)]
        del events
        assert batch.to_frame()["symbol"].tolist() + symbols == ["known_0000"] * 2
        del batch
        assert descriptors() == before


def test_the_collector_closes(target: Target) -> None:
    before = descriptors()
    calls = um.count(f"{target.path}:known_000?", pid=target.pid)
    assert descriptors() > before
    del calls
    gc.collect()
    assert descriptors() == before


def test_cycles_are_collected(target: Target) -> None:
    before = descriptors()
    cycle: list[object] = [um.count(f"{target.path}:known_0000", pid=target.pid)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert descriptors() == before


def test_an_exception_in_the_block_stops(target: Target) -> None:
    with pytest.raises(ZeroDivisionError):
        with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
            target.call()
            1 / 0
    target.call()
    assert list(calls.hits()) == [1] and calls.kernel_links == []


def test_a_link_outlives_its_object(target: Target) -> None:
    object = um.Object(built(OBJECT))
    probes = um.resolve(f"{target.path}:known_0000")
    link = um.attach(object.program("entry"), probes, pid=target.pid)
    object.close()
    probes.close()
    assert link.attached_count == 1
    link.close()


def test_a_program_keeps_its_object(target: Target) -> None:
    program = um.Object(built(OBJECT)).program("entry")
    gc.collect()
    with um.attach(program, f"{target.path}:known_0000", pid=target.pid) as link:
        assert link.attached_count == 1


def test_threads_share_a_handle(target: Target) -> None:
    """Readers and one that closes: each reader gets its numbers or StateError, never a crash."""
    calls = um.count(f"{target.path}:known_000?", pid=target.pid)
    wrong: list[BaseException] = []
    started = threading.Barrier(5)

    def read() -> None:
        started.wait()
        try:
            while True:
                assert len(calls.hits()) == 10
                assert len(calls.probes) == 10
        except um.StateError:
            pass
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    calls.close()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_child_of_fork_may_read_and_leave(target: Target) -> None:
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        target.call(times=3)
        child = os.fork()
        if child == 0:
            try:
                wrong = list(calls.hits()) != [3]
                calls.close()
                os._exit(int(wrong))
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        target.call(times=4)
    assert list(calls.hits()) == [7]


def test_fork_while_another_thread_holds_the_lock(target: Target) -> None:
    calls = um.count(f"{target.path}:known_0000", pid=target.pid)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with calls._use():
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(len(calls.hits()) - 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    release.set()
    thread.join()
    calls.close()


def test_nothing_is_said_at_exit(target: Target) -> None:
    """Handles of all kinds alive, in globals, in a cycle, in a daemon thread that uses one."""
    done = python(
        """
import sys, threading
import uprobe_multi as um
spec, pid, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
probes = um.resolve(spec)
calls = um.count(probes, pid=pid)
object = um.Object(path)
link = um.attach(object, probes, name="entry", pid=pid)
cycle = [calls]; cycle.append(cycle)
class Late:
    def __del__(self):
        try:
            calls.hits()
        except um.StateError:
            pass
late = Late()
def read():
    while True:
        calls.hits()
threading.Thread(target=read, daemon=True).start()
print("done")
""",
        f"{target.path}:known_000?", str(target.pid), built(OBJECT),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_children_of_multiprocessing_start_clean(target: Target) -> None:
    done = python(
        """
import multiprocessing, sys
import uprobe_multi as um
def count(spec):
    with um.count(spec, pid=int(sys.argv[2])) as calls:
        return len(calls.hits())
if __name__ == "__main__":
    calls = um.count(sys.argv[1], pid=int(sys.argv[2]))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(count, [sys.argv[1]] * 4))
""",
        f"{target.path}:known_000?", str(target.pid),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[10, 10, 10, 10]\n", "")


def test_a_free_happens_once() -> None:
    slot = Slot(lib.upm_probe_set_free)
    errors.check_status(lib.upm_probe_set_new(slot.out))
    freed: list[object] = []
    free, slot._free = slot._free, freed.append
    handle = Handle(slot)
    handle.close()
    del handle
    gc.collect()
    assert len(freed) == 1
    free(freed[0])


def test_what_no_handle_takes_is_freed(target: Target) -> None:
    """As when Ctrl-C comes between the call and the making of its handle."""
    probes = um.resolve(f"{target.path}:known_0000")
    before = descriptors()
    slot = Slot(lib.upm_observer_free)
    with probes._use() as pointer:
        errors.check_status(lib.upm_count(pointer, ffi.NULL, slot.out))
    assert descriptors() != before
    del slot
    assert descriptors() == before
