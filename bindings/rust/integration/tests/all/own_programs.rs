// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Programs that other libraries have loaded: topic 22.
use std::os::fd::AsFd;

use aya::maps::Array;
use aya::programs::{KProbe, UProbe};
use libbpf_rs::{MapCore, MapFlags, ObjectBuilder};
use uprobe_multi::{Attach, Backend, Kind, Spec, resolve};
use uprobe_multi_integration::{Target, built};

/// Hits of a program, in a map of libbpf-rs.
fn hits(object: &libbpf_rs::Object, program: u32) -> u64 {
    let map = object.maps().find(|map| map.name() == "hits").unwrap();
    let value = map
        .lookup(&program.to_ne_bytes(), MapFlags::ANY)
        .unwrap()
        .unwrap();
    u64::from_ne_bytes(value.try_into().unwrap())
}

#[test]
fn a_program_of_libbpf_rs() {
    let mut target = Target::known();
    let object = ObjectBuilder::default()
        .open_file(built("tests/bpf/sections.bpf.o"))
        .unwrap()
        .load()
        .unwrap();
    let program = |name: &str| {
        object
            .progs()
            .find(|program| program.name() == name)
            .unwrap()
    };
    let spec = Spec::uprobe(&target.path, "known_000[0-3]");
    let entries = Attach::new(spec.clone())
        .pid(target.pid)
        .program(program("entry"))
        .unwrap();
    let sessions = Attach::new(spec)
        .pid(target.pid)
        .program(program("both"))
        .unwrap();
    let exits = resolve(Spec::uretprobe(&target.path, "known_000[0-1]")).unwrap();
    let exits = Attach::new(&exits)
        .pid(target.pid)
        .program(program("exit_of"))
        .unwrap();
    target.call(3, 4);
    assert_eq!(
        (hits(&object, 0), hits(&object, 2), hits(&object, 1)),
        (12, 24, 6)
    );
    assert_eq!(exits.attached().next().unwrap().kind(), Kind::Uretprobe);
    // The links are not the object's.
    drop(object);
    assert_eq!(
        (entries.attached_count(), sessions.attached_count()),
        (4, 4)
    );
}

/// aya 0.13 knows uprobe and uretprobe sections, and no multi ones: its programs are plain, and go
/// through perf events.
#[test]
fn a_program_of_aya() {
    let mut target = Target::known();
    let mut ebpf = aya::EbpfLoader::new()
        .load_file(built("tests/bpf/plain.bpf.o"))
        .unwrap();
    let program: &mut UProbe = ebpf.program_mut("plain").unwrap().try_into().unwrap();
    program.load().unwrap();
    let program = program.fd().unwrap().as_fd().try_clone_to_owned().unwrap();
    let set = resolve(Spec::uprobe(&target.path, "known_000[0-3]")).unwrap();
    let link = Attach::new(&set).pid(target.pid).program(&program).unwrap();
    assert_eq!(
        (link.backend(), link.attached_count()),
        (Backend::PerfEvent, 4)
    );
    target.call(3, 4);
    let array: Array<_, u64> = Array::try_from(ebpf.map("hits").unwrap()).unwrap();
    assert_eq!(array.get(&0, 0).unwrap(), 12);
}

#[test]
fn a_descriptor_that_is_borrowed_from_aya() {
    let mut target = Target::known();
    let mut ebpf = aya::Ebpf::load_file(built("tests/bpf/plain.bpf.o")).unwrap();
    let program = ebpf.program_mut("plain").unwrap();
    // Another type of the same kernel program type would do as well.
    assert!(<&mut KProbe>::try_from(&mut *program).is_err());
    let program: &mut UProbe = program.try_into().unwrap();
    program.load().unwrap();
    let spec = Spec::uprobe(&target.path, "known_0000");
    let link = Attach::new(spec)
        .pid(target.pid)
        .program(program.fd().unwrap().as_fd())
        .unwrap();
    target.call(9, 1);
    drop(link);
    target.call(9, 1);
    let array: Array<_, u64> = Array::try_from(ebpf.map("hits").unwrap()).unwrap();
    assert_eq!(array.get(&0, 0).unwrap(), 9);
}
