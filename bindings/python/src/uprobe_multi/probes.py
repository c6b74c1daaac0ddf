# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Probes and ordered sets of them."""
from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, NamedTuple, Sequence, overload

from ._convert import PathLike, c_strings, chosen, filled, invalid, numbers
from ._handle import Handle, Slot
from ._native import ffi, lib
from .enums import ArgumentPlace, Cost, Kind, ProbeFlag, Verdict
from .errors import check_status, text

if TYPE_CHECKING:
    import pandas

# Constructing an enum member by its number is slow for thousands of probes.
_KINDS = {int(member): member for member in Kind}
_VERDICTS = {int(member): member for member in Verdict}
_COSTS = {int(member): member for member in Cost}


class Argument(NamedTuple):
    """One argument of a USDT call site."""

    place: ArgumentPlace
    width: int  #: of the value, bytes: 1, 2, 4 or 8; 0 when it is not known
    is_signed: bool
    is_float: bool
    text: str  #: as the note has it, such as "-4@8(%rbp)"
    reason: str  #: why it can not be read; "" when it can


class Probe(NamedTuple):
    """One point in one file. It is a copy: it outlives the set it comes from."""

    kind: Kind
    path: str  #: the file, as a person would name it
    symbol: str  #: raw name of the function or USDT probe; "" when none is known
    offset: int  #: file offset, bytes
    verdict: Verdict
    reason: str  #: one line about verdict or flags; "" when there is nothing to say
    cost: Cost
    flags: ProbeFlag
    provider: str  #: of a USDT probe; "" for others
    version: str  #: symbol version without '@', or ""
    spec: str  #: the spec that it comes from, or ""
    address: int  #: the same point as a virtual address of the ELF file
    symbol_offset: int  #: bytes from the start of the symbol
    symbol_size: int  #: bytes; 0 = not known
    ref_ctr_offset: int  #: file offset of the reference counter (USDT semaphore); 0 = none
    cookie: int  #: what bpf_get_attach_cookie() returns in the program
    errno: int  #: with Verdict.REFUSED: what the kernel said
    aliases: tuple[str, ...]  #: further names of the same point
    arguments: tuple[Argument, ...]  #: of a USDT call site
    site_offset: int  #: file offset of the instruction that is probed: see ProbeSet.place()
    site_cost: Cost  #: of a hit there
    return_verdict: Verdict  #: of a return probe, a latency or a trace with returns at this place
    return_reason: str  #: one line about return_verdict; "" when that is OK

    @property
    def name(self) -> str:
        """The symbol as people read it: demangled, with its provider, "+0x10" behind it."""
        name = demangle(self.symbol) or f"{self.offset:#x}"
        if self.provider:
            return f"{self.provider}:{name}"
        return f"{name}+{self.symbol_offset:#x}" if self.symbol and self.symbol_offset else name

    @property
    def ok(self) -> bool:
        """Whether it can be attached."""
        return self.verdict == Verdict.OK

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}:{self.name}"


def demangle(symbol: str) -> str:
    """The readable form of a C++ or Rust name; other names as they are."""
    if not symbol.startswith(("_Z", "_R", "__Z", "__R")):
        return symbol
    raw = symbol.encode("utf-8", "surrogateescape")
    length = 512
    while True:
        buffer = ffi.new("char[]", length)
        needed = lib.upm_demangle(raw, buffer, length)
        if needed < length:
            return text(buffer) if needed else symbol
        length = int(needed) + 1


def _argument(pointer: Any, index: int, argument: int) -> Argument:
    out = filled("upm_argument")
    check_status(lib.upm_probe_set_argument(pointer, index, argument, out))
    return Argument(
        ArgumentPlace(out.place),
        out.width,
        bool(out.is_signed),
        bool(out.is_float),
        text(out.text),
        text(out.reason),
    )


def make_probe(raw: Any, aliases: tuple[str, ...], arguments: tuple[Argument, ...]) -> Probe:
    """From a filled struct upm_probe."""
    return Probe(
        kind=_KINDS[raw.kind],
        path=text(raw.path),
        symbol=text(raw.symbol),
        offset=raw.offset,
        verdict=_VERDICTS[raw.verdict],
        reason=text(raw.reason),
        cost=_COSTS[raw.cost],
        flags=ProbeFlag(raw.flags),
        provider=text(raw.provider),
        version=text(raw.version),
        spec=text(raw.spec),
        address=raw.address,
        symbol_offset=raw.symbol_offset,
        symbol_size=raw.symbol_size,
        ref_ctr_offset=raw.ref_ctr_offset,
        cookie=raw.cookie,
        errno=raw.sys_errno,
        aliases=aliases,
        arguments=arguments,
        site_offset=raw.site_offset,
        site_cost=_COSTS[raw.site_cost],
        return_verdict=_VERDICTS[raw.return_verdict],
        return_reason=text(raw.return_reason),
    )


def _read_probe(pointer: Any, index: int, raw: Any) -> Probe:
    check_status(lib.upm_probe_set_get(pointer, index, raw))
    aliases = tuple(
        text(lib.upm_probe_set_alias(pointer, index, each)) for each in range(raw.alias_count)
    )
    arguments = tuple(_argument(pointer, index, each) for each in range(raw.argument_count))
    return make_probe(raw, aliases, arguments)


class ProbeSet(Handle, Sequence[Probe]):
    """An ordered list of probes, each judged: made by resolve(), or empty by ProbeSet().

    A sequence: len(), iteration, `set[3]` is a Probe, `set[10:20]` and `set[[1, 5]]` are new
    sets. `one + other` joins. Attaching does not use it up.
    """

    _what = "probe set"

    def __init__(self, slot: Slot | None = None) -> None:
        if slot is None:
            slot = Slot(lib.upm_probe_set_free)
            check_status(lib.upm_probe_set_new(slot.out))
        super().__init__(slot)

    def add(
        self,
        paths: PathLike | Iterable[PathLike],
        offsets: Iterable[int],
        *,
        kind: Kind | str = Kind.UPROBE,
        ref_ctr_offsets: Iterable[int] | None = None,
        cookies: Iterable[int] | None = None,
    ) -> None:
        """Append probes by place: file offsets, in bytes, in one file or in one file each.

        Every element becomes one probe, named by the symbol that covers it and judged; equal
        ones too.
        """
        places = numbers(offsets, "uint64_t")
        count = len(places)
        files = [paths] * count if isinstance(paths, (str, os.PathLike)) else list(paths)
        arrays = {"paths": files, "ref_ctr_offsets": ref_ctr_offsets, "cookies": cookies}
        given = {name: array for name, array in arrays.items() if array is not None}
        sized = {name: _sized(array) for name, array in given.items()}
        for name, array in sized.items():
            _same_length(name, len(array), count)
        path_array, keep = c_strings(files)
        extra = [
            numbers(sized[name], "uint64_t") if name in sized else ffi.NULL
            for name in ("ref_ctr_offsets", "cookies")
        ]
        with self._use(changes=True) as pointer:
            check_status(
                lib.upm_probe_set_add(
                    pointer, chosen(Kind, kind, "kind"), path_array, places, *extra, count
                )
            )
        del keep

    def __len__(self) -> int:
        with self._use() as pointer:
            return int(lib.upm_probe_set_size(pointer))

    @overload
    def __getitem__(self, index: int) -> Probe: ...
    @overload
    def __getitem__(self, index: slice | Iterable[Any]) -> ProbeSet: ...

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.select(range(len(self))[index])
        if hasattr(index, "__index__") and not hasattr(index, "__len__"):
            position = range(len(self))[index]
            with self._use() as pointer:
                return _read_probe(pointer, position, filled("upm_probe"))
        chosen_ones = list(index)
        if chosen_ones and _is_boolean(chosen_ones[0]):
            _same_length("the mask", len(chosen_ones), len(self))
            return self.select(i for i, wanted in enumerate(chosen_ones) if wanted)
        return self.select(range(len(self))[int(each)] for each in chosen_ones)

    def __iter__(self) -> Iterator[Probe]:
        raw = filled("upm_probe")
        for index in range(len(self)):
            with self._use() as pointer:
                probe = _read_probe(pointer, index, raw)
            yield probe

    def select(self, indexes: Iterable[int]) -> ProbeSet:
        """A new set of the probes at these positions, in this order; may repeat."""
        array = ffi.new("size_t[]", list(indexes))
        slot = Slot(lib.upm_probe_set_free)
        with self._use() as pointer:
            check_status(lib.upm_probe_set_select(pointer, array, len(array), slot.out))
        return ProbeSet(slot)

    def filter(
        self,
        predicate: Callable[[Probe], object] | None = None,
        *,
        symbol: str | None = None,
        path: str | None = None,
        kind: Kind | str | None = None,
        verdict: Verdict | str | None = None,
        cost: Cost | str | None = None,
    ) -> ProbeSet:
        """A new set of the probes for which all that is given holds.

        symbol and path are globs; symbol is tried on raw, readable and further names.
        """
        exact = [
            (name, chosen(of, value, name))
            for name, of, value in (
                ("kind", Kind, kind), ("verdict", Verdict, verdict), ("cost", Cost, cost),
            )
            if value is not None
        ]

        def wanted(probe: Probe) -> bool:
            return (
                all(getattr(probe, name) == value for name, value in exact)
                and (path is None or fnmatchcase(probe.path, path))
                and (symbol is None or _is_named(probe, symbol))
                and (predicate is None or bool(predicate(probe)))
            )

        return self.select(index for index, probe in enumerate(self) if wanted(probe))

    @property
    def attachable(self) -> ProbeSet:
        """A new set of the probes whose verdict is OK."""
        return self.filter(verdict=Verdict.OK)

    @property
    def rejected(self) -> ProbeSet:
        """A new set of the probes that can not be attached; each has its reason."""
        return self.filter(lambda probe: not probe.ok)

    def count_verdict(self, verdict: Verdict | str = Verdict.OK) -> int:
        """Number of probes with this verdict."""
        with self._use() as pointer:
            return int(
                lib.upm_probe_set_count_verdict(pointer, chosen(Verdict, verdict, "verdict"))
            )

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """Number of probes of each verdict that occurs."""
        found = {verdict: self.count_verdict(verdict) for verdict in Verdict}
        return {verdict: number for verdict, number in found.items() if number}

    def place(self, observer: str | None = "count") -> None:
        """Find the instructions that an observer with default options would probe.

        Afterwards site_offset and site_cost of the probes tell. observer is "count", "latency" or
        "trace"; None is for a program of yours that is attached with placement="cheapest".
        """
        kinds = {
            None: 0,
            "count": lib.UPM_OBSERVER_COUNT,
            "latency": lib.UPM_OBSERVER_LATENCY,
            "trace": lib.UPM_OBSERVER_TRACE,
        }
        if observer not in kinds:
            raise invalid("choose the observer", str(observer), "say count, latency, trace or None")
        with self._use(changes=True) as pointer:
            check_status(lib.upm_probe_set_place(pointer, kinds[observer]))

    def join(self, other: ProbeSet) -> None:
        """Append copies of all probes of other."""
        other = other.copy() if other is self else other
        first, second = sorted((self, other), key=id)  # two threads that join crosswise
        with first._use(changes=first is self) as one, second._use(changes=second is self) as two:
            to, source = (one, two) if first is self else (two, one)
            check_status(lib.upm_probe_set_join(to, source))

    def copy(self) -> ProbeSet:
        """A new set of the same probes."""
        return self[:]

    def __add__(self, other: ProbeSet) -> ProbeSet:
        if not isinstance(other, ProbeSet):
            return NotImplemented
        joined = self.copy()
        joined.join(other)
        return joined

    @property
    def cookies(self) -> list[int]:
        """What bpf_get_attach_cookie() returns in the program; assign one number a probe."""
        return [probe.cookie for probe in self]

    @cookies.setter
    def cookies(self, values: Iterable[int]) -> None:
        array = numbers(values, "uint64_t")
        _same_length("cookies", len(array), len(self))
        with self._use(changes=True) as pointer:
            check_status(lib.upm_probe_set_cookies(pointer, array, len(array)))

    def to_frame(self) -> pandas.DataFrame:
        """A pandas table, one row a probe."""
        import pandas

        rows = [probe._replace(**_words(probe)) for probe in self]
        frame = pandas.DataFrame(rows, columns=list(Probe._fields))
        for column in ("kind", "verdict", "cost", "path"):
            frame[column] = frame[column].astype("category")
        return frame

    def __repr__(self) -> str:
        if self.closed:
            return "<ProbeSet, closed>"
        parts = ", ".join(f"{number} {verdict}" for verdict, number in self.verdicts.items())
        return f"<ProbeSet of {len(self)}: {parts or 'empty'}>"

    def _repr_html_(self) -> str:
        from .display import probe_set_html

        return probe_set_html(self)


def _sized(values: Any) -> Any:
    return values if hasattr(values, "__len__") else list(values)


def _same_length(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise invalid("take a number for each probe", name, f"has {found} for {wanted} probes")


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _is_named(probe: Probe, pattern: str) -> bool:
    names = (probe.symbol, probe.name, *probe.aliases)
    return any(fnmatchcase(name, pattern) for name in names)


def _words(probe: Probe) -> dict[str, Any]:
    return {
        "kind": str(probe.kind),
        "verdict": str(probe.verdict),
        "cost": str(probe.cost),
        "site_cost": str(probe.site_cost),
        "return_verdict": str(probe.return_verdict),
        "flags": int(probe.flags),
    }
