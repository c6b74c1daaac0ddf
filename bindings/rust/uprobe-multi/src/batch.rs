// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;
use std::ptr::{self, NonNull};

use crate::error::{Result, check};
use crate::event::{Borrowed, Event, EventRef, RawEvent};
use crate::observer::Observer;
use crate::queue::Held;
use crate::signature::Signatures;
use crate::sys;

/// Room for events that are read together, and those that were read last: memory of the library,
/// looked at without a copy.
///
/// ```no_run
/// # fn main() -> Result<(), uprobe_multi::Error> {
/// # let mut trace = uprobe_multi::Trace::new("libc.so.6:read").start()?;
/// let mut batch = uprobe_multi::Batch::new()?;
/// trace.read(&mut batch, None)?;
/// let bytes: u64 = batch.as_slice().iter().map(|event| event.arguments[2]).sum();
/// # Ok(())
/// # }
/// ```
pub struct Batch {
    raw: NonNull<sys::upm_batch>,
    events: *const u8,
    stride: usize,
    len: usize,
    text: *const u8,
    text_len: usize,
    signatures: Signatures,
    /// Most events of a reading.
    most: usize,
    /// The batch whose memory the pointers are into; none = the library's handle above.
    lender: Option<Held>,
}

// SAFETY: the library binds no handle to a thread; the pointers are into the handle, or into that of a lender.
unsafe impl Send for Batch {}
// SAFETY: &self only reads, and what changes the memory takes &mut self.
unsafe impl Sync for Batch {}

impl Batch {
    /// Room for 4096 events and 1 MiB of texts.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn new() -> Result<Self> {
        Self::with_capacity(0, 0)
    }

    /// Room for so many events and bytes of strings, buffers and stacks; 0 = as [`Batch::new`].
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn with_capacity(events: usize, text_bytes: usize) -> Result<Self> {
        let mut out = ptr::null_mut();
        // SAFETY: stores a handle where it is told to.
        check(unsafe { sys::upm_batch_new(events, text_bytes, &mut out) })?;
        Ok(Self {
            raw: NonNull::new(out).expect("the library gave no handle"),
            events: ptr::null(),
            // SAFETY: takes nothing.
            stride: unsafe { sys::upm_batch_event_size() },
            len: 0,
            text: ptr::null(),
            text_len: 0,
            signatures: Signatures::none(),
            // Of itself it has room for all that are read ahead.
            most: if events == 0 { usize::MAX } else { events },
            lender: None,
        })
    }

    /// Read as upm_trace_read() does.
    pub(crate) fn fill(
        &mut self,
        observer: &mut Observer,
        signatures: &Signatures,
        timeout_ms: i32,
    ) -> Result<()> {
        self.len = 0;
        self.lender = None;
        let raw = self.raw.as_ptr();
        // SAFETY: handles that live and that nobody else uses: both are borrowed for change.
        let status = unsafe { sys::upm_trace_read(observer.as_mut_ptr(), raw, timeout_ms) };
        // Where things are now; what was there before an error is not looked at.
        // SAFETY: const functions of a handle that lives.
        unsafe {
            self.events = sys::upm_batch_events(raw).cast();
            self.text = sys::upm_batch_text(raw).cast();
            self.text_len = sys::upm_batch_text_size(raw);
            check(status)?;
            self.len = sys::upm_batch_size(raw);
        }
        self.signatures = signatures.clone();
        self.load_signatures(observer);
        Ok(())
    }

    /// Events of another batch from number `first` on, as many as there is room for: their number.
    pub(crate) fn look_at(&mut self, lender: Held, first: usize) -> usize {
        let first = first.min(lender.len);
        // SAFETY: within the memory of the lender's events, or at its end.
        self.events = unsafe { lender.events.add(first * lender.stride) };
        self.len = (lender.len - first).min(self.most);
        self.text = lender.text;
        self.text_len = lender.text_len;
        self.signatures = lender.signatures.clone();
        self.lender = Some(lender);
        self.len
    }

    /// Those of its events, unless all are there: that would be one more walk over the memory.
    fn load_signatures(&self, observer: &Observer) {
        if self.signatures.are_all_loaded(observer) {
            return;
        }
        for event in self.iter() {
            self.signatures.load(observer, event.raw().probe);
        }
    }

    /// Number of events.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no events.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Event number index.
    #[inline]
    pub fn get(&self, index: usize) -> Option<EventRef<'_>> {
        (index < self.len).then(|| Event(self.parts(index)))
    }

    /// The events in the order of the ring buffer.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = EventRef<'_>> {
        (0..self.len).map(|index| Event(self.parts(index)))
    }

    /// The events side by side, as the library wrote them. Their texts are in [`Batch::text`].
    ///
    /// # Panics
    /// When the library's events are larger than those of this crate, which only a shared library
    /// that is newer has; [`Batch::iter`] takes those, too.
    pub fn as_slice(&self) -> &[RawEvent] {
        assert_eq!(
            self.stride,
            size_of::<RawEvent>(),
            "the library has larger events"
        );
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the library wrote that many.
        unsafe { std::slice::from_raw_parts(self.events.cast(), self.len) }
    }

    /// The text area, which strings, buffers and stacks of the events lie in.
    pub fn text(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the library wrote that many bytes.
        unsafe { std::slice::from_raw_parts(self.text, self.text_len) }
    }

    #[inline]
    pub(crate) fn parts(&self, index: usize) -> Borrowed<'_> {
        debug_assert!(index < self.len);
        Borrowed {
            // SAFETY: callers see to it that the event exists. A larger one begins with what is known.
            raw: unsafe { &*self.events.add(index * self.stride).cast() },
            text: self.text,
            signatures: &self.signatures,
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: it is freed only here.
        unsafe { sys::upm_batch_free(self.raw.as_ptr()) }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
