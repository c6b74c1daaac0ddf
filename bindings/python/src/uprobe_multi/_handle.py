# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A C handle that is freed once: by close(), by `with`, by the garbage collector, or at exit.

Threads: the library wants a handle alone for all but its const functions, and no handle freed
while somebody uses it. Here each handle has a lock; whoever takes the pointer holds it.

Callbacks and signal handlers run inside a call, on its thread, which the lock lets pass. So the
uses of a handle are counted: close() inside one only says that it is closed, and the outermost frees
it when it leaves; what changes the handle under a call that reads it is refused there.

Exit: weakref.finalize frees what is left before the interpreter goes, and keeps the locks: a daemon
thread that comes later waits, as it does for the interpreter. One may be inside a call then, with
the lock; its handle is left to the kernel, which closes descriptors.

Fork: the child's locks that another thread of the parent holds are made anew. What the child frees
are its own descriptors, never the parent's probes.
"""
from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from typing import Any, Callable, Iterator, TypeVar

from ._native import ffi
from .errors import busy_error, closed_error

_EXIT_PATIENCE_SECONDS = 0.5


class Slot:
    """Where a call of the library stores what it makes (`**out`), with the lock of it.

    It is there before the call, so that an exception between the call and the making of the
    Handle, such as Ctrl-C, loses nothing.
    """

    def __init__(self, free: Callable[[Any], None]) -> None:
        self._free = free
        self.out = ffi.new(ffi.getctype(ffi.typeof(free).args[0], "*"))
        self.lock = threading.RLock()
        self.uses = 0  # that run now, all on the thread that has the lock
        self.closed = False
        _slots.add(self)

    def close(self) -> None:
        """Free what is in it, once; inside a use of it, at the end of that."""
        if not self.lock.acquire(timeout=_EXIT_PATIENCE_SECONDS if _exiting() else -1):
            return
        try:
            self.closed = True
            self.free_if_closed()
        finally:
            if not _exiting():
                self.lock.release()

    def free_if_closed(self) -> None:
        """Free what is in it, if it is closed and not in use. The caller has the lock."""
        if self.closed and not self.uses:
            pointer, self.out[0] = self.out[0], ffi.NULL
            if pointer:
                self._free(pointer)

    def __del__(self) -> None:
        if hasattr(self, "lock"):
            self.close()


_slots: weakref.WeakSet[Slot] = weakref.WeakSet()


def _exiting() -> bool:
    return not threading.main_thread().is_alive()


def _renew_locks() -> None:
    for slot in list(_slots):
        if slot.lock.acquire(blocking=False):  # free, or of the thread that forks
            slot.lock.release()
        else:
            slot.lock, slot.uses = threading.RLock(), 0


os.register_at_fork(after_in_child=_renew_locks)


Self = TypeVar("Self", bound="Handle")


class Handle:
    """Base of everything that owns something of the library."""

    _what = "handle"

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._finalizer = weakref.finalize(self, slot.close)

    @contextmanager
    def _use(self, changes: bool = False) -> Iterator[Any]:
        """The pointer, for as long as the block runs and for this thread alone.

        Args:
            changes: refuse to run inside another use, as a callback of the library would be
        """
        slot = self._slot
        with slot.lock:
            slot.uses += 1
            try:
                if slot.closed:
                    raise closed_error(self._what)
                if changes and slot.uses > 1:
                    raise busy_error(self._what)
                yield slot.out[0]
            finally:
                slot.uses -= 1
                slot.free_if_closed()

    def _require_open(self) -> None:
        if self.closed:
            raise closed_error(self._what)

    @property
    def closed(self) -> bool:
        """Whether close() has been called."""
        return self._slot.closed

    def close(self) -> None:
        """Free it. A second call does nothing; other methods raise StateError afterwards.

        In a callback or signal handler that runs inside a call on it, it is freed when that call
        has returned.
        """
        self._finalizer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
