# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The ways in which a header passes values, without the names: what a marshalling test must have."""

from __future__ import annotations

import re
from typing import Iterator, Set

import model


def shapes(header: model.Header) -> Set[str]:
    return set(_shapes(header))


def _shapes(header: model.Header) -> Iterator[str]:
    for item in header.functions + header.of(model.Callback):
        what = "callback" if isinstance(item, model.Callback) else "function"
        yield f"{what} returns {_shape(item.signature.result, header)}"
        for parameter in item.signature.parameters:
            yield f"{what} takes {_shape(parameter.type, header)}"
    for struct in header.of(model.Struct):
        for field in struct.fields or []:
            yield f"field is {_shape(field.type, header)}"
    for constant in header.of(model.Constant):
        yield f"constant is a {'text' if isinstance(constant.value, str) else 'number'}"


def _shape(kind: model.Type, header: model.Header) -> str:
    opaque = {struct.name for struct in header.of(model.Struct) if struct.fields is None}
    text = kind.declare("")
    for callback in header.of(model.Callback):
        text = re.sub(rf"\b{callback.name}\b", "callback", text)
    text = re.sub(r"enum \w+", "enum", text)
    text = re.sub(
        r"struct (\w+)", lambda match: "handle" if match.group(1) in opaque else "struct", text
    )
    return re.sub(r"\[\d+\]", "[]", text)
