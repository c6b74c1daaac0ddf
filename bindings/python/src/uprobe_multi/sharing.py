# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Observers that several processes, in any language, use."""
from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, NamedTuple, Union

from ._convert import PathLike, c_string, filled
from ._handle import Slot
from ._native import ffi, lib
from .counting import Count
from .errors import check_status, text
from .timing import Latency
from .tracing import Trace

#: Where observers are pinned by name.
PIN_DIRECTORY: str = text(lib.UPM_PIN_DIRECTORY)

_KINDS: dict[int, type[Union[Count, Latency, Trace]]] = {
    lib.UPM_OBSERVER_COUNT: Count,
    lib.UPM_OBSERVER_LATENCY: Latency,
    lib.UPM_OBSERVER_TRACE: Trace,
}


def open(name: PathLike) -> Count | Latency | Trace:
    """Open a pinned observer, whoever made it: same probes, same results.

    Stopping or closing it lets go of this process's part only.

    Raises:
        NotFound: nothing is pinned under this name
        Unsupported: another version of the library made it
    """
    slot = Slot(lib.upm_observer_free)
    check_status(lib.upm_observer_open(c_string(name), slot.out))
    return _KINDS[lib.upm_observer_kind(slot.out[0])](slot)


def unpin(name: PathLike) -> None:
    """Remove the pins of an observer: it ends when the last process that has it open lets go."""
    check_status(lib.upm_observer_unpin(c_string(name)))


class Pinned(NamedTuple):
    """A pinned observer, as list_pinned() finds it."""

    name: str  #: for open()
    kind: str  #: "count", "latency" or "trace"; "" with a problem
    problem: str  #: why it can not be opened; "" when it can
    creator: str  #: name of the process that pinned it
    creator_pid: int
    created: datetime
    owner: int  #: user id
    probes: int
    attached: int
    kernel_links: int


def list_pinned(directory: PathLike | None = None) -> list[Pinned]:
    """The pinned observers of a directory, by name; None = the usual one."""
    slot = Slot(lib.upm_pinned_list_free)
    place = ffi.NULL if directory is None else c_string(directory)
    check_status(lib.upm_pinned_list(place, slot.out))
    found = slot.out[0]
    return [_pinned(found, index) for index in range(lib.upm_pinned_list_size(found))]


def _pinned(found: Any, index: int) -> Pinned:
    raw = filled("upm_pinned")
    check_status(lib.upm_pinned_list_get(found, index, raw))
    return Pinned(
        name=text(raw.name),
        kind=text(lib.upm_observer_kind_name(raw.kind)) if raw.kind else "",
        problem=text(raw.problem),
        creator=text(raw.creator),
        creator_pid=raw.creator_pid,
        created=datetime.fromtimestamp(raw.created_s, timezone.utc),
        owner=raw.owner,
        probes=raw.probes,
        attached=raw.attached,
        kernel_links=raw.kernel_links,
    )
