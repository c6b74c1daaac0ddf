# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""With what, from where: an event a hit.

Waiting is done here and not in the library, so that the handle is free meanwhile: another thread
may stop the trace, and Ctrl-C is seen at once. The kernel wakes a reader only when a quarter of the
ring is full; else a look every 10 ms finds what has come. That is why a reader that has caught up
waits before it looks again: where events come all the time, looks at once would find a few each,
and a look costs as much as reading a thousand.
"""
from __future__ import annotations

import math
import os
import select
import time
import weakref
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Generic, Iterable, Iterator
from typing import Mapping, TypeVar

from ._convert import c_string, filled, flag_bits
from ._handle import Slot
from ._native import ffi, lib
from ._progress import Progress
from .attaching import Scope
from .counting import start
from .enums import Backend, Placement
from .errors import StateError, check_status
from .events import Event, Signature, make_event, read_signature
from .observer import Observer
from .outcomes import TraceCount, TraceSnapshot
from .probes import Probe, ProbeSet
from .resolving import Probes, as_probe_set

if TYPE_CHECKING:
    from .batches import EventArray, Memory, Pool

_LOOK_SECONDS = 0.01
_TURN = 256  # events that `async for` gives before it lets other tasks run
# Room of an array where the caller does not say. More than in C: each costs tens of microseconds,
# and what comes between two looks at full speed should fit into one.
_EVENTS = 16384
_TEXT_BYTES = 1 << 20

Item = TypeVar("Item")


class Trace(Observer):
    """Records an event for each hit: made by trace().

    Iteration (`for` and `async for`) gives Event objects until the trace is stopped and empty;
    read_batch() and batches() give NumPy arrays. An event is given out once, and all of these go on
    where another one has left off: after a `break`, next() gives the event behind it.

    Closing it ends what reads events, also from inside: from a function that run() calls, from the
    body of a loop, from a signal handler or another thread.
    """

    _what = "trace"

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot)
        self._stopped = False
        self._pools: dict[tuple[int, int], Pool] = {}
        self._one = ffi.new("struct upm_event *")
        self._text = ffi.new("const char **")
        # A descriptor of our own stays good for a waiting thread when another one closes the trace.
        self._fd = os.dup(check_status(lib.upm_trace_fd(slot.out[0])))
        self._close_fd = weakref.finalize(self, os.close, self._fd)
        # Edge-triggered: what lies in the ring already is no reason to wake.
        self._wakeups = select.epoll()
        self._wakeups.register(self._fd, select.EPOLLIN | select.EPOLLET)
        self._next_look = 0.0
        self._signatures: dict[int, Signature] = {}

    def close(self) -> None:
        """Free it. A second call does nothing; other methods raise StateError afterwards, those
        that read events end. What has not been read is gone.

        In a callback or signal handler that runs inside a call on it, it is freed when that call
        has returned.
        """
        super().close()
        self._wakeups.close()
        self._close_fd()

    def stop(self) -> float:
        """Detach; what is in the ring buffer can still be read.

        Returns: the seconds it took.
        """
        elapsed = super().stop()
        self._stopped = True
        return elapsed

    def fileno(self) -> int:
        """A descriptor to wait for events in an event loop, beside a timer of 10 ms or so: the
        kernel wakes only when a quarter of the ring buffer is full."""
        self._require_open()
        return self._fd

    def signature(self, probe: int) -> Signature:
        """The arguments and the result of the events of the probe at this position."""
        known = self._signatures.get(probe)
        if known is None:
            with self._use() as pointer:
                known = read_signature(pointer, probe, self.probes[probe])
            self._signatures[probe] = known
        return known

    def counts(self) -> list[TraceCount]:
        """What became of the hits, for each probe; exact once the trace is stopped."""
        with self._use() as pointer:
            size = lib.upm_probe_set_size(lib.upm_observer_probes(pointer))
            raw = ffi.new("struct upm_trace_count[]", size)
            check_status(lib.upm_trace_counts(pointer, raw, size))
        return [
            TraceCount(*(getattr(each, name) for name in TraceCount._fields)) for each in raw
        ]

    def snapshot(self) -> TraceSnapshot:
        """counts() with their probes."""
        return TraceSnapshot(self.probes, self.counts())

    # ---- waiting

    def _look(self, look: Callable[[], Item | None], timeout: float | None) -> Item | None:
        """What a function finds that looks for events, tried until the time is over, or nothing can
        come any more: then None."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not self._slot.closed:
            stopped = self._stopped
            if not stopped:
                self._wait(min(self._next_look, end) - time.monotonic())
            try:
                found = look()
            except StateError:
                if self.closed:  # meanwhile
                    break
                raise
            if found is not None:
                return found
            if stopped or time.monotonic() >= end:
                break
        return None

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            try:
                self._wakeups.poll(seconds)
            except (ValueError, OSError):
                if not self.closed:  # by another thread, or by a signal handler
                    raise

    def _looked(self, is_full: bool = False) -> None:
        """Note that this was all there is, or that more may be there."""
        self._next_look = 0.0 if is_full else time.monotonic() + _LOOK_SECONDS

    # ---- one event at a time

    def next(self, timeout: float | None = None) -> Event | None:
        """The next event; None when the time (seconds; None = for ever) is over, or the trace is
        stopped and empty."""
        self._require_open()
        return self._look(self._next_now, timeout)

    def _next_now(self) -> Event | None:
        with self._use(changes=True) as pointer:
            status = lib.upm_trace_next(pointer, self._one, self._text, 0)
            if status == lib.UPM_ERR_NOT_FOUND:
                self._looked()
                return None
            check_status(status)
            return make_event(self._one, self._text[0], self.signature)

    def run(
        self, function: Callable[[Event], object], timeout: float | None = None
    ) -> object:
        """Call a function for each event, on this thread, until it gives something other than
        None or False, which is returned; or until the time is over, or the function closes the
        trace (None is returned). It may stop() the trace; reading events in it is refused."""
        self._require_open()
        call = EventCall(function, self)
        self._look(call.run_now, timeout)
        return call.end()

    def __iter__(self) -> Iterator[Event]:
        return iter(Stream(self, self._next_now, _TURN))

    def __aiter__(self) -> AsyncIterator[Event]:
        return Stream(self, self._next_now, _TURN).__aiter__()

    # ---- in bulk

    def read_batch(
        self, timeout: float | None = 0, *, events: int = 0, text_bytes: int = 0
    ) -> EventArray:
        """The events that are there, as a NumPy structured array over the library's memory. When
        none is, wait for some; the array is empty when the time is over. It stays good when the
        trace is closed.

        Args:
            timeout: seconds; None = for ever
            events: most of one reading; 0 = 16384
            text_bytes: of their strings, buffers and stacks together; 0 = 1 MiB
        """
        from .batches import EventArray, Pool

        self._require_open()
        events, text_bytes = events or _EVENTS, text_bytes or _TEXT_BYTES
        pool = self._pools.setdefault((events, text_bytes), Pool(events, text_bytes))
        memory = pool.take()
        found = self._look(lambda: self._fill(memory, events, text_bytes), timeout)
        batch: EventArray = EventArray.of(memory, self._signatures)[: found or 0]
        return batch

    def _fill(self, memory: Memory, events: int, text_bytes: int) -> int | None:
        """Look once: how many there are, and what is known of all their probes, so that the array
        needs no open trace. Less than half of its room in use: nothing was left for lack of it."""
        with self._use(changes=True) as pointer:
            check_status(lib.upm_trace_read(pointer, memory.batch, 0))
            for probe in memory.probes():
                self.signature(probe)
        found = len(memory)
        used = lib.upm_batch_text_size(memory.batch)
        self._looked(2 * found >= events or 2 * used >= text_bytes)
        return found or None

    def batches(self, *, events: int = 0, text_bytes: int = 0) -> Stream[EventArray]:
        """Arrays of events until the trace is stopped and empty, for `for` and `async for`."""

        def read() -> EventArray | None:
            batch = self.read_batch(0, events=events, text_bytes=text_bytes)
            return batch if len(batch) else None

        return Stream(self, read, 1)


class Stream(Generic[Item]):
    """What comes from a trace, until it is stopped and empty, or closed: for `for` and `async for`.

    It holds nothing: what a loop leaves unread is there for whoever reads next.
    """

    def __init__(self, trace: Trace, read: Callable[[], Item | None], turn: int) -> None:
        """
        Args:
            turn: how many to give before other tasks of an event loop may run
        """
        self._trace = trace
        self._read = read
        self._turn = turn

    def __iter__(self) -> Iterator[Item]:
        self._trace._require_open()
        while True:
            item = self._trace._look(self._read, None)
            if item is None:
                return
            yield item

    async def __aiter__(self) -> AsyncIterator[Item]:
        import asyncio

        trace = self._trace
        trace._require_open()
        while True:
            for _ in range(self._turn):
                has_ended = trace._stopped or trace.closed
                item = trace._look(self._read, 0)
                if item is None:
                    break
                yield item
            if item is None and has_ended:
                return
            await asyncio.sleep(max(0.0, trace._next_look - time.monotonic()))


class EventCall:
    """A function that upm_trace_run() calls."""

    def __init__(self, function: Callable[[Event], object], trace: Trace) -> None:
        self.function = function
        self.trace = trace
        self.result: object = None
        self.raised: BaseException | None = None
        self.ended = False
        self.context = ffi.new_handle(self)

    def run_now(self) -> EventCall | None:
        """Call it for what is there now; None when it has not ended the run."""
        with self.trace._use(changes=True) as pointer:
            status = lib.upm_trace_run(pointer, lib.upm_event_python, self.context, 0)
        if self.ended:
            return self
        check_status(status)
        self.trace._looked()
        return None

    def end(self) -> object:
        """Give what the function gave to end the run, or raise what it raised."""
        if self.raised is not None:
            raise self.raised
        return self.result if self.ended else None


def _keep(kind: Any, value: BaseException, traceback: Any) -> None:
    call = ffi.from_handle(traceback.tb_frame.f_locals["context"])
    call.raised = value
    call.ended = True


@ffi.def_extern(error=1, onerror=_keep)  # type: ignore[untyped-decorator]
def upm_event_python(event: Any, texts: Any, context: Any) -> int:
    """The upm_event_fn of every upm_trace_run()."""
    call = ffi.from_handle(context)
    if call.trace.closed:
        return 1
    call.result = call.function(make_event(event, texts, call.trace.signature))
    call.ended = call.result is not None and call.result is not False
    return int(call.ended or call.trace.closed)


class _TraceOptions:
    """struct upm_trace_options, with what it points to."""

    def __init__(self, probes: ProbeSet, arguments: str | Mapping[str, str] | None) -> None:
        self.keep: list[Any] = []
        self.arguments = self.string(arguments if isinstance(arguments, str) else None)
        self.each = ffi.NULL
        self.each_count = 0
        if arguments is not None and not isinstance(arguments, str):
            signatures = [_signature_for(probe, arguments) for probe in probes]
            self.each = ffi.new("const char *[]", [self.string(each) for each in signatures])
            self.each_count = len(signatures)

    def string(self, value: str | None) -> Any:
        if value is None:
            return ffi.NULL
        self.keep.append(c_string(value))
        return self.keep[-1]


def _signature_for(probe: Probe, signatures: Mapping[str, str]) -> str | None:
    return signatures.get(probe.symbol, signatures.get(probe.name))


def trace(
    probes: Probes,
    arguments: str | Mapping[str, str] | None = None,
    *,
    returns: bool = False,
    stacks: bool = False,
    filter: str | None = None,
    comm: str | None = None,
    tids: Iterable[int] = (),
    sample: int = 0,
    rate: int = 0,
    ring_bytes: int = 0,
    text_bytes: int = 0,
    stack_frames: int = 0,
    pid: int | None = None,
    pids: Iterable[int] = (),
    children: bool = False,
    strict: bool = False,
    backend: Backend | str = Backend.AUTO,
    probes_per_link: int = 0,
    progress: Progress = None,
    placement: Placement | str = Placement.DEFAULT,
) -> Trace:
    """Record an event for each hit.

    Args:
        probes: a ProbeSet, or specs
        arguments: a C-like signature, such as "(int fd, char *path, size_t n)"; or one for each
            function, by name: {"open": "(char *path, int flags)"}. None = the first six integer
            registers, and of USDT probes what their notes say
        returns: one event for each call, at its return: with result and duration
        stacks: add the user stack
        filter: comparisons joined by &&, such as 'fd == 3 && path ^= "/etc/"'
        comm: only threads of this name
        tids: only these threads
        sample: of each probe, on each CPU, the first of every so many hits
        rate: most events a second
        ring_bytes: of the ring buffer; 0 = 16 MiB
        text_bytes: most bytes of a string or buffer; 0 = 256
        stack_frames: most frames of a stack; 0 = 64
        and as attach()

    Raises:
        SpecError: a signature or the filter does not parse; and as count()
    """
    scope = Scope(
        pid, pids, children, strict,
        backend=backend, probes_per_link=probes_per_link, progress=progress,
        placement=placement,
    )
    found = as_probe_set(probes, scope.pids, scope.call.function)
    texts = _TraceOptions(found, arguments)
    threads = ffi.new("int32_t[]", list(tids))
    own = filled(
        "upm_trace_options",
        flags=flag_bits({lib.UPM_TRACE_RETURNS: returns, lib.UPM_TRACE_STACKS: stacks}),
        ring_bytes=ring_bytes,
        text_bytes=text_bytes,
        stack_frames=stack_frames,
        arguments=texts.arguments,
        probe_arguments=texts.each,
        probe_argument_count=texts.each_count,
        filter=texts.string(filter),
        comm=texts.string(comm),
        tids=threads,
        tid_count=len(threads),
        sample=sample,
        rate=rate,
    )
    return Trace(start(lib.upm_trace, found, scope, own))
