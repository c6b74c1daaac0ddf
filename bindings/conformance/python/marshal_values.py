# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Prints what ../marshalling/golden.txt has; see ../c/marshal.c."""

import os
import sys

from _marshal import ffi, lib

INT32_MIN = -(2**31)


def show_text(what, pointer):
    if pointer == ffi.NULL:
        print(f"{what} = NULL")
    else:
        data = ffi.string(pointer)
        print(f'{what} = "{os.fsdecode(data)}" of {len(data)} bytes')


def texts_of(*values):
    """An array of C strings, and what keeps them alive."""
    kept = [ffi.NULL if value is None else ffi.new("char[]", value.encode()) for value in values]
    return ffi.new("const char *[]", kept), kept


def numbers():
    for value in INT32_MIN, -1, 0, 2**31 - 1:
        print(f"int32 {value} = {lib.marshal_int32(value)}")
    for value in 0, 2**31, 2**32 - 1:
        print(f"uint32 {value} = {lib.marshal_uint32(value)}")
    for value in 0, 2**53 + 1, 2**63, 2**64 - 1:
        print(f"uint64 {value} = {lib.marshal_uint64(value)}")
    for value in 0, 2**53 + 1, 2**63, 2**64 - 1:
        print(f"size {value} = {lib.marshal_size(value)}")
    for value in 0, 0.5, 0.875, 1:
        print(f"double {value:g} = {lib.marshal_double(value)}")
    print("constants =", lib.MARSHAL_MANY, lib.MARSHAL_LARGE, lib.MARSHAL_OK,
          lib.MARSHAL_INVALID, lib.MARSHAL_FAILED)


def texts():
    show_text("text NULL", lib.marshal_text(ffi.NULL))
    show_text("text empty", lib.marshal_text(b""))
    show_text("text ASCII", lib.marshal_text(b"plain"))
    show_text("text UTF-8", lib.marshal_text("naïve → ∞ 😀".encode()))
    same = ffi.string(lib.marshal_text(b"\xff\xfe!")) == b"\xff\xfe!"
    print(f"text not UTF-8 = {int(same)}")
    out = ffi.new("const char **")
    print(f"text out = {lib.marshal_text_out(out)}")
    show_text("text out", out[0])
    show_text("constant text", lib.MARSHAL_GREETING)
    array, _kept = texts_of("a", None, "", "zwölf", "∞")
    for what, count, length in ("join", 5, 64), ("join cut", 5, 4), ("join none", 0, 64):
        buffer = ffi.new("char[]", length)
        print(f"{what} = {lib.marshal_join(array if count else ffi.NULL, count, buffer, length)}")
        show_text("joined", buffer)


def arrays():
    print(f"values = {lib.marshal_values([1, 2**63, 2**64 - 1], 3)}")
    print(f"values NULL = {lib.marshal_values(ffi.NULL, 3)}")
    print(f"sizes = {lib.marshal_sizes([1, 2, 2**40], 3)}")
    filled = ffi.new("uint64_t[]", 2)
    print(f"fill = {lib.marshal_fill(filled, 2)}")
    print("filled =", *filled)
    print(f"fill NULL = {lib.marshal_fill(ffi.NULL, 2)}")
    print("static values =", *ffi.unpack(lib.marshal_static_values(), 3))


def show_record(what, record):
    first, last = (os.fsdecode(ffi.string(record.texts[i])) for i in (0, 2))
    text, name = (os.fsdecode(ffi.string(field)) for field in (record.text, record.name))
    print(what, "=", text, first, last, record.numbers[2], record.big, record.small,
          record.flags, record.half, name, record.many[2])


def new_record(**fields):
    size = ffi.sizeof("struct marshal_record")
    return ffi.new("struct marshal_record *", dict(fields, size=size))


def records():
    array, _kept = texts_of("x", "ÿ")
    text = ffi.new("char[]", "ünï".encode())
    few = ffi.new("int32_t[]", [-5, 5])
    buffer = ffi.new("char[]", 256)
    record = new_record(text=text, texts=array, text_count=2, numbers=few, number_count=2,
                        big=2**64 - 2, small=-2, flags=2**32 - 2, half=65534, name=b"name",
                        many=[7, 8, 2**64 - 3])
    print(f"record read = {lib.marshal_record_read(record, buffer, 256)}")
    show_text("record", buffer)
    record = new_record()
    print(f"record of zeros = {lib.marshal_record_read(record, buffer, 256)}")
    show_text("record", buffer)
    record.size -= 1
    print(f"record of wrong size = {lib.marshal_record_read(record, buffer, 256)}")
    out = new_record()
    print(f"record write = {lib.marshal_record_write(out)}")
    show_record("record", out)
    show_record("static record", lib.marshal_record_static())


@ffi.callback("marshal_value_fn")
def take_values(text, big, context):
    show_text("called with", text)
    print(f"called with = {big}, context {ffi.from_handle(context)}")
    return -77


@ffi.callback("marshal_record_fn")
def take_record(record, context):
    text = os.fsdecode(ffi.string(record.text))
    print(f"called with record = {record.big} {text}, context {ffi.from_handle(context)}")
    return 42 if record.big == 2 else 0


def callbacks():
    context = ffi.new_handle(1234)
    print(f"call = {lib.marshal_call(take_values, context, 'größe'.encode(), 2**64 - 1)}")
    print(f"call = {lib.marshal_call(take_values, context, ffi.NULL, 0)}")
    text = ffi.new("char[]", b"from a record")
    record = new_record(text=text, function=take_values, context=context)
    print(f"call of record = {lib.marshal_call_record(record, 1)}")
    record.function = ffi.NULL
    print(f"call of nothing = {lib.marshal_call_record(record, 1)}")
    print(f"each of 2 = {lib.marshal_each(take_record, context, 2)}")
    print(f"each of 9 = {lib.marshal_each(take_record, context, 9)}")


def handles():
    out, none = ffi.new("struct marshal_box **"), ffi.new("struct marshal_box **")
    print(f"box new = {lib.marshal_box_new(2**64 - 1, out)}")
    box = out[0]
    print(f"box value = {lib.marshal_box_value(box)}")
    print(f"box set = {lib.marshal_box_set(box, 5)}")
    print(f"box inside = {lib.marshal_box_value(lib.marshal_box_inside(box))}")
    print(f"box NULL = {lib.marshal_box_value(ffi.NULL)}")
    print(f"box fail = {lib.marshal_box_fail(none)}, still NULL: {int(none[0] == ffi.NULL)}")
    show_text("message", lib.marshal_error_last().message)
    print(f"boxes = {lib.marshal_boxes()}")
    lib.marshal_box_free(box)
    lib.marshal_box_free(ffi.NULL)
    print(f"boxes = {lib.marshal_boxes()}")


def failures():
    for status, message in (lib.MARSHAL_FAILED, "schiefgegangen ✗"), (INT32_MIN, ""):
        print(f"fail = {lib.marshal_fail(status, message.encode())}")
        print(f"code = {lib.marshal_error_last().code}")
        show_text("message", lib.marshal_error_last().message)


sys.stdout.reconfigure(encoding="utf-8")
for part in numbers, texts, arrays, records, callbacks, handles, failures:
    part()
