// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::ptr;
use std::time::Duration;

use crate::error::{Result, check};
use crate::probe::{Kind, Probe};
use crate::raw::{c_string, path};
use crate::scope::Backend;
use crate::sys;

handle! {
    /// An attached probe set: one handle, whatever the number of kernel links behind it.
    ///
    /// Dropping it detaches, unless it is pinned.
    Link, sys::upm_link, sys::upm_link_free
}

/// One kernel link, or perf event, behind a [`Link`].
#[derive(Clone, Copy)]
pub struct KernelLink<'a> {
    raw: sys::upm_kernel_link,
    link: PhantomData<&'a Link>,
}

// SAFETY: its string belongs to the link, which is Sync.
unsafe impl Send for KernelLink<'_> {}
// SAFETY: as above.
unsafe impl Sync for KernelLink<'_> {}

impl Link {
    /// Number of probes that are, or were until detach, attached.
    pub fn attached_count(&self) -> usize {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_link_attached(self.as_ptr()) }
    }

    /// Number of probes of the set that are not attached.
    pub fn skipped_count(&self) -> usize {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_link_skipped(self.as_ptr()) }
    }

    /// The probes that are attached.
    pub fn attached(&self) -> impl Iterator<Item = Probe<'_>> {
        self.probes(self.attached_count(), sys::upm_link_attached_get)
    }

    /// The probes that are not attached; each has its verdict and reason.
    pub fn skipped(&self) -> impl Iterator<Item = Probe<'_>> {
        self.probes(self.skipped_count(), sys::upm_link_skipped_get)
    }

    fn probes(
        &self,
        count: usize,
        get: unsafe extern "C" fn(*const sys::upm_link, usize, *mut sys::upm_probe) -> i32,
    ) -> impl Iterator<Item = Probe<'_>> {
        (0..count).filter_map(move |index| {
            // SAFETY: the strings live as long as the link is unchanged: `&self` lasts.
            unsafe { Probe::read(ptr::null(), index, |raw| get(self.as_ptr(), index, raw)) }
        })
    }

    /// What carries it.
    pub fn backend(&self) -> Backend {
        // SAFETY: a const function of a handle that lives.
        Backend::from_raw(unsafe { sys::upm_link_backend(self.as_ptr()) })
    }

    /// How long the attach took.
    pub fn attach_time(&self) -> Duration {
        // SAFETY: a const function of a handle that lives.
        Duration::from_nanos(unsafe { sys::upm_link_attach_ns(self.as_ptr()) })
    }

    /// The kernel links behind it; none after detach.
    pub fn kernel_links(&self) -> impl Iterator<Item = KernelLink<'_>> {
        // SAFETY: a const function of a handle that lives.
        let count = unsafe { sys::upm_link_kernel_links(self.as_ptr()) };
        (0..count).filter_map(move |index| {
            let mut raw = sized!(upm_kernel_link {});
            // SAFETY: a structure with its size.
            let status = unsafe { sys::upm_link_kernel_get(self.as_ptr(), index, &mut raw) };
            (status == sys::UPM_OK).then_some(KernelLink {
                raw,
                link: PhantomData,
            })
        })
    }

    /// Keep the kernel links alive in bpffs, after this process has gone.
    ///
    /// The path is that of a directory to make, below a mounted bpffs.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) (no bpffs there),
    /// [`System`](crate::ErrorKind::System) with EEXIST for a taken name,
    /// [`State`](crate::ErrorKind::State). Nothing is left pinned then.
    pub fn pin(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_string(path.as_ref(), "pin the link")?;
        // SAFETY: a C string.
        check(unsafe { sys::upm_link_pin(self.as_mut_ptr(), path.as_ptr()) })?;
        Ok(())
    }

    /// Open what [`Link::pin`] made, in any process. Dropping it lets go of this process's
    /// descriptors only.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Permission`](crate::ErrorKind::Permission),
    /// [`System`](crate::ErrorKind::System).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = c_string(path.as_ref(), "open the pinned link")?;
        let mut out = ptr::null_mut();
        // SAFETY: a C string; stores a handle where it is told to.
        check(unsafe { sys::upm_link_open(path.as_ptr(), &mut out) })?;
        Ok(Self::from_raw(out))
    }

    /// Remove the pins at path. The probes end when the last descriptor goes.
    ///
    /// # Errors
    /// As [`Link::open`].
    pub fn unpin(path: impl AsRef<Path>) -> Result<()> {
        let path = c_string(path.as_ref(), "remove the pins")?;
        // SAFETY: a C string.
        check(unsafe { sys::upm_link_unpin(path.as_ptr()) })?;
        Ok(())
    }

    /// Let go of every kernel link, and say how long it took. Attached and skipped stay readable; a
    /// second call does nothing.
    ///
    /// # Errors
    /// None that are known.
    pub fn detach(&mut self) -> Result<Duration> {
        let mut elapsed = 0;
        // SAFETY: stores a number where it is told to.
        check(unsafe { sys::upm_link_detach(self.as_mut_ptr(), &mut elapsed) })?;
        Ok(Duration::from_nanos(elapsed))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("attached", &self.attached_count())
            .field("skipped", &self.skipped_count())
            .field("backend", &self.backend())
            .field("kernel_links", &self.kernel_links().count())
            .finish()
    }
}

impl<'a> KernelLink<'a> {
    /// The file that it probes, or the first of many.
    pub fn path(&self) -> &'a Path {
        // SAFETY: belongs to the link, which is borrowed for 'a.
        unsafe { path(self.raw.path) }
    }

    /// Number of files that it probes: 1, or more where [`Features`](crate::Features) says `paths`.
    pub fn file_count(&self) -> u64 {
        self.raw.files
    }

    /// Number of probes in it.
    pub fn probe_count(&self) -> u64 {
        self.raw.probes
    }

    /// The kernel's link id, as bpftool shows it.
    pub fn id(&self) -> Option<u32> {
        (self.raw.id != 0).then_some(self.raw.id)
    }

    /// What its probes observe.
    pub fn kind(&self) -> Kind {
        Kind::from_raw(self.raw.kind)
    }

    /// The process that it is limited to.
    pub fn pid(&self) -> Option<u32> {
        (self.raw.pid != 0).then_some(self.raw.pid as u32)
    }

    /// Its descriptor, for as long as the [`Link`] is borrowed.
    pub fn fd(&self) -> BorrowedFd<'a> {
        // SAFETY: the link keeps it open while it is not changed, which 'a sees to.
        unsafe { BorrowedFd::borrow_raw(self.raw.fd) }
    }
}

impl AsFd for KernelLink<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd()
    }
}

impl fmt::Debug for KernelLink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelLink")
            .field("path", &self.path())
            .field("probes", &self.probe_count())
            .field("id", &self.id())
            .field("kind", &self.kind())
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}
