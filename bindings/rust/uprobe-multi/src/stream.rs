// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, Sleep, sleep};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::trace::TraceObserver;

/// The kernel wakes a reader only when a quarter of the ring is full.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Events of a trace, for async programs: made by [`TraceObserver::into_stream`]. It never ends by
/// itself.
pub struct EventStream {
    ready: AsyncFd<OwnedFd>,
    trace: TraceObserver,
    timer: Pin<Box<Sleep>>,
}

impl TraceObserver {
    /// The events as an asynchronous stream of [`Result<Event>`](Event).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the descriptor can not be waited for.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O and time enabled.
    pub fn into_stream(self) -> Result<EventStream> {
        let refused = |error: io::Error| {
            Error::invalid("wait for events", "", &error.to_string(), "see ulimit -n")
        };
        // A descriptor of its own for the same ring buffer: it is neither replaced nor closed while it
        // is registered, which is what the deprecation is about.
        let descriptor = self.as_fd().try_clone_to_owned().map_err(refused)?;
        #[allow(deprecated)]
        let ready = AsyncFd::with_interest(descriptor, Interest::READABLE).map_err(refused)?;
        Ok(EventStream {
            ready,
            trace: self,
            timer: Box::pin(sleep(LOOK_EVERY)),
        })
    }
}

impl EventStream {
    /// The trace.
    pub fn trace(&self) -> &TraceObserver {
        &self.trace
    }

    /// The trace again, with the events that were read and not taken.
    pub fn into_inner(self) -> TraceObserver {
        self.trace
    }

    /// Pending until the ring is a quarter full, or the time has come to look.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        if let Poll::Ready(Ok(mut guard)) = self.ready.poll_read_ready(context) {
            guard.clear_ready();
            return Poll::Ready(Ok(()));
        }
        ready!(self.timer.as_mut().poll(context));
        self.timer.as_mut().reset(Instant::now() + LOOK_EVERY);
        Poll::Ready(Ok(()))
    }
}

impl Stream for EventStream {
    type Item = Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Err(error) = this.trace.look(Some(Duration::ZERO)) {
                return Poll::Ready(Some(Err(error)));
            }
            if let Some(event) = this.trace.pop() {
                return Poll::Ready(Some(Ok(event)));
            }
            ready!(this.poll_ready(context))?;
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("trace", &self.trace)
            .finish_non_exhaustive()
    }
}
