# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Observers and links under a name in a BPF file system: topic 28."""
from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Iterator

import pytest

import uprobe_multi as um
from support import Target, bpf_file_system, built, left_in, map_value, python


@pytest.fixture
def bpffs(tmp_path: Path) -> Iterator[Path]:
    """A BPF file system of our own."""
    with bpf_file_system(tmp_path / "bpf") as place:
        yield place


BEGIN = """
import sys
import uprobe_multi as um
um.count(sys.argv[1], pid=int(sys.argv[2])).pin(sys.argv[3])
"""


def test_a_count_outlives_its_process(target: Target, bpffs: Path) -> None:
    name = f"{bpffs}/calls"
    done = python(BEGIN, f"{target.path}:known_000[01]", str(target.pid), name)
    assert (done.returncode, done.stderr) == (0, "")
    target.call(times=3, functions=2)
    with um.open(name) as calls:
        assert isinstance(calls, um.Count)
        assert [probe.symbol for probe in calls.probes] == ["known_0000", "known_0001"]
        assert list(calls.hits()) == [3, 3]
    target.call(times=2, functions=1)
    again = um.open(name)
    assert list(again.hits()) == [5, 3]
    um.unpin(name)
    again.close()
    assert left_in(bpffs) == set()
    with pytest.raises(um.NotFound):
        um.open(name)


def test_latencies_and_events_are_shared(target: Target, bpffs: Path) -> None:
    spec = f"{target.path}:known_0000"
    with um.latency(spec, pid=target.pid) as times:
        times.pin(f"{bpffs}/times")
    with um.trace(spec, "(int first)", pid=target.pid) as events:
        events.pin(f"{bpffs}/events")
    target.call(times=4)
    with um.open(f"{bpffs}/times") as opened:
        assert isinstance(opened, um.Latency)
        assert opened.snapshot().row("known_0000").calls == 4
    with um.open(f"{bpffs}/events") as traced:
        assert isinstance(traced, um.Trace)
        assert traced.signature(0).arguments[0].name == "first"
        assert len(traced.read_batch(timeout=1)) == 4
    for name in ("times", "events"):
        um.unpin(f"{bpffs}/{name}")


def test_pinned_observers_are_listed(target: Target, bpffs: Path) -> None:
    assert um.list_pinned(bpffs) == []
    with um.count(f"{target.path}:known_000?", pid=target.pid) as calls:
        calls.pin(f"{bpffs}/calls")
        (pinned,) = um.list_pinned(bpffs)
        assert pinned.name.endswith("calls") and pinned.kind == "count" and not pinned.problem
        assert (pinned.probes, pinned.attached, pinned.creator_pid) == (10, 10, os.getpid())
        assert abs((datetime.now(timezone.utc) - pinned.created).total_seconds()) < 60
        with um.count(f"{target.path}:known_0000", pid=target.pid) as other:
            with pytest.raises(FileExistsError) as caught:
                other.pin(f"{bpffs}/calls")
        assert isinstance(caught.value, um.AlreadyExists)
    um.unpin(f"{bpffs}/calls")
    with pytest.raises(FileNotFoundError):
        um.unpin(f"{bpffs}/calls")


def test_the_hint_says_how_to_mount(target: Target, tmp_path: Path) -> None:
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        with pytest.raises(um.NotFound) as caught:
            calls.pin(f"{tmp_path}/calls")
    assert "mount" in caught.value.hint


def test_links_are_pinned_too(target: Target, bpffs: Path) -> None:
    path = bpffs / "link"
    object = um.Object(built("tests/bpf/sections.bpf.o"))
    link = um.attach(object, f"{target.path}:known_0000", name="entry", pid=target.pid)
    link.pin(path)
    link.close()
    target.call(times=3)
    assert map_value(object.map_fd("hits"), 0) == 3
    with um.open_link(path) as opened:
        assert [probe.symbol for probe in opened.attached] == ["known_0000"]
    target.call(times=3)
    assert map_value(object.map_fd("hits"), 0) == 6
    um.unpin_link(path)
    target.call(times=3)
    assert map_value(object.map_fd("hits"), 0) == 6
    object.close()
