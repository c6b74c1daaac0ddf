// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;
use std::ops::Deref;
use std::ptr;

use crate::error::{Result, check};
use crate::observer::Observer;
use crate::scope::Scope;
use crate::spec::Probes;
use crate::sys;

numbered! {
    /// How the rows of a latency are told apart, beside by probe: `enum upm_split`.
    pub enum Split: u32 {
        /// They are not.
        None = sys::UPM_SPLIT_NONE,
        /// A row for each probe and process.
        Process = sys::UPM_SPLIT_PROCESS,
        /// A row for each probe and thread.
        Thread = sys::UPM_SPLIT_THREAD,
    }
}

/// Starts to measure the time from the entry of functions to their return.
///
/// ```no_run
/// # fn main() -> Result<(), uprobe_multi::Error> {
/// let mut latency = uprobe_multi::Latency::new("libc.so.6:read").start()?;
/// std::thread::sleep(std::time::Duration::from_secs(1));
/// for row in latency.snapshot()?.rows() {
///     println!("{} calls, p99 {} ns", row.calls(), row.percentile(0.99));
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "start() does the work"]
#[derive(Debug)]
pub struct Latency<'a> {
    probes: Probes<'a>,
    scope: Scope<'a>,
    split: Split,
    most_rows: u32,
}

impl<'a> Latency<'a> {
    /// Of these: a [`ProbeSet`](crate::ProbeSet) or specs.
    pub fn new(probes: impl Into<Probes<'a>>) -> Self {
        Self {
            probes: probes.into(),
            scope: Scope::default(),
            split: Split::None,
            most_rows: 0,
        }
    }

    scope_methods!();

    /// Tell processes or threads apart.
    pub fn split(mut self, split: Split) -> Self {
        self.split = split;
        self
    }

    /// Rows with a histogram, about 2.6 KB of kernel memory each and for every CPU up to 64 MiB; 0 =
    /// as many as the set has probes, at most 16,384 (split: 16,384).
    pub fn most_rows(mut self, most: u32) -> Self {
        self.most_rows = most;
        self
    }

    /// Attach, and measure from now on.
    ///
    /// # Errors
    /// As [`Count::start`](crate::Count::start).
    pub fn start(mut self) -> Result<LatencyObserver> {
        let own = sized!(upm_latency_options {
            split: self.split as u32,
            most_rows: self.most_rows,
        });
        self.scope.with(
            self.probes,
            // SAFETY: set and options live until the call has returned.
            |set, options, out| unsafe { sys::upm_latency(set, &own, options, out) },
            |raw| LatencyObserver(Observer::from_raw(raw)),
        )
    }
}

/// Measures calls from entry to return: made by [`Latency`].
#[derive(Debug)]
pub struct LatencyObserver(Observer);

impl LatencyObserver {
    pub(crate) fn from_observer(observer: Observer) -> Self {
        Self(observer)
    }

    pub(crate) fn observer_mut(&mut self) -> &mut Observer {
        &mut self.0
    }

    observer_methods!();

    /// What has been measured so far; also after the stop.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn snapshot(&self) -> Result<LatencySnapshot> {
        let mut out = ptr::null_mut();
        // SAFETY: a const function of a handle that lives.
        check(unsafe { sys::upm_latency_read(self.as_ptr(), &mut out) })?;
        Ok(LatencySnapshot::from_raw(out))
    }
}

impl Deref for LatencyObserver {
    type Target = Observer;
    fn deref(&self) -> &Observer {
        &self.0
    }
}

handle! {
    /// What a latency had measured at one moment. It outlives the observer.
    LatencySnapshot, sys::upm_latency_snapshot, sys::upm_latency_snapshot_free
}

/// Number of buckets of a histogram.
pub const LATENCY_BUCKETS: usize = sys::UPM_LATENCY_BUCKETS as usize;

/// What a bucket counts: times in ns from the first to below the second number. The last bucket has no end.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) from [`LATENCY_BUCKETS`] on.
///
/// ```
/// assert_eq!(uprobe_multi::bucket_bounds(3)?, (3, 4));
/// # Ok::<(), uprobe_multi::Error>(())
/// ```
pub fn bucket_bounds(bucket: usize) -> Result<(u64, u64)> {
    let (mut low, mut high) = (0, 0);
    // SAFETY: stores numbers where it is told to.
    check(unsafe { sys::upm_latency_bucket(bucket, &mut low, &mut high) })?;
    Ok((low, high))
}

impl LatencySnapshot {
    /// Number of rows.
    pub fn len(&self) -> usize {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_latency_snapshot_size(self.as_ptr()) }
    }

    /// Whether nothing was entered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row number index.
    pub fn get(&self, index: usize) -> Option<LatencyRow<'_>> {
        let mut raw = sized!(upm_latency_row {});
        // SAFETY: a structure with its size.
        let status = unsafe { sys::upm_latency_snapshot_get(self.as_ptr(), index, &mut raw) };
        (status == sys::UPM_OK).then_some(LatencyRow {
            raw,
            snapshot: self,
            index,
        })
    }

    /// A row for each probe that was entered, by probe, then pid and tid.
    pub fn rows(&self) -> impl Iterator<Item = LatencyRow<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// `CLOCK_MONOTONIC` at the reading, ns.
    pub fn time_ns(&self) -> u64 {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_latency_snapshot_time_ns(self.as_ptr()) }
    }

    /// Calls that are in no row, because there was no room for one more row.
    pub fn lost(&self) -> u64 {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_latency_snapshot_lost(self.as_ptr()) }
    }

    /// The sum of two: of several processes, machines or times.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn merge(&self, other: &Self) -> Result<Self> {
        self.with(other, sys::upm_latency_snapshot_merge)
    }

    /// What came since an earlier snapshot of the same observer. Minimum and maximum are then the
    /// bounds of the outermost buckets.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the other one is later.
    pub fn since(&self, earlier: &Self) -> Result<Self> {
        self.with(earlier, sys::upm_latency_snapshot_diff)
    }

    fn with(
        &self,
        other: &Self,
        function: unsafe extern "C" fn(
            *const sys::upm_latency_snapshot,
            *const sys::upm_latency_snapshot,
            *mut *mut sys::upm_latency_snapshot,
        ) -> i32,
    ) -> Result<Self> {
        let mut out = ptr::null_mut();
        // SAFETY: handles that live; stores a new one where it is told to.
        check(unsafe { function(self.as_ptr(), other.as_ptr(), &mut out) })?;
        Ok(Self::from_raw(out))
    }
}

impl fmt::Debug for LatencySnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows()).finish()
    }
}

/// The calls of one probe, or of one probe in one process or thread. Times are in ns.
#[derive(Clone, Copy)]
pub struct LatencyRow<'a> {
    raw: sys::upm_latency_row,
    snapshot: &'a LatencySnapshot,
    index: usize,
}

impl<'a> LatencyRow<'a> {
    /// Position of the probe in [`Observer::probes`].
    pub fn probe(&self) -> usize {
        self.raw.probe as usize
    }

    /// Calls that began.
    pub fn entries(&self) -> u64 {
        self.raw.entries
    }

    /// Calls that returned: those of the histogram.
    pub fn calls(&self) -> u64 {
        self.raw.calls
    }

    /// Entries without a return.
    pub fn unreturned(&self) -> u64 {
        self.raw.unreturned
    }

    /// Time of all calls.
    pub fn sum_ns(&self) -> u64 {
        self.raw.sum_ns
    }

    /// The shortest call; 0 without calls.
    pub fn min_ns(&self) -> u64 {
        self.raw.min_ns
    }

    /// The longest call; 0 without calls.
    pub fn max_ns(&self) -> u64 {
        self.raw.max_ns
    }

    /// The average call.
    pub fn mean_ns(&self) -> Option<f64> {
        (self.calls() > 0).then(|| self.sum_ns() as f64 / self.calls() as f64)
    }

    /// The process, when split by process or thread.
    pub fn pid(&self) -> Option<u32> {
        (self.raw.pid != 0).then_some(self.raw.pid as u32)
    }

    /// The thread, when split by thread.
    pub fn tid(&self) -> Option<u32> {
        (self.raw.tid != 0).then_some(self.raw.tid as u32)
    }

    /// Numbers of calls, one for each of [`LATENCY_BUCKETS`]; [`bucket_bounds`] says what they count.
    pub fn counts(&self) -> &'a [u64] {
        // SAFETY: the row exists, so it is an array of that many; it belongs to the snapshot.
        unsafe {
            let counts = sys::upm_latency_snapshot_buckets(self.snapshot.as_ptr(), self.index);
            std::slice::from_raw_parts(counts, LATENCY_BUCKETS)
        }
    }

    /// The time that a share (0 … 1) of the calls did not exceed, at most 1/16 off; 0 without calls.
    pub fn percentile(&self, share: f64) -> u64 {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_latency_snapshot_percentile(self.snapshot.as_ptr(), self.index, share) }
    }
}

impl fmt::Debug for LatencyRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatencyRow")
            .field("probe", &self.probe())
            .field("calls", &self.calls())
            .field("unreturned", &self.unreturned())
            .field("p50_ns", &self.percentile(0.5))
            .field("p99_ns", &self.percentile(0.99))
            .field("pid", &self.pid())
            .field("tid", &self.tid())
            .finish_non_exhaustive()
    }
}
