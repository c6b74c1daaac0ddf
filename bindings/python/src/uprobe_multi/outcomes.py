# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What became of the hits of a trace."""
from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from .probes import Probe, ProbeSet

if TYPE_CHECKING:
    import pandas


class TraceCount(NamedTuple):
    """What became of the hits of a probe: hits = events + filtered + lost + unreturned."""

    hits: int
    events: int  #: put into the ring buffer
    filtered: int  #: kept out by a filter, the sampling or the rate limit
    lost: int  #: there was no room
    unreturned: int  #: with returns=True: running, or without a return that the kernel tells of
    refused: int  #: of lost: calls that found no room in the table of running calls


class TraceSnapshot:
    """What became of the hits of each probe at one moment. Iteration: (probe, TraceCount)."""

    def __init__(self, probes: ProbeSet, counts: list[TraceCount]) -> None:
        self.probes = probes
        self.counts = counts

    @property
    def total(self) -> TraceCount:
        """Of all probes."""
        return TraceCount(*map(sum, zip(*self.counts))) if self.counts else TraceCount(*[0] * 6)

    def __len__(self) -> int:
        return len(self.counts)

    def __iter__(self) -> Iterator[tuple[Probe, TraceCount]]:
        return zip(self.probes, self.counts)

    def to_frame(self) -> pandas.DataFrame:
        """A pandas table, one row a probe."""
        import pandas

        return pandas.DataFrame(
            [(probe.path, probe.symbol, *count) for probe, count in self],
            columns=["path", "symbol", *TraceCount._fields],
        )

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {name}" for name, number in self.total._asdict().items())

    def __repr__(self) -> str:
        return f"<TraceSnapshot: {self}>"

    def _repr_html_(self) -> str:
        from .display import trace_html

        return trace_html(self)
