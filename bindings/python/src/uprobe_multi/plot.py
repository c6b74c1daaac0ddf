# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Pictures, with matplotlib. Each function draws into the axes given, or into new ones."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from .display import duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .counting import CountSnapshot
    from .timing import LatencyRow, LatencySnapshot

_COLOUR = "#4878a8"
_LONGEST_NAME = 40


def _axes(ax: Axes | None, height: float) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(8, height), layout="constrained")[1]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _time_axis(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(base=10, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axis.set_minor_formatter(NullFormatter())


def plot_counts(snapshot: CountSnapshot, most: int = 20, ax: Axes | None = None) -> Axes:
    """Bars of the hottest functions."""
    top = snapshot.top(most)[::-1]
    ax = _axes(ax, 1 + 0.25 * max(1, len(top)))
    bars = ax.barh(
        range(len(top)), [hits for _, hits in top], color=_COLOUR, tick_label=[
            _short(probe.name) for probe, _ in top
        ]
    )
    ax.bar_label(bars, [f"{hits:,}" for _, hits in top], padding=3, fontsize="small")
    ax.margins(x=0.12)
    ax.set_xlabel("hits" + (f" in {snapshot.seconds:.3g} s" if snapshot.seconds else ""))
    ax.set_title(f"{snapshot.total:,} hits of {len(snapshot):,} probes")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _edges(buckets: Sequence[tuple[int, int, int]]) -> list[float]:
    """Of buckets side by side; 0 has no place on a logarithmic axis, the last may have no end."""
    edges = [max(0.5, float(low)) for low, _, _ in buckets]
    last = buckets[-1]
    return [*edges, float(last[1]) if last[1] < 2**63 else 2.0 * last[0]]


def plot_histogram(row: LatencyRow, ax: Axes | None = None) -> Axes:
    """Calls of one function over time, with its percentiles."""
    ax = _axes(ax, 3.5)
    ax.set_title(f"{_short(row.name)}: {row.calls:,} calls")
    ax.set_xlabel("duration")
    ax.set_ylabel("calls")
    ax.spines[["top", "right"]].set_visible(False)
    buckets = row.buckets()
    if not buckets:
        return ax
    ax.stairs([calls for _, _, calls in buckets], _edges(buckets), fill=True, color=_COLOUR)
    ax.set_xscale("log")
    _time_axis(ax.xaxis)
    for share, style in ((0.5, "-"), (0.9, "--"), (0.99, ":")):
        at = row.percentile(share)
        ax.axvline(at, color="black", linestyle=style, linewidth=1,
                   label=f"p{share * 100:g}: {duration(at)}")
    ax.legend(frameon=False)
    return ax


def plot_latency(snapshot: LatencySnapshot, most: int = 20, ax: Axes | None = None) -> Axes:
    """A line for each function from its fastest to its slowest call, p50, p90 and p99 on it."""
    rows = sorted(snapshot, key=lambda row: row.sum_ns, reverse=True)
    rows = [row for row in rows if row.calls][:most][::-1]
    ax = _axes(ax, 1.2 + 0.28 * max(1, len(rows)))
    places = range(len(rows))
    ax.set_yticks(places, [_short(row.name) for row in rows])
    ax.set_xlabel("duration")
    ax.set_title(f"{sum(row.calls for row in snapshot):,} calls, by time spent")
    ax.spines[["top", "right"]].set_visible(False)
    if not rows:
        return ax
    ax.hlines(places, [max(0.5, row.min_ns) for row in rows], [row.max_ns for row in rows],
              color="#c0c8d0", linewidth=6)
    for share, marker in ((0.5, "o"), (0.9, "d"), (0.99, "|")):
        ax.plot([max(0.5, row.percentile(share)) for row in rows], places, marker,
                color=_COLOUR, markeredgecolor="black", label=f"p{share * 100:g}")
    ax.set_xscale("log")
    _time_axis(ax.xaxis)
    ax.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, -0.12))
    return ax


def plot_heat(
    snapshots: Sequence[LatencySnapshot], symbol: str | None = None, ax: Axes | None = None
) -> Axes:
    """Latency heat over time: a column for what came between each snapshot and the next, a row
    for each range of durations, dark where many calls were.

    Args:
        snapshots: of one observer, in their order; at least two
        symbol: one function; None = all together
    """
    import numpy
    from matplotlib.colors import LogNorm

    from .timing import BUCKETS, bucket_bounds

    if len(snapshots) < 2:
        raise ValueError("latency heat needs two snapshots or more")
    ax = _axes(ax, 4)
    times = [(each.time_ns - snapshots[0].time_ns) / 1e9 for each in snapshots]
    heat = numpy.zeros((BUCKETS, len(snapshots) - 1))
    for column, (earlier, later) in enumerate(zip(snapshots, snapshots[1:])):
        for row in later - earlier:
            if symbol is None or symbol in (row.probe.symbol, row.probe.name):
                heat[:, column] += numpy.asarray(row.counts)
    used = numpy.flatnonzero(heat.sum(axis=1))
    ax.set_xlabel("seconds")
    ax.set_ylabel("duration")
    ax.set_title(f"{symbol or 'all functions'}: {int(heat.sum()):,} calls")
    if not len(used):
        return ax
    first, last = int(used[0]), int(used[-1]) + 1
    edges = _edges([(*bucket_bounds(at), 0) for at in range(first, last)])
    mesh = ax.pcolormesh(
        times, edges, numpy.ma.masked_equal(heat[first:last], 0), cmap="magma_r",
        norm=LogNorm(vmin=1, vmax=max(2.0, float(heat.max()))),
    )
    ax.set_yscale("log")
    _time_axis(ax.yaxis)
    ax.figure.colorbar(mesh, ax=ax, label="calls")
    return ax
