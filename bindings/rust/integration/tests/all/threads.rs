// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Threads: topics 17, 18.
use std::sync::mpsc;
use std::time::Duration;

use uprobe_multi::{
    Argument, Batch, Count, CountObserver, Error, Event, EventRef, KernelLink, LatencyObserver,
    LatencyRow, LatencySnapshot, Link, Location, Object, Observer, Pinned, PinnedList, Probe,
    ProbeSet, Program, Spec, Symbolizer, Trace, TraceObserver, resolve,
};
use uprobe_multi_integration::Target;

fn are_send_and_sync<T: Send + Sync>() {}

#[test]
fn handles_and_results_are_send_and_sync() {
    are_send_and_sync::<ProbeSet>();
    are_send_and_sync::<Probe<'_>>();
    are_send_and_sync::<Argument>();
    are_send_and_sync::<Link>();
    are_send_and_sync::<KernelLink<'_>>();
    are_send_and_sync::<Object>();
    are_send_and_sync::<Program<'_>>();
    are_send_and_sync::<Observer>();
    are_send_and_sync::<CountObserver>();
    are_send_and_sync::<LatencyObserver>();
    are_send_and_sync::<LatencySnapshot>();
    are_send_and_sync::<LatencyRow<'_>>();
    are_send_and_sync::<TraceObserver>();
    are_send_and_sync::<Batch>();
    are_send_and_sync::<Event>();
    are_send_and_sync::<EventRef<'_>>();
    are_send_and_sync::<Symbolizer>();
    are_send_and_sync::<Location<'_>>();
    are_send_and_sync::<PinnedList>();
    are_send_and_sync::<Pinned<'_>>();
    are_send_and_sync::<Error>();
    are_send_and_sync::<uprobe_multi::EventStream>();
}

#[test]
fn threads_have_handles_of_their_own() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut target = Target::known();
                let counter = Count::new(format!("{}:known_00*", target.path))
                    .pid(target.pid)
                    .start()
                    .unwrap();
                target.call(10, 100);
                assert_eq!(counter.hits().unwrap(), [10; 100]);
            });
        }
    });
}

#[test]
fn threads_share_a_handle_that_they_only_read() {
    let mut target = Target::known();
    let set = resolve(Spec::uprobe(&target.path, "known_0*")).unwrap();
    let counter = Count::new(&set).pid(target.pid).start().unwrap();
    let names = || set.iter().map(|probe| probe.name()).collect::<Vec<_>>();
    let expected = names();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(names(), expected));
            scope.spawn(|| {
                for _ in 0..100 {
                    assert!(counter.hits().unwrap().iter().sum::<u64>() <= 1000);
                    assert_eq!(
                        counter.link().attached().last().unwrap().name(),
                        "known_0999"
                    );
                }
            });
        }
        target.call(1, 1000);
    });
    assert_eq!(counter.hits().unwrap().iter().sum::<u64>(), 1000);
}

#[test]
fn errors_are_those_of_the_thread() {
    std::thread::scope(|scope| {
        for spec in ["first", "second", "third"] {
            scope.spawn(move || {
                for _ in 0..200 {
                    assert_eq!(resolve(spec).unwrap_err().object(), spec);
                }
            });
        }
    });
}

#[test]
fn a_trace_is_read_in_another_thread() {
    let mut target = Target::known();
    let mut trace = Trace::new(format!("{}:known_0000", target.path))
        .pid(target.pid)
        .start()
        .unwrap();
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        // It waits; this thread runs.
        for event in trace.events().take(3) {
            sender.send(event.unwrap()).unwrap();
        }
    });
    assert!(receiver.recv_timeout(Duration::from_millis(20)).is_err());
    target.call(3, 1);
    for event in receiver {
        assert_eq!(event.pid(), target.pid);
    }
    reader.join().unwrap();
}
