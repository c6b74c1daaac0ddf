# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""BPF object files and the programs in them."""
from __future__ import annotations

from typing import Any, NamedTuple

from ._convert import PathLike, c_string, c_strings, filled, not_found
from ._handle import Handle, Slot
from ._native import ffi, lib
from .enums import Kind
from .errors import check_status, text


class Program(NamedTuple):
    """One program of an object. Keeps the object, and so its descriptor, alive."""

    name: str
    section: str  #: as in the file
    spec: str  #: the spec that the section names, or ""
    fd: int  #: descriptor; the object's, do not close it
    kind: Kind  #: what its section asks for
    session: bool  #: uprobe.session
    sleepable: bool  #: a .s section
    object: Object

    def fileno(self) -> int:
        """The descriptor, while the object is open."""
        self.object._require_open()
        return self.fd


class Object(Handle):
    """A BPF object file, opened with libbpf and loaded.

    Raises:
        FileNotFoundError, FormatError: there is no such file; it is no BPF object
        ProgramError: the verifier refused it; the message ends with what it said last
        PermissionDenied: this user may not load programs
    """

    _what = "BPF object"

    def __init__(self, path: PathLike) -> None:
        slot = Slot(lib.upm_object_free)
        check_status(lib.upm_object_open(c_string(path), slot.out))
        super().__init__(slot)

    @property
    def programs(self) -> list[Program]:
        """Those that can be attached to probes."""
        raw = filled("upm_program")
        found = []
        with self._use() as pointer:
            for index in range(lib.upm_object_programs(pointer)):
                check_status(lib.upm_object_program(pointer, index, raw))
                found.append(self._program(raw))
        return found

    def _program(self, raw: Any) -> Program:
        return Program(
            text(raw.name),
            text(raw.section),
            text(raw.spec),
            raw.fd,
            Kind(raw.kind),
            bool(raw.session),
            bool(raw.sleepable),
            self,
        )

    def program(self, name: str | None = None) -> Program:
        """The program of this name; without a name, the only one.

        Raises:
            NotFound: there is none of this name; there are several, and no name was given
        """
        programs = self.programs
        found = [each for each in programs if name is None or each.name == name]
        if len(found) != 1:
            names = ", ".join(each.name for each in programs)
            raise not_found(
                "choose a program", name or "", f"the object has: {names}", "name one"
            )
        return found[0]

    def map_fd(self, name: str) -> int:
        """Descriptor of the map of this name, which stays the object's."""
        with self._use() as pointer:
            return check_status(lib.upm_object_map_fd(pointer, c_string(name)))

    def _attach(
        self, program: str | None, specs: list[str] | None, options: Any, slot: Slot
    ) -> int:
        array, keep = c_strings(specs) if specs is not None else (ffi.NULL, [])
        name = ffi.NULL if program is None else c_string(program)
        with self._use() as pointer:
            return int(
                lib.upm_object_attach(pointer, name, array, len(keep), options, slot.out)
            )

    def __repr__(self) -> str:
        if self.closed:
            return "<Object, closed>"
        return f"<Object: {', '.join(each.name for each in self.programs)}>"
