// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What crosses the border to C: texts, numbers that stand for words, handles.
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use crate::error::{Error, Result};

/// An enum of the header, with a variant for numbers that a newer library may have.
macro_rules! numbered {
    (
        $(#[$about:meta])*
        pub enum $name:ident: $repr:ident {
            $($(#[$what:meta])* $variant:ident = $value:path,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr($repr)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$what])* $variant = $value as $repr,)*
            /// One that a newer library knows, and this crate does not.
            Unknown = $repr::MAX,
        }

        impl $name {
            // Not every enum comes out of the library, nor is every one iterated over.
            #[allow(dead_code)]
            pub(crate) fn from_raw(number: $repr) -> Self {
                $(if number == $value as $repr {
                    return Self::$variant;
                })*
                Self::Unknown
            }

            /// All that this crate knows, in the order of the header.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }
    };
}

/// Display by the library's own name for the number.
macro_rules! named_by {
    ($name:ident, $function:path) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // SAFETY: takes any number, gives a static string.
                f.pad(unsafe { $crate::raw::static_text($function(*self as _)) })
            }
        }
    };
}

/// A handle that is freed once, by Drop, and may be used from any thread: what takes it as
/// `const` in C takes `&self`, everything else `&mut self` or `self`.
macro_rules! handle {
    ($(#[$about:meta])* $name:ident, $raw:path, $free:path) => {
        $(#[$about])*
        pub struct $name {
            raw: std::ptr::NonNull<$raw>,
        }

        // SAFETY: the library binds no handle to a thread.
        unsafe impl Send for $name {}
        // SAFETY: functions that take a handle as const may run together, and no other is
        // called with &self.
        unsafe impl Sync for $name {}

        impl $name {
            /// Takes over what the library stored.
            pub(crate) fn from_raw(raw: *mut $raw) -> Self {
                let raw = std::ptr::NonNull::new(raw).expect("the library gave no handle");
                Self { raw }
            }

            #[allow(dead_code)]
            pub(crate) fn as_ptr(&self) -> *const $raw {
                self.raw.as_ptr()
            }

            #[allow(dead_code)]
            pub(crate) fn as_mut_ptr(&mut self) -> *mut $raw {
                self.raw.as_ptr()
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: it is freed only here.
                unsafe { $free(self.raw.as_ptr()) }
            }
        }
    };
}

/// A static string of the library's.
///
/// # Safety
/// It must be one.
pub(crate) unsafe fn static_text(pointer: *const c_char) -> &'static str {
    // SAFETY: the caller's word.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap_or("?")
}

/// The bytes of a C string; none for NULL.
///
/// # Safety
/// It must live as long as `'a`.
pub(crate) unsafe fn bytes<'a>(pointer: *const c_char) -> &'a [u8] {
    if pointer.is_null() {
        return &[];
    }
    // SAFETY: the caller's word.
    unsafe { CStr::from_ptr(pointer) }.to_bytes()
}

/// A C string as text; what is not UTF-8 is replaced.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn lossy<'a>(pointer: *const c_char) -> Cow<'a, str> {
    // SAFETY: the caller's word.
    String::from_utf8_lossy(unsafe { bytes(pointer) })
}

/// A C string as a path.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn path<'a>(pointer: *const c_char) -> &'a Path {
    // SAFETY: the caller's word.
    Path::new(OsStr::from_bytes(unsafe { bytes(pointer) }))
}

/// For the library; refused when a NUL byte would cut it.
pub(crate) fn c_string(text: impl AsRef<OsStr>, what: &str) -> Result<CString> {
    let text = text.as_ref();
    CString::new(text.as_bytes()).map_err(|_| {
        let shown = text.to_string_lossy();
        Error::invalid(what, &shown, "a NUL byte is in it", "take it out")
    })
}

/// NULL for none.
pub(crate) fn or_null(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

/// An array of C strings and what keeps them alive.
pub(crate) struct Texts {
    _kept: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Texts {
    pub(crate) fn new<T: AsRef<OsStr>>(
        texts: impl IntoIterator<Item = T>,
        what: &str,
    ) -> Result<Self> {
        let kept: Vec<_> = texts
            .into_iter()
            .map(|text| c_string(text, what))
            .collect::<Result<_>>()?;
        let pointers = kept.iter().map(|text| text.as_ptr()).collect();
        Ok(Self {
            _kept: kept,
            pointers,
        })
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }

    pub(crate) fn len(&self) -> usize {
        self.pointers.len()
    }
}

/// A structure of the header that the caller provides: zeros, and its size where it says so.
macro_rules! sized {
    ($name:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        // SAFETY: a plain C structure, for which zeros are values.
        let mut raw: $crate::sys::$name = unsafe { std::mem::zeroed() };
        raw.size = size_of::<$crate::sys::$name>();
        $(raw.$field = $value;)*
        raw
    }};
}
