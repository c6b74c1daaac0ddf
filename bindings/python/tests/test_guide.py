# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""docs/python.md: its snippets run, one after another: topic 30."""
from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any, Iterator

import matplotlib
import pytest
from matplotlib import pyplot

import uprobe_multi as um
from support import ROOT, Worker, bpf_file_system, built, collect

pytestmark = pytest.mark.story

GUIDE = ROOT / "docs" / "python.md"


@pytest.fixture
def busy(worker: Worker) -> Iterator[Worker]:
    """A process that opens files all the time."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.002):
            worker.open("/etc/passwd")

    thread = threading.Thread(target=work)
    thread.start()
    yield worker
    ended.set()
    thread.join()


def test_the_guide(busy: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matplotlib.use("agg")
    text = GUIDE.read_text(encoding="utf-8")
    names: dict[str, Any] = {"pid": busy.pid, "__name__": "guide"}
    snippets = list(re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S))
    assert len(snippets) > 10
    for snippet in snippets:
        line = text.count("\n", 0, snippet.start()) + 1
        exec(compile("\n" * line + snippet[1], str(GUIDE), "exec"), names)
    names["attach_everywhere"](built("tests/bpf/sections.bpf.o"))
    with bpf_file_system(tmp_path / "bpf") as place:
        names["leave_running"](f"{place}/guide")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(um, "list_pinned", lambda: [])
            names["look_and_remove"](f"{place}/guide")
    output = capsys.readouterr().out
    assert "9 ok, 1 no_match" in output and "path='/etc/passwd'" in output
    pyplot.close("all")
    names.clear()
    collect()


def test_the_errors_are_all_there() -> None:
    table = GUIDE.read_text(encoding="utf-8").split("## Errors")[1]
    for name in um.__all__:
        thing = getattr(um, name)
        if isinstance(thing, type) and issubclass(thing, um.Error) and thing is not um.Error:
            assert f"`{name}`" in table, name
            for base in thing.__bases__:
                assert issubclass(base, um.Error) or f"`{base.__name__}`" in table
