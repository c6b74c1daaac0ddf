# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Attaching programs of the caller's own: topic 22."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

import uprobe_multi as um
from support import Target, built, map_value

OBJECT = "tests/bpf/sections.bpf.o"


def hits(object: um.Object | None, program: int) -> int:
    assert object is not None
    return map_value(object.map_fd("hits"), program)


def test_programs_are_described() -> None:
    with um.Object(built(OBJECT)) as object:
        programs = {each.name: each for each in object.programs}
        assert list(programs) == ["entry", "exit_of", "both", "sleepable", "plain", "placed"]
        assert programs["exit_of"].kind == um.Kind.URETPROBE and programs["both"].session
        assert programs["sleepable"].sleepable and programs["placed"].spec
        assert object.program("entry").section == "uprobe.multi"
        with pytest.raises(um.NotFound, match="name one"):
            object.program()
        with pytest.raises(um.NotFound, match="the object has: entry"):
            object.program("none")
        with pytest.raises(um.NotFound):
            object.map_fd("none")
    with pytest.raises(um.StateError, match="closed"):
        object.programs


def test_an_object_path_is_enough(target: Target) -> None:
    with um.attach(
        Path(built(OBJECT)), f"{target.path}:known_0000", name="entry", pid=target.pid
    ) as link:
        target.call(times=4)
        assert link.attached_count == 1 and link.backend == um.Backend.UPROBE_MULTI
        assert [each.pid for each in link.kernel_links] == [target.pid]
        assert hits(link.object, 0) == 4
    target.call(times=4)
    assert hits(link.object, 0) == 4 and link.kernel_links == []


def test_a_session_sees_entry_and_return(target: Target) -> None:
    with um.Object(built(OBJECT)) as object:
        with um.attach(object, f"{target.path}:known_0000", name="both", pid=target.pid):
            target.call(times=4)
        assert hits(object, 2) == 8


def test_a_program_and_a_set(target: Target) -> None:
    probes = um.resolve(f"{target.path}:known_000?")
    with um.Object(built(OBJECT)) as object:
        program = object.program("entry")
        with um.attach(program, probes, pid=target.pid) as link:
            target.call(times=2, functions=10)
            assert [p.symbol for p in link] == [p.symbol for p in probes]
        assert hits(object, 0) == 20


@pytest.mark.parametrize("wrap", [int, lambda fd: os.fdopen(os.dup(fd), "rb", buffering=0)])
def test_a_descriptor_will_do(target: Target, wrap: object) -> None:
    with um.Object(built(OBJECT)) as object:
        assert callable(wrap)
        program = wrap(object.program("entry").fd)
        link = um.attach(program, f"{target.path}:known_0000", pid=target.pid)
        if hasattr(program, "close"):
            program.close()
        target.call(times=3)
        link.close()
        assert hits(object, 0) == 3
        with pytest.raises(um.StateError):
            link.attached
    with pytest.raises(TypeError, match="needs probes"):
        um.attach(3)


def test_the_descriptor_of_a_closed_object_is_not_used(target: Target) -> None:
    """The number may be another file's by then."""
    probes = um.resolve(f"{target.path}:known_0000")
    object = um.Object(built(OBJECT))
    program = object.program("entry")
    object.close()
    for attach in (
        lambda: um.attach(program, probes, pid=target.pid),
        lambda: um.attach(program, probes, pid=target.pid, cookies=[1]),
        lambda: um.attach(program, f"{target.path}:known_0000", pid=target.pid),
        lambda: um.attach(object, probes, name="entry", pid=target.pid),
        program.fileno,
    ):
        with pytest.raises(um.StateError, match="BPF object: it is closed"):
            attach()


def test_cookies_are_given_in_order(target: Target) -> None:
    probes = um.resolve(f"{target.path}:known_000[0-2]")
    with um.Object(built(OBJECT)) as object:
        with um.attach(
            object, probes, name="entry", pid=target.pid, cookies=[5, 6, 2**63]
        ) as link:
            assert [probe.cookie for probe in link] == [5, 6, 2**63]
        with um.attach(
            object, probes, name="entry", pid=target.pid, cookie_is_index=True
        ) as link:
            assert [probe.cookie for probe in link] == [0, 1, 2]
        with pytest.raises(um.InvalidArgument, match="cookies"):
            um.attach(object, probes, name="entry", cookies=[1])
    assert probes.cookies == [0, 0, 0]


def test_the_section_names_the_probes() -> None:
    with um.Object(built(OBJECT)) as object:
        for program in ("placed", object.program("placed")):
            with pytest.raises(um.NothingAttached, match="1 unreadable"):
                if isinstance(program, str):
                    um.attach(object, name=program)
                else:
                    um.attach(program)


def test_what_a_program_can_not_do_is_said(target: Target) -> None:
    with um.Object(built(OBJECT)) as object:
        with pytest.raises(NotImplementedError) as caught:
            um.attach(
                object, f"{target.path}:known_0000", name="entry", pid=target.pid, children=True
            )
        assert isinstance(caught.value, um.Unsupported) and caught.value.message


def test_small_kernel_links(target: Target) -> None:
    with um.attach(
        built(OBJECT), f"{target.path}:known_000?", name="entry", pid=target.pid,
        probes_per_link=4,
    ) as link:
        assert sorted(each.probes for each in link.kernel_links) == [2, 4, 4]
        assert link.detach() >= 0


def test_check_answers_everything() -> None:
    features = um.check()
    assert features and features.backend == um.Backend.UPROBE_MULTI
    assert features.uprobe_multi == um.Answer.YES and features.cap_bpf == um.Answer.YES
    assert features.to_dict()["backend"] == "uprobe_multi"
    assert "uprobe_multi" in features._repr_html_()
