# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Events as Python objects, one each: for printing and for looking at a few.

In bulk, batches.py has them without an object each.
"""
from __future__ import annotations

import os
import struct
from enum import IntEnum, IntFlag
from typing import Any, Callable, NamedTuple, Union

from ._convert import filled
from ._native import ffi, lib
from .errors import check_status, text
from .probes import Probe

#: A decoded argument: None where it could not be read.
Value = Union[int, str, bytes, bool, None]


class EventKind(IntEnum):
    """What an event tells of."""

    ENTRY = lib.UPM_EVENT_ENTRY
    RETURN = lib.UPM_EVENT_RETURN
    USDT = lib.UPM_EVENT_USDT
    CALL = lib.UPM_EVENT_CALL

    def __str__(self) -> str:
        return self.name.lower()


# Constructing an enum member by its number is slow for each event.
_KINDS = {int(member): member for member in EventKind}


class Form(IntEnum):
    """How the value of an argument or result is meant."""

    UNSIGNED = lib.UPM_FORM_UNSIGNED
    SIGNED = lib.UPM_FORM_SIGNED
    POINTER = lib.UPM_FORM_POINTER
    STRING = lib.UPM_FORM_STRING
    BYTES = lib.UPM_FORM_BYTES
    CHARACTER = lib.UPM_FORM_CHARACTER
    BOOLEAN = lib.UPM_FORM_BOOLEAN
    UNREADABLE = lib.UPM_FORM_UNREADABLE
    NONE = lib.UPM_FORM_NONE


class TraceFlag(IntFlag):
    """What trace() adds to events."""

    RETURNS = lib.UPM_TRACE_RETURNS
    STACKS = lib.UPM_TRACE_STACKS


class EventArgument(NamedTuple):
    """What is known of an argument of a probe's events."""

    name: str  #: "arg0" … where the signature names none
    type: str  #: as the signature or the note has it
    form: Form
    width: int  #: of the value, bytes: 1, 2, 4 or 8

    @property
    def in_text(self) -> bool:
        """Whether the element of `arguments` is a place in the text area."""
        return self.form in (Form.STRING, Form.BYTES)


class Signature(NamedTuple):
    """The arguments and the result of a probe's events."""

    probe: Probe
    arguments: tuple[EventArgument, ...]
    result: EventArgument


class Event(NamedTuple):
    """One hit."""

    time_ns: int  #: CLOCK_MONOTONIC; of a call, its entry
    kind: EventKind
    probe: Probe
    pid: int
    tid: int
    cpu: int
    comm: str  #: name of the thread
    arguments: tuple[Value, ...]
    result: Value  #: of a call or return; else None
    duration_ns: int  #: of a call; else 0
    truncated: int  #: bit i: the string or buffer of argument i goes on
    stack: tuple[int, ...]  #: addresses, innermost first
    signature: Signature

    @property
    def values(self) -> dict[str, Value]:
        """The arguments by name."""
        names = [argument.name for argument in self.signature.arguments]
        return dict(zip(names, self.arguments))

    def __str__(self) -> str:
        inside = ", ".join(
            f"{name}={_shown(value, argument)}"
            for (name, value), argument in zip(self.values.items(), self.signature.arguments)
        )
        call = f"{self.comm}[{self.tid}] {self.probe.name}({inside})"
        if self.kind in (EventKind.RETURN, EventKind.CALL):
            call += f" = {_shown(self.result, self.signature.result)}"
        return f"{call} <{self.duration_ns / 1e3:.1f} µs>" if self.duration_ns else call


def _shown(value: Value, argument: EventArgument) -> str:
    if value is None:
        return "?"
    if argument.form == Form.POINTER and isinstance(value, int):
        return f"{value:#x}"
    return repr(value)


#: Gives what is known of the events of the probe at a position: Trace.signature(), as a rule.
SignatureOf = Callable[[int], Signature]


def read_signature(pointer: Any, index: int, probe: Probe) -> Signature:
    """Of the probe at this position of a trace, a struct upm_observer *."""
    raw = filled("upm_event_argument")
    arguments = []
    for argument in range(lib.UPM_EVENT_ARGUMENTS):
        if lib.upm_trace_argument(pointer, index, argument, raw) < 0:
            break
        arguments.append(_event_argument(raw))
    check_status(lib.upm_trace_argument(pointer, index, lib.UPM_TRACE_RESULT, raw))
    return Signature(probe, tuple(arguments), _event_argument(raw))


def _event_argument(raw: Any) -> EventArgument:
    return EventArgument(text(raw.name), text(raw.type), Form(raw.form), raw.width)


def decode(value: int, argument: EventArgument, texts: Any) -> Value:
    """What an element of upm_event.arguments, or the result, stands for."""
    form = argument.form
    if argument.in_text:
        start, length = value & 0xFFFFFFFF, value >> 32
        raw = bytes(ffi.buffer(texts + start, length))
        return raw if form == Form.BYTES else os.fsdecode(raw)
    if form == Form.SIGNED:
        return value - (value >> 63 << 64)
    if form == Form.CHARACTER:
        return chr(value & 0xFF)
    if form == Form.BOOLEAN:
        return bool(value)
    return None if form in (Form.UNREADABLE, Form.NONE) else value


def make_event(raw: Any, texts: Any, signature_of: SignatureOf) -> Event:
    """From a struct upm_event and the text area that it points into."""
    signature = signature_of(raw.probe)
    arguments = tuple(
        None if raw.unreadable >> index & 1 else decode(raw.arguments[index], argument, texts)
        for index, argument in enumerate(signature.arguments[: raw.argument_count])
    )
    has_result = raw.kind in (EventKind.RETURN, EventKind.CALL)
    return Event(
        time_ns=raw.time_ns,
        kind=_KINDS[raw.kind],
        probe=signature.probe,
        pid=raw.pid,
        tid=raw.tid,
        cpu=raw.cpu,
        comm=text(raw.comm),
        arguments=arguments,
        result=decode(raw.result, signature.result, texts) if has_result else None,
        duration_ns=raw.duration_ns,
        truncated=raw.truncated,
        stack=_stack(raw, texts) if raw.stack_count else (),
        signature=signature,
    )


def _stack(raw: Any, texts: Any) -> tuple[int, ...]:
    addresses = ffi.buffer(texts + raw.stack_offset, 8 * raw.stack_count)
    return struct.unpack(f"={raw.stack_count}Q", addresses)
