# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Builds the extension module uprobe_multi._native (cffi, API mode).

The engine comes from one of two places, chosen by the environment variable
UPROBE_MULTI_ENGINE:

    bundled  (default) libuprobe_multi.a of this source tree, which `make` builds when it is
             missing or old, is linked into the extension: the wheel needs no installed library.
             BUILD says where the tree was built, when it is not build/.
    system   the library that `pkg-config uprobe_multi` finds.
"""
import os
import re
import subprocess
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CDEF = HERE / "src" / "uprobe_multi" / "_cdef.h"

# What the engine needs besides libbpf, libelf, liblzma and libpcre2-8, which have .pc files.
PACKAGES = ["libbpf", "libelf", "liblzma", "libpcre2-8"]
UNPACKAGED = ["Zydis", "iberty", "dl"]


def in_source_tree():
    return (ROOT / "core" / "VERSION").is_file()


def build_folder():
    return Path(ROOT, os.environ.get("BUILD") or "build").resolve()


def version():
    """core/VERSION, or what the source distribution was made with."""
    if in_source_tree():
        return (ROOT / "core" / "VERSION").read_text().strip()
    found = re.search(r"^Version: (\S+)$", (HERE / "PKG-INFO").read_text(), re.M)
    return found.group(1)


def pkg_config(*arguments):
    return subprocess.run(
        ["pkg-config", *arguments], check=True, stdout=subprocess.PIPE, universal_newlines=True
    ).stdout.split()


def make_engine():
    """Let make decide what is out of date. @return the static library."""
    library = build_folder() / "libuprobe_multi.a"
    # The settings of a make that runs this belong to that make.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    subprocess.run(
        ["make", "-s", "-C", str(ROOT), f"BUILD={build_folder()}", str(library)],
        check=True,
        env=clean,
    )
    return library


def bundled():
    return {
        "include_dirs": [str(ROOT / "core" / "include")],
        "extra_objects": [str(make_engine())],
        "extra_link_args": pkg_config("--libs", *PACKAGES)
        + [f"-l{name}" for name in UNPACKAGED]
        # The engine's functions are nobody's but this module's.
        + ["-pthread", "-Wl,--exclude-libs,ALL"],
    }


def system():
    return {
        "extra_compile_args": pkg_config("--cflags", "uprobe_multi"),
        "extra_link_args": pkg_config("--libs", "uprobe_multi"),
    }


def callbacks(cdef):
    """One Python function for each callback type of the header: upm_NAME_fn -> upm_NAME_python."""
    found = re.findall(r"typedef\s+(\w+)\s*\(\s*\*\s*(upm_\w+)_fn\s*\)\s*\(([^;]*)\)\s*;", cdef)
    return "".join(
        f'extern "Python" {result} {name}_python({parameters});\n'
        for result, name, parameters in found
    )


def make_builder():
    engines = {"bundled": bundled, "system": system}
    engine = os.environ.get("UPROBE_MULTI_ENGINE", "bundled")
    if engine not in engines:
        raise SystemExit(f"UPROBE_MULTI_ENGINE is {engine!r}: say bundled or system")
    if engine == "bundled" and not in_source_tree():
        raise SystemExit(
            "the engine's source is not here: build from its tree, or install libuprobe_multi "
            "and set UPROBE_MULTI_ENGINE=system"
        )
    ffi = FFI()
    cdef = CDEF.read_text()
    ffi.cdef(cdef + callbacks(cdef))
    ffi.set_source("uprobe_multi._native", "#include <uprobe_multi.h>\n", **engines[engine]())
    return ffi

