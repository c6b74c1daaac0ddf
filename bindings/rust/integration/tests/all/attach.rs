// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Links and objects: topics 3, 4, 5, 6, 7, 22.
use std::os::fd::AsFd;

use uprobe_multi::{Attach, Backend, Error, ErrorKind, Kind, Link, Object, Spec, Verdict, resolve};
use uprobe_multi_integration::{Target, built, descriptors, map_value};

fn sections() -> Object {
    Object::open(built("tests/bpf/sections.bpf.o")).unwrap()
}

#[test]
fn the_programs_of_an_object() {
    let object = sections();
    let program = object.program(Some("exit_of")).unwrap();
    assert_eq!(
        (program.kind(), program.section().as_ref()),
        (Kind::Uretprobe, "uretprobe.multi")
    );
    assert!(object.program(Some("both")).unwrap().is_session());
    assert!(object.program(Some("sleepable")).unwrap().is_sleepable());
    assert_eq!(
        object.program(Some("placed")).unwrap().spec(),
        "uprobe:/no/such/file:main"
    );
    assert_eq!(object.programs().count(), 6);
    assert!(format!("{object:?}").contains("uprobe.session"));
}

#[test]
fn an_object_s_program_is_attached_to_specs() {
    let mut target = Target::known();
    let mut object = sections();
    let link = Attach::new([
        format!("{}:known_000[01]", target.path),
        format!("{}:lock_first", target.path),
    ])
    .pid(target.pid)
    .object(&mut object, Some("entry"))
    .unwrap();
    target.call(7, 3);
    assert_eq!(map_value(object.map_fd("hits").unwrap(), 0), 14);
    assert_eq!((link.attached_count(), link.skipped_count()), (2, 1));
    let skipped = link.skipped().next().unwrap();
    assert_eq!(
        (skipped.symbol().as_ref(), skipped.verdict()),
        ("lock_first", Verdict::Unprobeable)
    );
    assert_eq!(
        link.attached()
            .map(|probe| probe.name())
            .collect::<Vec<_>>(),
        ["known_0000", "known_0001"]
    );
    assert_eq!(link.backend(), Backend::UprobeMulti);
    let kernel: Vec<_> = link.kernel_links().collect();
    assert_eq!(kernel.len(), 1);
    assert_eq!(
        (kernel[0].probe_count(), kernel[0].pid()),
        (2, Some(target.pid))
    );
    assert!(kernel[0].id().is_some() && !link.attach_time().is_zero());
    assert_eq!(kernel[0].path().to_str(), Some(target.path.as_str()));
    kernel[0].as_fd().try_clone_to_owned().unwrap();
    assert!(format!("{link:?}").contains("attached: 2"));
}

#[test]
fn a_set_is_attached_by_the_name_of_a_program() {
    let mut target = Target::known();
    let mut object = sections();
    let set = resolve(Spec::uprobe(&target.path, "known_0000")).unwrap();
    let link = Attach::new(&set)
        .pid(target.pid)
        .object(&mut object, Some("both"))
        .unwrap();
    drop(set);
    target.call(4, 1);
    assert_eq!(
        map_value(object.map_fd("hits").unwrap(), 2),
        8,
        "entry and return of each"
    );
    assert_eq!(link.attached_count(), 1);
}

#[test]
fn a_program_that_the_object_lacks_is_not_found() {
    let mut object = sections();
    let set = resolve("libc.so.6:malloc").unwrap();
    for name in [Some("no_such_program"), None] {
        let error = object.program(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.message().contains("exit_of"), "{error}");
        let error = Attach::new(&set).object(&mut object, name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        // The library looks it up for specs.
        let by_specs = Attach::new("libc.so.6:malloc").object(&mut object, name);
        assert_eq!(by_specs.unwrap_err().kind(), error.kind());
    }
}

#[test]
fn a_link_outlives_its_object_and_its_set() {
    let mut target = Target::known();
    let mut object = sections();
    let map = object.map_fd("hits").unwrap().try_clone_to_owned().unwrap();
    let set = resolve(Spec::uprobe(&target.path, "known_0000")).unwrap();
    let program = object
        .program(Some("entry"))
        .unwrap()
        .as_fd()
        .try_clone_to_owned()
        .unwrap();
    let link = Attach::new(&set).pid(target.pid).program(&program).unwrap();
    drop((set, program));
    object = sections();
    target.call(5, 1);
    assert_eq!(map_value(&map, 0), 5);
    assert_eq!(link.attached().next().unwrap().symbol(), "known_0000");
    drop(link);
    target.call(5, 1);
    assert_eq!(map_value(&map, 0), 5, "gone with the link");
    assert_eq!(
        map_value(object.map_fd("hits").unwrap(), 0),
        0,
        "another object"
    );
}

#[test]
fn a_detached_link_can_still_be_read() {
    let mut target = Target::known();
    let mut object = sections();
    let mut link = Attach::new(format!("{}:known_0000", target.path))
        .pid(target.pid)
        .object(&mut object, Some("entry"))
        .unwrap();
    link.detach().unwrap();
    link.detach().unwrap();
    target.call(3, 1);
    assert_eq!(map_value(object.map_fd("hits").unwrap(), 0), 0);
    assert_eq!((link.attached_count(), link.kernel_links().count()), (1, 0));
    assert_eq!(
        link.pin("/sys/fs/bpf/nowhere").unwrap_err().kind(),
        ErrorKind::State
    );
}

#[test]
fn every_option_is_taken() {
    let mut target = Target::known();
    let mut object = sections();
    let set = resolve(Spec::uprobe(&target.path, "known_000?")).unwrap();
    let link = Attach::new(&set)
        .pids([target.pid])
        .strict(true)
        .cookie_is_index(true)
        .backend(Backend::UprobeMulti)
        .probes_per_link(3)
        .object(&mut object, Some("entry"))
        .unwrap();
    assert_eq!(
        link.kernel_links()
            .map(|each| each.probe_count())
            .collect::<Vec<_>>(),
        [3, 3, 3, 1]
    );
    assert_eq!(
        link.attached()
            .map(|probe| probe.cookie())
            .collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    target.call(1, 10);
    assert_eq!(map_value(object.map_fd("hits").unwrap(), 0), 10);
    let children = Attach::new(&set)
        .pid(target.pid)
        .children(true)
        .object(&mut object, Some("entry"));
    assert_eq!(children.unwrap_err().kind(), ErrorKind::Unsupported);
    let section = Attach::to_section().object(&mut object, Some("placed"));
    assert_eq!(section.unwrap_err().kind(), ErrorKind::Nothing);
}

#[test]
fn plain_programs_go_through_perf_events() {
    let mut target = Target::known();
    let mut object = sections();
    let link = Attach::new(format!("{}:known_000[0-2]", target.path))
        .pid(target.pid)
        .object(&mut object, Some("plain"))
        .unwrap();
    assert_eq!(link.backend(), Backend::PerfEvent);
    target.call(2, 3);
    assert_eq!(map_value(object.map_fd("hits").unwrap(), 4), 6);
}

/// Attaches, and leaves its scope by an error.
fn fail_with_handles(target: &Target) -> Result<(), Error> {
    let mut object = sections();
    let _link =
        Attach::new(format!("{}:known_0000", target.path)).object(&mut object, Some("entry"))?;
    resolve("nonsense")?;
    unreachable!("nonsense does not parse")
}

#[test]
fn handles_end_with_their_scope() {
    let target = Target::known();
    let before = descriptors();
    fail_with_handles(&target).unwrap_err();
    let panicked = std::panic::catch_unwind(|| {
        let _object = sections();
        panic!("with an object open");
    });
    assert!(panicked.is_err());
    assert_eq!(descriptors(), before);
}

#[test]
fn handles_that_nobody_holds_are_freed() {
    let target = Target::known();
    let before = descriptors();
    for _ in 0..3 {
        let mut object = sections();
        let set = resolve(Spec::uprobe(&target.path, "known_0*")).unwrap();
        let link: Box<dyn std::any::Any + Send> = Box::new(
            Attach::new(&set)
                .pid(target.pid)
                .object(&mut object, Some("entry"))
                .unwrap(),
        );
        let shared = std::sync::Arc::new(object);
        drop((std::sync::Arc::clone(&shared), link));
    }
    assert_eq!(descriptors(), before);
    assert!(Link::open("/sys/fs/bpf/nothing there").is_err());
}
