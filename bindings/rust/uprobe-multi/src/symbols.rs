// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::ptr;

use crate::error::{Result, check};
use crate::probe::demangle;
use crate::raw::{lossy, path};
use crate::sys;

handle! {
    /// Finds out what lies at addresses of processes, and remembers it, after their end too.
    Symbolizer, sys::upm_symbolizer, sys::upm_symbolizer_free
}

/// What lies at an address. Shows itself as `binary:function`, as people read it; where there is no function
/// as `binary+0xOFFSET` in the file, and as `?` where nothing is known.
#[derive(Clone, Copy)]
pub struct Location<'a> {
    raw: sys::upm_place,
    symbolizer: PhantomData<&'a Symbolizer>,
}

// SAFETY: its strings belong to the symbolizer, which is Sync.
unsafe impl Send for Location<'_> {}
// SAFETY: as above.
unsafe impl Sync for Location<'_> {}

impl Symbolizer {
    /// A new one.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn new() -> Result<Self> {
        let mut out = ptr::null_mut();
        // SAFETY: stores a handle where it is told to.
        check(unsafe { sys::upm_symbolizer_new(&mut out) })?;
        Ok(Self::from_raw(out))
    }

    /// Find out what lies at an address of a process. `after_call`: it is one that a call returns to, as
    /// every frame of a stack but the first; the call before it is meant.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory). An address of which nothing is known is no error.
    pub fn find(&mut self, pid: u32, address: u64, after_call: bool) -> Result<Location<'_>> {
        let mut raw = sized!(upm_place {});
        // SAFETY: a structure with its size.
        check(unsafe {
            sys::upm_symbolizer_find(
                self.as_mut_ptr(),
                pid as i32,
                address,
                after_call.into(),
                &mut raw,
            )
        })?;
        Ok(Location {
            raw,
            symbolizer: PhantomData,
        })
    }

    /// The names of a stack, innermost first: `binary:function` each, as [`Location`] shows itself.
    ///
    /// # Errors
    /// As [`Symbolizer::find`].
    pub fn names(&mut self, pid: u32, stack: impl IntoIterator<Item = u64>) -> Result<Vec<String>> {
        stack
            .into_iter()
            .enumerate()
            .map(|(frame, address)| Ok(self.find(pid, address, frame > 0)?.to_string()))
            .collect()
    }
}

impl fmt::Debug for Symbolizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Symbolizer").finish_non_exhaustive()
    }
}

impl<'a> Location<'a> {
    /// The file mapped there; empty when it is not known.
    pub fn path(&self) -> &'a Path {
        // SAFETY: belongs to the symbolizer, which is borrowed for 'a.
        unsafe { path(self.raw.path) }
    }

    /// Raw name of the function; empty when it is not known.
    pub fn symbol(&self) -> Cow<'a, str> {
        // SAFETY: as above.
        unsafe { lossy(self.raw.symbol) }
    }

    /// Bytes from the start of the symbol, or without one of the file.
    pub fn offset(&self) -> u64 {
        self.raw.offset
    }

    /// Offset in the file, bytes.
    pub fn file_offset(&self) -> u64 {
        self.raw.file_offset
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.path().file_name().unwrap_or_default();
        let (file, symbol) = (file.to_string_lossy(), self.symbol());
        match (file.is_empty(), symbol.is_empty()) {
            (_, false) => write!(f, "{file}:{}", demangle(&symbol)),
            (false, true) => write!(f, "{file}+{:#x}", self.file_offset()),
            (true, true) => f.write_str("?"),
        }
    }
}

impl fmt::Debug for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self} in {})", self.path().display())
    }
}
