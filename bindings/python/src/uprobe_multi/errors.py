# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""One family of exceptions: what the library records about a failure, as Python has it.

Each class but the first also is the built-in exception that fits, so that `except
FileNotFoundError` catches a missing binary and `except um.Error` whatever the library refused.
"""
from __future__ import annotations

import errno as _errno
import os
from typing import Any, NamedTuple

from ._native import ffi, lib


class Record(NamedTuple):
    """What the library says about a failure (struct upm_error)."""

    code: int
    errno: int
    operation: str
    object: str
    message: str
    hint: str


class Error(Exception):
    """A call of the library failed.

    Attributes:
        code: the enum upm_status, a negative number
        errno: errno of the system call behind it; 0 when there is none
        operation: what was tried, such as "open the binary"
        object: on what: a path, a spec, a process; may be empty
        message: what happened, one line
        hint: what to do next, one line; may be empty
    """

    def __init__(self, record: Record) -> None:
        super().__init__(_sentence(record))
        self.code = record.code
        self.errno = record.errno
        self.operation = record.operation
        self.object = record.object
        self.message = record.message
        self.hint = record.hint

    @property
    def name(self) -> str:
        """Name of the code, such as "UPM_ERR_SPEC"."""
        return text(lib.upm_status_name(self.code))

    @property
    def record(self) -> Record:
        """All of it as one tuple."""
        return Record(
            self.code, self.errno, self.operation, self.object, self.message, self.hint
        )

    def __str__(self) -> str:
        return _sentence(self.record)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.record,)


class InvalidArgument(Error, ValueError):
    """An argument is out of range (UPM_ERR_INVALID)."""


class SpecError(Error, ValueError):
    """A spec or pattern does not parse (UPM_ERR_SPEC)."""


class NotFound(Error, FileNotFoundError):  # type: ignore[misc]  # errno: never None here
    """No such binary, symbol, process, pin or program (UPM_ERR_NOT_FOUND)."""


class ProcessNotFound(NotFound, ProcessLookupError):  # type: ignore[misc]  # errno: never None here
    """No such process (UPM_ERR_NOT_FOUND with ESRCH)."""


class FormatError(Error, ValueError):
    """A file is not the ELF or BPF object that it should be (UPM_ERR_FORMAT)."""


class PermissionDenied(Error, PermissionError):  # type: ignore[misc]  # errno: never None here
    """A capability, sysctl, lockdown or seccomp rule forbids it (UPM_ERR_PERMISSION)."""


class Unsupported(Error, NotImplementedError):
    """This kernel or this build can not do it (UPM_ERR_UNSUPPORTED)."""


class NothingAttached(Error, LookupError):
    """No probe of the set can be attached (UPM_ERR_NOTHING)."""


class StrictError(Error, LookupError):
    """A probe would be skipped, and strict was asked for (UPM_ERR_STRICT)."""


class OutOfMemory(Error, MemoryError):
    """Out of memory (UPM_ERR_MEMORY)."""


class SystemCallError(Error, OSError):  # type: ignore[misc]  # errno: never None here
    """Another system call failed: see errno (UPM_ERR_SYSTEM)."""


class AlreadyExists(SystemCallError, FileExistsError):  # type: ignore[misc]  # errno: never None here
    """The name is taken (UPM_ERR_SYSTEM with EEXIST)."""


class Cancelled(Error):
    """The progress callback asked to stop (UPM_ERR_CANCELLED)."""


class ProgramError(Error, ValueError):
    """The BPF program has the wrong type, or the verifier refused it (UPM_ERR_PROGRAM)."""


class LimitError(Error, OverflowError):
    """More than this library or kernel allows (UPM_ERR_LIMIT)."""


class StateError(Error, RuntimeError):
    """The handle is closed, detached, stopped already, or in use (UPM_ERR_STATE)."""


_CLASSES: dict[int, type[Error]] = {
    lib.UPM_ERR_INVALID: InvalidArgument,
    lib.UPM_ERR_SPEC: SpecError,
    lib.UPM_ERR_NOT_FOUND: NotFound,
    lib.UPM_ERR_FORMAT: FormatError,
    lib.UPM_ERR_PERMISSION: PermissionDenied,
    lib.UPM_ERR_UNSUPPORTED: Unsupported,
    lib.UPM_ERR_NOTHING: NothingAttached,
    lib.UPM_ERR_STRICT: StrictError,
    lib.UPM_ERR_MEMORY: OutOfMemory,
    lib.UPM_ERR_SYSTEM: SystemCallError,
    lib.UPM_ERR_CANCELLED: Cancelled,
    lib.UPM_ERR_PROGRAM: ProgramError,
    lib.UPM_ERR_LIMIT: LimitError,
    lib.UPM_ERR_STATE: StateError,
}

_BY_ERRNO: dict[tuple[int, int], type[Error]] = {
    (lib.UPM_ERR_NOT_FOUND, _errno.ESRCH): ProcessNotFound,
    (lib.UPM_ERR_SYSTEM, _errno.EEXIST): AlreadyExists,
}


def text(pointer: Any) -> str:
    """A C string; what is not UTF-8 becomes surrogates, as in file names."""
    return os.fsdecode(ffi.string(pointer)) if pointer else ""


def last_error() -> Record:
    """What failed last on this thread."""
    error = lib.upm_error_last()
    return Record(
        error.code,
        error.sys_errno,
        text(error.operation),
        text(error.object),
        text(error.message),
        text(error.hint),
    )


def make_error(record: Record) -> Error:
    """The exception of the class that fits."""
    known = _BY_ERRNO.get((record.code, record.errno)) or _CLASSES.get(record.code, Error)
    return known(record)


def check_status(status: int) -> int:
    """Raise what the library says about a negative status; else give it back."""
    if status < 0:
        raise make_error(last_error()._replace(code=status))
    return status


def closed_error(what: str) -> Error:
    """The error of a method on a closed handle."""
    return _state_error(what, "it is closed", "make a new one")


def busy_error(what: str) -> Error:
    """The error of a method that can not run inside another one on the same handle."""
    return _state_error(
        what, "a call on it is running, which this is inside of",
        "do it when that call has returned, not in its callback",
    )


def _state_error(what: str, message: str, hint: str) -> Error:
    return StateError(Record(lib.UPM_ERR_STATE, 0, f"use the {what}", "", message, hint))


def _sentence(record: Record) -> str:
    at = f" {record.object}" if record.object else ""
    hint = f" ({record.hint})" if record.hint else ""
    return f"{record.operation}{at}: {record.message}{hint}"
