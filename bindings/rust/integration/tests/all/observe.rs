// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Counts and latencies: topics 3, 6, 12, 23, 24, 29.
use std::time::Duration;

use uprobe_multi::{
    AnyObserver, Backend, Count, ErrorKind, LATENCY_BUCKETS, Latency, ObserverKind, ProbeFlags,
    ProbeSet, Resolver, Spec, Split, bucket_bounds, resolve,
};
use uprobe_multi_integration::Target;

#[test]
fn hits_are_exact() {
    let mut target = Target::known();
    let set = resolve([
        Spec::uprobe(&target.path, "known_000?"),
        Spec::uprobe(&target.path, "lock_first"),
    ])
    .unwrap();
    let mut counter = Count::new(&set).pid(target.pid).start().unwrap();
    drop(set);
    target.call(1000, 3);
    assert_eq!(
        counter.hits().unwrap(),
        [1000, 1000, 1000, 0, 0, 0, 0, 0, 0, 0, 0]
    );
    assert!(counter.stop().unwrap() > Duration::ZERO);
    counter.stop().unwrap();
    target.call(5, 3);
    let results: Vec<_> = counter
        .results()
        .unwrap()
        .map(|(probe, hits)| (probe.name(), hits))
        .collect();
    assert_eq!(results[2], ("known_0002".into(), 1000));
    assert_eq!(
        (counter.kind(), counter.lost_processes()),
        (ObserverKind::Count, 0)
    );
    assert_eq!(counter.probes().len(), 11);
    assert_eq!(
        counter.link().skipped().next().unwrap().name(),
        "lock_first"
    );
    assert!(format!("{counter:?}").contains("attached: 10"));
}

#[test]
fn children_are_followed_when_asked_for() {
    let mut target = Target::known();
    let count = || Count::new(format!("{}:known_0000", target.path)).pid(target.pid);
    let (with, without) = (
        count().children(true).start().unwrap(),
        count().start().unwrap(),
    );
    assert_eq!(
        target.ask("fork children=3 times=10 functions=1"),
        "fork total=30"
    );
    assert_eq!(
        (with.hits().unwrap(), without.hits().unwrap()),
        (vec![30], vec![0])
    );
}

#[test]
fn perf_events_count_as_well() {
    let mut target = Target::known();
    let counter = Count::new(format!("{}:known_000[01]", target.path))
        .pid(target.pid)
        .backend(Backend::PerfEvent)
        .start()
        .unwrap();
    target.call(20, 2);
    assert_eq!(counter.hits().unwrap(), [20, 20]);
    assert_eq!(counter.link().kernel_links().count(), 2);
}

/// A function of the target "timed", part of which throws exceptions.
fn functions(target: &Target, name: &str) -> ProbeSet {
    let spec = Spec::uprobe(&target.path, name);
    let refused = Latency::new(spec.clone()).start().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Nothing);
    let set = Resolver::new(spec)
        .accept_unwinding(true)
        .resolve()
        .unwrap();
    assert!(set.get(0).unwrap().flags().contains(ProbeFlags::UNWINDS));
    set
}

#[test]
fn latencies_have_extremes_percentiles_and_a_histogram() {
    let mut target = Target::start("timed");
    let latency = Latency::new(&functions(&target, "timed"))
        .pid(target.pid)
        .start()
        .unwrap();
    target.ask("time sleep 1000000*20");
    let snapshot = latency.snapshot().unwrap();
    assert_eq!(
        (snapshot.len(), snapshot.lost(), snapshot.is_empty()),
        (1, 0, false)
    );
    let row = snapshot.get(0).unwrap();
    assert_eq!(
        (row.entries(), row.calls(), row.unreturned(), row.probe()),
        (20, 20, 0, 0)
    );
    assert!(row.min_ns() >= 1_000_000 && row.min_ns() <= row.percentile(0.5));
    assert!(row.percentile(0.5) <= row.percentile(1.0) && row.percentile(1.0) <= row.max_ns());
    assert!(row.mean_ns().unwrap() >= row.min_ns() as f64 && row.sum_ns() >= 20 * row.min_ns());
    assert_eq!(row.counts().len(), LATENCY_BUCKETS);
    assert_eq!(row.counts().iter().sum::<u64>(), 20);
    let first = row.counts().iter().position(|calls| *calls > 0).unwrap();
    let (low, high) = bucket_bounds(first).unwrap();
    assert!((low..high).contains(&row.min_ns()));
    assert!(row.pid().is_none() && row.tid().is_none() && snapshot.get(1).is_none());
    assert!(format!("{snapshot:?}").contains("calls: 20"));
}

#[test]
fn snapshots_are_added_up_and_compared() {
    let mut target = Target::start("timed");
    let mut latency = Latency::new(&functions(&target, "quick"))
        .pid(target.pid)
        .start()
        .unwrap();
    target.ask("burst 1 100");
    let first = latency.snapshot().unwrap();
    target.ask("burst 1 50");
    latency.stop().unwrap();
    let second = latency.snapshot().unwrap();
    drop(latency);
    assert!(second.time_ns() > first.time_ns());
    assert_eq!(second.since(&first).unwrap().get(0).unwrap().calls(), 50);
    assert_eq!(second.merge(&first).unwrap().get(0).unwrap().calls(), 250);
    assert!(first.since(&second).is_err());
}

#[test]
fn threads_and_processes_are_told_apart() {
    let mut target = Target::start("timed");
    let set = functions(&target, "quick");
    let start = |split| {
        let latency = Latency::new(&set).pid(target.pid);
        latency.split(split).most_rows(100).start().unwrap()
    };
    let (threads, processes) = (start(Split::Thread), start(Split::Process));
    target.ask("burst 3 10");
    let snapshot = threads.snapshot().unwrap();
    assert_eq!(
        snapshot.rows().map(|row| row.calls()).collect::<Vec<_>>(),
        [10, 10, 10]
    );
    assert!(
        snapshot
            .rows()
            .all(|row| row.tid().is_some() && row.pid() == Some(target.pid))
    );
    let snapshot = processes.snapshot().unwrap();
    assert_eq!(
        snapshot
            .rows()
            .map(|row| (row.calls(), row.tid()))
            .collect::<Vec<_>>(),
        [(30, None)]
    );
}

#[test]
fn any_observer_is_an_observer() {
    let mut target = Target::known();
    let counter = Count::new(format!("{}:known_0000", target.path))
        .pid(target.pid)
        .start()
        .unwrap();
    let mut any = AnyObserver::Count(counter);
    target.call(2, 1);
    any.stop().unwrap();
    assert_eq!(any.hits().unwrap(), [2]);
    assert_eq!(any.kind().to_string(), "count");
}
