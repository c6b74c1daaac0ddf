// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Probe user-space programs through one kernel link (BPF uprobe multi).
//!
//! [Specs](Spec) say what to probe, [`resolve()`] turns them into a [`ProbeSet`] in which every probe
//! is judged, and builders attach it:
//!
//! | builder | gives | which |
//! |---|---|---|
//! | [`Attach`] | [`Link`] | runs a BPF program of yours, loaded by libbpf-rs, by aya or by [`Object`] |
//! | [`Count`] | [`CountObserver`] | counts hits, exactly |
//! | [`Latency`] | [`LatencyObserver`] | measures calls from entry to return |
//! | [`Trace`] | [`TraceObserver`] | records arguments, results and stacks |
//!
//! ```no_run
//! # fn main() -> Result<(), uprobe_multi::Error> {
//! let mut counter = uprobe_multi::Count::new(["libc.so.6:malloc", "libc.so.6:free"]).start()?;
//! std::thread::sleep(std::time::Duration::from_secs(1));
//! counter.stop()?;
//! for (probe, hits) in counter.results()? {
//!     println!("{hits:>10} {probe}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The promise
//! Every probe that is asked for is attached, or skipped with a [`Verdict`] and a reason:
//! [`Link::skipped`] lists them. Nothing is lost in silence, and the program that is observed is not
//! harmed.
//!
//! # Ownership
//! Handles are freed when they are dropped; dropping a [`Link`] or an observer detaches it. A link
//! outlives the set and the object that it was made from. Descriptors that are given in stay the
//! caller's ([`AsFd`](std::os::fd::AsFd)), those that are given out are borrowed.
//!
//! # Threads
//! All handles are [`Send`] and [`Sync`]: what the library allows side by side takes `&self`, the
//! rest `&mut self`. Builders with a progress callback are neither.
//!
//! # Panics in callbacks
//! They do not cross C: the library is told to stop, undoes the call, and the panic goes on when it
//! has returned.
//!
//! # Features
//! `vendored` builds the C library and libbpf from source and links both statically; `static` does so
//! for all libraries, for programs built with `-C target-feature=+crt-static`; `tokio` adds
//! [`TraceObserver::into_stream`](TraceObserver).
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The raw layer.
pub use uprobe_multi_sys as sys;

#[macro_use]
mod raw;
#[macro_use]
mod scope;
#[macro_use]
mod observer;
mod attach;
mod batch;
mod error;
mod event;
mod features;
mod latency;
mod link;
mod object;
mod probe;
mod probe_set;
mod progress;
mod queue;
#[cfg(doctest)]
mod refused;
mod resolver;
mod sharing;
mod signature;
mod spec;
#[cfg(feature = "tokio")]
mod stream;
mod symbols;
mod trace;

pub use attach::Attach;
pub use batch::Batch;
pub use error::{Error, ErrorKind, Result};
pub use event::{Borrowed, Event, EventKind, EventRef, RawEvent, Shared, Storage, Value};
pub use features::{Answer, Features, check, version};
pub use latency::{
    LATENCY_BUCKETS, Latency, LatencyObserver, LatencyRow, LatencySnapshot, Split, bucket_bounds,
};
pub use link::{KernelLink, Link};
pub use object::{Object, Program};
pub use observer::{AnyObserver, Count, CountObserver, Observer, ObserverKind};
pub use probe::{Argument, ArgumentPlace, Cost, Kind, Probe, ProbeFlags, Verdict, demangle};
pub use probe_set::{Iter, Place, ProbeSet};
pub use progress::Progress;
pub use resolver::{DebugFiles, Resolver, resolve};
pub use scope::{Backend, Placement};
pub use sharing::{Pinned, PinnedList, pin_directory, unpin};
pub use signature::{EventArgument, Form, Signature};
pub use spec::{Probes, Spec, Specs};
#[cfg(feature = "tokio")]
pub use stream::EventStream;
pub use symbols::{Location, Symbolizer};
pub use trace::{Events, Trace, TraceCount, TraceObserver};
