// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Progress callbacks, and panics that must not cross C.
//!
//! A panic in a callback is caught where C called it, the library is told to cancel, which undoes the
//! call, and the panic goes on when the library has returned.
use std::any::Any;
use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::error::{Result, check};
use crate::raw::static_text;
use crate::sys;

/// How far a long call has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// `"resolve"`, `"debuginfo"`, `"attach"` or `"detach"`.
    pub stage: &'static str,
    /// Steps of this stage that are done.
    pub done: u64,
    /// Steps of this stage; `None` when the number is not known.
    pub total: Option<u64>,
}

/// A progress callback: [`ControlFlow::Break`] undoes the call, which then fails with
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
pub(crate) type Callback<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>;

/// A function of the caller's on its way through C, and the panic that it may have had.
pub(crate) struct Guarded<F> {
    function: F,
    panic: Option<Box<dyn Any + Send>>,
}

impl<F> Guarded<F> {
    pub(crate) fn new(function: F) -> Self {
        Self {
            function,
            panic: None,
        }
    }

    pub(crate) fn context(&mut self) -> *mut c_void {
        (self as *mut Self).cast()
    }

    /// What C gets for the answer: 0 to go on. After a panic the function is not called again.
    pub(crate) fn call(&mut self, ask: impl FnOnce(&mut F) -> ControlFlow<()>) -> i32 {
        if self.panic.is_some() {
            return STOP;
        }
        match catch_unwind(AssertUnwindSafe(|| ask(&mut self.function))) {
            Ok(ControlFlow::Continue(())) => 0,
            Ok(ControlFlow::Break(())) => STOP,
            Err(panic) => {
                self.panic = Some(panic);
                STOP
            }
        }
    }

    /// Lets a panic go on, now that the library has returned.
    pub(crate) fn resume(&mut self) {
        if let Some(panic) = self.panic.take() {
            resume_unwind(panic);
        }
    }
}

/// What a callback returns to end the call it came from.
pub(crate) const STOP: i32 = 1;

/// One call of the library that may report progress.
pub(crate) type Call<'c, 'f> = Guarded<Option<&'c mut Callback<'f>>>;

impl Call<'_, '_> {
    pub(crate) fn function(&self) -> sys::upm_progress_fn {
        self.function
            .is_some()
            .then_some(on_progress as unsafe extern "C" fn(_, _, _, _) -> _)
    }

    /// Takes over what the call stored, and only then lets a panic go on: nothing is leaked.
    pub(crate) fn finish<R, T>(
        &mut self,
        status: i32,
        out: *mut R,
        wrap: impl FnOnce(*mut R) -> T,
    ) -> Result<T> {
        let result = check(status).map(|_| wrap(out));
        self.resume();
        result
    }
}

unsafe extern "C" fn on_progress(
    stage: *const c_char,
    done: u64,
    total: u64,
    context: *mut c_void,
) -> i32 {
    // SAFETY: the context is the Call that made the options, which outlives the call of the
    // library; the library calls back on the same thread, with a static string.
    let (call, stage) = unsafe { (&mut *context.cast::<Call<'_, '_>>(), static_text(stage)) };
    call.call(|function| match function {
        Some(function) => function(Progress {
            stage,
            done,
            total: (total != 0).then_some(total),
        }),
        None => ControlFlow::Continue(()),
    })
}
