# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Latency: topic 24. Calls, extremes, percentiles, histograms, sums and differences."""
from __future__ import annotations

import gc

import pytest

import uprobe_multi as um
from support import Target
from uprobe_multi._native import lib
from uprobe_multi.timing import BUCKETS


def test_every_call_is_measured(target: Target) -> None:
    with um.latency(f"{target.path}:known_000[01]", pid=target.pid) as times:
        target.call(times=50, functions=2, threads=4)
    snapshot = times.snapshot()
    assert [row.probe.symbol for row in snapshot] == ["known_0000", "known_0001"]
    for row in snapshot:
        assert (row.entries, row.calls, row.unreturned) == (200, 200, 0)
        assert 0 < row.min_ns <= row.percentile(0.5) <= row.percentile(0.99) <= row.max_ns
        assert row.calls * row.min_ns <= row.sum_ns <= row.calls * row.max_ns
        assert row.min_ns <= row.mean_ns <= row.max_ns
        assert (row.pid, row.tid) == (0, 0)
    assert snapshot.lost == 0 and list(times.hits()) == [200, 200]


def test_histograms_hold_every_call(target: Target) -> None:
    with um.latency(f"{target.path}:known_0000", pid=target.pid) as times:
        target.call(times=100)
    row = times.snapshot().row("known_0000")
    assert len(row.counts) == BUCKETS and sum(row.counts) == 100
    buckets = row.buckets()
    assert sum(calls for _, _, calls in buckets) == 100
    assert buckets[0][0] <= row.min_ns < buckets[0][1]
    assert buckets[-1][0] <= row.max_ns < buckets[-1][1]
    assert all(high == low for (_, high, _), (low, _, _) in zip(buckets, buckets[1:]))
    with pytest.raises(KeyError):
        times.snapshot().row("known_0001")


def test_buckets_are_within_a_sixteenth() -> None:
    bounds = [um.bucket_bounds(at) for at in range(BUCKETS)]
    assert bounds[:17] == [(at, at + 1) for at in range(16)] + [(16, 18)]
    assert all((high - low) / low <= 1 / 8 for low, high in bounds[16:-1])
    with pytest.raises(um.InvalidArgument):
        um.bucket_bounds(BUCKETS)


def test_snapshots_add_up_and_subtract(target: Target) -> None:
    with um.latency(f"{target.path}:known_000[01]", pid=target.pid) as times:
        target.call(times=10, functions=1)
        first = times.snapshot()
        target.call(times=5, functions=2)
        second = times.snapshot()
    between = second - first
    assert {row.probe.symbol: row.calls for row in between} == {"known_0000": 5, "known_0001": 5}
    assert [row.calls for row in first + second] == [25, 5]
    assert second.time_ns > first.time_ns
    with pytest.raises(um.InvalidArgument):
        first - second


def test_rows_for_each_thread_or_process(target: Target) -> None:
    with Target() as other:
        with um.latency(
            f"{target.path}:known_0000", pids=[target.pid, other.pid], split="process"
        ) as times:
            target.call(times=3)
            other.call(times=4)
        assert {row.pid: row.calls for row in times.snapshot()} == {target.pid: 3, other.pid: 4}
    with um.latency(
        f"{target.path}:known_0000", pid=target.pid, split=um.Split.THREAD
    ) as times:
        target.call(times=3, threads=2)
    rows = times.snapshot()
    assert len({row.tid for row in rows}) == 2 and all(row.calls == 3 for row in rows)
    assert str(rows[0].tid) in rows[0].name


def test_a_row_keeps_its_snapshot(target: Target) -> None:
    """On topic 6: results outlive the observer, a row the snapshot."""
    times = um.latency(f"{target.path}:known_0000", pid=target.pid)
    target.call(times=3)
    row = times.snapshot()[-1]
    times.close()
    gc.collect()
    assert row.calls == 3 and row.min_ns <= row.percentile(0) <= row.percentile(1) <= row.max_ns
    assert "known_0000" in repr(row) and "<svg" in row._repr_html_()


def test_tables_texts_and_kinds(target: Target) -> None:
    """On topic 29."""
    with um.latency(f"{target.path}:known_000[01]", pid=target.pid) as times:
        assert times.snapshot()._repr_html_() and str(times.snapshot()) == "no calls"
        target.call(times=3, functions=2)
    snapshot = times.snapshot()
    frame = snapshot.to_frame()
    assert list(frame["calls"]) == [3, 3] and (frame["p99_ns"] >= frame["p50_ns"]).all()
    assert "known_0001" in str(snapshot) and "6 calls in 2 rows" in repr(snapshot)
    assert "<svg" in snapshot._repr_html_()
    assert times.kind == "latency"
    snapshot.close()
    assert "closed" in repr(snapshot)
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        with pytest.raises(um.InvalidArgument):
            um.Latency.snapshot(calls)  # type: ignore[arg-type]


def test_what_can_not_be_measured_is_skipped(target: Target) -> None:
    """On topic 14."""
    specs = [f"{target.path}:known_0000", f"{target.path}:no_such_function"]
    with um.latency(specs, pid=target.pid) as times:
        target.call()
    assert [probe.verdict for probe in times.skipped] == [um.Verdict.NO_MATCH]
    assert [row.calls for row in times.snapshot()] == [1]
    with pytest.raises(um.InvalidArgument, match="split"):
        um.latency(specs, split="cpu")
    assert lib.UPM_SPLIT_NONE == um.Split.NONE
