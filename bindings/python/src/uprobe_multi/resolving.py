# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""From specs to probes."""
from __future__ import annotations

from typing import Iterable, Union

from ._convert import PathLike, Strings, c_string, c_strings, filled, flag_bits, invalid
from ._convert import pid_list, strings
from ._handle import Slot
from ._native import ffi, lib
from ._progress import Call, Progress
from .probes import ProbeSet

#: Where functions take probes: a set, or the specs of one.
Probes = Union[ProbeSet, Strings]


def resolve(
    *specs: Strings,
    pid: int | None = None,
    pids: Iterable[int] = (),
    program: PathLike | None = None,
    debug_files: str = "when needed",
    debuginfod: bool = False,
    all_matches: bool = False,
    accept_unwinding: bool = False,
    index: bool = True,
    progress: Progress = None,
) -> ProbeSet:
    """Turn specs into probes, each judged.

    A spec is "BINARY:PATTERN", "uretprobe:BINARY:PATTERN" or "usdt:BINARY:PROVIDER:NAME". One
    that finds nothing is no error: it becomes a probe whose verdict says so.

    Args:
        specs: texts, or iterables of texts
        pid, pids: processes in whose view of files and loaded libraries BINARY is looked up
        program: an executable about to run; BINARY may be a library that it will load
        debug_files: when to read separate debug files: "when needed", "always" or "never"
        debuginfod: ask the servers of DEBUGINFOD_URLS where no local debug file is found
        all_matches: let a plain name that stands for several functions match them all
        accept_unwinding: allow return probes and latencies in C++ and Rust code, where an exception
            that leaves a probed function ends the program
        index: read and keep what a pattern finds in a large file
        progress: True for a bar, or a function of (stage, done, total)

    Raises:
        SpecError: a spec does not parse
        ProcessNotFound: there is no such process
    """
    if debug_files not in ("when needed", "always", "never"):
        raise invalid("choose debug_files", debug_files, "say when needed, always or never")
    texts = strings(*specs)
    spec_array, keep = c_strings(texts)
    wanted = ffi.new("int32_t[]", pid_list(pid, pids))
    executable = ffi.NULL if program is None else c_string(program)
    call = Call(progress)
    options = filled(
        "upm_resolve_options",
        flags=flag_bits(
            {
                lib.UPM_RESOLVE_DEBUG_ALWAYS: debug_files == "always",
                lib.UPM_RESOLVE_DEBUG_NEVER: debug_files == "never",
                lib.UPM_RESOLVE_DEBUGINFOD: debuginfod,
                lib.UPM_RESOLVE_ALL_MATCHES: all_matches,
                lib.UPM_RESOLVE_ACCEPT_UNWINDING: accept_unwinding,
                lib.UPM_RESOLVE_NO_INDEX: not index,
            }
        ),
        pids=wanted,
        pid_count=len(wanted),
        program=executable,
        **call.options(),
    )
    slot = Slot(lib.upm_probe_set_free)
    call.check(lib.upm_resolve(spec_array, len(texts), options, slot.out))
    del keep
    return ProbeSet(slot)


def as_probe_set(probes: Probes, pids: list[int], progress: Progress = None) -> ProbeSet:
    """A set as it is; specs resolved as these processes see them."""
    return probes if isinstance(probes, ProbeSet) else resolve(probes, pids=pids, progress=progress)
