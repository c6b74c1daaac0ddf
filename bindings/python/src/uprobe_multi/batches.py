# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Events in bulk: a NumPy structured array over the library's memory, without an object each.

The fields are those of struct upm_event, at the offsets that the C compiler gave them. Strings,
byte buffers and stacks lie in the text area beside it: the element of `arguments` has their place.

The memory is a batch of the library's. It goes back to a pool, and is filled again, when no array
points into it any more. What is known of the probes comes along, so the trace may be closed.
"""
from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

import numpy
import numpy.typing

from ._handle import Slot
from ._native import ffi, lib
from .errors import check_status
from .events import EventArgument, EventKind, Form, Signature
from .symbols import Symbolizer

if TYPE_CHECKING:
    import pandas
    import pyarrow

    Array = numpy.typing.NDArray[Any]

_NUMPY_TYPES = {"uint64_t": "u8", "uint32_t": "u4", "uint16_t": "u2", "char": "S1"}
_SPARE_BATCHES = 2
# Columns that every table may have; an argument of one of these names gets another one.
_OWN_COLUMNS = frozenset(
    ("time_ns", "symbol", "comm", "pid", "tid", "cpu", "kind", "duration_ns", "result")
)


@lru_cache(maxsize=None)
def event_dtype() -> numpy.dtype[Any]:
    """The NumPy type of an event."""
    names, formats, offsets = [], [], []
    for name, field in ffi.typeof("struct upm_event").fields:
        names.append(name)
        formats.append(_numpy_type(field.type))
        offsets.append(field.offset)
    return numpy.dtype(
        {
            "names": names,
            "formats": formats,
            "offsets": offsets,
            "itemsize": lib.upm_batch_event_size(),
        }
    )


def _numpy_type(kind: Any) -> Any:
    if kind.kind != "array":
        return _NUMPY_TYPES[kind.cname]
    if kind.item.cname == "char":
        return f"S{kind.length}"
    return (_NUMPY_TYPES[kind.item.cname], (kind.length,))


class Pool:
    """Batches of one size."""

    def __init__(self, events: int, text_bytes: int) -> None:
        self._size = (events, text_bytes)
        self._spare: list[Slot] = []

    def take(self) -> Memory:
        """A batch to be filled."""
        try:
            return Memory(self, self._spare.pop())
        except IndexError:
            slot = Slot(lib.upm_batch_free)
            check_status(lib.upm_batch_new(*self._size, slot.out))
            return Memory(self, slot)

    def give(self, slot: Slot) -> None:
        """Nothing points into it any more."""
        if len(self._spare) < _SPARE_BATCHES:
            self._spare.append(slot)


class Memory:
    """A batch in use, until this object and all arrays over it are gone."""

    def __init__(self, pool: Pool, slot: Slot) -> None:
        self._pool = pool
        self._slot = slot
        self.batch = slot.out[0]

    def __len__(self) -> int:
        return int(lib.upm_batch_size(self.batch))

    def __del__(self) -> None:
        self._pool.give(self._slot)

    def view(self, pointer: Any, size: int) -> Any:
        """A buffer that keeps this object."""
        return ffi.buffer(ffi.gc(pointer, lambda _: self), size)

    def events(self) -> Array:
        """The events as a structured array."""
        count = len(self)
        if not count:
            return numpy.empty(0, event_dtype())
        pointer = lib.upm_batch_events(self.batch)
        array = numpy.frombuffer(
            self.view(pointer, count * lib.upm_batch_event_size()), event_dtype()
        )
        array.flags.writeable = False
        return array

    def probes(self) -> list[int]:
        """The positions of the probes that occur."""
        found: list[int] = numpy.flatnonzero(numpy.bincount(self.events()["probe"])).tolist()
        return found

    def text(self) -> Array:
        """The text area as bytes."""
        size = lib.upm_batch_text_size(self.batch)
        if not size:
            return numpy.empty(0, numpy.uint8)
        array = numpy.frombuffer(
            self.view(lib.upm_batch_text(self.batch), size), numpy.uint8
        )
        array.flags.writeable = False
        return array


class EventArray(numpy.ndarray[Any, Any]):
    """A structured array of events: fields as `batch["pid"]`, masks and slices as ever.

    Selections, copies and pickles have the texts and signatures of their events with them. What
    numpy.concatenate() makes of several is a plain array of the fields.

    Attributes:
        text: the text area that strings, byte buffers and stacks lie in, as bytes
        signatures: what is known of the arguments of a probe, by its position in the set
    """

    text: Array = numpy.empty(0, numpy.uint8)
    signatures: Mapping[int, Signature] = {}

    @staticmethod
    def of(memory: Memory, signatures: Mapping[int, Signature]) -> EventArray:
        """The events of a batch that has been read."""
        return EventArray._made(memory.events(), memory.text(), signatures)

    @staticmethod
    def _made(events: Array, text: Array, signatures: Mapping[int, Signature]) -> EventArray:
        array = events.view(EventArray)
        array.text = text
        array.signatures = signatures
        return array

    def __array_finalize__(self, source: Any) -> None:
        if isinstance(source, EventArray):
            self.__dict__.update(source.__dict__)

    def __reduce__(self) -> tuple[Any, ...]:
        known = {probe: self.signatures[probe] for probe in self._probes()}
        return EventArray._made, (numpy.array(self), numpy.array(self.text), known)

    def __getitem__(self, key: Any) -> Any:
        """Fields are plain arrays; only selections of whole events stay what they are."""
        part = super().__getitem__(key)
        if isinstance(part, EventArray) and part.dtype != self.dtype:
            return part.view(numpy.ndarray)
        return part

    def signature_of(self, probe: int) -> Signature:
        """What is known of the arguments of the probe at this position, which has an event here."""
        return self.signatures[probe]

    def signature(self) -> Signature | None:
        """The one that all these events share; None when their arguments differ in form."""
        found = [self.signatures[probe] for probe in self._probes()]
        if not found or any(each.arguments != found[0].arguments for each in found):
            return None
        return found[0]

    def _probes(self) -> list[int]:
        found: list[int] = numpy.unique(self["probe"]).tolist()
        return found

    def strings(self, argument: int) -> list[str | None]:
        """The texts of a string argument."""
        return [
            None if raw is None else raw.decode("utf-8", "surrogateescape")
            for raw in self.buffers(argument)
        ]

    def buffers(self, argument: int) -> list[bytes | None]:
        """The bytes of a string or buffer argument; None where they could not be read."""
        data, offsets, missing = self._gathered(argument)
        raw = data.tobytes()
        ends = offsets.tolist()
        return [
            None if absent else raw[start:end]
            for start, end, absent in zip(ends, ends[1:], missing.tolist())
        ]

    def _gathered(self, argument: int) -> tuple[Array, Array, Array]:
        """The bytes of an argument side by side, where each begins, and which events lack it."""
        places = self["arguments"][:, argument]
        unread = (self["unreadable"] >> numpy.uint16(argument) & numpy.uint16(1)).astype(bool)
        missing = unread | ~self._has_text(argument)
        starts = (places & numpy.uint64(0xFFFFFFFF)).astype(numpy.int64)
        lengths = numpy.where(missing, 0, (places >> numpy.uint64(32)).astype(numpy.int64))
        offsets = numpy.zeros(len(self) + 1, numpy.int64)
        numpy.cumsum(lengths, out=offsets[1:])
        index = numpy.arange(offsets[-1]) + numpy.repeat(starts - offsets[:-1], lengths)
        return self.text[index], offsets, missing

    def _has_text(self, argument: int) -> Array:
        """Whether the argument of each event is a place in the text area."""
        probes = [
            probe
            for probe in self._probes()
            if any(each.in_text for each in self.signatures[probe].arguments[argument:][:1])
        ]
        return numpy.isin(self["probe"], probes)

    def stack(self, event: int) -> Array:
        """The addresses of an event's stack, innermost first."""
        start, count = int(self["stack_offset"][event]), int(self["stack_count"][event])
        return self.text[start : start + 8 * count].view(numpy.uint64)

    def folded(self, symbolizer: Symbolizer | None = None) -> Counter[str]:
        """Number of events of each stack, as flame-graph tools take it: "outer;inner"."""
        symbols = symbolizer or Symbolizer()
        stacks: Counter[tuple[int, tuple[int, ...]]] = Counter(
            (int(pid), tuple(self.stack(event).tolist()))
            for event, pid in enumerate(self["pid"])
        )
        folded: Counter[str] = Counter()
        for (pid, stack), count in stacks.items():
            folded[";".join(symbols.names(pid, stack)[::-1])] += count
        return folded

    def _plain_columns(self) -> Iterator[tuple[str, Array]]:
        """Name and array of what is a number in every event."""
        for name in ("time_ns", "pid", "tid", "cpu"):
            yield name, self[name]
        kinds = numpy.array([str(kind) for kind in EventKind])
        yield "kind", kinds[self["kind"]]
        if numpy.isin(self["kind"], (EventKind.RETURN, EventKind.CALL)).any():
            yield "duration_ns", self["duration_ns"]
            yield "result", _typed(self["result"], self._result())

    def _argument_columns(self) -> Iterator[tuple[str, int, EventArgument | None]]:
        """Name, position and meaning of each argument; no meaning where events differ in it.

        An argument whose name another column has, one of ours or an argument before it, has its
        position behind the name: pid_0, or pid_0_ where that is taken too.
        """
        signature = self.signature()
        known = signature.arguments if signature is not None else ()
        most = int(self["argument_count"].max()) if len(self) else 0
        names = [each.name for each in known[:most]]
        names += [f"arg{index}" for index in range(len(names), most)]
        for index, name in enumerate(_distinct(names)):
            yield name, index, known[index] if index < len(known) else None

    def _result(self) -> EventArgument | None:
        signature = self.signature()
        return signature.result if signature else None

    def _names(self) -> tuple[Sequence[str], Array]:
        """Names of the probes that occur, and which of them each event is of."""
        probes, codes = numpy.unique(self["probe"], return_inverse=True)
        return [self.signatures[int(probe)].probe.name for probe in probes], codes

    def to_frame(self) -> pandas.DataFrame:
        """A pandas table, one row an event; arguments by name where all events share them.

        The second argument is pid_1 where its name is pid, which is a column of every table, or
        that of the first one.
        """
        import pandas

        columns: dict[str, Any] = dict(self._plain_columns())
        for name, index, argument in self._argument_columns():
            columns[name] = self._pandas_column(index, argument)
        names, codes = self._names()
        frame = pandas.DataFrame(columns)
        frame.insert(1, "comm", [comm.decode("utf-8", "replace") for comm in self["comm"].tolist()])
        symbols = pandas.Categorical.from_codes(codes.tolist(), pandas.Index(_unique(names)))
        frame.insert(1, "symbol", pandas.Series(symbols))
        frame["kind"] = frame["kind"].astype("category")
        return frame

    def _pandas_column(self, index: int, argument: EventArgument | None) -> Any:
        if argument is None:
            return self._mixed_column(index)
        if argument.form == Form.STRING:
            return _pandas_texts(self.strings(index))
        if argument.form == Form.BYTES:
            return self.buffers(index)
        return _typed(self["arguments"][:, index], argument)

    def _mixed_column(self, index: int) -> Any:
        """Numbers of some probes, texts of others, nothing of those without this argument."""
        has_text = self._has_text(index)
        if not has_text.any():
            return self["arguments"][:, index]
        column = self["arguments"][:, index].astype(object)
        texts = [None if raw is None else raw.decode("utf-8", "replace")
                 for raw in self.buffers(index)]
        column[has_text] = numpy.array(texts, object)[has_text]
        column[self["argument_count"] <= index] = None
        return column

    def to_arrow(self) -> pyarrow.Table:
        """A pyarrow table, one row an event, without a Python object each; and so Parquet:
        `pyarrow.parquet.write_table(batch.to_arrow(), path)`.

        Where an argument is a number of some probes and a text of others, the texts are in a
        column of their own, such as "arg0_text". Names are those of to_frame().
        """
        import pyarrow

        columns: dict[str, Any] = {}
        for name, column in self._plain_columns():
            columns[name] = pyarrow.array(numpy.ascontiguousarray(column))
        for name, index, argument in self._argument_columns():
            has_text = self._has_text(index)
            if argument is None or not argument.in_text:
                numbers = _typed(self["arguments"][:, index], argument)
                columns[name] = pyarrow.array(numpy.ascontiguousarray(numbers), mask=has_text)
            if has_text.any():
                text_name = f"{name}_text" if argument is None else name
                columns[text_name] = self._arrow_texts(index, argument)
        names, codes = self._names()
        columns["symbol"] = pyarrow.DictionaryArray.from_arrays(
            pyarrow.array(codes.astype(numpy.int32)), _unique(names)
        )
        columns["comm"] = pyarrow.array(numpy.char.decode(self["comm"], "utf-8", "replace"))
        return pyarrow.table(columns)

    def _arrow_texts(self, index: int, argument: EventArgument | None) -> Any:
        import pyarrow

        data, offsets, missing = self._gathered(index)
        valid = pyarrow.py_buffer(numpy.packbits(~missing, bitorder="little"))
        binary = pyarrow.LargeBinaryArray.from_buffers(
            pyarrow.large_binary(),
            len(self),
            [valid, pyarrow.py_buffer(offsets), pyarrow.py_buffer(data)],
        )
        if argument is None or argument.form == Form.STRING:
            try:
                return binary.cast(pyarrow.large_string())
            except pyarrow.ArrowInvalid:
                pass  # not all are UTF-8
        return binary


def _pandas_texts(texts: list[str | None]) -> Any:
    """As pandas likes them best; what is not UTF-8 only fits into objects."""
    import pandas

    try:
        return pandas.Series(texts, dtype=None if any(texts) else object)
    except UnicodeEncodeError:
        return pandas.Series(texts, dtype=object)


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of columns for arguments: see EventArray._argument_columns()."""
    taken = set(_OWN_COLUMNS) | {f"arg{index}_text" for index in range(len(names))}
    result = []
    for index, name in enumerate(names):
        if name in taken:
            name = f"{name}_{index}"
            while name in taken or name in names:
                name += "_"
        taken.add(name)
        result.append(name)
    return result


def _unique(names: Sequence[str]) -> list[str]:
    """Categories must differ: probes of one name get their number behind it."""
    counts = Counter(names)
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} #{seen[name]}" if counts[name] > 1 else name)
    return result


def _typed(column: Array, argument: EventArgument | None) -> Array:
    """With its sign, or as truth values."""
    if argument is None:
        return column
    if argument.form == Form.SIGNED:
        return numpy.ascontiguousarray(column).view(numpy.int64)
    return column.astype(bool) if argument.form == Form.BOOLEAN else column
