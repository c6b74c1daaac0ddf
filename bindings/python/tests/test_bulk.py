# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Events in bulk, without an object for each: topic 26. In an event loop: topic 27."""
from __future__ import annotations

import asyncio
import copy
import gc
import pickle
from pathlib import Path

import numpy
import pyarrow.parquet

import uprobe_multi as um
from support import Target, Worker
from uprobe_multi._native import ffi, lib
from uprobe_multi.batches import EventArray, event_dtype

OPEN = "libc.so.6:open64"
SIGNATURE = "int open(char *path, int flags, unsigned mode)"


def test_the_type_is_that_of_the_compiler() -> None:
    dtype = event_dtype()
    names = [name for name, _ in ffi.typeof("struct upm_event").fields]
    assert dtype.names == tuple(names)
    assert dtype.itemsize == lib.upm_batch_event_size() == ffi.sizeof("struct upm_event")
    for name in names:
        assert dtype.fields is not None
        assert dtype.fields[name][1] == ffi.offsetof("struct upm_event", name)
    assert dtype["arguments"].shape == (lib.UPM_EVENT_ARGUMENTS,)


def test_a_batch_is_a_view_of_the_librarys_memory(target: Target) -> None:
    with um.trace(f"{target.path}:known_000[01]", pid=target.pid) as events:
        assert len(events.read_batch()) == 0
        target.call(times=100, functions=2)
        batch = events.read_batch(timeout=1)
        assert isinstance(batch, EventArray) and len(batch) == 200
        assert not batch.flags.owndata and not batch.flags.writeable
        assert list(batch["probe"]) == [0, 1] * 100
        assert (batch["pid"] == target.pid).all() and set(batch["comm"]) == {b"known"}
        assert (numpy.diff(batch["time_ns"].astype(numpy.int64)) >= 0).all()
        second = batch[batch["probe"] == 1]
        assert isinstance(second, EventArray) and len(second) == 100
        assert type(batch["pid"]) is numpy.ndarray


def test_earlier_batches_stay_as_they_were(target: Target) -> None:
    """Memory is filled again only when nothing points into it."""
    with um.trace(f"{target.path}:known_000[0-2]", pid=target.pid) as events:
        target.call(times=50, functions=3)
        kept = [events.read_batch(events=10) for _ in range(15)]
        views = [batch["probe"] for batch in kept]
        before = [list(view) for view in views]
        del kept
        gc.collect()
        target.call(times=100, functions=1)
        for _ in range(10):
            assert set(events.read_batch(events=10)["probe"]) == {0}
        assert [list(view) for view in views] == before
    events.close()
    assert [list(view) for view in views] == before


def test_memory_is_used_again(target: Target) -> None:
    with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
        target.call(times=100)
        places = set()
        for _ in range(10):
            batch = events.read_batch(events=10)
            assert len(batch) == 10
            places.add(batch.__array_interface__["data"][0])
            del batch
        assert len(places) <= 2


def test_texts_in_bulk(worker: Worker) -> None:
    paths = [f"/no/such/{number}" for number in range(50)] + ["", "/caf\u00e9"]
    with um.trace(OPEN, SIGNATURE, pid=worker.pid) as events:
        for path in paths:
            worker.open(path)
        batch = events.read_batch(timeout=1)
    assert batch.strings(0) == paths
    assert batch.buffers(0)[-1] == "/caf\u00e9".encode()
    assert batch[10:12].strings(0) == paths[10:12]
    iterated = [str(event.arguments[0]) for event in events]
    assert iterated == []  # the batch had them all


def test_tables(worker: Worker, tmp_path: Path) -> None:
    paths = [f"/no/such/{number}" for number in range(10)]
    with um.trace(OPEN, SIGNATURE, returns=True, pid=worker.pid) as events:
        for path in paths:
            worker.open(path)
        batch = events.read_batch(timeout=1)
    frame = batch.to_frame()
    assert list(frame["path"]) == paths and set(frame["result"]) == {-1}
    assert set(frame["symbol"]) == {"open64"} and set(frame["kind"]) == {"call"}
    assert (frame["duration_ns"] > 0).all() and set(frame["comm"]) == {worker.comm}
    table = batch.to_arrow()
    assert table["path"].to_pylist() == paths and table["result"].to_pylist() == [-1] * 10
    assert table["symbol"].to_pylist() == ["open64"] * 10
    pyarrow.parquet.write_table(table, tmp_path / "events.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "events.parquet")["path"].to_pylist() == paths
    assert batch[:0].to_frame().empty and batch[:0].to_arrow().num_rows == 0


def test_text_that_is_not_utf8_stays_bytes(worker: Worker) -> None:
    with um.trace(OPEN, SIGNATURE, pid=worker.pid) as events:
        worker.open("/\udcff")
        batch = events.read_batch(timeout=1)
    assert batch.to_arrow()["path"].to_pylist() == [b"/\xff"]
    assert batch.to_frame()["path"].tolist() == ["/\udcff"]


def test_mixed_probes_have_plain_columns(worker: Worker) -> None:
    """An argument that is a text of one function and a number of the other."""
    with um.trace([OPEN, "libc.so.6:close"], {"open64": SIGNATURE, "close": "int close(int fd)"},
                  pid=worker.pid) as events:
        worker.open("/dev/null")
        batch = events.read_batch(timeout=1)
    assert batch.signature() is None
    opened = batch["probe"] == 0
    first = batch.to_frame()["arg0"]
    assert list(first[opened]) == ["/dev/null"] and all(fd > 2 for fd in first[~opened])
    assert batch[opened].to_frame()["path"].tolist() == ["/dev/null"]
    table = batch.to_arrow()
    assert table["arg0_text"].to_pylist() == ["/dev/null", None]
    assert table["arg0"].to_pylist() == [None, first[1]]


def test_arguments_do_not_take_the_place_of_columns(worker: Worker) -> None:
    """Names that are columns of every table, names that occur twice, names made for those."""
    named = "int open(char *pid, int kind_1, int kind, int flags, int flags)"
    with um.trace(OPEN, named, pid=worker.pid) as events:
        worker.open("/no/such/file")
        batch = events.read_batch(timeout=1)
    expected = ["pid_0", "kind_1", "kind_2", "flags", "flags_4"]
    table, frame = batch.to_arrow().to_pydict(), batch.to_frame()
    for found in (table, {name: frame[name].tolist() for name in frame}):
        assert [name for name in found if name in expected] == expected
        assert found["pid_0"] == ["/no/such/file"] and found["pid"] == [worker.pid]
        assert found["kind"] == ["entry"]
        for index, name in enumerate(expected[1:], 1):
            assert found[name][0] % 2**32 == int(batch["arguments"][0, index]) % 2**32
    clashing = "int open(char *symbol, int symbol_0, int comm, int time_ns, int result)"
    with um.trace(OPEN, clashing, returns=True, pid=worker.pid) as events:
        worker.open("/no/such/file")
        batch = events.read_batch(timeout=1)
    frame = batch.to_frame()
    assert list(frame["symbol_0_"]) == ["/no/such/file"] and list(frame["symbol"]) == ["open64"]
    assert list(frame["result"]) == [-1] == batch.to_arrow()["result"].to_pylist()
    assert set(frame) == set(batch.to_arrow().column_names)


def test_a_batch_outlives_its_trace(worker: Worker) -> None:
    with um.trace([OPEN, "libc.so.6:close"], {"open64": SIGNATURE, "close": "int close(int fd)"},
                  pid=worker.pid) as events:
        worker.open("/dev/null")
        batch = events.read_batch(timeout=1)
    events.close()
    assert batch.strings(0) == ["/dev/null", None]
    assert batch.to_frame()["symbol"].tolist() == ["open64", "close"]
    assert batch[:1].to_arrow()["path"].to_pylist() == ["/dev/null"]
    assert batch.signature_of(1).arguments[0].name == "fd"


def test_copies_and_pickles_are_whole(worker: Worker) -> None:
    paths = [f"/no/such/{number}" for number in range(5)]
    with um.trace(OPEN, SIGNATURE, stacks=True, pid=worker.pid) as events:
        for path in paths:
            worker.open(path)
        batch = events.read_batch(timeout=1)
    events.close()
    folded = batch.folded()
    copies = [copy.copy(batch), copy.deepcopy(batch), batch.copy(), batch.view(), batch[:],
              batch[::-1][::-1], batch[list(range(5))], batch.take(range(5)),
              numpy.sort(batch, order="time_ns")]
    copies += [pickle.loads(pickle.dumps(batch, protocol)) for protocol in range(2, 6)]
    frame, stacks = batch.to_frame(), [batch.stack(event).tolist() for event in range(5)]
    for again in copies:
        assert isinstance(again, EventArray) and again.strings(0) == paths
        assert [again.stack(event).tolist() for event in range(5)] == stacks
        assert again.to_frame().equals(frame) and again.folded() == folded
    last = pickle.loads(pickle.dumps(batch[4:]))
    del batch, copies, again
    gc.collect()
    assert last.strings(0) == paths[4:] and last.signature() == events.signature(0)


def test_batches_joined_by_numpy_are_plain(target: Target) -> None:
    """Places in two text areas can not be told apart."""
    batches = []
    with um.trace(f"{target.path}:known_0000", stacks=True, pid=target.pid) as events:
        for _ in range(2):
            target.call()
            batches.append(events.read_batch(timeout=30))
    for join in (numpy.concatenate, numpy.hstack, lambda both: numpy.append(*both)):
        both = join(batches)
        assert type(both) is numpy.ndarray and both["pid"].tolist() == [target.pid] * 2


def test_batches_end_with_the_trace(target: Target) -> None:
    with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
        target.call(times=95)
    assert [len(batch) for batch in events.batches(events=30)] == [30, 30, 30, 5]


def test_stacks_fold(target: Target) -> None:
    with um.trace(f"{target.path}:known_0000", stacks=True, pid=target.pid) as events:
        target.call(times=5)
        batch = events.read_batch(timeout=1)
        assert len(batch.stack(0)) >= 1
        folded = batch.folded()
        event_stack = batch[:1].stack(0)
    assert sum(folded.values()) == 5
    assert all(stack.endswith("known:known_0000") for stack in folded)
    with um.Symbolizer() as symbols:
        place = symbols.find(target.pid, int(event_stack[0]))
        assert (place.symbol, place.path, place.offset) == ("known_0000", target.path, 0)
        probe = batch.signature_of(0).probe
        assert place.file_offset == probe.offset
        nothing = symbols.find(target.pid, 8)
        assert (nothing.symbol, nothing.name) == ("", "?")


def test_async_for(target: Target) -> None:
    """Other tasks of the loop run meanwhile, and one of them stops the trace."""

    async def go() -> tuple[list[str], int]:
        with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:

            async def work() -> None:
                for _ in range(3):
                    await asyncio.sleep(0.02)
                    target.call(times=2)
                events.stop()

            task = asyncio.create_task(work())
            found = [event.probe.symbol async for event in events]
            await task
        total = 0
        with um.trace(f"{target.path}:known_0000", pid=target.pid) as events:
            target.call(times=7)
            events.stop()
            async for batch in events.batches():
                total += len(batch)
        return found, total

    assert asyncio.run(go()) == (["known_0000"] * 6, 7)
