# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Prints sizes, offsets and constants of the public header as the raw layer for Python has them.

    layout.py           the raw layer of the package
    layout.py HEADER    one made of the checked-in definitions and another header
"""

import os
import pathlib
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]


def made_from(header):
    """Compile the definitions against a header, as the package's build does; nothing is called."""
    import cffi

    builder = cffi.FFI()
    builder.cdef((TOP / "bindings/python/src/uprobe_multi/_cdef.h").read_text())
    built = os.environ["UPM_BUILD"]
    builder.set_source(
        "_drift",
        f'#include "{header}"\n',
        extra_compile_args=["-O0", "-g0"],
        libraries=["uprobe_multi"],
        library_dirs=[built],
        runtime_library_dirs=[built],
    )
    with tempfile.TemporaryDirectory() as folder:
        builder.compile(tmpdir=folder)
        sys.path.insert(0, folder)
        import _drift
    return _drift.ffi, _drift.lib


def lines(ffi, lib):
    _typedefs, structs, _unions = ffi.list_types()
    for name in structs:
        kind = ffi.typeof("struct " + name)
        if name.startswith("upm_") and kind.fields is not None:
            yield f"struct {name} is of {ffi.sizeof(kind)}"
            for field, place in kind.fields:
                size = ffi.sizeof(place.type)
                yield f"struct {name} {field} at {place.offset} of {size}"
    for name in dir(lib):
        if name.startswith("UPM_"):
            value = getattr(lib, name)
            yield f"{name} = {value if isinstance(value, int) else ffi.string(value).decode()}"


if len(sys.argv) > 1:
    print("\n".join(lines(*made_from(pathlib.Path(sys.argv[1]).resolve()))))
else:
    from uprobe_multi import _native

    print("\n".join(lines(_native.ffi, _native.lib)))
