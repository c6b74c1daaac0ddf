# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What the shipped observers have in common."""
from __future__ import annotations

import time
from array import array
from contextlib import contextmanager
from typing import Any, Iterator

from ._convert import PathLike, c_string
from ._handle import Handle, Slot
from ._native import ffi, lib
from .errors import check_status, text
from .link import LinkView
from .probes import ProbeSet


class Observer(LinkView, Handle):
    """A shipped BPF program at work. `with` stops it at the end; its results stay readable."""

    _what = "observer"

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot)
        self._probes: ProbeSet | None = None

    @contextmanager
    def _link(self) -> Iterator[Any]:
        with self._use() as pointer:
            yield lib.upm_observer_link(pointer)

    def close(self) -> None:
        """Free it. A second call does nothing; other methods raise StateError afterwards."""
        super().close()
        self._probes = None

    @property
    def kind(self) -> str:
        """"count", "latency" or "trace"."""
        with self._use() as pointer:
            return text(lib.upm_observer_kind_name(lib.upm_observer_kind(pointer)))

    @property
    def probes(self) -> ProbeSet:
        """The probes observed, in the order of all results: a copy that is made once."""
        with self._use() as pointer:
            if self._probes is None:
                copy = ProbeSet()
                with copy._use() as to:
                    check_status(
                        lib.upm_probe_set_join(to, lib.upm_observer_probes(pointer))
                    )
                self._probes = copy
            return self._probes

    def hits(self) -> array[int]:
        """The hits so far, a number for each probe; 0 for skipped ones. NumPy takes it as it is."""
        with self._use() as pointer:
            size = lib.upm_probe_set_size(lib.upm_observer_probes(pointer))
            hits = array("Q", bytes(8 * size))
            buffer = ffi.from_buffer("uint64_t[]", hits) if size else ffi.NULL
            check_status(lib.upm_observer_hits(pointer, buffer, size))
        return hits

    @property
    def lost_processes(self) -> int:
        """With children=True: children that were too many to follow; results lack theirs."""
        with self._use() as pointer:
            return int(lib.upm_observer_lost_processes(pointer))

    def stop(self) -> float:
        """Detach; the results then stand still and stay readable. A pinned observer goes on in
        the kernel.

        Returns: the seconds it took.
        """
        elapsed = ffi.new("uint64_t *")
        with self._use() as pointer:
            check_status(lib.upm_observer_stop(pointer, elapsed))
        return float(elapsed[0]) / 1e9

    def pin(self, name: PathLike) -> None:
        """Keep it alive under a name, after this process has gone: um.open(name) has it then.

        Raises:
            NotFound: no BPF file system is mounted; the hint says how to
            AlreadyExists: the name is taken
            StateError: it is stopped
        """
        with self._use() as pointer:
            check_status(lib.upm_observer_pin(pointer, c_string(name)))

    def snapshot(self) -> Any:
        """The results so far, as something that does not change any more."""
        raise NotImplementedError

    def live(self, every: float = 0.5) -> Any:
        """A context manager that shows the results while its block runs, anew after so many
        seconds: in a notebook cell in place, on a terminal as text."""
        from .display import Live

        return Live(self.snapshot, every)

    def watch(self, seconds: float | None = None, every: float = 0.5) -> None:
        """Show the results for so long, or until Ctrl-C (in a notebook: interrupt)."""
        with self.live(every):
            try:
                end = None if seconds is None else time.monotonic() + seconds
                while end is None or time.monotonic() < end:
                    time.sleep(every if end is None else max(0, min(every, end - time.monotonic())))
            except KeyboardInterrupt:
                pass

    def __exit__(self, *raised: object) -> None:
        if not self.closed:
            self.stop()

    def __repr__(self) -> str:
        name = type(self).__name__
        if self.closed:
            return f"<{name}, closed>"
        return f"<{name}: {self.attached_count} attached, {self.skipped_count} skipped>"

    def _repr_html_(self) -> str:
        from .display import observer_html

        return observer_html(self)
