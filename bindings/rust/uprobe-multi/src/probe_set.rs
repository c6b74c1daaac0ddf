// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;
use std::path::PathBuf;
use std::ptr;

use crate::error::{Result, check};
use crate::observer::ObserverKind;
use crate::probe::{Kind, Probe, Verdict};
use crate::raw::Texts;
use crate::sys;

handle! {
    /// An ordered list of probes from any number of specs and files, each judged.
    ///
    /// Made by [`resolve()`](crate::resolve()), or empty by [`ProbeSet::new`]. Attaching does not
    /// use it up.
    ProbeSet, sys::upm_probe_set, sys::upm_probe_set_free
}

/// A probe by place, for [`ProbeSet::add`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// File offset, bytes.
    pub offset: u64,
    /// File offset of the reference counter (USDT semaphore); 0 = none.
    pub ref_ctr_offset: u64,
    /// What `bpf_get_attach_cookie()` returns in the program.
    pub cookie: u64,
}

impl Place {
    /// A point without a reference counter, with cookie 0.
    pub fn new(path: impl Into<PathBuf>, offset: u64) -> Self {
        Self {
            path: path.into(),
            offset,
            ..Self::default()
        }
    }
}

impl ProbeSet {
    /// An empty set.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn new() -> Result<Self> {
        let mut out = ptr::null_mut();
        // SAFETY: stores a handle where it is told to.
        check(unsafe { sys::upm_probe_set_new(&mut out) })?;
        Ok(Self::from_raw(out))
    }

    /// Append probes by place. Each is judged like a resolved one and named by the symbol that covers
    /// it. Every element becomes one probe, equal ones too.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`Memory`](crate::ErrorKind::Memory); the set is
    /// unchanged then.
    pub fn add(&mut self, kind: Kind, places: &[Place]) -> Result<()> {
        let paths = Texts::new(places.iter().map(|place| &place.path), "add a probe")?;
        let column = |field: fn(&Place) -> u64| places.iter().map(field).collect::<Vec<_>>();
        let offsets = column(|place| place.offset);
        let counters = column(|place| place.ref_ctr_offset);
        let cookies = column(|place| place.cookie);
        // SAFETY: all arrays have an element for each place.
        check(unsafe {
            sys::upm_probe_set_add(
                self.as_mut_ptr(),
                kind as u32,
                paths.as_ptr(),
                offsets.as_ptr(),
                counters.as_ptr(),
                cookies.as_ptr(),
                places.len(),
            )
        })?;
        Ok(())
    }

    /// Number of probes, whatever their verdicts.
    pub fn len(&self) -> usize {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_probe_set_size(self.as_ptr()) }
    }

    /// Whether it has no probes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Probe number index.
    pub fn get(&self, index: usize) -> Option<Probe<'_>> {
        // SAFETY: strings live until the set is changed, which needs &mut self.
        unsafe {
            Probe::read(self.as_ptr(), index, |raw| {
                sys::upm_probe_set_get(self.as_ptr(), index, raw)
            })
        }
    }

    /// All probes in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            set: self,
            range: 0..self.len(),
        }
    }

    /// Number of probes with this verdict.
    pub fn count_verdict(&self, verdict: Verdict) -> usize {
        // SAFETY: a const function of a handle that lives.
        unsafe { sys::upm_probe_set_count_verdict(self.as_ptr(), verdict as i32) }
    }

    /// Set the cookies, one a probe.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for another number of cookies than probes.
    pub fn set_cookies(&mut self, cookies: &[u64]) -> Result<()> {
        // SAFETY: the array has the length that is said.
        check(unsafe {
            sys::upm_probe_set_cookies(self.as_mut_ptr(), cookies.as_ptr(), cookies.len())
        })?;
        Ok(())
    }

    /// Find the instructions that an observer with default options would probe: afterwards
    /// [`Probe::site_offset`] and [`Probe::site_cost`] tell. `None` is a program of one's own with
    /// [`Placement::Cheapest`](crate::Placement::Cheapest).
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn place(&mut self, observer: Option<ObserverKind>) -> Result<()> {
        let kind = observer.map_or(0, |kind| kind as u32);
        // SAFETY: a handle that is borrowed for change.
        check(unsafe { sys::upm_probe_set_place(self.as_mut_ptr(), kind) })?;
        Ok(())
    }

    /// A new set of the probes at these positions, in this order; may repeat.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a position beyond the end.
    pub fn select(&self, indexes: &[usize]) -> Result<Self> {
        let mut out = ptr::null_mut();
        // SAFETY: the array has the length that is said.
        check(unsafe {
            sys::upm_probe_set_select(self.as_ptr(), indexes.as_ptr(), indexes.len(), &mut out)
        })?;
        Ok(Self::from_raw(out))
    }

    /// A new set of the probes for which the predicate holds.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn filter(&self, mut wanted: impl FnMut(&Probe<'_>) -> bool) -> Result<Self> {
        let indexes: Vec<_> = self
            .iter()
            .enumerate()
            .filter_map(|(index, probe)| wanted(&probe).then_some(index))
            .collect();
        self.select(&indexes)
    }

    /// Append copies of all probes of another set.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn join(&mut self, other: &Self) -> Result<()> {
        // SAFETY: two handles, since one is borrowed for change.
        check(unsafe { sys::upm_probe_set_join(self.as_mut_ptr(), other.as_ptr()) })?;
        Ok(())
    }

    /// A new set of the same probes.
    ///
    /// # Errors
    /// [`Memory`](crate::ErrorKind::Memory).
    pub fn try_clone(&self) -> Result<Self> {
        self.filter(|_| true)
    }
}

impl fmt::Debug for ProbeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ProbeSet");
        shown.field("len", &self.len());
        for verdict in Verdict::ALL {
            match self.count_verdict(*verdict) {
                0 => {}
                count => {
                    shown.field(&verdict.to_string(), &count);
                }
            }
        }
        shown.finish()
    }
}

impl<'a> IntoIterator for &'a ProbeSet {
    type Item = Probe<'a>;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The probes of a set.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    set: &'a ProbeSet,
    range: std::ops::Range<usize>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Probe<'a>;
    fn next(&mut self) -> Option<Probe<'a>> {
        self.range.next().and_then(|index| self.set.get(index))
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.range.next_back().and_then(|index| self.set.get(index))
    }
}

impl ExactSizeIterator for Iter<'_> {}
