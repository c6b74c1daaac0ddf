// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Events in an event loop: topics 18, 27.
use std::future::poll_fn;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use tokio::runtime::{Builder, Runtime};
use uprobe_multi::{Event, EventStream, Trace, TraceObserver};
use uprobe_multi_integration::{Target, descriptors};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn trace(target: &Target) -> TraceObserver {
    let trace = Trace::new(format!("{}:known_0000", target.path));
    trace.pid(target.pid).start().unwrap()
}

async fn next(stream: &mut EventStream) -> Event {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context))
        .await
        .unwrap()
        .unwrap()
}

#[test]
fn a_stream_gives_every_event() {
    let mut target = Target::known();
    let before = descriptors();
    runtime().block_on(async {
        let mut stream = trace(&target).into_stream().unwrap();
        target.call(10_000, 1);
        for _ in 0..10_000 {
            assert_eq!(next(&mut stream).await.name(), "known_0000");
        }
        assert_eq!(stream.trace().hits().unwrap(), [10_000]);
        // Nothing more comes, and the stream goes on waiting.
        let more = tokio::time::timeout(Duration::from_millis(50), next(&mut stream)).await;
        assert!(more.is_err());
        target.call(1, 1);
        next(&mut stream).await;
        let mut trace = stream.into_inner();
        trace.stop().unwrap();
        assert_eq!(trace.counts().unwrap()[0].events, 10_001);
    });
    assert_eq!(descriptors(), before);
}

#[test]
fn a_stream_that_ends_gives_back_what_it_read() {
    let mut target = Target::known();
    runtime().block_on(async {
        let mut stream = trace(&target).into_stream().unwrap();
        target.call(100, 1);
        next(&mut stream).await;
        let mut trace = stream.into_inner();
        assert_eq!(trace.events_for(Duration::ZERO).count(), 99);
        // And the other way round.
        target.call(100, 1);
        assert_eq!(trace.events().take(1).count(), 1);
        let mut stream = trace.into_stream().unwrap();
        for _ in 0..99 {
            next(&mut stream).await;
        }
    });
}

#[test]
fn other_tasks_run_while_a_stream_waits() {
    let mut target = Target::known();
    runtime().block_on(async {
        let mut stream = trace(&target).into_stream().unwrap();
        let waiting = tokio::spawn(async move { next(&mut stream).await.pid() });
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(!waiting.is_finished());
        target.call(1, 1);
        assert_eq!(waiting.await.unwrap(), target.pid);
    });
}

#[test]
fn other_event_loops_have_the_descriptor() {
    let target = Target::known();
    let trace = trace(&target);
    let mut poll = libc::pollfd {
        fd: trace.fd().unwrap().as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    assert_eq!(poll.fd, trace.as_fd().as_raw_fd());
    // SAFETY: one structure.
    assert_eq!(unsafe { libc::poll(&mut poll, 1, 0) }, 0);
}
