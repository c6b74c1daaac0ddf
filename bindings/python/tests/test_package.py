# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The package: topics 1, 30, 32. Loaded anywhere, typed, documented, installed."""
from __future__ import annotations

import inspect
import os
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest

import uprobe_multi as um
from support import BUILD, PACKAGE, ROOT

WHEELS = BUILD / "python" / "wheel"

pytestmark = pytest.mark.story


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=250,
        env={"PATH": os.environ["PATH"], **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_version_is_the_trees() -> None:
    version = (ROOT / "core" / "VERSION").read_text().strip()
    assert um.__version__ == um.library_version() == version
    (wheel,) = WHEELS.glob("*.whl")
    assert wheel.name.startswith(f"uprobe_multi-{version}-cp39-abi3-linux_")


def test_the_wheel_has_what_it_should() -> None:
    (wheel,) = WHEELS.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if name.startswith("uprobe_multi/")}
    modules = {path.name for path in (PACKAGE / "src" / "uprobe_multi").glob("*.py")}
    extra = {"_native.abi3.so", "_native.pyi", "py.typed"}
    assert names == {f"uprobe_multi/{name}" for name in modules | extra}


def test_it_works_in_a_clean_environment(tmp_path: Path) -> None:
    """Only cffi beside it; nothing in the environment says where the engine is."""
    (wheel,) = WHEELS.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", wheel,
        HOME=str(tmp_path), PIP_CACHE_DIR=str(BUILD / "python" / "pip-cache"),
        **{key: value for key, value in os.environ.items() if key.startswith("PIP_CERT")})
    installed = run(python, "-m", "pip", "list", "--format=freeze")
    names = {line.split("==")[0].lower() for line in installed.split()}
    assert names <= {"uprobe-multi", "uprobe_multi", "cffi", "pycparser", "pip", "setuptools"}
    output = run(python, "-c", """
import uprobe_multi as um
calls = um.count("libc.so.6:malloc")
print(um.library_version(), calls.attached_count)
""")
    assert output.split() == [um.__version__, "1"]


def test_the_engine_is_inside() -> None:
    from uprobe_multi import _native

    linked = run("ldd", _native.__file__)
    assert "libuprobe_multi" not in linked and "not found" not in linked
    exported = run("nm", "-D", "--defined-only", _native.__file__)
    assert [line.split()[-1] for line in exported.splitlines()] == ["PyInit__native"]


def test_an_installed_library_will_do_too(tmp_path: Path) -> None:
    """UPROBE_MULTI_ENGINE=system: the library that pkg-config finds."""
    prefix = tmp_path / "prefix"
    run("make", "-s", "-C", ROOT, f"BUILD={BUILD}", f"PREFIX={prefix}", "install")
    (config,) = prefix.rglob("uprobe_multi.pc")
    library = str(config.parents[1])
    code = f"""
import sys
sys.path.insert(0, {str(PACKAGE)!r})
import ffi_build
ffi_build.make_builder().compile(tmpdir={str(tmp_path)!r})
"""
    environment = {"LD_LIBRARY_PATH": library, "PYTHONDONTWRITEBYTECODE": "1"}
    run(sys.executable, "-c", code, UPROBE_MULTI_ENGINE="system",
        PKG_CONFIG_PATH=str(config.parent), **environment)
    built = tmp_path / "uprobe_multi"
    for path in (PACKAGE / "src" / "uprobe_multi").glob("*.py"):
        (built / path.name).write_bytes(path.read_bytes())
    output = run(sys.executable, "-c",
                 "import uprobe_multi as um; print(len(um.resolve('libc.so.6:malloc')))",
                 PYTHONPATH=str(tmp_path), **environment)
    assert output.strip() == "1"
    assert "libuprobe_multi" in run("ldd", *built.glob("_native*.so"), **environment)


def test_types_hold() -> None:
    """mypy --strict: the package, its tests, its examples, its benchmarks."""
    for place in ("src", "tests", "examples", "bench"):
        run(sys.executable, "-m", "mypy", "--strict", "--config-file", PACKAGE / "pyproject.toml",
            "--cache-dir", BUILD / "python" / "mypy", *sorted((PACKAGE / place).rglob("*.py")))


def test_every_public_name_is_documented() -> None:
    missing = []
    for name in um.__all__:
        thing = getattr(um, name)
        if not inspect.getdoc(thing) and callable(thing):
            missing.append(name)
        if inspect.isclass(thing):
            missing += [
                f"{name}.{member}" for member, value in vars(thing).items()
                if not member.startswith("_") and not inspect.getdoc(value)
                and isinstance(value, (types.FunctionType, property))
            ]
    assert not missing


def test_importing_is_light() -> None:
    """What is optional is loaded when it is used."""
    heavy = run(sys.executable, "-c", """
import sys
import uprobe_multi
print([name for name in ("numpy", "pandas", "pyarrow", "matplotlib", "IPython") if name in sys.modules])
""")
    assert heavy.strip() == "[]"
