# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The numbers of the header, with its names. str() gives the word that reports use."""
from __future__ import annotations

from enum import IntEnum, IntFlag

from ._native import lib
from .errors import text


class Kind(IntEnum):
    """What a probe observes."""

    UPROBE = lib.UPM_KIND_UPROBE
    URETPROBE = lib.UPM_KIND_URETPROBE
    USDT = lib.UPM_KIND_USDT

    def __str__(self) -> str:
        return text(lib.upm_kind_name(self.value))


class Verdict(IntEnum):
    """OK, or why a probe can not, or should not, be attached."""

    OK = lib.UPM_VERDICT_OK
    UNPROBEABLE = lib.UPM_VERDICT_UNPROBEABLE
    UNDEFINED = lib.UPM_VERDICT_UNDEFINED
    DATA = lib.UPM_VERDICT_DATA
    MARKER = lib.UPM_VERDICT_MARKER
    NOT_EXECUTABLE = lib.UPM_VERDICT_NOT_EXECUTABLE
    AMBIGUOUS = lib.UPM_VERDICT_AMBIGUOUS
    NO_MATCH = lib.UPM_VERDICT_NO_MATCH
    MID_INSTRUCTION = lib.UPM_VERDICT_MID_INSTRUCTION
    RED_ZONE = lib.UPM_VERDICT_RED_ZONE
    GO_RETURN = lib.UPM_VERDICT_GO_RETURN
    NOT_ENTRY = lib.UPM_VERDICT_NOT_ENTRY
    FOREIGN = lib.UPM_VERDICT_FOREIGN
    TRUNCATED = lib.UPM_VERDICT_TRUNCATED
    SEMAPHORE = lib.UPM_VERDICT_SEMAPHORE
    CONFLICT = lib.UPM_VERDICT_CONFLICT
    REPLACED = lib.UPM_VERDICT_REPLACED
    UNREADABLE = lib.UPM_VERDICT_UNREADABLE
    REFUSED = lib.UPM_VERDICT_REFUSED
    PROCESS_GONE = lib.UPM_VERDICT_PROCESS_GONE
    VDSO = lib.UPM_VERDICT_VDSO
    RETURN_UNSAFE = lib.UPM_VERDICT_RETURN_UNSAFE
    NO_ROOM = lib.UPM_VERDICT_NO_ROOM

    def __str__(self) -> str:
        return text(lib.upm_verdict_name(self.value))


class Cost(IntEnum):
    """What one hit costs, cheapest first."""

    UNKNOWN = lib.UPM_COST_UNKNOWN
    NOP5 = lib.UPM_COST_NOP5
    EMULATED = lib.UPM_COST_EMULATED
    STEPPED = lib.UPM_COST_STEPPED

    def __str__(self) -> str:
        return text(lib.upm_cost_name(self.value))


class Backend(IntEnum):
    """How probes reach the kernel."""

    AUTO = lib.UPM_BACKEND_AUTO
    UPROBE_MULTI = lib.UPM_BACKEND_UPROBE_MULTI
    PERF_EVENT = lib.UPM_BACKEND_PERF_EVENT

    def __str__(self) -> str:
        return text(lib.upm_backend_name(self.value))


class Placement(IntEnum):
    """Which instruction of a function is probed."""

    DEFAULT = lib.UPM_PLACEMENT_DEFAULT
    EXACT = lib.UPM_PLACEMENT_EXACT
    CHEAPEST = lib.UPM_PLACEMENT_CHEAPEST

    def __str__(self) -> str:
        return self.name.lower()


class Answer(IntEnum):
    """Answer to one question of check()."""

    NO = lib.UPM_NO
    YES = lib.UPM_YES
    UNKNOWN = lib.UPM_UNKNOWN

    def __str__(self) -> str:
        return self.name.lower()


class ArgumentPlace(IntEnum):
    """Where the value of a USDT argument stands when its site is hit."""

    UNREADABLE = lib.UPM_ARGUMENT_UNREADABLE
    CONSTANT = lib.UPM_ARGUMENT_CONSTANT
    REGISTER = lib.UPM_ARGUMENT_REGISTER
    MEMORY = lib.UPM_ARGUMENT_MEMORY


class ProbeFlag(IntFlag):
    """Facts about a probe beside its verdict."""

    IFUNC_RESOLVER = lib.UPM_PROBE_IFUNC_RESOLVER
    IFUNC_TARGET = lib.UPM_PROBE_IFUNC_TARGET
    DEBUG_SYMBOL = lib.UPM_PROBE_DEBUG_SYMBOL
    UNVERIFIED = lib.UPM_PROBE_UNVERIFIED
    RETURN_UNSAFE = lib.UPM_PROBE_RETURN_UNSAFE
    REPEATS = lib.UPM_PROBE_REPEATS
    UNWINDS = lib.UPM_PROBE_UNWINDS
