# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Probe user-space programs on Linux through one kernel link.

    import uprobe_multi as um

    probes = um.resolve("libc.so.6:*alloc", pid=1234)    # what there is, each judged
    with um.count(probes, pid=1234) as calls:            # how often
        calls.watch(seconds=10)
    print(calls.snapshot())

count() says how often, latency() how slow, trace() with what; attach() takes BPF programs of your
own. What is asked for is attached or reported with a reason: see Probe.verdict. Errors are
subclasses of Error and of the built-in exception that fits.

Objects may be used from several threads; calls on one object wait for each other.
"""
from ._native import lib as _lib
from .attaching import attach
from .checking import Features, check
from .counting import Count, CountSnapshot, count
from .enums import Answer, ArgumentPlace, Backend, Cost, Kind, Placement, ProbeFlag, Verdict
from .errors import (
    AlreadyExists, Cancelled, Error, FormatError, InvalidArgument, LimitError, NotFound,
    NothingAttached, OutOfMemory, PermissionDenied, ProcessNotFound, ProgramError, SpecError,
    StateError, StrictError, SystemCallError, Unsupported,
)
from .errors import text as _text
from .events import Event, EventArgument, EventKind, Form, Signature
from .link import KernelLink, Link, open_link, unpin_link
from .objects import Object, Program
from .observer import Observer
from .outcomes import TraceCount, TraceSnapshot
from .probes import Argument, Probe, ProbeSet, demangle
from .resolving import resolve
from .sharing import PIN_DIRECTORY, Pinned, list_pinned, open, unpin
from .symbols import Place, Symbolizer
from .timing import Latency, LatencyRow, LatencySnapshot, Split, bucket_bounds, latency
from .tracing import Trace, trace

__version__ = f"{_lib.UPM_VERSION_MAJOR}.{_lib.UPM_VERSION_MINOR}.{_lib.UPM_VERSION_PATCH}"


def library_version() -> str:
    """Version of the C library that runs: that of this package, or of the installed one."""
    return _text(_lib.upm_version())


__all__ = [
    "Answer", "Argument", "ArgumentPlace", "Backend", "Cost", "EventKind", "Form", "Kind",
    "Placement", "ProbeFlag", "Split", "Verdict", "AlreadyExists", "Cancelled", "Error", "FormatError",
    "InvalidArgument", "LimitError", "NotFound", "NothingAttached", "OutOfMemory",
    "PermissionDenied", "ProcessNotFound", "ProgramError", "SpecError", "StateError",
    "StrictError", "SystemCallError", "Unsupported", "Count", "CountSnapshot", "Event",
    "EventArgument", "Features", "KernelLink", "Latency", "LatencyRow", "LatencySnapshot",
    "Link", "Object", "Observer", "PIN_DIRECTORY", "Pinned", "Place", "Probe", "ProbeSet",
    "Program", "Signature", "Symbolizer", "Trace", "TraceCount", "TraceSnapshot", "attach",
    "bucket_bounds", "check", "count", "demangle", "latency", "library_version", "list_pinned", "open",
    "open_link", "resolve", "trace", "unpin", "unpin_link",
]
