# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""How slow."""
from __future__ import annotations

from array import array
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Iterable, Iterator, NamedTuple

from ._convert import chosen, filled
from ._handle import Handle, Slot
from ._native import ffi, lib
from ._progress import Progress
from .attaching import Scope
from .counting import start
from .enums import Backend, Placement
from .errors import check_status
from .observer import Observer
from .probes import Probe, ProbeSet
from .resolving import Probes

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes


class Split(IntEnum):
    """How the rows of a latency are told apart, beside by probe."""

    NONE = lib.UPM_SPLIT_NONE
    PROCESS = lib.UPM_SPLIT_PROCESS
    THREAD = lib.UPM_SPLIT_THREAD


class LatencyRow(NamedTuple):
    """The calls of one probe, or of one probe in one process or thread. Times are in ns."""

    probe: Probe
    entries: int  #: calls that began
    calls: int  #: calls that returned: those of the histogram
    unreturned: int  #: entries - calls
    sum_ns: int
    min_ns: int  #: 0 without calls
    max_ns: int
    pid: int  #: when split by process or thread; else 0
    tid: int  #: when split by thread; else 0
    counts: array[int]  #: numbers of calls, one for each of BUCKETS
    snapshot: LatencySnapshot
    position: int  #: in the snapshot

    @property
    def name(self) -> str:
        """The probe's name, with the process or thread that the row is of."""
        who = "".join(f" [{key} {value}]" for key, value in self._who() if value)
        return f"{self.probe.name}{who}"

    def _who(self) -> list[tuple[str, int]]:
        return [("thread", self.tid)] if self.tid else [("process", self.pid)]

    @property
    def mean_ns(self) -> float:
        """Average time of a call; 0 without calls."""
        return self.sum_ns / self.calls if self.calls else 0.0

    def percentile(self, share: float) -> int:
        """The time in ns that a share (0 … 1) of the calls did not exceed, at most 1/16 off."""
        return self.snapshot.percentile(self.position, share)

    def buckets(self) -> list[tuple[int, int, int]]:
        """(low_ns, high_ns, calls) from the first bucket with calls to the last."""
        used = [at for at, calls in enumerate(self.counts) if calls]
        if not used:
            return []
        return [(*bucket_bounds(at), self.counts[at]) for at in range(used[0], used[-1] + 1)]

    def plot(self, ax: Axes | None = None) -> Axes:
        """The histogram over a logarithmic axis of time, with matplotlib."""
        from .plot import plot_histogram

        return plot_histogram(self, ax)

    def __repr__(self) -> str:
        return f"<LatencyRow {self.name}: {self.calls} calls, p50 {self.percentile(0.5)} ns>"

    def _repr_html_(self) -> str:
        from .display import duration, strip

        return (
            f"<b>{self.name}</b>: {self.calls:,} calls, p50 {duration(self.percentile(0.5))},"
            f" p99 {duration(self.percentile(0.99))}<br>{strip(self.buckets())}"
        )


#: Number of buckets of a histogram.
BUCKETS: int = lib.UPM_LATENCY_BUCKETS


def bucket_bounds(bucket: int) -> tuple[int, int]:
    """What a bucket counts: times from low_ns to below high_ns. The last has no end."""
    low, high = ffi.new("uint64_t *"), ffi.new("uint64_t *")
    check_status(lib.upm_latency_bucket(bucket, low, high))
    return low[0], high[0]


class LatencySnapshot(Handle):
    """What a latency had measured at one moment: a sequence of LatencyRow.

    `later - earlier` is what came between two snapshots; `one + other` adds two up.
    """

    _what = "snapshot"

    def __init__(self, slot: Slot, probes: ProbeSet) -> None:
        super().__init__(slot)
        self.probes = probes

    def __len__(self) -> int:
        with self._use() as pointer:
            return int(lib.upm_latency_snapshot_size(pointer))

    def __getitem__(self, index: int) -> LatencyRow:
        position = range(len(self))[index]
        raw = filled("upm_latency_row")
        with self._use() as pointer:
            check_status(lib.upm_latency_snapshot_get(pointer, position, raw))
            buckets = lib.upm_latency_snapshot_buckets(pointer, position)
            counts = array("Q", bytes(ffi.buffer(buckets, 8 * BUCKETS)))
        return LatencyRow(
            self.probes[raw.probe], raw.entries, raw.calls, raw.unreturned,
            raw.sum_ns, raw.min_ns, raw.max_ns, raw.pid, raw.tid, counts, self, position,
        )

    def __iter__(self) -> Iterator[LatencyRow]:
        return (self[index] for index in range(len(self)))

    def row(self, symbol: str) -> LatencyRow:
        """The first row of this function."""
        for row in self:
            if symbol in (row.probe.symbol, row.probe.name):
                return row
        raise KeyError(symbol)

    @property
    def time_ns(self) -> int:
        """CLOCK_MONOTONIC at the reading."""
        with self._use() as pointer:
            return int(lib.upm_latency_snapshot_time_ns(pointer))

    @property
    def lost(self) -> int:
        """Calls that are in no row, because there was no room for one more row."""
        with self._use() as pointer:
            return int(lib.upm_latency_snapshot_lost(pointer))

    def percentile(self, index: int, share: float) -> int:
        """The time in ns that a share (0 … 1) of the calls of a row did not exceed."""
        with self._use() as pointer:
            return int(lib.upm_latency_snapshot_percentile(pointer, index, share))

    def _with(self, function: Any, other: LatencySnapshot) -> LatencySnapshot:
        slot = Slot(lib.upm_latency_snapshot_free)
        first, second = sorted((self, other), key=id)
        with first._use(), second._use(), self._use() as one, other._use() as two:
            check_status(function(one, two, slot.out))
        return LatencySnapshot(slot, self.probes)

    def __add__(self, other: LatencySnapshot) -> LatencySnapshot:
        if not isinstance(other, LatencySnapshot):
            return NotImplemented
        return self._with(lib.upm_latency_snapshot_merge, other)

    def __sub__(self, earlier: LatencySnapshot) -> LatencySnapshot:
        if not isinstance(earlier, LatencySnapshot):
            return NotImplemented
        return self._with(lib.upm_latency_snapshot_diff, earlier)

    def to_frame(self) -> pandas.DataFrame:
        """A pandas table, one row a row; percentiles beside the exact figures."""
        import pandas

        exact = ("entries", "calls", "unreturned", "sum_ns", "min_ns", "max_ns", "pid", "tid")
        return pandas.DataFrame(
            {
                "path": row.probe.path,
                "symbol": row.probe.symbol,
                **{name: getattr(row, name) for name in exact},
                "mean_ns": row.mean_ns,
                **{f"p{p}_ns": row.percentile(p / 100) for p in (50, 90, 99)},
            }
            for row in self
        )

    def plot(self, most: int = 20, ax: Axes | None = None) -> Axes:
        """The spread of the slowest functions: a row each over an axis of time."""
        from .plot import plot_latency

        return plot_latency(self, most, ax)

    def __repr__(self) -> str:
        if self.closed:
            return "<LatencySnapshot, closed>"
        return f"<LatencySnapshot: {sum(row.calls for row in self)} calls in {len(self)} rows>"

    def __str__(self) -> str:
        from .display import duration

        lines = [
            f"{row.calls:>10,} calls  p50 {duration(row.percentile(0.5)):>8}"
            f"  p99 {duration(row.percentile(0.99)):>8}  max {duration(row.max_ns):>8}  {row.name}"
            for row in sorted(self, key=lambda row: row.sum_ns, reverse=True)[:20]
        ]
        return "\n".join(lines) or "no calls"

    def _repr_html_(self) -> str:
        from .display import latency_html

        return latency_html(self)


class Latency(Observer):
    """Measures calls from entry to return: made by latency()."""

    def snapshot(self) -> LatencySnapshot:
        """What has been measured so far."""
        slot = Slot(lib.upm_latency_snapshot_free)
        with self._use() as pointer:
            check_status(lib.upm_latency_read(pointer, slot.out))
        return LatencySnapshot(slot, self.probes)


def latency(
    probes: Probes,
    *,
    split: Split | str = Split.NONE,
    most_rows: int = 0,
    pid: int | None = None,
    pids: Iterable[int] = (),
    children: bool = False,
    strict: bool = False,
    backend: Backend | str = Backend.AUTO,
    probes_per_link: int = 0,
    progress: Progress = None,
    placement: Placement | str = Placement.DEFAULT,
) -> Latency:
    """Measure the time from the entry of functions to their return.

    Args:
        probes: a ProbeSet, or specs
        split: "none", or a row for each "process" or "thread"
        most_rows: rows with a histogram; 0 = as many as probes (split: 16,384)
        and as attach()

    Raises:
        as count()
    """
    scope = Scope(
        pid, pids, children, strict,
        backend=backend, probes_per_link=probes_per_link, progress=progress,
        placement=placement,
    )
    own = filled(
        "upm_latency_options", split=chosen(Split, split, "split"), most_rows=most_rows
    )
    return Latency(start(lib.upm_latency, probes, scope, own))
