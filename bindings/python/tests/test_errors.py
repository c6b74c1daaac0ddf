# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Exceptions, their fields, and the built-in ones that they are too: topics 9, 10."""
from __future__ import annotations

import errno
import pickle
import threading
from pathlib import Path

import pytest

import uprobe_multi as um
from uprobe_multi import errors
from uprobe_multi._native import lib


def test_a_bad_spec_is_a_value_error() -> None:
    with pytest.raises(ValueError) as caught:
        um.resolve("nonsense")
    error = caught.value
    assert isinstance(error, um.SpecError) and isinstance(error, um.Error)
    assert error.code == lib.UPM_ERR_SPEC and error.name == "UPM_ERR_SPEC"
    assert error.object == "nonsense" and error.message and error.hint
    for part in (error.operation, error.object, error.message, error.hint):
        assert part in str(error)


def test_a_missing_process_is_both_not_found_and_lookup_error() -> None:
    with pytest.raises(um.NotFound) as caught:
        um.resolve("libc.so.6:malloc", pid=2**22 + 5)
    assert isinstance(caught.value, FileNotFoundError)
    assert (caught.value.errno == errno.ESRCH) == isinstance(caught.value, ProcessLookupError)


def test_a_missing_object_is_file_not_found() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        um.Object("/no/such/object.bpf.o")
    assert isinstance(caught.value, um.NotFound) and caught.value.errno == errno.ENOENT


def test_a_file_that_is_no_object_is_a_format_error(tmp_path: Path) -> None:
    path = tmp_path / "text.bpf.o"
    path.write_text("no ELF file")
    with pytest.raises(um.FormatError) as caught:
        um.Object(path)
    assert caught.value.object == str(path)


def test_nothing_to_attach_is_a_lookup_error() -> None:
    with pytest.raises(LookupError) as caught:
        um.count("libc.so.6:no_such_function")
    assert isinstance(caught.value, um.NothingAttached)


def test_strict_names_the_probe() -> None:
    with pytest.raises(um.StrictError) as caught:
        um.count(["libc.so.6:malloc", "libc.so.6:no_such_function"], strict=True)
    assert "no_such_function" in str(caught.value)


def test_every_status_has_its_class() -> None:
    names = {name for name in dir(lib) if name.startswith("UPM_ERR_")}
    assert {getattr(lib, name) for name in names} == set(errors._CLASSES)
    for code, kind in errors._CLASSES.items():
        error = errors.make_error(errors.Record(code, 5, "do", "it", "no", "why"))
        assert type(error) is kind and error.code == code and error.errno == 5
        assert str(error) == "do it: no (why)"


def test_errors_can_be_pickled() -> None:
    error = errors.make_error(errors.Record(lib.UPM_ERR_NOT_FOUND, 2, "open", "x", "gone", "look"))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error) and copy.record == error.record


def test_the_record_is_of_the_thread() -> None:
    found: list[BaseException] = []

    def fail(spec: str) -> None:
        for _ in range(200):
            try:
                um.resolve(spec)
            except um.SpecError as error:
                if error.object != spec:
                    found.append(error)

    threads = [threading.Thread(target=fail, args=(f"nonsense{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not found


def test_wrong_arguments_never_reach_the_library() -> None:
    """On topics 7, 8: options have names; types and ranges are checked."""
    spec = "libc.so.6:malloc"
    with pytest.raises(TypeError):
        um.count(spec, no_such_option=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        um.count(spec, um.Backend.AUTO)  # type: ignore[call-arg]
    with pytest.raises(ValueError):
        um.count(spec, pid="me")  # type: ignore[arg-type]
    for pid in (2**31, 2**64):
        with pytest.raises(OverflowError):
            um.count(spec, pid=pid)
    for number in (-1, 2**32):
        with pytest.raises(OverflowError):
            um.count(spec, probes_per_link=number)
    with pytest.raises(TypeError):
        um.resolve(5)  # type: ignore[arg-type]


def test_arguments_of_this_layer_fail_alike() -> None:
    """On topic 11."""
    with pytest.raises(um.InvalidArgument, match="auto, uprobe_multi, perf_event"):
        um.count("libc.so.6:malloc", backend="kprobe")
    with pytest.raises(um.InvalidArgument, match="NUL"):
        um.resolve("libc.so.6:mal\0loc")
    with pytest.raises(um.InvalidArgument, match="always"):
        um.resolve("libc.so.6:malloc", debug_files="sometimes")
