// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::ffi::OsString;
use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::ptr;

use crate::error::Result;
use crate::probe_set::ProbeSet;
use crate::progress::{Call, Callback, Progress};
use crate::raw::{Texts, c_string, or_null};
use crate::spec::{Spec, Specs};
use crate::sys;

/// When separate debug files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DebugFiles {
    /// For specs that find nothing in the binary's own symbol tables.
    #[default]
    WhenNeeded,
    /// For every spec.
    Always,
    /// Never, nor `.gnu_debugdata`.
    Never,
}

/// Turns specs into probes, each judged.
///
/// A spec that finds nothing does not fail: it becomes one probe whose verdict says so.
///
/// ```
/// use uprobe_multi::{Resolver, Verdict};
/// let set = Resolver::new("libc.so.6:no_such_function").spec("libc.so.6:malloc").resolve()?;
/// assert_eq!(set.get(0).unwrap().verdict(), Verdict::NoMatch);
/// assert_eq!(set.get(1).unwrap().symbol(), "malloc");
/// # Ok::<(), uprobe_multi::Error>(())
/// ```
#[must_use = "resolve() does the work"]
pub struct Resolver<'a> {
    specs: Vec<Spec>,
    pids: Vec<i32>,
    program: Option<OsString>,
    debug_files: DebugFiles,
    debuginfod: bool,
    all_matches: bool,
    accept_unwinding: bool,
    index: bool,
    progress: Option<Callback<'a>>,
}

impl<'a> Resolver<'a> {
    /// Of these specs: one text, or several.
    pub fn new(specs: impl Into<Specs>) -> Self {
        Self {
            specs: specs.into().0,
            pids: Vec::new(),
            program: None,
            debug_files: DebugFiles::default(),
            debuginfod: false,
            all_matches: false,
            accept_unwinding: false,
            index: true,
            progress: None,
        }
    }

    /// One more spec.
    pub fn spec(mut self, spec: impl Into<Spec>) -> Self {
        self.specs.push(spec.into());
        self
    }

    /// A process in whose view of files and loaded libraries BINARY is looked up. A thread's id
    /// stands for its process.
    pub fn pid(self, pid: u32) -> Self {
        self.pids([pid])
    }

    /// Several such processes, in addition.
    pub fn pids(mut self, pids: impl IntoIterator<Item = u32>) -> Self {
        self.pids.extend(pids.into_iter().map(|pid| pid as i32));
        self
    }

    /// An executable about to run: BINARY may be a library that it will load, and `*` is the
    /// executable and all that it needs.
    pub fn program(mut self, path: impl AsRef<Path>) -> Self {
        self.program = Some(path.as_ref().into());
        self
    }

    /// When to read separate debug files.
    pub fn debug_files(mut self, when: DebugFiles) -> Self {
        self.debug_files = when;
        self
    }

    /// Ask the servers of `DEBUGINFOD_URLS` where no local debug file is found.
    pub fn debuginfod(mut self, ask: bool) -> Self {
        self.debuginfod = ask;
        self
    }

    /// Let a plain name that stands for several functions match them all.
    pub fn all_matches(mut self, all: bool) -> Self {
        self.all_matches = all;
        self
    }

    /// Allow return probes, latencies and sessions on functions that an exception or a panic may leave:
    /// all of a file whose code throws or cleans up (C++, Rust). One that does leave such a
    /// function ends the program, since its unwinder does not know the kernel's trampoline.
    /// Without this they have [`Verdict::ReturnUnsafe`](crate::Verdict::ReturnUnsafe).
    pub fn accept_unwinding(mut self, accept: bool) -> Self {
        self.accept_unwinding = accept;
        self
    }

    /// Read and keep what a pattern finds in a large file, so that the next time is quick: true
    /// unless told otherwise. Where: `UPM_RESOLVE_NO_INDEX` in the C header.
    pub fn index(mut self, index: bool) -> Self {
        self.index = index;
        self
    }

    /// Call a function as it goes; [`ControlFlow::Break`] cancels.
    pub fn progress(mut self, function: impl FnMut(Progress) -> ControlFlow<()> + 'a) -> Self {
        self.progress = Some(Box::new(function));
        self
    }

    /// Do it.
    ///
    /// # Errors
    /// [`Spec`](crate::ErrorKind::Spec) for one that does not parse,
    /// [`NotFound`](crate::ErrorKind::NotFound) for a process that does not exist,
    /// [`Permission`](crate::ErrorKind::Permission), [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn resolve(mut self) -> Result<ProbeSet> {
        resolve_specs(
            &self.specs,
            &self.pids,
            self.flags(),
            &self.program,
            self.progress.as_mut(),
        )
    }

    fn flags(&self) -> u32 {
        let debug = match self.debug_files {
            DebugFiles::WhenNeeded => 0,
            DebugFiles::Always => sys::UPM_RESOLVE_DEBUG_ALWAYS,
            DebugFiles::Never => sys::UPM_RESOLVE_DEBUG_NEVER,
        };
        let flag = |on: bool, bit| if on { bit } else { 0 };
        debug
            | flag(self.debuginfod, sys::UPM_RESOLVE_DEBUGINFOD)
            | flag(self.all_matches, sys::UPM_RESOLVE_ALL_MATCHES)
            | flag(self.accept_unwinding, sys::UPM_RESOLVE_ACCEPT_UNWINDING)
            | flag(!self.index, sys::UPM_RESOLVE_NO_INDEX)
    }
}

pub(crate) fn resolve_specs(
    specs: &[Spec],
    pids: &[i32],
    flags: u32,
    program: &Option<OsString>,
    progress: Option<&mut Callback<'_>>,
) -> Result<ProbeSet> {
    let texts = Texts::new(specs.iter().map(Spec::as_str), "resolve the spec")?;
    let program = match program {
        Some(path) => Some(c_string(path, "resolve for the program")?),
        None => None,
    };
    let mut call = Call::new(progress);
    let options = sized!(upm_resolve_options {
        flags: flags,
        pids: pids.as_ptr(),
        pid_count: pids.len(),
        program: or_null(&program),
        progress: call.function(),
        progress_context: call.context(),
    });
    let mut out = ptr::null_mut();
    // SAFETY: all that the options point to lives until the call has returned.
    let status = unsafe { sys::upm_resolve(texts.as_ptr(), texts.len(), &options, &mut out) };
    call.finish(status, out, ProbeSet::from_raw)
}

impl fmt::Debug for Resolver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("specs", &self.specs)
            .field("pids", &self.pids)
            .field("program", &self.program)
            .field("debug_files", &self.debug_files)
            .field("debuginfod", &self.debuginfod)
            .field("all_matches", &self.all_matches)
            .field("accept_unwinding", &self.accept_unwinding)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// Turn specs into probes, each judged, with all defaults: see [`Resolver`].
///
/// # Errors
/// As [`Resolver::resolve`].
pub fn resolve(specs: impl Into<Specs>) -> Result<ProbeSet> {
    Resolver::new(specs).resolve()
}
