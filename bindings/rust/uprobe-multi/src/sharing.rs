// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Observers that outlive the process that made them, by name.
use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::ptr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result, check};
use crate::latency::LatencyObserver;
use crate::observer::{AnyObserver, CountObserver, Observer, ObserverKind};
use crate::raw::{c_string, lossy, or_null};
use crate::sys;
use crate::trace::TraceObserver;

/// Where observers are pinned by name; `/sys/fs/bpf` has to be a BPF file system.
pub fn pin_directory() -> &'static str {
    CStr::from_bytes_with_nul(sys::UPM_PIN_DIRECTORY)
        .ok()
        .and_then(|path| path.to_str().ok())
        .expect("a constant of the header")
}

impl AnyObserver {
    /// Open what [`AnyObserver::pin`] made, in any process and language. Dropping it lets go of this
    /// process's descriptors only.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Permission`](crate::ErrorKind::Permission),
    /// [`Format`](crate::ErrorKind::Format), [`Unsupported`](crate::ErrorKind::Unsupported) for one
    /// made by another version of the library.
    pub fn open(name: &str) -> Result<Self> {
        let c_name = c_string(name, "open the pinned observer")?;
        let mut out = ptr::null_mut();
        // SAFETY: a C string; stores a handle where it is told to.
        check(unsafe { sys::upm_observer_open(c_name.as_ptr(), &mut out) })?;
        let observer = Observer::from_raw(out);
        match observer.kind() {
            ObserverKind::Count => Ok(Self::Count(CountObserver::from_observer(observer))),
            ObserverKind::Latency => Ok(Self::Latency(LatencyObserver::from_observer(observer))),
            ObserverKind::Trace => Ok(Self::Trace(TraceObserver::from_observer(observer))),
            ObserverKind::Unknown => Err(Error::invalid(
                "open the pinned observer",
                name,
                "it is of a kind that this crate does not know",
                "update the crate",
            )),
        }
    }
}

/// Remove the pins of an observer: its probes end when the last process that has it open lets go.
///
/// # Errors
/// [`NotFound`](crate::ErrorKind::NotFound), [`Permission`](crate::ErrorKind::Permission),
/// [`System`](crate::ErrorKind::System).
pub fn unpin(name: &str) -> Result<()> {
    let name = c_string(name, "remove the pins")?;
    // SAFETY: a C string.
    check(unsafe { sys::upm_observer_unpin(name.as_ptr()) })?;
    Ok(())
}

handle! {
    /// The pinned observers of a directory, as they were when it was read.
    PinnedList, sys::upm_pinned_list, sys::upm_pinned_list_free
}

impl PinnedList {
    /// Those of [`pin_directory`].
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where no BPF file system is mounted,
    /// [`Permission`](crate::ErrorKind::Permission). None pinned is no error.
    pub fn read() -> Result<Self> {
        Self::read_from(None)
    }

    /// Those of another directory.
    ///
    /// # Errors
    /// As [`PinnedList::read`].
    pub fn read_directory(directory: impl AsRef<Path>) -> Result<Self> {
        Self::read_from(Some(directory.as_ref()))
    }

    fn read_from(directory: Option<&Path>) -> Result<Self> {
        let directory = match directory {
            Some(path) => Some(c_string(path, "list pinned observers")?),
            None => None,
        };
        let mut out = ptr::null_mut();
        // SAFETY: a C string or NULL; stores a handle where it is told to.
        check(unsafe { sys::upm_pinned_list(or_null(&directory), &mut out) })?;
        Ok(Self::from_raw(out))
    }

    /// Number of pinned observers.
    pub fn len(&self) -> usize {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_pinned_list_size(self.as_ptr()) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Them, by name.
    pub fn iter(&self) -> impl Iterator<Item = Pinned<'_>> {
        (0..self.len()).filter_map(|index| {
            let mut raw = sized!(upm_pinned {});
            // SAFETY: a structure with its size.
            let status = unsafe { sys::upm_pinned_list_get(self.as_ptr(), index, &mut raw) };
            (status == sys::UPM_OK).then_some(Pinned {
                raw,
                list: PhantomData,
            })
        })
    }
}

impl fmt::Debug for PinnedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One pinned observer.
#[derive(Clone, Copy)]
pub struct Pinned<'a> {
    raw: sys::upm_pinned,
    list: PhantomData<&'a PinnedList>,
}

// SAFETY: its strings belong to the list, which is Sync.
unsafe impl Send for Pinned<'_> {}
// SAFETY: as above.
unsafe impl Sync for Pinned<'_> {}

impl<'a> Pinned<'a> {
    /// For [`AnyObserver::open`].
    pub fn name(&self) -> Cow<'a, str> {
        // SAFETY: belongs to the list, which is borrowed for 'a.
        unsafe { lossy(self.raw.name) }
    }

    /// Why it can not be opened; empty when it can.
    pub fn problem(&self) -> Cow<'a, str> {
        // SAFETY: as above.
        unsafe { lossy(self.raw.problem) }
    }

    /// Name of the process that pinned it.
    pub fn creator(&self) -> Cow<'a, str> {
        // SAFETY: as above.
        unsafe { lossy(self.raw.creator) }
    }

    /// The process that pinned it.
    pub fn creator_pid(&self) -> u32 {
        self.raw.creator_pid as u32
    }

    /// When it was pinned.
    pub fn created(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.raw.created_s)
    }

    /// What it finds out; `None` with a problem.
    pub fn kind(&self) -> Option<ObserverKind> {
        (self.raw.kind != 0).then(|| ObserverKind::from_raw(self.raw.kind))
    }

    /// User id of its owner.
    pub fn owner(&self) -> u32 {
        self.raw.owner
    }

    /// Probes of its set.
    pub fn probe_count(&self) -> u64 {
        self.raw.probes
    }

    /// Of these, how many are attached.
    pub fn attached_count(&self) -> u64 {
        self.raw.attached
    }

    /// Kernel links behind its link.
    pub fn kernel_link_count(&self) -> u64 {
        self.raw.kernel_links
    }
}

impl fmt::Debug for Pinned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned")
            .field("name", &self.name())
            .field("kind", &self.kind())
            .field("probes", &self.probe_count())
            .field("problem", &self.problem())
            .finish_non_exhaustive()
    }
}
