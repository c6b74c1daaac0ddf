# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""How things look in a notebook, and live in notebooks and terminals. Plain HTML: no scripts."""
from __future__ import annotations

import sys
import threading
import time
from html import escape
from typing import TYPE_CHECKING, Any, Callable, Iterable, Sequence

if TYPE_CHECKING:
    from .counting import CountSnapshot
    from .timing import LatencySnapshot
    from .link import Link
    from .observer import Observer
    from .outcomes import TraceSnapshot
    from .probes import ProbeSet

MOST_ROWS = 30
_BAR = "#4878a8"


class Markup(str):
    """Text that is HTML already."""


def _cell(value: object) -> str:
    if isinstance(value, Markup):
        return f"<td>{value}</td>"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
        return f'<td style="text-align:right">{number}</td>'
    return f'<td style="text-align:left">{escape(str(value))}</td>'


def table_html(
    head: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "", more: int = 0
) -> str:
    """A table; more = rows that are left out of it."""
    titles = "".join(f'<th style="text-align:left">{escape(title)}</th>' for title in head)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    rest = f'<tr><td colspan="{len(head)}">… {more:,} more</td></tr>' if more > 0 else ""
    title = f'<caption style="text-align:left">{caption}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{titles}</tr></thead><tbody>{body}{rest}</tbody></table>"


def bar(share: float) -> Markup:
    """A horizontal bar; share 0 … 1."""
    width = max(1, round(160 * min(1.0, share)))
    return Markup(
        f'<div style="background:{_BAR};height:0.8em;width:{width}px;display:inline-block"></div>'
    )


def duration(nanoseconds: float) -> str:
    """Time as people read it."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"


def probe_set_html(probes: ProbeSet) -> str:
    """Verdicts in a line, then the first probes."""
    verdicts = ", ".join(f"{number:,} {verdict}" for verdict, number in probes.verdicts.items())
    size = len(probes)
    rows = [
        (str(p.kind), p.path, p.name, f"{p.offset:#x}", str(p.cost), str(p.verdict), p.reason)
        for p in probes[:MOST_ROWS]
    ]
    caption = f"<b>{size:,} probes</b>: {escape(verdicts) or 'empty'}"
    head = ("kind", "file", "name", "offset", "cost", "verdict", "reason")
    return table_html(head, rows, caption, size - len(rows))


def _skipped_html(skipped: Sequence[Any]) -> str:
    if not skipped:
        return ""
    rows = [(p.path, p.name, str(p.verdict), p.reason) for p in skipped[:MOST_ROWS]]
    caption = f"<b>{len(skipped):,} skipped</b>"
    head = ("file", "name", "verdict", "reason")
    return table_html(head, rows, caption, len(skipped) - len(rows))


def _attached_line(title: str, view: Link | Observer) -> str:
    return (
        f"<b>{title}</b>: {view.attached_count:,} probes attached in"
        f" {duration(view.attach_seconds * 1e9)} by {view.backend},"
        f" {len(view.kernel_links):,} kernel links<br>"
    )


def link_html(link: Link) -> str:
    """A line, and what is skipped."""
    if link.closed:
        return "<b>Link</b>, closed"
    return _attached_line("Link", link) + _skipped_html(link.skipped)


def observer_html(observer: Observer) -> str:
    """A line, what is skipped, and the results so far."""
    name = type(observer).__name__
    if observer.closed:
        return f"<b>{name}</b>, closed"
    results: str = observer.snapshot()._repr_html_()
    return _attached_line(name, observer) + _skipped_html(observer.skipped) + results


def counts_html(snapshot: CountSnapshot) -> str:
    """The hottest probes with bars."""
    top = snapshot.top(MOST_ROWS)
    most = top[0][1] if top else 1
    rows = [(hits, bar(hits / most), probe.name, probe.path) for probe, hits in top]
    during = f" in {snapshot.seconds:.3g} s" if snapshot.seconds else ""
    caption = f"<b>{snapshot.total:,} hits</b> of {len(snapshot):,} probes{during}"
    silent = sum(1 for hits in snapshot.hits if hits) - len(rows)
    return table_html(("hits", "", "name", "file"), rows, caption, silent)


def latency_html(snapshot: LatencySnapshot) -> str:
    """A row a function: calls, percentiles, the histogram as a strip."""
    shown = sorted(snapshot, key=lambda row: row.sum_ns, reverse=True)[:MOST_ROWS]
    rows = [
        (
            row.calls,
            row.unreturned,
            *(duration(row.percentile(share)) for share in (0.5, 0.9, 0.99)),
            duration(row.max_ns),
            duration(row.sum_ns),
            strip(row.buckets()),
            row.name,
        )
        for row in shown
    ]
    head = ("calls", "unreturned", "p50", "p90", "p99", "max", "sum", "histogram", "name")
    calls = sum(row.calls for row in snapshot)
    lost = f", {snapshot.lost:,} in no row" if snapshot.lost else ""
    caption = f"<b>{calls:,} calls</b>{lost}"
    return table_html(head, rows, caption, len(snapshot) - len(rows))


def trace_html(snapshot: TraceSnapshot) -> str:
    """What became of the hits, the most lost first."""
    rows = sorted(snapshot, key=lambda each: (each[1].lost, each[1].hits), reverse=True)
    shown = [(*count, probe.name, probe.path) for probe, count in rows[:MOST_ROWS]]
    total = snapshot.total
    caption = f"<b>{total.events:,} events</b> of {total.hits:,} hits, {total.lost:,} lost"
    head = (*total._fields, "name", "file")
    return table_html(head, shown, caption, len(rows) - len(shown))


def strip(buckets: Sequence[tuple[int, int, int]]) -> Markup:
    """A small histogram, a column a bucket (low, high, number)."""
    if not buckets:
        return Markup("")
    most = max(number for _, _, number in buckets)
    columns = "".join(
        f'<rect x="{3 * at}" y="{20 - 20 * number / most:.1f}" width="2.4"'
        f' height="{20 * number / most:.1f}" fill="{_BAR}"><title>{duration(low)} …'
        f" {duration(high)}: {number:,}</title></rect>"
        for at, (low, high, number) in enumerate(buckets)
    )
    return Markup(f'<svg width="{3 * len(buckets)}" height="20">{columns}</svg>')


# ---- live


def _notebook() -> bool:
    """Whether output goes to a notebook: only then IPython is loaded already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


class Screen:
    """One place whose content is replaced: an output of a notebook cell, or lines on stderr."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._lines = 0
        self._in_notebook = _notebook()

    def show(self, thing: object) -> None:
        """Put it in place of what was there."""
        if self._in_notebook:
            self._show_in_notebook(thing)
        elif sys.stderr.isatty():
            self._show_on_terminal(str(thing))

    def _show_in_notebook(self, thing: object) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(thing, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(thing)

    def _show_on_terminal(self, text: str) -> None:
        back = f"\x1b[{self._lines}F\x1b[J" if self._lines else ""
        sys.stderr.write(f"{back}{text}\n")
        sys.stderr.flush()
        self._lines = text.count("\n") + 1


class Live:
    """Shows read() anew every so many seconds while its block runs, from a thread of its own."""

    def __init__(self, read: Callable[[], object], every: float = 0.5) -> None:
        self._read = read
        self._every = every
        self._screen = Screen()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uprobe_multi live", daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            self._screen.show(self._read())

    def __enter__(self) -> Live:
        self._screen.show(self._read())
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()
        self._screen.show(self._read())


class _Step:
    """What ProgressBar shows."""

    def __init__(self, stage: str, done: int, total: int) -> None:
        self.share = done / total if total else 0.0
        self.text = f"{stage}: {done:,} of {total:,}" if total else f"{stage}: {done:,}"

    def __str__(self) -> str:
        return f"{'#' * round(30 * self.share):<30} {self.text}"

    def _repr_html_(self) -> str:
        return f"{bar(self.share)} {escape(self.text)}"


class ProgressBar:
    """The progress function that progress=True stands for: ten times a second at most."""

    def __init__(self) -> None:
        self._screen = Screen()
        self._shown = 0.0
        self._last: _Step | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._last = _Step(stage, done, total)
        now = time.monotonic()
        if now - self._shown >= 0.1:
            self._shown = now
            self._screen.show(self._last)

    def done(self) -> None:
        """Show where it ended."""
        if self._last is not None:
            self._screen.show(self._last)
