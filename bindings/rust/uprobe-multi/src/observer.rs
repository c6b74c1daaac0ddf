// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What all observers have, and counting, which is no more than that.
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::time::Duration;

use crate::error::{Result, check};
use crate::latency::LatencyObserver;
use crate::link::Link;
use crate::probe::Probe;
use crate::probe_set::ProbeSet;
use crate::raw::c_string;
use crate::scope::Scope;
use crate::spec::Probes;
use crate::sys;
use crate::trace::TraceObserver;

numbered! {
    /// What an observer finds out: `enum upm_observer_kind`.
    pub enum ObserverKind: u32 {
        /// How often.
        Count = sys::UPM_OBSERVER_COUNT,
        /// How long.
        Latency = sys::UPM_OBSERVER_LATENCY,
        /// With what, from where.
        Trace = sys::UPM_OBSERVER_TRACE,
    }
}
named_by!(ObserverKind, sys::upm_observer_kind_name);

/// A shipped BPF program with its maps and link: what can be asked of [`CountObserver`],
/// [`LatencyObserver`] and [`TraceObserver`] alike.
///
/// It is only looked at. What changes an observer are methods of its own, since it keeps facts about its
/// program, such as the types of a trace's arguments, which hold for no other.
/// Dropping an observer stops it, unless it is pinned.
pub struct Observer {
    raw: NonNull<sys::upm_observer>,
    // Both belong to the observer, so they are never dropped by themselves.
    probes: ManuallyDrop<ProbeSet>,
    link: ManuallyDrop<Link>,
}

// SAFETY: the library binds no handle to a thread.
unsafe impl Send for Observer {}
// SAFETY: functions that take a handle as const may run together, and no other is called with &self.
unsafe impl Sync for Observer {}

impl Observer {
    pub(crate) fn from_raw(raw: *mut sys::upm_observer) -> Self {
        // SAFETY: a new handle; set and link are the same as long as it lives.
        let (probes, link) =
            unsafe { (sys::upm_observer_probes(raw), sys::upm_observer_link(raw)) };
        Self {
            raw: NonNull::new(raw).expect("the library gave no handle"),
            probes: ManuallyDrop::new(ProbeSet::from_raw(probes.cast_mut())),
            link: ManuallyDrop::new(Link::from_raw(link.cast_mut())),
        }
    }

    pub(crate) fn as_ptr(&self) -> *const sys::upm_observer {
        self.raw.as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut sys::upm_observer {
        self.raw.as_ptr()
    }

    /// What it finds out.
    pub fn kind(&self) -> ObserverKind {
        // SAFETY: a const function of a handle that lives.
        ObserverKind::from_raw(unsafe { sys::upm_observer_kind(self.as_ptr()) })
    }

    /// The probes that are observed, in the order of all results.
    pub fn probes(&self) -> &ProbeSet {
        &self.probes
    }

    /// Its link: what is attached, what is skipped and why.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The hits of each probe so far, in the order of [`Observer::probes`]; also after the stop.
    ///
    /// For a latency these are the calls that began, for a trace the hits before any filter.
    ///
    /// # Errors
    /// None that are known.
    pub fn hits(&self) -> Result<Vec<u64>> {
        let mut hits = vec![0; self.probes.len()];
        // SAFETY: the array has the length that is said.
        check(unsafe { sys::upm_observer_hits(self.as_ptr(), hits.as_mut_ptr(), hits.len()) })?;
        Ok(hits)
    }

    /// Children that were too many to be followed, with [`children`](Count::children): the results
    /// lack theirs.
    pub fn lost_processes(&self) -> u64 {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_observer_lost_processes(self.as_ptr()) }
    }

    pub(crate) fn stop(&mut self) -> Result<Duration> {
        let mut elapsed = 0;
        // SAFETY: stores a number where it is told to.
        check(unsafe { sys::upm_observer_stop(self.as_mut_ptr(), &mut elapsed) })?;
        Ok(Duration::from_nanos(elapsed))
    }

    pub(crate) fn pin(&mut self, name: &str) -> Result<()> {
        let name = c_string(name, "pin the observer")?;
        // SAFETY: a C string.
        check(unsafe { sys::upm_observer_pin(self.as_mut_ptr(), name.as_ptr()) })?;
        Ok(())
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        // SAFETY: it is freed only here, and its set and link with it.
        unsafe { sys::upm_observer_free(self.raw.as_ptr()) }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("kind", &self.kind())
            .field("probes", &self.probes())
            .field("link", &self.link())
            .finish()
    }
}

/// What changes an observer, as methods of each that has one.
///
/// None gives out `&mut Observer`: `std::mem::swap` would put one trace's program under the signatures of
/// another, and a number of its events would be read as an address.
macro_rules! observer_methods {
    () => {
        /// Detach, and say how long it took; the results stand still and stay readable. A second call
        /// does nothing. A pinned observer goes on in the kernel.
        ///
        /// # Errors
        /// None that are known.
        pub fn stop(&mut self) -> $crate::Result<std::time::Duration> {
            self.observer_mut().stop()
        }

        /// Keep it alive under a name, after this process has gone:
        /// [`AnyObserver::open`](crate::AnyObserver::open) opens it in any process and language.
        ///
        /// # Errors
        /// [`NotFound`](crate::ErrorKind::NotFound) (no bpffs; the hint says how to mount one),
        /// [`System`](crate::ErrorKind::System) with EEXIST for a taken name,
        /// [`State`](crate::ErrorKind::State), [`Invalid`](crate::ErrorKind::Invalid).
        pub fn pin(&mut self, name: &str) -> $crate::Result<()> {
            self.observer_mut().pin(name)
        }

        /// The handle of the library, for the raw layer; it stays this one's.
        pub fn as_raw(&mut self) -> *mut $crate::sys::upm_observer {
            self.observer_mut().as_mut_ptr()
        }
    };
}

/// Starts to count hits, exactly, for each probe.
///
/// ```no_run
/// # fn main() -> Result<(), uprobe_multi::Error> {
/// let mut counter = uprobe_multi::Count::new("libc.so.6:str*").start()?;
/// std::thread::sleep(std::time::Duration::from_secs(1));
/// counter.stop()?;
/// for (probe, hits) in counter.results()? {
///     println!("{hits:>10} {}", probe.name());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "start() does the work"]
#[derive(Debug)]
pub struct Count<'a> {
    probes: Probes<'a>,
    scope: Scope<'a>,
}

impl<'a> Count<'a> {
    /// Of these: a [`ProbeSet`] or specs.
    pub fn new(probes: impl Into<Probes<'a>>) -> Self {
        Self {
            probes: probes.into(),
            scope: Scope::default(),
        }
    }

    scope_methods!();

    /// Attach, and count from now on.
    ///
    /// # Errors
    /// As [`Attach::program`](crate::Attach::program), and [`Limit`](crate::ErrorKind::Limit).
    pub fn start(mut self) -> Result<CountObserver> {
        self.scope.with(
            self.probes,
            // SAFETY: set and options live until the call has returned.
            |set, options, out| unsafe { sys::upm_count(set, options, out) },
            |raw| CountObserver(Observer::from_raw(raw)),
        )
    }
}

/// Counts hits: made by [`Count`].
#[derive(Debug)]
pub struct CountObserver(Observer);

impl CountObserver {
    pub(crate) fn from_observer(observer: Observer) -> Self {
        Self(observer)
    }

    pub(crate) fn observer_mut(&mut self) -> &mut Observer {
        &mut self.0
    }

    observer_methods!();

    /// Each probe with its hits so far.
    ///
    /// # Errors
    /// As [`Observer::hits`].
    pub fn results(&self) -> Result<impl Iterator<Item = (Probe<'_>, u64)>> {
        Ok(self.probes().iter().zip(self.hits()?))
    }
}

impl Deref for CountObserver {
    type Target = Observer;
    fn deref(&self) -> &Observer {
        &self.0
    }
}

/// An observer of any kind, such as one that was opened by its name.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyObserver {
    /// Counts.
    Count(CountObserver),
    /// Measures.
    Latency(LatencyObserver),
    /// Records.
    Trace(TraceObserver),
}

impl Deref for AnyObserver {
    type Target = Observer;
    fn deref(&self) -> &Observer {
        match self {
            Self::Count(observer) => observer,
            Self::Latency(observer) => observer,
            Self::Trace(observer) => observer,
        }
    }
}

impl AnyObserver {
    fn observer_mut(&mut self) -> &mut Observer {
        match self {
            Self::Count(observer) => observer.observer_mut(),
            Self::Latency(observer) => observer.observer_mut(),
            Self::Trace(observer) => observer.observer_mut(),
        }
    }

    observer_methods!();
}
