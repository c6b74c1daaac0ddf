// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What the numbers of an event mean. Copied once for each probe that has events, so that events do
//! not need the observer.
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::observer::Observer;
use crate::raw::lossy;
use crate::sys;

numbered! {
    /// How the value of an argument or result is meant: `enum upm_form`.
    pub enum Form: u32 {
        /// A number.
        Unsigned = sys::UPM_FORM_UNSIGNED,
        /// A number with a sign.
        Signed = sys::UPM_FORM_SIGNED,
        /// An address.
        Pointer = sys::UPM_FORM_POINTER,
        /// A string.
        String = sys::UPM_FORM_STRING,
        /// A byte buffer.
        Bytes = sys::UPM_FORM_BYTES,
        /// A character.
        Character = sys::UPM_FORM_CHARACTER,
        /// True or false.
        Boolean = sys::UPM_FORM_BOOLEAN,
        /// Floating point, or a USDT argument that can not be read.
        Unreadable = sys::UPM_FORM_UNREADABLE,
        /// No value: void.
        Nothing = sys::UPM_FORM_NONE,
    }
}

/// An argument, or the result, of the events of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventArgument {
    /// `arg0` … where the signature names none.
    pub name: String,
    /// As the signature or the note has it.
    pub type_name: String,
    /// How the value is meant.
    pub form: Form,
    /// Of the value, bytes: 1, 2, 4 or 8.
    pub width: u32,
}

/// A probe, as its events know it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Signature {
    /// The file.
    pub path: PathBuf,
    /// Raw name of the function or USDT probe.
    pub symbol: String,
    /// Its name as people read it.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<EventArgument>,
    /// Its result.
    pub result: EventArgument,
}

impl Signature {
    fn read(observer: &Observer, probe: usize) -> Self {
        let describe = |argument| {
            let mut raw = sized!(upm_event_argument {});
            // SAFETY: a const function of a handle that lives, a structure with its size.
            unsafe {
                let status = sys::upm_trace_argument(observer.as_ptr(), probe, argument, &mut raw);
                (status == sys::UPM_OK).then(|| EventArgument {
                    name: lossy(raw.name).into_owned(),
                    type_name: lossy(raw.type_).into_owned(),
                    form: Form::from_raw(raw.form),
                    width: raw.width,
                })
            }
        };
        let known = observer.probes().get(probe);
        Self {
            path: known.map_or(Path::new(""), |probe| probe.path()).into(),
            symbol: known.map_or_else(String::new, |probe| probe.symbol().into_owned()),
            name: known.map_or_else(String::new, |probe| probe.name()),
            arguments: (0..sys::UPM_EVENT_ARGUMENTS).map_while(describe).collect(),
            result: describe(sys::UPM_TRACE_RESULT).unwrap_or(NO_RESULT),
        }
    }
}

const NO_RESULT: EventArgument = EventArgument {
    name: String::new(),
    type_name: String::new(),
    form: Form::Nothing,
    width: 0,
};

/// Of all probes of a trace: those of a few at once, of many each when its first event comes.
#[derive(Clone, Debug)]
pub(crate) struct Signatures(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    probes: Box<[OnceLock<Signature>]>,
    all: OnceLock<()>,
}

const FEW: usize = 1024;

impl Signatures {
    pub(crate) fn of(observer: &Observer) -> Self {
        let probes = observer.probes().iter().map(|_| OnceLock::new()).collect();
        let all = OnceLock::new();
        Self(Arc::new(Table { probes, all }))
    }

    /// Of a batch that was not filled yet.
    pub(crate) fn none() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn load(&self, observer: &Observer, probe: u32) {
        if let Some(place) = self.0.probes.get(probe as usize) {
            place.get_or_init(|| Signature::read(observer, probe as usize));
        }
    }

    pub(crate) fn load_all(&self, observer: &Observer) {
        self.0.all.get_or_init(|| {
            (0..self.0.probes.len()).for_each(|probe| self.load(observer, probe as u32));
        });
    }

    /// Whether they are; those of a few probes are by now.
    pub(crate) fn are_all_loaded(&self, observer: &Observer) -> bool {
        if self.0.probes.len() <= FEW {
            self.load_all(observer);
        }
        self.0.all.get().is_some()
    }

    pub(crate) fn get(&self, probe: u32) -> &Signature {
        self.0.probes[probe as usize]
            .get()
            .expect("loaded when the event came")
    }
}
