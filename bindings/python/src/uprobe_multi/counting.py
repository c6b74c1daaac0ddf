# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""How often."""
from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING, Any, Iterable, Iterator

from ._convert import invalid
from ._handle import Slot
from ._native import lib
from ._progress import Progress
from .attaching import Scope
from .enums import Backend, Placement
from .observer import Observer
from .probes import Probe, ProbeSet
from .resolving import Probes, as_probe_set

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes


class CountSnapshot:
    """The hits of each probe at one moment, or between two: `later - earlier`.

    Iteration gives (probe, hits) in the order of the set; `snapshot["malloc"]` is the hits of all
    probes of that symbol.

    Attributes:
        probes: the probes
        hits: a number for each, as array("Q"); numpy.asarray() takes it without a copy
        time_ns: CLOCK_MONOTONIC at the reading
        seconds: between two readings; 0 for one reading
    """

    def __init__(
        self, probes: ProbeSet, hits: array[int], time_ns: int, seconds: float = 0.0
    ) -> None:
        self.probes = probes
        self.hits = hits
        self.time_ns = time_ns
        self.seconds = seconds

    @property
    def total(self) -> int:
        """Hits of all probes."""
        return sum(self.hits)

    def top(self, most: int = 10) -> list[tuple[Probe, int]]:
        """The probes with the most hits, of those that were hit."""
        order = sorted(range(len(self.hits)), key=self.hits.__getitem__, reverse=True)
        return [(self.probes[i], self.hits[i]) for i in order[:most] if self.hits[i]]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[tuple[Probe, int]]:
        return zip(self.probes, self.hits)

    def __getitem__(self, symbol: str) -> int:
        found = [hits for probe, hits in self if symbol in (probe.symbol, probe.name)]
        if not found:
            raise KeyError(symbol)
        return sum(found)

    def __sub__(self, earlier: CountSnapshot) -> CountSnapshot:
        if not isinstance(earlier, CountSnapshot):
            return NotImplemented
        if len(earlier) != len(self):
            raise invalid("subtract snapshots", "", "they are of different probes")
        hits = array("Q", (now - then for now, then in zip(self.hits, earlier.hits)))
        return CountSnapshot(
            self.probes, hits, self.time_ns, (self.time_ns - earlier.time_ns) / 1e9
        )

    def to_frame(self) -> pandas.DataFrame:
        """The table of the probes with a column "hits"."""
        frame = self.probes.to_frame()
        frame.insert(3, "hits", self.hits)
        return frame

    def plot(self, most: int = 20, ax: Axes | None = None) -> Axes:
        """Bars of the hottest functions, with matplotlib."""
        from .plot import plot_counts

        return plot_counts(self, most, ax)

    def __repr__(self) -> str:
        return f"<CountSnapshot: {self.total} hits of {len(self)} probes>"

    def __str__(self) -> str:
        lines = [f"{hits:>12,}  {probe.name}" for probe, hits in self.top(20)]
        return "\n".join([*lines, f"{self.total:>12,}  in all"])

    def _repr_html_(self) -> str:
        from .display import counts_html

        return counts_html(self)


class Count(Observer):
    """Counts the hits of each probe: made by count()."""

    def snapshot(self) -> CountSnapshot:
        """The hits so far."""
        return CountSnapshot(self.probes, self.hits(), time.monotonic_ns())


def count(
    probes: Probes,
    *,
    pid: int | None = None,
    pids: Iterable[int] = (),
    children: bool = False,
    strict: bool = False,
    backend: Backend | str = Backend.AUTO,
    probes_per_link: int = 0,
    progress: Progress = None,
    placement: Placement | str = Placement.DEFAULT,
) -> Count:
    """Count hits, exactly, for each probe: `with um.count("libc.so.6:*alloc", pid=1234) as c:`.

    Args:
        probes: a ProbeSet, or specs
        and as attach()

    Raises:
        as resolve() and attach(), and LimitError for more probes than a BPF map can hold
    """
    scope = Scope(
        pid, pids, children, strict,
        backend=backend, probes_per_link=probes_per_link, progress=progress,
        placement=placement,
    )
    return Count(start(lib.upm_count, probes, scope))


def start(function: Any, probes: Probes, scope: Scope, *own: Any) -> Slot:
    """Resolve if need be, and call upm_count() or another of its kind."""
    found = as_probe_set(probes, scope.pids, scope.call.function)
    slot = Slot(lib.upm_observer_free)
    with found._use() as pointer:
        status = function(pointer, *own, scope.options, slot.out)
    scope.call.check(status)
    return slot
