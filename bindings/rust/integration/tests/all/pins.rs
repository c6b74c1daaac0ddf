// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What outlives the process that made it: topic 28.
use uprobe_multi::{
    AnyObserver, Attach, Count, ErrorKind, Latency, Link, Object, ObserverKind, PinnedList, Trace,
    unpin,
};
use uprobe_multi_integration::{BpfFileSystem, Target, built};

#[test]
fn a_count_is_opened_by_its_name() {
    let files = BpfFileSystem::mount("count");
    let mut target = Target::known();
    let name = files.path("calls");
    let mut counter = Count::new(format!("{}:known_000[01]", target.path))
        .pid(target.pid)
        .start()
        .unwrap();
    counter.pin(&name).unwrap();
    drop(counter);
    let mut other = Count::new(format!("{}:known_0000", target.path))
        .start()
        .unwrap();
    assert_eq!(other.pin(&name).unwrap_err().errno(), Some(libc::EEXIST));
    drop(other);
    target.call(3, 2);
    let AnyObserver::Count(opened) = AnyObserver::open(&name).unwrap() else {
        panic!("a count")
    };
    assert_eq!(opened.hits().unwrap(), [3, 3]);
    assert_eq!(opened.probes().get(1).unwrap().symbol(), "known_0001");
    unpin(&name).unwrap();
    assert_eq!(unpin(&name).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        AnyObserver::open(&name).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn every_kind_is_opened_as_what_it_is() {
    let files = BpfFileSystem::mount("kinds");
    let mut target = Target::known();
    let spec = format!("{}:known_0000", target.path);
    let (latency, trace) = (files.path("latency"), files.path("trace"));
    Latency::new(spec.as_str())
        .pid(target.pid)
        .start()
        .unwrap()
        .pin(&latency)
        .unwrap();
    Trace::new(spec.as_str())
        .pid(target.pid)
        .start()
        .unwrap()
        .pin(&trace)
        .unwrap();
    target.call(4, 1);
    let list = PinnedList::read_directory(files.path("")).unwrap();
    let seen: Vec<_> = list
        .iter()
        .map(|each| (each.kind().unwrap(), each.probe_count()))
        .collect();
    assert_eq!(seen, [(ObserverKind::Latency, 1), (ObserverKind::Trace, 1)]);
    let pinned = list.iter().next().unwrap();
    assert_eq!(
        (pinned.problem().as_ref(), pinned.creator_pid()),
        ("", std::process::id())
    );
    assert!(!pinned.creator().is_empty() && pinned.created().elapsed().is_ok());
    assert_eq!(
        (pinned.attached_count(), pinned.kernel_link_count() > 0),
        (1, true)
    );
    match AnyObserver::open(&latency).unwrap() {
        AnyObserver::Latency(latency) => {
            assert_eq!(latency.snapshot().unwrap().get(0).unwrap().calls(), 4)
        }
        other => panic!("{other:?}"),
    }
    match AnyObserver::open(&trace).unwrap() {
        AnyObserver::Trace(mut trace) => {
            assert_eq!(trace.events_for(std::time::Duration::ZERO).count(), 4)
        }
        other => panic!("{other:?}"),
    }
    unpin(&latency).unwrap();
    unpin(&trace).unwrap();
    assert!(
        PinnedList::read_directory(files.path(""))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn links_are_pinned_too() {
    let files = BpfFileSystem::mount("links");
    let mut target = Target::known();
    let mut object = Object::open(built("tests/bpf/sections.bpf.o")).unwrap();
    let path = files.path("link");
    let mut link = Attach::new(format!("{}:known_0000", target.path))
        .pid(target.pid)
        .object(&mut object, Some("entry"))
        .unwrap();
    link.pin(&path).unwrap();
    drop(link);
    target.call(2, 1);
    assert_eq!(
        uprobe_multi_integration::map_value(object.map_fd("hits").unwrap(), 0),
        2
    );
    let opened = Link::open(&path).unwrap();
    assert_eq!(opened.attached().next().unwrap().symbol(), "known_0000");
    Link::unpin(&path).unwrap();
    assert_eq!(uprobe_multi::pin_directory(), "/sys/fs/bpf/uprobe_multi");
}
