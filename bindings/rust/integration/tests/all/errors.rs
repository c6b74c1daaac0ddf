// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Failures: topics 8, 9, 10, 11.
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use uprobe_multi::{
    Attach, Count, ErrorKind, Kind, Link, Object, Place, ProbeSet, Resolver, Trace, resolve,
};
use uprobe_multi_integration::built;

#[test]
fn an_error_says_what_where_why_and_what_next() {
    let error = resolve("libc.so.6:/(/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Spec);
    assert_eq!(error.kind().name(), "UPM_ERR_SPEC");
    assert_eq!(error.errno(), None);
    assert_eq!(error.object(), "libc.so.6:/(/");
    assert!(!error.operation().is_empty() && !error.message().is_empty());
    let shown = error.to_string();
    for part in [
        error.operation(),
        error.object(),
        error.message(),
        error.hint(),
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(format!("{error:?}").contains("kind: Spec"));
}

#[test]
fn a_system_call_s_errno_is_kept() {
    let error = Object::open("/no/such/object.bpf.o").unwrap_err();
    assert_eq!(
        (error.kind(), error.errno()),
        (ErrorKind::NotFound, Some(libc::ENOENT))
    );
    let error = Resolver::new("libc.so.6:malloc")
        .pid(0x7fff_fff0)
        .resolve()
        .unwrap_err();
    assert_eq!((error.kind(), error.errno()), (ErrorKind::NotFound, None));
    assert!(error.message().contains("process"), "{error}");
}

#[test]
fn errors_are_errors_of_the_standard_library() {
    let error = Object::open("/no/such/object.bpf.o").unwrap_err();
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.clone().into();
    assert_eq!(boxed.downcast_ref::<uprobe_multi::Error>(), Some(&error));
    let native = io::Error::from(error.clone());
    assert_eq!(native.kind(), io::ErrorKind::NotFound);
    assert!(native.to_string().contains(error.operation()));
    let native = io::Error::from(resolve("nonsense").unwrap_err());
    assert_eq!(native.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn the_question_mark_goes_to_io_errors() {
    fn read() -> io::Result<usize> {
        Ok(resolve("nonsense")?.len())
    }
    assert_eq!(read().unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn nothing_to_attach_is_an_error() {
    let error = Count::new("libc.so.6:no_such_function")
        .start()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Nothing);
    let known = built("target/known").display().to_string();
    let specs = [format!("{known}:known_0000"), format!("{known}:lock_first")];
    let error = Count::new(specs).strict(true).start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Strict);
    assert!(error.to_string().contains("lock_first"), "{error}");
}

#[test]
fn a_program_of_the_wrong_kind_is_refused() {
    let file = std::fs::File::open("/dev/null").unwrap();
    let error = Attach::new("libc.so.6:malloc").program(&file).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Program),
        "{error}"
    );
    let object = Object::open(built("tests/bpf/sections.bpf.o")).unwrap();
    let error = object.program(None).unwrap_err();
    assert!(
        error.message().contains("entry") && error.message().contains("both"),
        "{error}"
    );
    assert_eq!(
        object.map_fd("no such map").unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn wrong_numbers_are_refused() {
    let mut set = resolve("libc.so.6:malloc").unwrap();
    assert_eq!(set.set_cookies(&[]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(set.select(&[1]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(set.len(), 1);
    assert_eq!(
        uprobe_multi::bucket_bounds(320).unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[test]
fn signatures_and_filters_that_do_not_parse() {
    let traces: [fn(Trace<'static>) -> Trace<'static>; 3] = [
        |trace| trace.arguments("(int"),
        |trace| trace.filter("=="),
        |trace| trace.probe_arguments([Some("(unknown_t x")]),
    ];
    for with in traces {
        let error = with(Trace::new("libc.so.6:malloc")).start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Spec, "{error}");
    }
}

#[test]
fn a_text_with_a_nul_inside_is_refused() {
    let error = resolve("libc.so.6:mal\0loc").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("NUL"), "{error}");
    assert_eq!(Link::open("a\0b").unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(uprobe_multi::demangle("a\0b"), "a\0b");
}

#[test]
fn texts_need_not_be_ascii_nor_utf8() {
    let set = resolve("/tmp/naïve ∞:größe").unwrap();
    assert_eq!(set.get(0).unwrap().spec(), "/tmp/naïve ∞:größe");
    let strange = Path::new(OsStr::from_bytes(b"/no/\xff\xfe"));
    let mut set = ProbeSet::new().unwrap();
    set.add(Kind::Uprobe, &[Place::new(strange, 16)]).unwrap();
    let probe = set.get(0).unwrap();
    assert_eq!(probe.path(), strange);
    assert!(probe.to_string().contains('\u{fffd}'));
}
