# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What notebooks and terminals show: topic 29."""
from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib import pyplot

import uprobe_multi as um
from support import Target
from uprobe_multi import display, plot

matplotlib.use("agg")


def well_formed(html: str) -> ElementTree.Element:
    """Every element is closed, and what comes from outside is escaped."""
    return ElementTree.fromstring(f"<all>{re.sub('<br>', '<br/>', html)}</all>")


def test_probe_sets(known: str) -> None:
    probes = um.resolve(f"{known}:known_*", f"{known}:<b>nothing</b>")
    page = well_formed(probes._repr_html_())
    assert len(page.findall(".//tbody/tr")) == display.MOST_ROWS + 1
    assert "971 more" in "".join(page.itertext()) and "1,001 probes" in "".join(page.itertext())
    well_formed(probes.rejected._repr_html_())
    assert "1000 ok, 1 no_match" in repr(probes)
    assert "empty" in um.ProbeSet()._repr_html_()


def test_observers_and_links(target: Target) -> None:
    specs = [f"{target.path}:known_000?", f"{target.path}:no_such_function"]
    for make in (um.count, um.latency, um.trace):
        with make(specs, pid=target.pid) as observer:
            target.call(times=3, functions=10)
            text = "".join(well_formed(observer._repr_html_()).itertext())
            assert "10 probes attached" in text and "no_such_function" in text
            assert "10 attached, 1 skipped" in repr(observer)


def test_durations() -> None:
    assert [display.duration(ns) for ns in (7, 1500, 2_500_000, 3e9)] == [
        "7 ns", "1.5 µs", "2.5 ms", "3 s",
    ]


def test_live_in_a_notebook_replaces_its_output(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[object] = []

    class Handle:
        def update(self, thing: object) -> None:
            shown.append(thing)

    def show(thing: object, display_id: bool) -> Handle:
        shown.append(thing)
        return Handle()

    monkeypatch.setattr(display, "_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", show)
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        with calls.live(every=0.01):
            target.call(times=2)
    assert isinstance(shown[-1], um.CountSnapshot) and shown[-1].total == 2


def test_live_on_a_terminal(
    target: Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        with calls.live(every=10):
            target.call(times=2)
    assert "2  known_0000" in capsys.readouterr().err


def test_pictures(target: Target, tmp_path: Path) -> None:
    with um.count(f"{target.path}:known_00??", pid=target.pid) as calls:
        target.call(times=3, functions=100)
    with um.latency(f"{target.path}:known_000?", pid=target.pid) as times:
        snapshots = [times.snapshot()]
        for _ in range(4):
            target.call(times=20, functions=10)
            snapshots.append(times.snapshot())
    axes = {
        "counts": calls.snapshot().plot(),
        "latency": snapshots[-1].plot(),
        "histogram": snapshots[-1][0].plot(),
        "heat": plot.plot_heat(snapshots),
        "heat of one": plot.plot_heat(snapshots, "known_0000"),
    }
    for name, ax in axes.items():
        assert ax.get_title() and ax.get_xlabel()
        pyplot.figure(ax.figure.number)  # type: ignore[union-attr]
        pyplot.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
    assert len(axes["counts"].patches) == 20
    assert axes["heat"].get_title().endswith("800 calls")
    assert axes["heat of one"].get_title().endswith("80 calls")
    for empty in (calls.snapshot() - calls.snapshot(), snapshots[0]):
        assert empty.plot().get_title().startswith("0 ")
    with pytest.raises(ValueError, match="two snapshots"):
        plot.plot_heat(snapshots[:1])
    pyplot.close("all")
