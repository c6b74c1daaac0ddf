// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Prints what ../marshalling/golden.txt has; see ../c/marshal.c.
use std::ffi::{c_char, c_void, CStr, CString};
use std::ptr::{null, null_mut};

#[allow(non_camel_case_types, dead_code)]
mod raw {
    include!(concat!(env!("MADE"), "/marshal.rs"));
}
use raw::*;

/// What C gives is written as it is, UTF-8 or not.
fn shown(text: *const c_char) -> String {
    if text.is_null() {
        return "NULL".into();
    }
    // SAFETY: a C string of the library's, or of ours.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

fn show_text(what: &str, text: *const c_char) {
    match text.is_null() {
        true => println!("{what} = NULL"),
        false => println!(
            "{what} = \"{}\" of {} bytes",
            shown(text),
            shown(text).len()
        ),
    }
}

unsafe fn numbers() {
    for value in [i32::MIN, -1, 0, i32::MAX] {
        println!("int32 {value} = {}", marshal_int32(value));
    }
    for value in [0, 1 << 31, u32::MAX] {
        println!("uint32 {value} = {}", marshal_uint32(value));
    }
    for value in [0, (1 << 53) + 1, 1 << 63, u64::MAX] {
        println!("uint64 {value} = {}", marshal_uint64(value));
    }
    for value in [0, (1 << 53) + 1, 1 << 63, usize::MAX] {
        println!("size {value} = {}", marshal_size(value));
    }
    for value in [0.0, 0.5, 0.875, 1.0] {
        println!("double {value} = {}", marshal_double(value));
    }
    println!(
        "constants = {MARSHAL_MANY} {MARSHAL_LARGE} {MARSHAL_OK} {MARSHAL_INVALID} {MARSHAL_FAILED}"
    );
}

unsafe fn texts() {
    show_text("text NULL", marshal_text(null()));
    show_text("text empty", marshal_text(c"".as_ptr()));
    show_text("text ASCII", marshal_text(c"plain".as_ptr()));
    show_text("text UTF-8", marshal_text(c"naïve → ∞ 😀".as_ptr()));
    let strange = c"\xff\xfe!";
    let same = CStr::from_ptr(marshal_text(strange.as_ptr())) == strange;
    println!("text not UTF-8 = {}", i32::from(same));
    let mut out = null();
    println!("text out = {}", marshal_text_out(&mut out));
    show_text("text out", out);
    show_text("constant text", MARSHAL_GREETING.as_ptr().cast());
    let list = [
        c"a".as_ptr(),
        null(),
        c"".as_ptr(),
        c"zwölf".as_ptr(),
        c"∞".as_ptr(),
    ];
    for (what, count, length) in [("join", 5, 64), ("join cut", 5, 4), ("join none", 0, 64)] {
        let mut buffer = [0; 64];
        let array = if count > 0 { list.as_ptr() } else { null() };
        println!(
            "{what} = {}",
            marshal_join(array, count, buffer.as_mut_ptr(), length)
        );
        show_text("joined", buffer.as_ptr());
    }
}

unsafe fn arrays() {
    println!(
        "values = {}",
        marshal_values([1, 1 << 63, u64::MAX].as_ptr(), 3)
    );
    println!("values NULL = {}", marshal_values(null(), 3));
    println!("sizes = {}", marshal_sizes([1, 2, 1 << 40].as_ptr(), 3));
    let mut filled = [0; 2];
    println!("fill = {}", marshal_fill(filled.as_mut_ptr(), 2));
    println!("filled = {} {}", filled[0], filled[1]);
    println!("fill NULL = {}", marshal_fill(null_mut(), 2));
    let given = std::slice::from_raw_parts(marshal_static_values(), 3);
    println!("static values = {} {} {}", given[0], given[1], given[2]);
}

fn new_record() -> marshal_record {
    marshal_record {
        size: size_of::<marshal_record>(),
        // SAFETY: a plain C structure, for which zeros are values.
        ..unsafe { std::mem::zeroed() }
    }
}

unsafe fn show_record(what: &str, record: &marshal_record) {
    println!(
        "{what} = {} {} {} {} {} {} {} {} {} {}",
        shown(record.text),
        shown(*record.texts),
        shown(*record.texts.add(2)),
        *record.numbers.add(2),
        record.big,
        record.small,
        record.flags,
        record.half,
        shown(record.name.as_ptr()),
        record.many[2]
    );
}

unsafe fn records() {
    let list = [c"x".as_ptr(), c"ÿ".as_ptr()];
    let few = [-5, 5];
    let mut buffer = [0; 256];
    let mut record = marshal_record {
        text: c"ünï".as_ptr(),
        texts: list.as_ptr(),
        text_count: 2,
        numbers: few.as_ptr(),
        number_count: 2,
        big: u64::MAX - 1,
        small: -2,
        flags: u32::MAX - 1,
        half: 65534,
        many: [7, 8, u64::MAX - 2],
        ..new_record()
    };
    for (to, from) in record.name.iter_mut().zip(b"name") {
        *to = *from as c_char;
    }
    println!(
        "record read = {}",
        marshal_record_read(&record, buffer.as_mut_ptr(), 256)
    );
    show_text("record", buffer.as_ptr());
    record = new_record();
    println!(
        "record of zeros = {}",
        marshal_record_read(&record, buffer.as_mut_ptr(), 256)
    );
    show_text("record", buffer.as_ptr());
    record.size -= 1;
    println!(
        "record of wrong size = {}",
        marshal_record_read(&record, buffer.as_mut_ptr(), 256)
    );
    let mut out = new_record();
    println!("record write = {}", marshal_record_write(&mut out));
    show_record("record", &out);
    show_record("static record", &*marshal_record_static());
}

unsafe extern "C" fn take_values(text: *const c_char, big: u64, context: *mut c_void) -> i32 {
    show_text("called with", text);
    println!("called with = {big}, context {}", *context.cast::<i32>());
    -77
}

unsafe extern "C" fn take_record(record: *const marshal_record, context: *mut c_void) -> i32 {
    let (big, text) = ((*record).big, shown((*record).text));
    println!(
        "called with record = {big} {text}, context {}",
        *context.cast::<i32>()
    );
    if big == 2 {
        42
    } else {
        0
    }
}

unsafe fn callbacks() {
    let mut number = 1234;
    let context: *mut c_void = (&raw mut number).cast();
    let mut record = marshal_record {
        text: c"from a record".as_ptr(),
        function: Some(take_values),
        context,
        ..new_record()
    };
    println!(
        "call = {}",
        marshal_call(Some(take_values), context, c"größe".as_ptr(), u64::MAX)
    );
    println!(
        "call = {}",
        marshal_call(Some(take_values), context, null(), 0)
    );
    println!("call of record = {}", marshal_call_record(&record, 1));
    record.function = None;
    println!("call of nothing = {}", marshal_call_record(&record, 1));
    println!(
        "each of 2 = {}",
        marshal_each(Some(take_record), context, 2)
    );
    println!(
        "each of 9 = {}",
        marshal_each(Some(take_record), context, 9)
    );
}

unsafe fn handles() {
    let (mut boxed, mut none) = (null_mut(), null_mut());
    println!("box new = {}", marshal_box_new(u64::MAX, &mut boxed));
    println!("box value = {}", marshal_box_value(boxed));
    println!("box set = {}", marshal_box_set(boxed, 5));
    println!(
        "box inside = {}",
        marshal_box_value(marshal_box_inside(boxed))
    );
    println!("box NULL = {}", marshal_box_value(null()));
    let status = marshal_box_fail(&mut none);
    println!(
        "box fail = {status}, still NULL: {}",
        i32::from(none.is_null())
    );
    show_text("message", (*marshal_error_last()).message);
    println!("boxes = {}", marshal_boxes());
    marshal_box_free(boxed);
    marshal_box_free(null_mut());
    println!("boxes = {}", marshal_boxes());
}

unsafe fn failures() {
    for (status, message) in [(MARSHAL_FAILED, "schiefgegangen ✗"), (i32::MIN, "")] {
        let message = CString::new(message).expect("no NUL");
        println!("fail = {}", marshal_fail(status, message.as_ptr()));
        println!("code = {}", (*marshal_error_last()).code);
        show_text("message", (*marshal_error_last()).message);
    }
}

fn main() {
    // SAFETY: every call is as marshal.h asks for it.
    unsafe {
        numbers();
        texts();
        arrays();
        records();
        callbacks();
        handles();
        failures();
    }
}
