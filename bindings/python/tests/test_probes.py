# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Resolution and probe sets as sequences: topic 13. 64-bit numbers: topic 12."""
from __future__ import annotations

import pytest

import uprobe_multi as um
from support import built
from uprobe_multi._native import ffi, lib


def test_a_pattern_becomes_a_sequence(known: str) -> None:
    probes = um.resolve(f"{known}:known_000?")
    assert len(probes) == 10
    assert [probe.symbol for probe in probes] == [f"known_000{i}" for i in range(10)]
    first = probes[0]
    assert first.path == known and first.kind == um.Kind.UPROBE and first.ok
    assert first.offset > 0 and first.symbol_offset == 0 and first.spec == f"{known}:known_000?"
    assert str(first) == f"uprobe:{known}:known_0000"
    assert probes[-1].symbol == "known_0009"
    with pytest.raises(IndexError):
        probes[10]


def test_a_probe_outlives_its_set(known: str) -> None:
    probes = um.resolve(f"{known}:known_0000")
    probe = probes[0]
    probes.close()
    assert probe.symbol == "known_0000"


def test_slices_and_masks_are_new_sets(known: str) -> None:
    probes = um.resolve(f"{known}:known_000?")
    assert [p.symbol for p in probes[8:]] == ["known_0008", "known_0009"]
    assert [p.symbol for p in probes[::-5]] == ["known_0009", "known_0004"]
    assert [p.symbol for p in probes[[3, -1]]] == ["known_0003", "known_0009"]
    mask = [index == 4 for index in range(10)]
    assert [p.symbol for p in probes[mask]] == ["known_0004"]
    assert len(probes[[]]) == 0
    with pytest.raises(um.InvalidArgument, match="mask"):
        probes[[True]]


def test_filters_combine(known: str) -> None:
    probes = um.resolve(f"{known}:known_00*", f"uretprobe:{known}:known_0001")
    assert len(probes.filter(symbol="known_000?", kind="uprobe")) == 10
    assert [p.symbol for p in probes.filter(kind=um.Kind.URETPROBE)] == ["known_0001"]
    assert len(probes.filter(lambda probe: probe.symbol.endswith("7"))) == 10
    assert len(probes.filter(path="*/known", symbol="nothing")) == 0


def test_what_can_not_be_attached_says_why(known: str) -> None:
    probes = um.resolve(f"{known}:known_0000", f"{known}:no_such_function", "/no/such/file:main")
    assert probes.verdicts == {
        um.Verdict.OK: 1, um.Verdict.NO_MATCH: 1, um.Verdict.UNREADABLE: 1,
    }
    assert len(probes.attachable) == 1
    assert all(probe.reason for probe in probes.rejected)
    assert str(probes.rejected[0].verdict) == "no_match"


def test_what_a_return_probe_would_be() -> None:
    probes = um.resolve("libc.so.6:setjmp", "uretprobe:libc.so.6:setjmp", "libc.so.6:malloc")
    setjmp, refused, malloc = probes
    assert setjmp.ok and setjmp.flags & um.ProbeFlag.RETURN_UNSAFE
    assert setjmp.return_verdict == um.Verdict.RETURN_UNSAFE == refused.verdict
    assert "return address" in setjmp.return_reason
    assert (malloc.return_verdict, malloc.return_reason) == (um.Verdict.OK, "")
    assert list(probes.to_frame()["return_verdict"]) == ["return_unsafe", "return_unsafe", "ok"]


def test_joins_copy(known: str) -> None:
    one = um.resolve(f"{known}:known_0000")
    other = um.resolve(f"{known}:known_0001")
    assert [p.symbol for p in one + other] == ["known_0000", "known_0001"]
    assert len(one) == 1
    one.join(other)
    one.join(one)
    assert len(one) == 4


def test_probes_are_added_by_place(known: str) -> None:
    found = um.resolve(f"{known}:known_0003", f"{known}:known_0001")
    probes = um.ProbeSet()
    probes.add(known, [p.offset for p in found], cookies=[7, 2**64 - 1])
    probes.add([known], [found[0].offset], kind="uretprobe")
    assert [p.symbol for p in probes] == ["known_0003", "known_0001", "known_0003"]
    assert probes.cookies == [7, 2**64 - 1, 0]
    probes.cookies = range(3)
    assert probes.cookies == [0, 1, 2]
    with pytest.raises(um.InvalidArgument, match="cookies"):
        probes.cookies = [1]
    with pytest.raises(um.InvalidArgument, match="cookies"):
        probes.add(known, [1, 2], cookies=[1])
    with pytest.raises(OverflowError):
        probes.cookies = [-1, 0, 0]


def test_aliases_and_readable_names(known: str) -> None:
    names = um.resolve(f"{known}:*")
    assert any(probe.aliases for probe in names)
    readable = [probe.name for probe in names if probe.symbol.startswith("_Z")]
    assert readable and not any(name.startswith("_Z") for name in readable)
    assert um.demangle("_ZN3foo3barEi") == "foo::bar(int)"
    assert um.demangle("plain") == "plain"
    long = f"_ZN{700}{'n' * 700}1fEv"
    assert um.demangle(long).endswith("::f()")


def test_usdt_sites_have_arguments() -> None:
    path = built("target/usdt-gcc-O2")
    probes = um.resolve(f"usdt:{path}:*:*")
    assert all(probe.kind == um.Kind.USDT and probe.provider for probe in probes.attachable)
    arguments = [argument for probe in probes for argument in probe.arguments]
    assert arguments and all(argument.text for argument in arguments)
    assert all(
        bool(argument.reason) == (argument.place == um.ArgumentPlace.UNREADABLE)
        for argument in arguments
    )


def test_a_table_has_a_row_for_each_probe(known: str) -> None:
    probes = um.resolve(f"{known}:known_000?", f"{known}:no_such_function")
    frame = probes.to_frame()
    assert len(frame) == 11
    assert list(frame["verdict"].value_counts()) == [10, 1]
    assert list(frame["offset"]) == [probe.offset for probe in probes]
    assert um.ProbeSet().to_frame().empty


def test_a_large_set_is_read_fast_enough_to_be_used(known: str) -> None:
    probes = um.resolve(f"{known}:known_*")
    assert len(probes) == 1000
    assert len({probe.offset for probe in probes}) == 1000


def test_enums_are_those_of_the_header() -> None:
    from uprobe_multi import enums

    prefixes = {
        "upm_kind": (enums.Kind, "UPM_KIND_"),
        "upm_verdict": (enums.Verdict, "UPM_VERDICT_"),
        "upm_cost": (enums.Cost, "UPM_COST_"),
        "upm_backend": (enums.Backend, "UPM_BACKEND_"),
        "upm_answer": (enums.Answer, "UPM_"),
        "upm_argument_place": (enums.ArgumentPlace, "UPM_ARGUMENT_"),
        "upm_probe_flag": (enums.ProbeFlag, "UPM_PROBE_"),
        "upm_split": (um.Split, "UPM_SPLIT_"),
    }
    for name, (kind, prefix) in prefixes.items():
        declared = ffi.typeof(f"enum {name}").relements
        ours = {prefix + member.name: member.value for member in kind if member.name}
        assert ours == dict(declared), name


def test_the_version_is_that_of_the_library() -> None:
    assert um.__version__ == um.library_version() == um.errors.text(lib.upm_version())
