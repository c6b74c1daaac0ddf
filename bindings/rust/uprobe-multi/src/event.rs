// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::queue::Held;
use crate::raw::lossy;
use crate::signature::{EventArgument, Form, Signature, Signatures};
use crate::sys;

/// `struct upm_event`, as the library writes it.
pub type RawEvent = sys::upm_event;

numbered! {
    /// What an event tells of: `enum upm_event_kind`.
    pub enum EventKind: u32 {
        /// Execution reached a uprobe.
        Entry = sys::UPM_EVENT_ENTRY,
        /// A function returned: result.
        Return = sys::UPM_EVENT_RETURN,
        /// A call site of a USDT probe was reached.
        Usdt = sys::UPM_EVENT_USDT,
        /// A call from entry to return: arguments, result and duration.
        Call = sys::UPM_EVENT_CALL,
    }
}

impl EventKind {
    fn has_result(self) -> bool {
        matches!(self, Self::Return | Self::Call)
    }
}

/// A decoded argument or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A number.
    Unsigned(u64),
    /// A number with a sign.
    Signed(i64),
    /// An address.
    Pointer(u64),
    /// The bytes of a string, without its NUL.
    String(&'a [u8]),
    /// The bytes of a buffer.
    Bytes(&'a [u8]),
    /// A character.
    Character(u8),
    /// True or false.
    Boolean(bool),
    /// It could not be read.
    Unreadable,
}

impl<'a> Value<'a> {
    /// A string as text; what is not UTF-8 is replaced. `None` for other values.
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    /// A string or buffer.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::String(bytes) | Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A number, address, character or truth value.
    pub fn as_i128(&self) -> Option<i128> {
        match *self {
            Self::Unsigned(number) | Self::Pointer(number) => Some(number.into()),
            Self::Signed(number) => Some(number.into()),
            Self::Character(byte) => Some(byte.into()),
            Self::Boolean(truth) => Some(truth.into()),
            _ => None,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::Pointer(address) => write!(f, "{address:#x}"),
            Self::String(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Self::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Self::Character(byte) => write!(f, "'{}'", byte.escape_ascii()),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Unreadable => f.write_str("?"),
        }
    }
}

/// Where an event's bytes are. A seal: [`Event`] is one for borrowed and for shared ones.
pub trait Storage {
    #[doc(hidden)]
    fn parts(&self) -> Borrowed<'_>;
}

/// In memory of the library that is borrowed: nothing is copied.
#[derive(Clone, Copy)]
pub struct Borrowed<'a> {
    pub(crate) raw: &'a RawEvent,
    /// Start of the text area that the event points into.
    pub(crate) text: *const u8,
    pub(crate) signatures: &'a Signatures,
}

// SAFETY: the text lives and is not changed for 'a, like the event.
unsafe impl Send for Borrowed<'_> {}
// SAFETY: as above.
unsafe impl Sync for Borrowed<'_> {}

impl<'a> Borrowed<'a> {
    fn text(&self, start: usize, length: usize) -> &'a [u8] {
        // SAFETY: the library says so of its own text area.
        unsafe { std::slice::from_raw_parts(self.text.add(start), length) }
    }
}

impl Storage for Borrowed<'_> {
    #[inline]
    fn parts(&self) -> Borrowed<'_> {
        *self
    }
}

/// In a batch that the event keeps alive.
#[derive(Clone)]
pub struct Shared {
    pub(crate) batch: Held,
    pub(crate) index: usize,
}

impl Storage for Shared {
    #[inline]
    fn parts(&self) -> Borrowed<'_> {
        self.batch.parts(self.index)
    }
}

/// One hit. [`EventRef`] borrows the memory of the library; [`Event`] alone keeps its batch alive and
/// can be kept and sent.
#[derive(Clone, Copy)]
pub struct Event<S: Storage = Shared>(pub(crate) S);

/// An event in memory that is borrowed.
pub type EventRef<'a> = Event<Borrowed<'a>>;

impl<S: Storage> Event<S> {
    /// The structure of the library.
    #[inline]
    pub fn raw(&self) -> &RawEvent {
        self.0.parts().raw
    }

    /// What it tells of.
    pub fn kind(&self) -> EventKind {
        EventKind::from_raw(self.raw().kind.into())
    }

    /// `CLOCK_MONOTONIC`, ns; of a call, its entry.
    pub fn time_ns(&self) -> u64 {
        self.raw().time_ns
    }

    /// Of a call.
    pub fn duration(&self) -> Option<Duration> {
        (self.kind() == EventKind::Call).then(|| Duration::from_nanos(self.raw().duration_ns))
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.raw().pid
    }

    /// The thread.
    pub fn tid(&self) -> u32 {
        self.raw().tid
    }

    /// The processor.
    pub fn cpu(&self) -> u32 {
        self.raw().cpu
    }

    /// Name of the thread.
    pub fn comm(&self) -> Cow<'_, str> {
        // SAFETY: an array of the event that ends with NUL.
        unsafe { lossy(self.raw().comm.as_ptr()) }
    }

    /// Position of the probe in [`Observer::probes`](crate::Observer::probes).
    pub fn probe(&self) -> usize {
        self.raw().probe as usize
    }

    /// The probe's names, arguments and result.
    pub fn signature(&self) -> &Signature {
        let parts = self.0.parts();
        parts.signatures.get(parts.raw.probe)
    }

    /// The probe's name, as people read it.
    pub fn name(&self) -> &str {
        &self.signature().name
    }

    /// The arguments with what is known of them.
    pub fn arguments(&self) -> impl ExactSizeIterator<Item = (&EventArgument, Value<'_>)> {
        let parts = self.0.parts();
        let count = usize::from(parts.raw.argument_count).min(parts.raw.arguments.len());
        let known = &parts.signatures.get(parts.raw.probe).arguments;
        known
            .iter()
            .take(count)
            .enumerate()
            .map(move |(index, argument)| {
                let value = if parts.raw.unreadable >> index & 1 != 0 {
                    Value::Unreadable
                } else {
                    decode(parts, parts.raw.arguments[index], argument.form)
                };
                (argument, value)
            })
    }

    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<Value<'_>> {
        self.arguments()
            .find(|(known, _)| known.name == name)
            .map(|(_, value)| value)
    }

    /// Whether the string or buffer of this argument goes on.
    pub fn is_truncated(&self, argument: usize) -> bool {
        argument < 16 && self.raw().truncated >> argument & 1 != 0
    }

    /// What a call or return gave; `None` for others, and for void.
    pub fn result(&self) -> Option<Value<'_>> {
        let parts = self.0.parts();
        let form = parts.signatures.get(parts.raw.probe).result.form;
        (self.kind().has_result() && form != Form::Nothing)
            .then(|| decode(parts, parts.raw.result, form))
    }

    /// The user stack: addresses, innermost first; [`Symbolizer`](crate::Symbolizer) names them.
    pub fn stack(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        let parts = self.0.parts();
        let (start, count) = (
            parts.raw.stack_offset as usize,
            parts.raw.stack_count as usize,
        );
        parts
            .text(start, 8 * count)
            .chunks_exact(8)
            .map(|bytes| u64::from_ne_bytes(bytes.try_into().expect("8 bytes")))
    }
}

fn decode<'a>(parts: Borrowed<'a>, value: u64, form: Form) -> Value<'a> {
    let text = || parts.text(value as u32 as usize, (value >> 32) as usize);
    match form {
        Form::Signed => Value::Signed(value as i64),
        Form::Pointer => Value::Pointer(value),
        Form::String => Value::String(text()),
        Form::Bytes => Value::Bytes(text()),
        Form::Character => Value::Character(value as u8),
        Form::Boolean => Value::Boolean(value != 0),
        Form::Unreadable | Form::Nothing => Value::Unreadable,
        Form::Unsigned | Form::Unknown => Value::Unsigned(value),
    }
}

/// As a call in C: `comm[tid] name(fd=3, path="/etc/passwd") = 4 <1.2 µs>`.
impl<S: Storage> fmt::Display for Event<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}(", self.comm(), self.tid(), self.name())?;
        for (index, (argument, value)) in self.arguments().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let more = if self.is_truncated(index) { "…" } else { "" };
            write!(f, "{comma}{}={value}{more}", argument.name)?;
        }
        f.write_str(")")?;
        if let Some(result) = self.result() {
            write!(f, " = {result}")?;
        }
        if let Some(duration) = self.duration() {
            write!(f, " <{:.1} µs>", duration.as_nanos() as f64 / 1e3)?;
        }
        Ok(())
    }
}

impl<S: Storage> fmt::Debug for Event<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({:?} {self})", self.kind())
    }
}
