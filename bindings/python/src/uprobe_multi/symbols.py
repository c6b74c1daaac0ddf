# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What lies at an address of a process."""
from __future__ import annotations

import os
from typing import NamedTuple, Sequence

from ._convert import filled
from ._handle import Handle, Slot
from ._native import lib
from .errors import check_status, text
from .probes import demangle


class Place(NamedTuple):
    """What lies at an address."""

    path: str  #: the file mapped there, or "[vdso]" and such; "" when it is not known
    symbol: str  #: raw name of the function; "" when it is not known
    offset: int  #: bytes from the start of the symbol, or without one of the file
    file_offset: int  #: bytes

    @property
    def name(self) -> str:
        """"binary:function" as people read it; offsets only where there is no function."""
        file = os.path.basename(self.path)
        if self.symbol:
            return f"{file}:{demangle(self.symbol)}"
        return f"{file}+{self.file_offset:#x}" if file else "?"


class Symbolizer(Handle):
    """Finds out what lies at addresses of processes, and remembers it.

    Ask soon: what a process that has ended had mapped can not be found out later, unless it was
    asked for before.
    """

    _what = "symbolizer"

    def __init__(self) -> None:
        slot = Slot(lib.upm_symbolizer_free)
        check_status(lib.upm_symbolizer_new(slot.out))
        super().__init__(slot)

    def find(self, pid: int, address: int, after_call: bool = False) -> Place:
        """What lies there; a place without names for an address of which nothing is known.

        Args:
            after_call: the address is one that a call returns to, as are all frames of a stack
                but the first: the call before it is meant
        """
        raw = filled("upm_place")
        with self._use(changes=True) as pointer:
            check_status(lib.upm_symbolizer_find(pointer, pid, address, int(after_call), raw))
            return Place(text(raw.path), text(raw.symbol), raw.offset, raw.file_offset)

    def names(self, pid: int, stack: Sequence[int]) -> list[str]:
        """Of a stack, innermost first."""
        return [self.find(pid, address, at > 0).name for at, address in enumerate(stack)]
