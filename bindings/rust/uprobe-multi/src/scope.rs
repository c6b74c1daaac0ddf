// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What [`Attach`](crate::Attach) and the observers have in common: struct upm_attach_options.
use std::fmt;

use crate::error::Result;
use crate::probe_set::ProbeSet;
use crate::progress::{Call, Callback};
use crate::resolver::resolve_specs;
use crate::spec::Probes;
use crate::sys;

numbered! {
    /// How probes reach the kernel: `enum upm_backend`.
    pub enum Backend: u32 {
        /// The best that works.
        Auto = sys::UPM_BACKEND_AUTO,
        /// One link for many probes.
        UprobeMulti = sys::UPM_BACKEND_UPROBE_MULTI,
        /// One perf event and one link for each probe.
        PerfEvent = sys::UPM_BACKEND_PERF_EVENT,
    }
}
named_by!(Backend, sys::upm_backend_name);

numbered! {
    /// Which instruction of a function is probed: `enum upm_placement`.
    pub enum Placement: u32 {
        /// Observers: the cheapest; programs of one's own: the exact one.
        Default = sys::UPM_PLACEMENT_DEFAULT,
        /// The one that was asked for.
        Exact = sys::UPM_PLACEMENT_EXACT,
        /// One near the entry that sees the same calls and costs less, where that can be proven.
        Cheapest = sys::UPM_PLACEMENT_CHEAPEST,
    }
}

#[derive(Default)]
pub(crate) struct Scope<'a> {
    pub(crate) pids: Vec<i32>,
    pub(crate) flags: u32,
    pub(crate) backend: u32,
    pub(crate) probes_per_link: u32,
    pub(crate) placement: u32,
    pub(crate) progress: Option<Callback<'a>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn set_flag(&mut self, flag: u32, on: bool) {
        self.flags = if on {
            self.flags | flag
        } else {
            self.flags & !flag
        };
    }

    /// Resolve what is not a set yet, and make a call of the library with both.
    pub(crate) fn with<R, T>(
        &mut self,
        probes: Probes<'_>,
        call: impl FnOnce(*const sys::upm_probe_set, *const sys::upm_attach_options, *mut *mut R) -> i32,
        wrap: impl FnOnce(*mut R) -> T,
    ) -> Result<T> {
        let resolved;
        let set: &ProbeSet = match &probes {
            Probes::Set(set) => set,
            Probes::Specs(specs) => {
                resolved = resolve_specs(specs, &self.pids, 0, &None, self.progress.as_mut())?;
                &resolved
            }
        };
        self.options(|options, out| call(set.as_ptr(), options, out), wrap)
    }

    /// Make a call of the library with the options.
    pub(crate) fn options<R, T>(
        &mut self,
        call: impl FnOnce(*const sys::upm_attach_options, *mut *mut R) -> i32,
        wrap: impl FnOnce(*mut R) -> T,
    ) -> Result<T> {
        let mut progress = Call::new(self.progress.as_mut());
        let options = sized!(upm_attach_options {
            flags: self.flags,
            backend: self.backend,
            pids: self.pids.as_ptr(),
            pid_count: self.pids.len(),
            probes_per_link: self.probes_per_link,
            placement: self.placement,
            progress: progress.function(),
            progress_context: progress.context(),
        });
        let mut out = std::ptr::null_mut();
        let status = call(&options, &mut out);
        progress.finish(status, out, wrap)
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("pids", &self.pids)
            .field("flags", &self.flags)
            .field("backend", &Backend::from_raw(self.backend))
            .field("probes_per_link", &self.probes_per_link)
            .field("placement", &Placement::from_raw(self.placement))
            .finish_non_exhaustive()
    }
}

/// The builder methods of everything that has a scope.
macro_rules! scope_methods {
    () => {
        /// A process to observe; none = every process. A thread's id stands for its process.
        pub fn pid(self, pid: u32) -> Self {
            self.pids([pid])
        }

        /// Several such processes, in addition.
        pub fn pids(mut self, pids: impl IntoIterator<Item = u32>) -> Self {
            self.scope
                .pids
                .extend(pids.into_iter().map(|pid| pid as i32));
            self
        }

        /// Also observe processes that the given ones fork later. Only observers can; for programs of
        /// your own it is [`Unsupported`](crate::ErrorKind::Unsupported).
        pub fn children(mut self, follow: bool) -> Self {
            self.scope
                .set_flag($crate::sys::UPM_ATTACH_CHILDREN, follow);
            self
        }

        /// Attach every probe or none.
        pub fn strict(mut self, strict: bool) -> Self {
            self.scope.set_flag($crate::sys::UPM_ATTACH_STRICT, strict);
            self
        }

        /// Force a backend.
        pub fn backend(mut self, backend: $crate::Backend) -> Self {
            self.scope.backend = backend as u32;
            self
        }

        /// Most probes in one kernel link; 0 = the kernel's cap.
        pub fn probes_per_link(mut self, most: u32) -> Self {
            self.scope.probes_per_link = most;
            self
        }

        /// Which instruction of a function is probed.
        pub fn placement(mut self, placement: $crate::Placement) -> Self {
            self.scope.placement = placement as u32;
            self
        }

        /// Call a function as it goes; [`ControlFlow::Break`](std::ops::ControlFlow) undoes the
        /// call. A panic in it goes on when the call has been undone.
        pub fn progress(
            mut self,
            function: impl FnMut($crate::Progress) -> std::ops::ControlFlow<()> + 'a,
        ) -> Self {
            self.scope.progress = Some(Box::new(function));
            self
        }
    };
}
