// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;
use std::io;

use crate::raw::{lossy, static_text};
use crate::sys;

/// What this crate's functions give.
pub type Result<T, E = Error> = std::result::Result<T, E>;

numbered! {
    /// What went wrong: `enum upm_status`.
    pub enum ErrorKind: i32 {
        /// An argument is out of range.
        Invalid = sys::UPM_ERR_INVALID,
        /// A spec, pattern, signature or filter does not parse.
        Spec = sys::UPM_ERR_SPEC,
        /// No such binary, symbol, process, pin or program.
        NotFound = sys::UPM_ERR_NOT_FOUND,
        /// A file is not the ELF or BPF object that it should be.
        Format = sys::UPM_ERR_FORMAT,
        /// A capability, sysctl, lockdown or seccomp rule forbids it.
        Permission = sys::UPM_ERR_PERMISSION,
        /// This kernel or this build can not do it.
        Unsupported = sys::UPM_ERR_UNSUPPORTED,
        /// No probe of the set can be attached.
        Nothing = sys::UPM_ERR_NOTHING,
        /// A probe would be skipped, and strict was asked for.
        Strict = sys::UPM_ERR_STRICT,
        /// Out of memory.
        Memory = sys::UPM_ERR_MEMORY,
        /// Another system call failed: see [`Error::errno`].
        System = sys::UPM_ERR_SYSTEM,
        /// The progress callback asked to stop, or a signal came.
        Cancelled = sys::UPM_ERR_CANCELLED,
        /// The BPF program has the wrong type, or the verifier refused it.
        Program = sys::UPM_ERR_PROGRAM,
        /// More than the library or the kernel allows.
        Limit = sys::UPM_ERR_LIMIT,
        /// The handle is detached or stopped already.
        State = sys::UPM_ERR_STATE,
    }
}

impl ErrorKind {
    /// The name in C, such as `"UPM_ERR_SPEC"`.
    pub fn name(self) -> &'static str {
        // SAFETY: takes any number, gives a static string.
        unsafe { static_text(sys::upm_status_name(self as i32)) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    kind: ErrorKind,
    errno: i32,
    operation: String,
    object: String,
    message: String,
    hint: String,
}

/// A failure: what was tried, on what, what happened, and what to do next.
///
/// ```
/// let error = uprobe_multi::resolve("no colon").unwrap_err();
/// assert_eq!(error.kind(), uprobe_multi::ErrorKind::Spec);
/// assert_eq!(error.object(), "no colon");
/// assert!(!error.hint().is_empty());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Record>);

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// errno of the system call behind it.
    pub fn errno(&self) -> Option<i32> {
        (self.0.errno != 0).then_some(self.0.errno)
    }

    /// What was tried, such as `"open the binary"`.
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// The file, spec, symbol or process that it was tried on; may be empty.
    pub fn object(&self) -> &str {
        &self.0.object
    }

    /// One line that says what happened.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// One line that says what to do next; may be empty.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// What the library recorded on this thread for a call that has just returned `status`.
    pub(crate) fn last(status: i32) -> Self {
        // SAFETY: never NULL; the record is this thread's, and its strings live until the next
        // failure on it.
        let (record, text) = unsafe {
            let record = &*sys::upm_error_last();
            let text = |pointer| lossy(pointer).into_owned();
            (record, text)
        };
        Self(Box::new(Record {
            kind: ErrorKind::from_raw(status),
            errno: record.sys_errno,
            operation: text(record.operation),
            object: text(record.object),
            message: text(record.message),
            hint: text(record.hint),
        }))
    }

    /// A failure that this crate finds before the library is asked.
    pub(crate) fn found(
        kind: ErrorKind,
        operation: &str,
        object: &str,
        message: &str,
        hint: &str,
    ) -> Self {
        Self(Box::new(Record {
            kind,
            errno: 0,
            operation: operation.into(),
            object: object.into(),
            message: message.into(),
            hint: hint.into(),
        }))
    }

    pub(crate) fn invalid(operation: &str, object: &str, message: &str, hint: &str) -> Self {
        Self::found(ErrorKind::Invalid, operation, object, message, hint)
    }
}

/// What the library returned, as a result.
pub(crate) fn check(status: i32) -> Result<i32> {
    if status < 0 {
        Err(Error::last(status))
    } else {
        Ok(status)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation())?;
        if !self.object().is_empty() {
            write!(f, " {}", self.object())?;
        }
        write!(f, ": {}", self.message())?;
        if !self.hint().is_empty() {
            write!(f, " ({})", self.hint())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("errno", &self.errno())
            .field("operation", &self.operation())
            .field("object", &self.object())
            .field("message", &self.message())
            .field("hint", &self.hint())
            .finish()
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    /// Keeps the whole error inside; the kind is that of the system call, where there is one.
    fn from(error: Error) -> Self {
        let kind = match (error.errno(), error.kind()) {
            (Some(errno), _) => io::Error::from_raw_os_error(errno).kind(),
            (_, ErrorKind::Invalid | ErrorKind::Spec) => io::ErrorKind::InvalidInput,
            (_, ErrorKind::NotFound) => io::ErrorKind::NotFound,
            (_, ErrorKind::Permission) => io::ErrorKind::PermissionDenied,
            (_, ErrorKind::Format) => io::ErrorKind::InvalidData,
            (_, ErrorKind::Unsupported) => io::ErrorKind::Unsupported,
            (_, ErrorKind::Memory) => io::ErrorKind::OutOfMemory,
            (_, ErrorKind::Cancelled) => io::ErrorKind::Interrupted,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
