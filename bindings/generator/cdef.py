# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Python: definitions for cffi's API mode (ffibuilder.cdef)."""

from __future__ import annotations

from typing import Iterator

import model


def generate(header: model.Header) -> str:
    return "\n".join(lines(header)) + "\n"


def lines(header: model.Header) -> Iterator[str]:
    for section in header.sections:
        yield ""
        yield f"/* {section.title} */"
        for item in section.items:
            yield from _item(item)


def _item(item: model.Declaration) -> Iterator[str]:
    if isinstance(item, model.Constant) and isinstance(item.value, str):
        yield f"static const char *const {item.name};"
    elif isinstance(item, model.Constant):
        yield f"#define {item.name} {item.value}"
    elif isinstance(item, model.Enum):
        yield f"enum {item.name} {{"
        for value in item.values:
            yield f"\t{value.name} = {value.value},"
        yield "};"
    elif isinstance(item, model.Struct) and item.fields is None:
        yield f"struct {item.name};"
    elif isinstance(item, model.Struct):
        yield f"struct {item.name} {{"
        for field in item.fields:
            yield f"\t{field};"
        yield "};"
    else:
        yield f"{item};"
