# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A C handle that is freed once: by close(), by `with`, by the garbage collector, or at exit.

Threads: the library wants a handle alone for all but its const functions, and no handle freed
while somebody uses it. Here each handle has a lock; whoever takes the pointer holds it.

Exit: weakref.finalize frees what is left before the interpreter goes. A daemon thread may be
inside a call then, with the lock; its handle is left to the kernel, which closes descriptors.

Fork: the child's locks are made anew, since a thread of the parent may have held one. What the
child frees are its own descriptors, never the parent's probes.
"""
from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from .errors import closed_error

_EXIT_PATIENCE_SECONDS = 0.5


class _Core:
    """The pointer and its lock: all that the finalizer needs, so that it holds no owner alive."""

    def __init__(self, pointer: Any, free: Callable[[Any], None]) -> None:
        self.pointer = pointer
        self.free = free
        self.lock = threading.RLock()

    def close(self) -> None:
        if not self.lock.acquire(timeout=_EXIT_PATIENCE_SECONDS if _exiting() else -1):
            return
        try:
            pointer, self.pointer = self.pointer, None
            if pointer is not None:
                self.free(pointer)
        finally:
            self.lock.release()


_cores: weakref.WeakSet[_Core] = weakref.WeakSet()


def _exiting() -> bool:
    return not threading.main_thread().is_alive()


def _renew_locks() -> None:
    for core in list(_cores):
        core.lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_locks)


class Handle:
    """Base of everything that owns something of the library."""

    _what = "handle"

    def __init__(self, pointer: Any, free: Callable[[Any], None]) -> None:
        self._core = _Core(pointer, free)
        _cores.add(self._core)
        self._finalizer = weakref.finalize(self, self._core.close)

    @contextmanager
    def _use(self) -> Iterator[Any]:
        """The pointer, for as long as the block runs and for this thread alone."""
        with self._core.lock:
            if self._core.pointer is None:
                raise closed_error(self._what)
            yield self._core.pointer

    @property
    def closed(self) -> bool:
        """Whether close() has been called."""
        return self._core.pointer is None

    def close(self) -> None:
        """Free it. A second call does nothing; other methods raise StateError afterwards."""
        self._finalizer()
