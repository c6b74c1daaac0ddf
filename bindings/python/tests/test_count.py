# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Counting hits on the live kernel: topic 23. What is skipped is seen: topic 14."""
from __future__ import annotations

import numpy
import pytest

import uprobe_multi as um
from support import Target
from uprobe_multi.display import Live


def test_counts_are_exact(target: Target) -> None:
    with um.count(f"{target.path}:known_000?", pid=target.pid) as calls:
        target.call(times=7, functions=10)
        target.call(times=3, functions=1, threads=4)
    snapshot = calls.snapshot()
    assert list(snapshot.hits) == [7 + 12] + [7] * 9
    assert snapshot.total == 82 and snapshot["known_0000"] == 19
    assert [(probe.symbol, hits) for probe, hits in snapshot.top(1)] == [("known_0000", 19)]
    with pytest.raises(KeyError):
        snapshot["known_0999"]


def test_stopped_counts_stand_still(target: Target) -> None:
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        target.call(times=2)
    target.call(times=5)
    assert list(calls.hits()) == [2]
    assert calls.stop() >= 0
    assert calls.kernel_links == []


def test_only_the_process_asked_for_is_counted(target: Target) -> None:
    with Target() as other, um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        target.call(times=2)
        other.call(times=5)
        assert list(calls.hits()) == [2]
    with Target() as other, um.count(
        f"{target.path}:known_0000", pids=[target.pid, other.pid]
    ) as calls:
        target.call(times=2)
        other.call(times=5)
        assert list(calls.hits()) == [7]


def test_children_are_followed(target: Target) -> None:
    with um.count(f"{target.path}:known_0000", pid=target.pid, children=True) as calls:
        assert target.ask("fork children=3 times=4 functions=1") == "fork total=12"
        assert list(calls.hits()) == [12] and calls.lost_processes == 0


def test_skipped_probes_are_reported(target: Target) -> None:
    specs = [f"{target.path}:known_0000", f"{target.path}:no_such_function"]
    with um.count(specs, pid=target.pid) as calls:
        target.call(times=2)
    assert calls.attached_count == 1 and calls.skipped_count == 1
    assert [probe.symbol for probe in calls.attached] == ["known_0000"]
    assert calls.skipped[0].reason and calls.skipped[0].verdict == um.Verdict.NO_MATCH
    assert list(calls.hits()) == [2, 0] and calls.attach_seconds > 0


def test_each_backend_counts(target: Target) -> None:
    for backend in ("uprobe_multi", um.Backend.PERF_EVENT):
        with um.count(f"{target.path}:known_000[01]", pid=target.pid, backend=backend) as calls:
            target.call(times=3, functions=2)
            assert str(calls.backend) == str(backend)
        assert list(calls.hits()) == [3, 3]


def test_differences_of_snapshots(target: Target) -> None:
    with um.count(f"{target.path}:known_000[01]", pid=target.pid) as calls:
        target.call(times=2, functions=2)
        before = calls.snapshot()
        target.call(times=5, functions=1)
        since = calls.snapshot() - before
    assert list(since.hits) == [5, 0] and since.seconds > 0
    other = um.CountSnapshot(before.probes[:1], before.hits[:1], 0)
    with pytest.raises(um.InvalidArgument):
        since - other


def test_numpy_takes_the_hits_without_a_copy(target: Target) -> None:
    with um.count(f"{target.path}:known_000?", pid=target.pid) as calls:
        target.call(times=2, functions=10)
        hits = calls.hits()
    numbers = numpy.asarray(hits)
    assert numbers.dtype == numpy.uint64 and numbers.sum() == 20
    assert numpy.shares_memory(numbers, numpy.frombuffer(hits, dtype=numpy.uint64))


def test_tables_and_texts(target: Target) -> None:
    with um.count(f"{target.path}:known_000?", pid=target.pid) as calls:
        target.call(times=2, functions=10)
    snapshot = calls.snapshot()
    frame = snapshot.to_frame()
    assert frame["hits"].sum() == 20 and set(frame["symbol"]) == {p.symbol for p, _ in snapshot}
    assert "known_0003" in str(snapshot) and "20" in repr(snapshot)
    assert "known_0003" in snapshot._repr_html_()


def test_the_probes_of_an_observer_are_its_own(target: Target) -> None:
    probes = um.resolve(f"{target.path}:known_000?")
    with um.count(probes, pid=target.pid) as calls:
        probes.close()
        assert [p.symbol for p in calls.probes] == [f"known_000{i}" for i in range(10)]
    assert calls.kind == "count"


def test_live_view_reads_while_the_block_runs(target: Target) -> None:
    seen: list[int] = []
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:

        def read() -> um.CountSnapshot:
            snapshot = calls.snapshot()
            seen.append(snapshot.total)
            return snapshot

        with Live(read, every=0.01):
            while len(seen) < 3:
                target.call(times=1)
        calls.watch(seconds=0.05, every=0.02)
    assert seen[0] == 0 and seen == sorted(seen) and seen[-1] > 0
