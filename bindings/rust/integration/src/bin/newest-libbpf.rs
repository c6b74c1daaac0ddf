// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Does the newest libbpf, which knows nothing of this project, attach through this kernel's multi link?
//! Its own code looks up the functions and asks the kernel. TAP for tests/run; `make test-vm` runs
//! it in patched kernels.
use std::path::Path;

use libbpf_rs::{Link, MapCore, MapFlags, Object, ObjectBuilder};
use uprobe_multi_integration::{Target, built, descriptors};

const PROGRAMS: [&str; 2] = ["entry", "exit_of"];
const FUNCTIONS: u64 = 1000;

fn load() -> Object {
    let mut open = ObjectBuilder::default()
        .open_file(built("tests/bpf/sections.bpf.o"))
        .expect("an object");
    for mut program in open.progs_mut() {
        let wanted = PROGRAMS.iter().any(|name| program.name() == *name);
        program.set_autoload(wanted);
    }
    open.load().expect("loaded")
}

fn attach(object: &Object, name: &str, at_return: bool, target: &Target) -> Link {
    let program = object.progs_mut().find(|program| program.name() == name);
    program
        .expect("the program")
        .attach_uprobe_multi(
            target.pid as i32,
            Path::new(&target.path),
            "known_*",
            at_return,
            false,
        )
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn hits(object: &Object, program: u32) -> u64 {
    let maps: Vec<_> = object.maps().collect();
    let map = maps.iter().find(|map| map.name() == "hits").expect("hits");
    let value = map.lookup(&program.to_ne_bytes(), MapFlags::ANY);
    let bytes = value.expect("read").expect("a value");
    u64::from_ne_bytes(bytes.try_into().expect("eight bytes"))
}

/// One descriptor for all functions of the program, whose calls are counted exactly.
fn counts(object: &Object, number: u32, at_return: bool, target: &mut Target) {
    let before = descriptors().len();
    let link = attach(object, PROGRAMS[number as usize], at_return, target);
    assert_eq!(descriptors().len() - before, 1, "descriptors");
    target.call(3, FUNCTIONS);
    assert_eq!(hits(object, number), 3 * FUNCTIONS);
    drop(link);
    target.call(2, FUNCTIONS);
    assert_eq!(hits(object, number), 3 * FUNCTIONS, "after its end");
}

fn main() {
    let object = load();
    println!("1..{}", PROGRAMS.len());
    for (number, name) in (0u32..).zip(PROGRAMS) {
        counts(&object, number, name == "exit_of", &mut Target::known());
        println!(
            "ok {} - libbpf counts {FUNCTIONS} functions through one link: {name}",
            number + 1
        );
    }
}
