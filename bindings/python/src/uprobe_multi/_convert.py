# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What callers give, as C has it. Each C object is returned with what keeps its memory alive."""
from __future__ import annotations

import os
from enum import IntEnum
from typing import Any, Iterable, Mapping, Sequence, TypeVar, Union

from ._native import ffi
from .errors import InvalidArgument, NotFound, Record, check_status
from ._native import lib

PathLike = Union[str, "os.PathLike[str]"]
Strings = Union[str, Iterable[str]]


def invalid(operation: str, thing: object, message: str, hint: str = "") -> InvalidArgument:
    """An error of this layer, in the form of the library's."""
    return InvalidArgument(
        Record(lib.UPM_ERR_INVALID, 0, operation, str(thing), message, hint)
    )


def not_found(operation: str, thing: object, message: str, hint: str) -> NotFound:
    """The same for what is not there, or is not one alone."""
    return NotFound(Record(lib.UPM_ERR_NOT_FOUND, 0, operation, str(thing), message, hint))


def filled(kind: str, **fields: Any) -> Any:
    """A new structure of the library with its size set."""
    structure = ffi.new(f"struct {kind} *", fields)
    structure.size = ffi.sizeof(structure[0])
    return structure


def c_string(value: PathLike) -> Any:
    """A new char[]; NUL bytes are refused, since C would stop at them."""
    raw = os.fsencode(value)
    if b"\0" in raw:
        raise invalid("pass a text to the library", repr(value), "it holds a NUL byte")
    return ffi.new("char[]", raw)


def c_strings(values: Sequence[PathLike]) -> tuple[Any, list[Any]]:
    """A new char *[] and the strings that it points to."""
    keep = [c_string(value) for value in values]
    return ffi.new("const char *[]", keep), keep


def strings(*values: Strings) -> list[str]:
    """Texts and iterables of texts, flattened."""
    flat: list[str] = []
    for value in values:
        flat.extend([value] if isinstance(value, str) else value)
    return flat


def numbers(values: Iterable[int], kind: str) -> Any:
    """A new C array of integers; without a copy of each element where a buffer gives them."""
    try:
        view = memoryview(values)  # type: ignore[arg-type]
    except TypeError:
        return ffi.new(f"{kind}[]", [int(value) for value in values])
    if view.ndim == 1 and view.c_contiguous and view.format in ("Q", "L", "q", "l"):
        if view.itemsize == ffi.sizeof(kind):
            return ffi.from_buffer(f"{kind}[]", view)
    return ffi.new(f"{kind}[]", [int(value) for value in view.tolist()])


def pid_list(pid: int | None, pids: Iterable[int]) -> list[int]:
    """pid= and pids= together."""
    return ([] if pid is None else [int(pid)]) + [int(each) for each in pids]


Choice = TypeVar("Choice", bound=IntEnum)


def chosen(kind: type[Choice], value: Choice | str | int, what: str) -> Choice:
    """An enum member from itself, its number, or its word."""
    if isinstance(value, str):
        for member in kind:
            if value in (str(member), member.name.lower()):
                return member
    else:
        try:
            return kind(value)
        except ValueError:
            pass
    words = ", ".join(member.name.lower() for member in kind)
    raise invalid(f"choose the {what}", value, "there is no such one", f"say one of {words}")


def flag_bits(choices: Mapping[int, bool]) -> int:
    """The bits whose condition holds, or-ed."""
    return sum(bit for bit, wanted in choices.items() if wanted)


def filled_array(function: Any, pointer: Any, kind: str, count: int) -> Any:
    """A new array that the function fills: function(handle, array, count)."""
    array = ffi.new(f"{kind}[]", count)
    check_status(function(pointer, array, count))
    return array
