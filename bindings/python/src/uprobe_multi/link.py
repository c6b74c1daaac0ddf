# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""An attached probe set."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple

from ._convert import PathLike, c_string, filled
from ._handle import Handle, Slot
from ._native import ffi, lib
from .enums import Backend, Kind
from .errors import check_status, text
from .probes import Probe, make_probe

if TYPE_CHECKING:
    from .objects import Object


class KernelLink(NamedTuple):
    """One kernel link, or perf event, behind a link."""

    path: str  #: the file that it probes, or the first of many
    probes: int  #: number of probes in it
    id: int  #: the kernel's link id, as bpftool shows it; 0 = it has none
    fd: int  #: descriptor; the link's, do not close it
    kind: Kind
    pid: int  #: the process that it is limited to; 0 = every process
    files: int  #: number of files that it probes: 1, or more where check().paths


def _probes(pointer: Any, count: int, get: Callable[[Any, int, Any], int]) -> list[Probe]:
    raw = filled("upm_probe")
    found = []
    for index in range(count):
        check_status(get(pointer, index, raw))
        found.append(make_probe(raw, (), ()))
    return found


def attached_probes(pointer: Any) -> list[Probe]:
    """Of a const struct upm_link *."""
    return _probes(pointer, lib.upm_link_attached(pointer), lib.upm_link_attached_get)


def skipped_probes(pointer: Any) -> list[Probe]:
    """Of a const struct upm_link *."""
    return _probes(pointer, lib.upm_link_skipped(pointer), lib.upm_link_skipped_get)


def kernel_links(pointer: Any) -> list[KernelLink]:
    """Of a const struct upm_link *."""
    raw = filled("upm_kernel_link")
    found = []
    for index in range(lib.upm_link_kernel_links(pointer)):
        check_status(lib.upm_link_kernel_get(pointer, index, raw))
        found.append(
            KernelLink(
                text(raw.path), raw.probes, raw.id, raw.fd, Kind(raw.kind), raw.pid, raw.files
            )
        )
    return found


class LinkView:
    """What an attach came to: of a Link, and of the link inside an observer."""

    def _link(self) -> Any:
        """A context manager that gives the const struct upm_link *."""
        raise NotImplementedError

    @property
    def attached(self) -> list[Probe]:
        """The probes that are, or were until detach, attached."""
        with self._link() as pointer:
            return attached_probes(pointer)

    @property
    def skipped(self) -> list[Probe]:
        """The probes that are not attached; each has its verdict and reason."""
        with self._link() as pointer:
            return skipped_probes(pointer)

    @property
    def attached_count(self) -> int:
        """Number of attached probes."""
        with self._link() as pointer:
            return int(lib.upm_link_attached(pointer))

    @property
    def skipped_count(self) -> int:
        """Number of skipped probes."""
        with self._link() as pointer:
            return int(lib.upm_link_skipped(pointer))

    @property
    def kernel_links(self) -> list[KernelLink]:
        """What the kernel has for it; empty after detach."""
        with self._link() as pointer:
            return kernel_links(pointer)

    @property
    def backend(self) -> Backend:
        """How the probes reached the kernel."""
        with self._link() as pointer:
            return Backend(lib.upm_link_backend(pointer))

    @property
    def attach_seconds(self) -> float:
        """How long the attach took."""
        with self._link() as pointer:
            return float(lib.upm_link_attach_ns(pointer)) / 1e9


class Link(LinkView, Handle):
    """A program attached to probes: made by attach(). Closing it, or leaving `with`, detaches.

    Attributes:
        object: the Object that the program comes from, when attach() was given one
    """

    _what = "link"

    def __init__(self, slot: Slot, object: Object | None = None) -> None:
        super().__init__(slot)
        self.object = object

    def _link(self) -> Any:
        return self._use()

    def detach(self) -> float:
        """Let go of every kernel link. attached and skipped stay readable.

        Returns: the seconds it took.
        """
        elapsed = ffi.new("uint64_t *")
        with self._use() as pointer:
            check_status(lib.upm_link_detach(pointer, elapsed))
        return float(elapsed[0]) / 1e9

    def pin(self, path: PathLike) -> None:
        """Keep the kernel links alive after this process: path is a directory to make in a BPF
        file system."""
        with self._use() as pointer:
            check_status(lib.upm_link_pin(pointer, c_string(path)))

    def __iter__(self) -> Iterator[Probe]:
        return iter(self.attached)

    def __exit__(self, *raised: object) -> None:
        if not self.closed:
            self.detach()

    def __repr__(self) -> str:
        if self.closed:
            return "<Link, closed>"
        return (
            f"<Link: {self.attached_count} attached, {self.skipped_count} skipped,"
            f" {len(self.kernel_links)} kernel links>"
        )

    def _repr_html_(self) -> str:
        from .display import link_html

        return link_html(self)


def open_link(path: PathLike) -> Link:
    """Open what Link.pin() made, in any process. Closing it lets go of this process's part only."""
    slot = Slot(lib.upm_link_free)
    check_status(lib.upm_link_open(c_string(path), slot.out))
    return Link(slot)


def unpin_link(path: PathLike) -> None:
    """Remove the pins at path. The probes end when the last descriptor goes."""
    check_status(lib.upm_link_unpin(c_string(path)))
