// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;

use crate::probe_set::ProbeSet;

/// What to probe, as text.
///
/// | text | means |
/// |---|---|
/// | `BINARY:PATTERN`, `uprobe:BINARY:PATTERN` | entry of every function that PATTERN names |
/// | `uretprobe:BINARY:PATTERN` | their return |
/// | `usdt:BINARY:PROVIDER:NAME` | every call site of these USDT probes |
///
/// BINARY is a path, a glob of paths, a library as the dynamic loader knows it (`libc.so.6`), a
/// command on `PATH`, or `*` for everything that the processes in scope map. PATTERN is a name, a
/// glob, `/regex/`, `name+0x10`, `0x401000` (a file offset) or `name@VERSION`.
///
/// Whether it parses shows when it is resolved.
///
/// ```
/// use uprobe_multi::Spec;
/// assert_eq!(Spec::uretprobe("libc.so.6", "malloc").to_string(), "uretprobe:libc.so.6:malloc");
/// assert_eq!(Spec::from("libc.so.6:str*"), "libc.so.6:str*");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec(String);

impl Spec {
    /// The text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The entry of functions.
    pub fn uprobe(binary: impl fmt::Display, pattern: impl fmt::Display) -> Self {
        Self(format!("uprobe:{binary}:{pattern}"))
    }

    /// The return of functions.
    pub fn uretprobe(binary: impl fmt::Display, pattern: impl fmt::Display) -> Self {
        Self(format!("uretprobe:{binary}:{pattern}"))
    }

    /// The call sites of statically defined tracing probes.
    pub fn usdt(
        binary: impl fmt::Display,
        provider: impl fmt::Display,
        name: impl fmt::Display,
    ) -> Self {
        Self(format!("usdt:{binary}:{provider}:{name}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<T: Into<String>> From<T> for Spec {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for Spec {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Spec {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// One spec or several, wherever specs are asked for: a text, an array, a slice, a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specs(pub(crate) Vec<Spec>);

impl From<Spec> for Specs {
    fn from(spec: Spec) -> Self {
        Self(vec![spec])
    }
}

impl From<&str> for Specs {
    fn from(text: &str) -> Self {
        Self(vec![text.into()])
    }
}

impl From<String> for Specs {
    fn from(text: String) -> Self {
        Self(vec![text.into()])
    }
}

impl<T: Into<Spec>, const N: usize> From<[T; N]> for Specs {
    fn from(specs: [T; N]) -> Self {
        Self(specs.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Spec>> From<Vec<T>> for Specs {
    fn from(specs: Vec<T>) -> Self {
        Self(specs.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Spec> + Clone> From<&[T]> for Specs {
    fn from(specs: &[T]) -> Self {
        Self(specs.iter().cloned().map(Into::into).collect())
    }
}

/// Where functions take probes: a set that has been resolved, or the specs of one.
#[derive(Debug)]
pub enum Probes<'a> {
    /// A set, which stays the caller's.
    Set(&'a ProbeSet),
    /// Specs, resolved as the processes in scope see them.
    Specs(Vec<Spec>),
}

impl<'a> From<&'a ProbeSet> for Probes<'a> {
    fn from(set: &'a ProbeSet) -> Self {
        Probes::Set(set)
    }
}

impl<T: Into<Specs>> From<T> for Probes<'_> {
    fn from(specs: T) -> Self {
        Probes::Specs(specs.into().0)
    }
}
