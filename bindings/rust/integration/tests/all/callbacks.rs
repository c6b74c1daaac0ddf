// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Functions that the library calls: topics 15, 16.
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use uprobe_multi::{Attach, Count, ErrorKind, Object, Progress, Resolver, Trace};
use uprobe_multi_integration::{Target, built, descriptors};

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .expect("a text")
}

#[test]
fn progress_is_reported() {
    let target = Target::known();
    let mut stages = Vec::new();
    let counter = Count::new(format!("{}:known_0*", target.path))
        .pid(target.pid)
        .progress(|progress: Progress| {
            assert!(progress.total.is_none_or(|total| progress.done <= total));
            stages.push(progress.stage);
            ControlFlow::Continue(())
        })
        .start()
        .unwrap();
    assert_eq!(counter.link().attached_count(), 1000);
    drop(counter);
    assert!(
        stages.contains(&"resolve") && stages.contains(&"attach"),
        "{stages:?}"
    );
}

#[test]
fn progress_can_end_the_call() {
    let before = descriptors();
    let error = Count::new("libc.so.6:str*")
        .progress(|progress| match progress.stage {
            "attach" => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .start()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let resolver = Resolver::new("libc.so.6:*").progress(|_| ControlFlow::Break(()));
    assert_eq!(resolver.resolve().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(descriptors(), before);
}

#[test]
fn a_panic_in_progress_comes_out_of_the_call() {
    let before = descriptors();
    let panics: [fn(); 3] = [
        || {
            drop(
                Resolver::new("libc.so.6:*")
                    .progress(|_| panic!("resolving"))
                    .resolve(),
            )
        },
        || {
            drop(
                Count::new("libc.so.6:str*")
                    .progress(|_| panic!("counting"))
                    .start(),
            )
        },
        || {
            let mut object = Object::open(built("tests/bpf/sections.bpf.o")).unwrap();
            let attach = Attach::new("libc.so.6:str*").progress(|_| panic!("attaching"));
            drop(attach.object(&mut object, Some("entry")));
        },
    ];
    for (call, text) in panics
        .into_iter()
        .zip(["resolving", "counting", "attaching"])
    {
        assert_eq!(message(catch_unwind(call).unwrap_err()), text);
    }
    assert_eq!(descriptors(), before, "nothing stays attached");
}

#[test]
fn a_panic_at_an_event_comes_out_of_the_run() {
    let mut target = Target::known();
    let mut trace = Trace::new(format!("{}:known_0000", target.path))
        .pid(target.pid)
        .start()
        .unwrap();
    target.call(5, 1);
    let mut seen = 0;
    let run = catch_unwind(AssertUnwindSafe(|| {
        trace.run(Some(Duration::ZERO), |_| {
            seen += 1;
            assert_ne!(seen, 2, "this is the second");
            ControlFlow::Continue(())
        })
    }));
    assert!(run.is_err());
    assert_eq!(seen, 2);
    // The trace goes on: only the events that were handed out are gone.
    target.call(1, 1);
    let flow = trace.run(Some(Duration::ZERO), |_| {
        seen += 1;
        ControlFlow::Continue(())
    });
    assert!(flow.unwrap().is_continue());
    assert_eq!(seen, 6);
}
