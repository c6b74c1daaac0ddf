# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Builds what the Python adapters import, without installing anything.

    build.py FOLDER

FOLDER gets the package uprobe_multi as this tree has it, its extension included, and the
extension _marshal with the marshalling library inside, bound by the same generator.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import cffi

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
MARSHALLING = TOP / "bindings/conformance/marshalling"
PACKAGE = TOP / "bindings/python"


def definitions(header: pathlib.Path, prefix: str) -> str:
    command = [sys.executable, "-B", str(TOP / "bindings/generator/generate"), "--cdef"]
    command += ["--header", str(header), "--prefix", prefix]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def build_marshal(folder: pathlib.Path) -> None:
    ffi = cffi.FFI()
    ffi.cdef(definitions(MARSHALLING / "marshal.h", "MARSHAL_"))
    ffi.set_source(
        "_marshal",
        '#include "marshal.h"\n',
        include_dirs=[str(MARSHALLING)],
        sources=[str(MARSHALLING / "marshal.c")],
        extra_compile_args=["-O1"],
    )
    ffi.compile(tmpdir=str(folder))


def build_package(folder: pathlib.Path) -> None:
    sys.path.insert(0, str(PACKAGE))
    import ffi_build

    shutil.rmtree(folder / "uprobe_multi", ignore_errors=True)
    ffi_build.make_builder().compile(tmpdir=str(folder))
    shutil.copytree(PACKAGE / "src/uprobe_multi", folder / "uprobe_multi", dirs_exist_ok=True)


def main() -> None:
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("CFLAGS", "-O1")
    build_marshal(folder)
    build_package(folder)


main()
