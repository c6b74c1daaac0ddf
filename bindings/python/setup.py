# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What pyproject.toml can not say: the version, where things are built, the extension."""
import os
import shutil
import sys
from pathlib import Path

from setuptools import setup

sys.path.insert(0, str(Path(__file__).resolve().parent))
import ffi_build  # noqa: E402

# Nothing is left in the source tree: it may be read-only, or built by several at once.
place = ffi_build.build_folder() / "python" / "setuptools"
options = {"bdist_wheel": {"py_limited_api": "cp39"}}
if ffi_build.in_source_tree():
    place.mkdir(parents=True, exist_ok=True)
    # A module that was renamed would go on being packed.
    for old in place.glob("lib*"):
        shutil.rmtree(old)
    options["build"] = {"build_base": str(place)}
    options["egg_info"] = {"egg_base": str(place)}

os.chdir(Path(__file__).resolve().parent)
setup(
    version=ffi_build.version(),
    cffi_modules=["ffi_build.py:make_builder"],
    options=options,
)
