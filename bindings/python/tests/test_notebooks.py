# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The notebooks run on this kernel from the first cell to the last; committed without outputs."""
from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from support import BUILD, PACKAGE

pytestmark = pytest.mark.story

NOTEBOOKS = sorted((PACKAGE / "notebooks").glob("*.ipynb"))


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Jupyter's client keeps sockets; what the kernels have open ends with them."""


def read(path: Path) -> Any:
    return nbformat.reads(  # type: ignore[no-untyped-call]
        path.read_text(encoding="utf-8"), as_version=4
    )


def outputs(notebook: Any, kind: str) -> list[str]:
    return [
        output["data"][kind]
        for cell in notebook.cells if cell.cell_type == "code"
        for output in cell.outputs if kind in output.get("data", {})
    ]


def save_pictures(notebook: Any, name: str) -> None:
    """For people to look at: build/python/notebooks."""
    folder = BUILD / "python" / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    for number, picture in enumerate(outputs(notebook, "image/png")):
        (folder / f"{name}-{number}.png").write_bytes(base64.b64decode(picture))


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["postgres_queries", "where_a_program_lives"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs(path: Path) -> None:
    notebook = read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path) -> None:
    notebook = read(path)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    save_pictures(notebook, path.stem)
    assert len(outputs(notebook, "image/png")) >= 3
    assert any("<table" in page for page in outputs(notebook, "text/html"))
    errors = [
        output for cell in notebook.cells if cell.cell_type == "code"
        for output in cell.outputs if output.get("name") == "stderr"
    ]
    assert not errors
