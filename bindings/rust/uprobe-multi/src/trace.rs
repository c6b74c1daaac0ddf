// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::ffi::{c_char, c_void};
use std::fmt;
use std::ops::{ControlFlow, Deref};
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr;
use std::time::{Duration, Instant};

use crate::batch::Batch;
use crate::error::{ErrorKind, Result, check};
use crate::event::{Borrowed, Event, EventRef, RawEvent};
use crate::observer::Observer;
use crate::progress::{Guarded, STOP};
use crate::queue::Queue;
use crate::raw::{c_string, or_null};
use crate::scope::Scope;
use crate::signature::{Signature, Signatures};
use crate::spec::Probes;
use crate::sys;

/// Starts to record an event for each hit.
///
/// ```no_run
/// # fn main() -> Result<(), uprobe_multi::Error> {
/// let mut trace = uprobe_multi::Trace::new("libc.so.6:open")
///     .arguments("int (char *path, int flags)")
///     .filter("path ^= \"/etc/\"")
///     .returns(true)
///     .start()?;
/// for event in trace.events() {
///     println!("{}", event?);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "start() does the work"]
#[derive(Debug)]
pub struct Trace<'a> {
    probes: Probes<'a>,
    scope: Scope<'a>,
    flags: u32,
    ring_bytes: u32,
    text_bytes: u32,
    stack_frames: u32,
    arguments: Option<String>,
    probe_arguments: Vec<Option<String>>,
    filter: Option<String>,
    comm: Option<String>,
    tids: Vec<i32>,
    sample: u32,
    rate: u32,
}

impl<'a> Trace<'a> {
    /// Of these: a [`ProbeSet`](crate::ProbeSet) or specs.
    pub fn new(probes: impl Into<Probes<'a>>) -> Self {
        Self {
            probes: probes.into(),
            scope: Scope::default(),
            flags: 0,
            ring_bytes: 0,
            text_bytes: 0,
            stack_frames: 0,
            arguments: None,
            probe_arguments: Vec::new(),
            filter: None,
            comm: None,
            tids: Vec::new(),
            sample: 0,
            rate: 0,
        }
    }

    scope_methods!();

    /// One event for each call, at its return: arguments as they were at the entry, the result,
    /// and the duration. Concerns [`Kind::Uprobe`](crate::Kind::Uprobe) probes.
    pub fn returns(self, returns: bool) -> Self {
        self.flag(sys::UPM_TRACE_RETURNS, returns)
    }

    /// Add the user stack, as the kernel finds it by frame pointers.
    pub fn stacks(self, stacks: bool) -> Self {
        self.flag(sys::UPM_TRACE_STACKS, stacks)
    }

    fn flag(mut self, flag: u32, on: bool) -> Self {
        self.flags = if on {
            self.flags | flag
        } else {
            self.flags & !flag
        };
        self
    }

    /// Size of the ring buffer, rounded up to a power of two; 0 = 16 MiB.
    pub fn ring_bytes(mut self, bytes: u32) -> Self {
        self.ring_bytes = bytes;
        self
    }

    /// Most bytes of a string or byte buffer; 0 = 256, at most 4096.
    pub fn text_bytes(mut self, bytes: u32) -> Self {
        self.text_bytes = bytes;
        self
    }

    /// Most frames of a stack; 0 = 64, at most 127.
    pub fn stack_frames(mut self, frames: u32) -> Self {
        self.stack_frames = frames;
        self
    }

    /// The arguments of all probes, as a C-like signature: `"(int fd, char *path, size_t n)"`.
    pub fn arguments(mut self, signature: impl Into<String>) -> Self {
        self.arguments = Some(signature.into());
        self
    }

    /// A signature for each probe of the set; `None` stands for that of all.
    pub fn probe_arguments<T: Into<String>>(
        mut self,
        signatures: impl IntoIterator<Item = Option<T>>,
    ) -> Self {
        self.probe_arguments = signatures
            .into_iter()
            .map(|one| one.map(Into::into))
            .collect();
        self
    }

    /// Comparisons joined by `&&`, such as `fd == 3 && n >= 4096 && path ^= "/etc/"`.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Only threads of this name.
    pub fn comm(mut self, comm: impl Into<String>) -> Self {
        self.comm = Some(comm.into());
        self
    }

    /// Only these threads.
    pub fn tids(mut self, tids: impl IntoIterator<Item = u32>) -> Self {
        self.tids.extend(tids.into_iter().map(|tid| tid as i32));
        self
    }

    /// Of each probe, on each CPU, the first of every so many hits that pass the filters.
    pub fn sample(mut self, every: u32) -> Self {
        self.sample = every;
        self
    }

    /// Most events a second over all probes.
    pub fn rate(mut self, most: u32) -> Self {
        self.rate = most;
        self
    }

    /// Attach, and record from now on.
    ///
    /// # Errors
    /// As [`Count::start`](crate::Count::start); [`Spec`](crate::ErrorKind::Spec) for a signature or
    /// filter that does not parse.
    pub fn start(mut self) -> Result<TraceObserver> {
        let text = |text: &Option<String>, what| match text {
            Some(text) => c_string(text, what).map(Some),
            None => Ok(None),
        };
        let arguments = text(&self.arguments, "read the signature")?;
        let filter = text(&self.filter, "read the filter")?;
        let comm = text(&self.comm, "choose threads")?;
        let each = self
            .probe_arguments
            .iter()
            .map(|one| text(one, "read the signature"))
            .collect::<Result<Vec<_>>>()?;
        let pointers: Vec<_> = each.iter().map(or_null).collect();
        let own = sized!(upm_trace_options {
            flags: self.flags,
            ring_bytes: self.ring_bytes,
            text_bytes: self.text_bytes,
            stack_frames: self.stack_frames,
            arguments: or_null(&arguments),
            probe_arguments: if pointers.is_empty() {
                ptr::null()
            } else {
                pointers.as_ptr()
            },
            probe_argument_count: pointers.len(),
            filter: or_null(&filter),
            comm: or_null(&comm),
            tids: if self.tids.is_empty() {
                ptr::null()
            } else {
                self.tids.as_ptr()
            },
            tid_count: self.tids.len(),
            sample: self.sample,
            rate: self.rate,
        });
        self.scope.with(
            self.probes,
            // SAFETY: set and options, with all they point to, live until the call has returned.
            |set, options, out| unsafe { sys::upm_trace(set, &own, options, out) },
            |raw| TraceObserver::from_observer(Observer::from_raw(raw)),
        )
    }
}

/// What became of the hits of one probe: `struct upm_trace_count`. Nothing is lost in silence:
/// hits = events + filtered + lost + unreturned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceCount {
    /// In the processes observed.
    pub hits: u64,
    /// Put into the ring buffer.
    pub events: u64,
    /// Kept out by a filter, the sampling or the rate limit.
    pub filtered: u64,
    /// There was no room.
    pub lost: u64,
    /// With [`Trace::returns`]: running, or without a return that the kernel tells of.
    pub unreturned: u64,
    /// Of lost: calls that found no room in the table of running calls.
    pub refused: u64,
}

/// Records events: made by [`Trace`].
///
/// | how | for |
/// |---|---|
/// | [`events`](Self::events) | a loop over events that can be kept |
/// | [`read`](Self::read) | many at once, without a copy |
/// | [`next_event`](Self::next_event) | one at a time, without a copy |
/// | [`run`](Self::run) | a function for each |
/// | `into_stream` (feature `tokio`) | async programs |
///
/// All of them take many events off the ring at once. Those that one has not given yet, because a loop was
/// left or a function broke, are kept here, and whichever comes next gives them first: each event comes
/// once, in order, however the ways are mixed.
pub struct TraceObserver {
    observer: Observer,
    signatures: Signatures,
    /// What was read for events() and not given yet.
    ahead: Queue,
    /// What next_event() gave last.
    latest: Box<RawEvent>,
}

impl TraceObserver {
    pub(crate) fn from_observer(observer: Observer) -> Self {
        Self {
            signatures: Signatures::of(&observer),
            observer,
            ahead: Queue::default(),
            // SAFETY: a plain C structure, for which zeros are values.
            latest: Box::new(unsafe { std::mem::zeroed() }),
        }
    }

    pub(crate) fn observer_mut(&mut self) -> &mut Observer {
        &mut self.observer
    }

    observer_methods!();

    /// Names, arguments and result of a probe's events.
    ///
    /// # Panics
    /// When there is no such probe.
    pub fn signature(&self, probe: usize) -> &Signature {
        self.signatures.load(&self.observer, probe as u32);
        self.signatures.get(probe as u32)
    }

    /// What became of the hits of each probe so far; exact once the observer is stopped.
    ///
    /// # Errors
    /// None that are known.
    pub fn counts(&self) -> Result<Vec<TraceCount>> {
        let zero = sys::upm_trace_count {
            hits: 0,
            events: 0,
            filtered: 0,
            lost: 0,
            unreturned: 0,
            refused: 0,
        };
        let mut counts = vec![zero; self.observer.probes().len()];
        // SAFETY: the array has the length that is said.
        check(unsafe {
            sys::upm_trace_counts(self.observer.as_ptr(), counts.as_mut_ptr(), counts.len())
        })?;
        let count = |raw: sys::upm_trace_count| TraceCount {
            hits: raw.hits,
            events: raw.events,
            filtered: raw.filtered,
            lost: raw.lost,
            unreturned: raw.unreturned,
            refused: raw.refused,
        };
        Ok(counts.into_iter().map(count).collect())
    }

    /// Read events into a batch: all that are there, as far as it has room; when none is, wait for
    /// some. Gives their number: 0 when the time is over. `None` waits for ever.
    ///
    /// What another way of reading took off the ring and did not give comes first. What a loop over
    /// [`events`](Self::events) left comes alone: the batch looks at that memory without a copy.
    ///
    /// # Errors
    /// [`State`](crate::ErrorKind::State) when another process reads the events,
    /// [`Cancelled`](crate::ErrorKind::Cancelled) when a signal came while waiting.
    pub fn read(&mut self, batch: &mut Batch, timeout: Option<Duration>) -> Result<usize> {
        if self.ahead.is_empty() {
            batch.fill(&mut self.observer, &self.signatures, milliseconds(timeout))?;
        } else {
            self.ahead.lend(batch);
        }
        Ok(batch.len())
    }

    /// Pull one event, which lies in the observer until the next one; `None` when the time is over.
    ///
    /// # Errors
    /// As [`TraceObserver::read`].
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<EventRef<'_>>> {
        if !self.ahead.is_empty() {
            return Ok(self.ahead.pop_ref());
        }
        let mut text = ptr::null();
        // SAFETY: stores an event and a pointer where it is told to.
        let status = unsafe {
            sys::upm_trace_next(
                self.observer.as_mut_ptr(),
                &mut *self.latest,
                &mut text,
                milliseconds(timeout),
            )
        };
        if ErrorKind::from_raw(status) == ErrorKind::NotFound {
            return Ok(None);
        }
        check(status)?;
        self.signatures.load(&self.observer, self.latest.probe);
        Ok(Some(Event(Borrowed {
            raw: &self.latest,
            text: text.cast(),
            signatures: &self.signatures,
        })))
    }

    /// Call a function for each event until it breaks or the time is over. Says whether it broke.
    /// A panic in it ends the run and goes on.
    ///
    /// # Errors
    /// As [`TraceObserver::read`].
    pub fn run<F>(&mut self, timeout: Option<Duration>, mut function: F) -> Result<ControlFlow<()>>
    where
        F: FnMut(EventRef<'_>) -> ControlFlow<()>,
    {
        let start = Instant::now();
        while let Some(event) = self.ahead.pop_ref() {
            if function(event).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // The function gets no access to the observer, so all is read before.
        self.signatures.load_all(&self.observer);
        let mut guarded = Guarded::new((function, &self.signatures));
        // SAFETY: the context outlives the call, and on_event fits its type.
        let status = unsafe {
            sys::upm_trace_run(
                self.observer.as_mut_ptr(),
                Some(on_event::<F>),
                guarded.context(),
                milliseconds(timeout.map(|time| time.saturating_sub(start.elapsed()))),
            )
        };
        guarded.resume();
        Ok(match check(status)? {
            STOP => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
    }

    /// The events as they come, waiting for ever: a loop over it ends by `break` or an error. What it had
    /// read by then and not given comes next time.
    pub fn events(&mut self) -> Events<'_> {
        self.events_for(None)
    }

    /// The events as they come, until none has come for so long. [`Duration::ZERO`]: those that
    /// are there.
    pub fn events_for(&mut self, patience: impl Into<Option<Duration>>) -> Events<'_> {
        Events {
            trace: self,
            patience: patience.into(),
        }
    }

    /// Read ahead, unless events wait to be given.
    #[inline]
    pub(crate) fn look(&mut self, timeout: Option<Duration>) -> Result<()> {
        if !self.ahead.is_empty() {
            return Ok(());
        }
        let timeout = milliseconds(timeout);
        self.ahead
            .refill(&mut self.observer, &self.signatures, timeout)
    }

    /// One that was read ahead.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.ahead.pop()
    }

    /// A descriptor to wait for events with poll(2), beside a timer of 10 ms or so: the kernel wakes a
    /// waiting reader only when a quarter of the ring is full. It knows nothing of events that were read and
    /// not given: wait when a reading has given none.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid).
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        // SAFETY: a const function of a handle that lives.
        let fd = check(unsafe { sys::upm_trace_fd(self.observer.as_ptr()) })?;
        // SAFETY: the observer keeps it open as long as it lives.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }
}

/// For libraries of event loops; see [`TraceObserver::fd`].
impl AsFd for TraceObserver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd().expect("a trace has a ring buffer")
    }
}

unsafe extern "C" fn on_event<F>(
    raw: *const RawEvent,
    text: *const c_char,
    context: *mut c_void,
) -> i32
where
    F: FnMut(EventRef<'_>) -> ControlFlow<()>,
{
    // SAFETY: the context is what run() gave, with this F; event and text live during the call.
    let (guarded, raw) = unsafe { (&mut *context.cast::<Guarded<(F, &Signatures)>>(), &*raw) };
    guarded.call(|(function, signatures)| {
        function(Event(Borrowed {
            raw,
            text: text.cast(),
            signatures,
        }))
    })
}

/// For the library, which takes -1 for ever. Part of a millisecond counts as a whole one.
fn milliseconds(timeout: Option<Duration>) -> i32 {
    timeout.map_or(-1, |time| {
        i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
    })
}

impl Deref for TraceObserver {
    type Target = Observer;
    fn deref(&self) -> &Observer {
        &self.observer
    }
}

impl fmt::Debug for TraceObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.observer.fmt(f)
    }
}

/// The events of a trace as they come: an iterator over those that can be kept, and
/// [`next_ref`](Self::next_ref) for those that are only looked at.
#[derive(Debug)]
pub struct Events<'a> {
    trace: &'a mut TraceObserver,
    patience: Option<Duration>,
}

impl Events<'_> {
    /// The next event, borrowed until the one after it: the fastest loop.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), uprobe_multi::Error> {
    /// # let mut trace = uprobe_multi::Trace::new("libc.so.6:read").start()?;
    /// let mut events = trace.events();
    /// while let Some(event) = events.next_ref()? {
    ///     println!("{event}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TraceObserver::read`].
    #[inline]
    pub fn next_ref(&mut self) -> Result<Option<EventRef<'_>>> {
        self.trace.look(self.patience)?;
        Ok(self.trace.ahead.pop_ref())
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Event>;

    #[inline]
    fn next(&mut self) -> Option<Result<Event>> {
        match self.trace.look(self.patience) {
            Ok(()) => self.trace.pop().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}
