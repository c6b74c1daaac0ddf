# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Attaching programs of the caller's."""
from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any, Iterable, Protocol, Union

from ._convert import PathLike, chosen, filled, flag_bits, pid_list, strings
from ._handle import Slot
from ._native import ffi, lib
from ._progress import Call, Progress
from .enums import Backend, Placement
from .link import Link
from .objects import Object, Program
from .probes import ProbeSet
from .resolving import Probes, as_probe_set


class HasFileno(Protocol):
    """Something with a descriptor, as other BPF libraries have."""

    def fileno(self) -> int: ...


#: The path of a BPF object file, a loaded Object or one of its programs, or a descriptor.
ProgramLike = Union[PathLike, Object, Program, int, HasFileno]


class Scope:
    """struct upm_attach_options, with what it points to; and the call that uses it."""

    def __init__(
        self,
        pid: int | None = None,
        pids: Iterable[int] = (),
        children: bool = False,
        strict: bool = False,
        cookie_is_index: bool = False,
        backend: Backend | str = Backend.AUTO,
        probes_per_link: int = 0,
        progress: Progress = None,
        placement: Placement | str = Placement.DEFAULT,
    ) -> None:
        self.pids = pid_list(pid, pids)
        self.call = Call(progress)
        self._array = ffi.new("int32_t[]", self.pids)
        self.options = filled(
            "upm_attach_options",
            flags=flag_bits(
                {
                    lib.UPM_ATTACH_STRICT: strict,
                    lib.UPM_ATTACH_CHILDREN: children,
                    lib.UPM_ATTACH_COOKIE_IS_INDEX: cookie_is_index,
                }
            ),
            backend=chosen(Backend, backend, "backend"),
            pids=self._array,
            pid_count=len(self.pids),
            probes_per_link=probes_per_link,
            placement=chosen(Placement, placement, "placement"),
            **self.call.options(),
        )


def attach(
    program: ProgramLike,
    probes: Probes | None = None,
    *,
    name: str | None = None,
    pid: int | None = None,
    pids: Iterable[int] = (),
    cookies: Iterable[int] | None = None,
    cookie_is_index: bool = False,
    children: bool = False,
    strict: bool = False,
    backend: Backend | str = Backend.AUTO,
    probes_per_link: int = 0,
    progress: Progress = None,
    placement: Placement | str = Placement.DEFAULT,
) -> Link:
    """Attach one BPF program to every probe that can be attached.

    Args:
        program: the path of a BPF object, an Object, one of its programs, or the descriptor of a
            loaded program, which stays yours
        probes: a ProbeSet or specs; None: what the program's section names
        name: which program of an object that has several
        pid, pids: processes to observe; none = every process
        cookies: a number for each probe of the set, which bpf_get_attach_cookie() returns
        cookie_is_index: give each probe its position in the set as cookie
        children: also processes that those fork later (your programs: Unsupported)
        strict: attach every probe or none
        backend: "auto", "uprobe_multi" or "perf_event"
        probes_per_link: most probes in one kernel link; 0 = as many as the kernel takes
        progress: True for a bar, or a function of (stage, done, total)
        placement: "exact", or "cheapest": an instruction near the entry that sees the same calls
            and costs less; "default" is exact here, and cheapest for count(), latency() and trace()

    Returns: the link, when at least one probe is attached; its `skipped` has the others.

    Raises:
        NothingAttached, StrictError, ProgramError, PermissionDenied, Unsupported,
        ProcessNotFound: nothing is attached then
    """
    scope = Scope(
        pid, pids, children, strict, cookie_is_index, backend, probes_per_link, progress, placement
    )
    owner, descriptor = _program(program, name)
    if owner is not None and cookies is None and not isinstance(probes, ProbeSet):
        which = program.name if isinstance(program, Program) else name
        specs = None if probes is None else strings(probes)
        slot = Slot(lib.upm_link_free)
        scope.call.check(owner._attach(which, specs, scope.options, slot))
        return Link(slot, owner)
    if owner is not None and descriptor < 0:
        descriptor = owner.program(name).fd
    if probes is None:
        probes = _section_specs(owner, program, name)
    found = as_probe_set(probes, scope.pids, scope.call.function)
    if cookies is not None:
        found = found.copy()
        found.cookies = cookies
    with nullcontext() if owner is None else owner._use():
        return Link(_attach_set(descriptor, found, scope), owner)


def _section_specs(owner: Object | None, program: ProgramLike, name: str | None) -> list[str]:
    if owner is None:
        raise TypeError("a program given by its descriptor needs probes")
    return [program.spec if isinstance(program, Program) else owner.program(name).spec]


def _attach_set(descriptor: int, probes: ProbeSet, scope: Scope) -> Slot:
    slot = Slot(lib.upm_link_free)
    with probes._use() as pointer:
        status = lib.upm_attach(descriptor, pointer, scope.options, slot.out)
    scope.call.check(status)
    return slot


def _program(program: ProgramLike, name: str | None) -> tuple[Object | None, int]:
    """Its object, if it has one here, and its descriptor; -1 = still to be chosen."""
    if isinstance(program, Program):
        return program.object, program.fd
    if isinstance(program, Object):
        return program, -1
    if isinstance(program, int):
        return None, program
    if isinstance(program, (str, os.PathLike)):
        return Object(program), -1
    return None, program.fileno()
