# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Callbacks and what fails in them: topics 15, 16. Ctrl-C ends a long call: topic 21."""
from __future__ import annotations

import os
import signal
import threading

import pytest

import uprobe_multi as um
from support import Target, built
from uprobe_multi import display
from uprobe_multi.display import ProgressBar


def test_progress_is_told(target: Target) -> None:
    told: list[tuple[str, int, int]] = []
    with um.count(
        f"{target.path}:known_*", pid=target.pid,
        progress=lambda stage, done, total: told.append((stage, done, total)),
    ):
        pass
    stages = {stage for stage, _, _ in told}
    assert "attach" in stages
    assert all(0 <= done and (not total or done <= total) for _, done, total in told)
    with um.count(f"{target.path}:known_0000", pid=target.pid, progress=True) as calls:
        assert calls.attached_count == 1


def test_progress_is_told_from_the_specs_on(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resolving and attaching, by one bar where a bar is asked for."""
    spec, path = f"{target.path}:known_*", built("tests/bpf/sections.bpf.o")
    fd = um.Object(path).program("entry")
    for begin in (
        um.count, um.latency, um.trace,
        lambda spec, **options: um.attach(path, spec, name="entry", **options),
        lambda spec, **options: um.attach(fd, spec, cookies=range(1000), **options),
    ):
        told: list[str] = []
        began = begin(
            spec, pid=target.pid, progress=lambda stage, done, total: told.append(stage)
        )
        began.close()
        assert list(dict.fromkeys(told)) == ["resolve", "attach"]
    bars: list[ProgressBar] = []

    class Bar(ProgressBar):
        def __init__(self) -> None:
            super().__init__()
            bars.append(self)

    monkeypatch.setattr(display, "ProgressBar", Bar)
    um.trace(spec, pid=target.pid, progress=True).close()
    assert len(bars) == 1 and "attach" in str(bars[0]._last)


def test_an_exception_of_the_callback_comes_back(target: Target) -> None:
    class Own(Exception):
        pass

    def refuse(stage: str, done: int, total: int) -> None:
        raise Own(stage)

    for call in (
        lambda: um.resolve(f"{target.path}:known_*", progress=refuse),
        lambda: um.count(um.resolve(f"{target.path}:known_*"), pid=target.pid, progress=refuse),
    ):
        with pytest.raises(Own) as caught:
            call()
        assert caught.value.__traceback__ is not None
    # Nothing is left of it: the same works again.
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        target.call()
    assert list(calls.hits()) == [1]


def test_a_callback_may_call_the_library(target: Target) -> None:
    seen: list[int] = []

    def look(stage: str, done: int, total: int) -> None:
        if not seen:
            seen.append(len(um.resolve(f"{target.path}:known_000?")))

    um.resolve(f"{target.path}:known_*", progress=look)
    assert seen == [10]


def test_ctrl_c_ends_a_long_call_and_undoes_it(target: Target) -> None:
    """The signal comes while the call is in C; Python sees it in the callback."""
    main = threading.main_thread().ident
    assert main is not None
    before = signal.getsignal(signal.SIGINT)
    told: list[str] = []

    def interrupt(stage: str, done: int, total: int) -> None:
        told.append(stage)
        if len(told) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        um.count(f"{target.path}:known_*", pid=target.pid, progress=interrupt)
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_without_a_callback_of_ones_own(target: Target) -> None:
    """A timer interrupts whatever is going on, again and again until it was seen."""

    def ring(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, ring)
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            while True:
                um.count(f"{target.path}:known_*", pid=target.pid).close()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_ctrl_c_ends_a_watch(target: Target) -> None:
    with um.count(f"{target.path}:known_0000", pid=target.pid) as calls:
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        calls.watch(every=0.05)
        timer.join()
    assert calls.snapshot().total == 0


def test_a_bar_shows_how_far_it_is() -> None:
    bar = ProgressBar()
    bar("attach", 5, 10)
    assert bar._last is not None
    assert "attach: 5 of 10" in str(bar._last) and "attach" in bar._last._repr_html_()
    bar("resolve", 7, 0)
    bar.done()
    assert str(bar._last).strip() == "resolve: 7"
