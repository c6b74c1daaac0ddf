// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! From batches to single events that keep their batch alive.
//!
//! An event may be kept and sent elsewhere, so a batch is counted like an `Arc`. An `Arc` costs two atomic
//! operations for each event, which is as much as reading it. Here the counts of all events of a batch are
//! taken at once when it has been read; handing one out costs nothing, and only the event's end is counted.
use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::batch::Batch;
use crate::error::Result;
use crate::event::{Event, EventRef, Shared};
use crate::observer::Observer;
use crate::signature::Signatures;

struct Counted {
    holders: AtomicUsize,
    batch: Batch,
}

/// A batch, and one of the counts that keep it alive.
pub(crate) struct Held(NonNull<Counted>);

// SAFETY: counted atomically; the batch inside is Send and Sync.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    fn new(batch: Batch) -> Self {
        let holders = AtomicUsize::new(1);
        Self(NonNull::from(Box::leak(Box::new(Counted {
            holders,
            batch,
        }))))
    }

    #[inline]
    fn counted(&self) -> &Counted {
        // SAFETY: lives as long as there are counts, and this is one.
        unsafe { self.0.as_ref() }
    }

    /// The batch, if nobody else holds it.
    fn into_batch(self) -> Option<Batch> {
        if self.counted().holders.load(Ordering::Acquire) != 1 {
            return None;
        }
        let pointer = self.0.as_ptr();
        std::mem::forget(self);
        // SAFETY: the only count was this one, so nobody can make another.
        Some(unsafe { Box::from_raw(pointer) }.batch)
    }

    /// Take so many counts, for holders that are made later.
    fn take_counts(&self, count: usize) {
        self.counted().holders.fetch_add(count, Ordering::Relaxed);
    }

    /// A holder of a count that has been taken.
    ///
    /// # Safety
    /// There must be one for it.
    #[inline]
    unsafe fn holder(&self) -> Self {
        Self(self.0)
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        self.take_counts(1);
        // SAFETY: taken right before.
        unsafe { self.holder() }
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        if self.counted().holders.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            // SAFETY: that was the last count.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl Deref for Held {
    type Target = Batch;
    #[inline]
    fn deref(&self) -> &Batch {
        &self.counted().batch
    }
}

/// Events that were read ahead, one after another. Its memory is used again when no event of it is left.
#[derive(Default)]
pub(crate) struct Queue {
    /// With a count for each event that has not been handed out.
    batch: Option<Held>,
    next: usize,
    handed_out: usize,
}

impl Queue {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.batch
            .as_ref()
            .is_none_or(|batch| self.next >= batch.len())
    }

    /// The next event, to be kept.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let batch = self
            .batch
            .as_ref()
            .filter(|batch| self.next < batch.len())?;
        let index = self.next;
        self.next += 1;
        self.handed_out += 1;
        // SAFETY: each event has a count, and is handed out once.
        let batch = unsafe { batch.holder() };
        Some(Event(Shared { batch, index }))
    }

    /// The next event, to be looked at.
    #[inline]
    pub(crate) fn pop_ref(&mut self) -> Option<EventRef<'_>> {
        let event = self.batch.as_ref()?.get(self.next)?;
        self.next += 1;
        Some(event)
    }

    /// As many of the next events as a batch has room for, without a copy.
    pub(crate) fn lend(&mut self, to: &mut Batch) {
        if let Some(batch) = &self.batch {
            self.next += to.look_at(batch.clone(), self.next);
        }
    }

    /// Read more events.
    #[cold]
    pub(crate) fn refill(
        &mut self,
        observer: &mut Observer,
        signatures: &Signatures,
        timeout_ms: i32,
    ) -> Result<()> {
        let mut room = match self.let_go().and_then(Held::into_batch) {
            Some(free) => free,
            None => Batch::new()?,
        };
        let read = room.fill(observer, signatures, timeout_ms);
        let held = Held::new(room);
        held.take_counts(held.len());
        self.batch = Some(held);
        read
    }

    /// The batch, without the counts of events that were not handed out.
    fn let_go(&mut self) -> Option<Held> {
        let batch = self.batch.take()?;
        let counts = batch.len() - self.handed_out;
        // The count of `batch` stays, so this is never the last one.
        batch.counted().holders.fetch_sub(counts, Ordering::Release);
        self.next = 0;
        self.handed_out = 0;
        Some(batch)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self
            .batch
            .as_ref()
            .map_or(0, |batch| batch.len().saturating_sub(self.next));
        write!(f, "Queue({waiting} events)")
    }
}
