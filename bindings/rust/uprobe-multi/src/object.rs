// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;
use std::ptr;

use crate::error::{Error, ErrorKind, Result, check};
use crate::probe::Kind;
use crate::raw::{c_string, lossy};
use crate::sys;

handle! {
    /// A BPF object file, opened with libbpf and loaded.
    ///
    /// Its programs may be in sections `uprobe.multi`, `uretprobe.multi`, `uprobe.session`,
    /// `uprobe`, `uretprobe`, `usdt` and their `.s` forms. Links made from it outlive it.
    Object, sys::upm_object, sys::upm_object_free
}

/// One program of an [`Object`].
#[derive(Clone, Copy)]
pub struct Program<'a> {
    raw: sys::upm_program,
    object: PhantomData<&'a Object>,
}

// SAFETY: its strings belong to the object, which is Sync.
unsafe impl Send for Program<'_> {}
// SAFETY: as above.
unsafe impl Sync for Program<'_> {}

impl Object {
    /// Open and load a BPF object.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Format`](crate::ErrorKind::Format),
    /// [`Program`](crate::ErrorKind::Program) (the message ends with what the verifier said
    /// last), [`Permission`](crate::ErrorKind::Permission).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = c_string(path.as_ref(), "open the object")?;
        let mut out = ptr::null_mut();
        // SAFETY: a C string; stores a handle where it is told to.
        check(unsafe { sys::upm_object_open(path.as_ptr(), &mut out) })?;
        Ok(Self::from_raw(out))
    }

    /// The programs that can be attached to probes.
    pub fn programs(&self) -> impl Iterator<Item = Program<'_>> {
        // SAFETY: a const function of a handle that lives.
        let count = unsafe { sys::upm_object_programs(self.as_ptr()) };
        (0..count).filter_map(move |index| {
            let mut raw = sized!(upm_program {});
            // SAFETY: a structure with its size.
            let status = unsafe { sys::upm_object_program(self.as_ptr(), index, &mut raw) };
            (status == sys::UPM_OK).then_some(Program {
                raw,
                object: PhantomData,
            })
        })
    }

    /// The program of this name; without a name, the only one.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), as the library's own look-up gives it, when that is not
    /// exactly one; the message has the names.
    pub fn program(&self, name: Option<&str>) -> Result<Program<'_>> {
        let mut found = self
            .programs()
            .filter(|program| name.is_none_or(|name| program.name() == name));
        match (found.next(), found.next()) {
            (Some(program), None) => Ok(program),
            _ => {
                let names: Vec<_> = self.programs().map(|p| p.name().into_owned()).collect();
                Err(Error::found(
                    ErrorKind::NotFound,
                    "choose a program",
                    name.unwrap_or_default(),
                    &format!("the object has: {}", names.join(", ")),
                    "name one",
                ))
            }
        }
    }

    /// Descriptor of the map of this name.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    pub fn map_fd(&self, name: &str) -> Result<BorrowedFd<'_>> {
        let name = c_string(name, "find the map")?;
        // SAFETY: a C string.
        let fd = check(unsafe { sys::upm_object_map_fd(self.as_ptr(), name.as_ptr()) })?;
        // SAFETY: the object keeps it open as long as it lives.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.programs()).finish()
    }
}

impl<'a> Program<'a> {
    /// Its name.
    pub fn name(&self) -> Cow<'a, str> {
        // SAFETY: belongs to the object, which is borrowed for 'a.
        unsafe { lossy(self.raw.name) }
    }

    /// Its section, as in the file.
    pub fn section(&self) -> Cow<'a, str> {
        // SAFETY: as above.
        unsafe { lossy(self.raw.section) }
    }

    /// The spec that the section names; may be empty.
    pub fn spec(&self) -> Cow<'a, str> {
        // SAFETY: as above.
        unsafe { lossy(self.raw.spec) }
    }

    /// What its section asks for.
    pub fn kind(&self) -> Kind {
        Kind::from_raw(self.raw.kind)
    }

    /// Whether it sees entry and return: `uprobe.session`.
    pub fn is_session(&self) -> bool {
        self.raw.session != 0
    }

    /// Whether its section is one of the `.s` forms.
    pub fn is_sleepable(&self) -> bool {
        self.raw.sleepable != 0
    }

    /// Its descriptor, for as long as the [`Object`] is borrowed.
    pub fn fd(&self) -> BorrowedFd<'a> {
        // SAFETY: the object keeps it open as long as it lives.
        unsafe { BorrowedFd::borrow_raw(self.raw.fd) }
    }
}

impl AsFd for Program<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd()
    }
}

impl AsRawFd for Program<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.raw.fd
    }
}

impl fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("name", &self.name())
            .field("section", &self.section())
            .finish_non_exhaustive()
    }
}
