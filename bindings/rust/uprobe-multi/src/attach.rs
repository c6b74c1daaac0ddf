// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use crate::error::Result;
use crate::link::Link;
use crate::object::Object;
use crate::raw::{Texts, c_string, or_null};
use crate::scope::Scope;
use crate::spec::{Probes, Spec};
use crate::sys;

/// Attaches a BPF program to every probe that can be attached.
///
/// ```no_run
/// # fn main() -> Result<(), uprobe_multi::Error> {
/// # let (program, pid) = (std::fs::File::open("/dev/null").unwrap(), 1);
/// use uprobe_multi::Attach;
/// // Anything with the descriptor of a loaded program: of libbpf-rs, of aya, or your own.
/// let link = Attach::new("libc.so.6:str*").pid(pid).program(&program)?;
/// println!("{} attached", link.attached_count());
/// for probe in link.skipped() {
///     println!("skipped {probe}: {} {}", probe.verdict(), probe.reason());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "program() or object() does the work"]
#[derive(Debug)]
pub struct Attach<'a> {
    probes: Option<Probes<'a>>,
    scope: Scope<'a>,
}

impl<'a> Attach<'a> {
    /// To these: a [`ProbeSet`](crate::ProbeSet) or specs.
    pub fn new(probes: impl Into<Probes<'a>>) -> Self {
        Self {
            probes: Some(probes.into()),
            scope: Scope::default(),
        }
    }

    /// To what the program's section in its object names: see [`Attach::object`].
    pub fn to_section() -> Self {
        Self {
            probes: None,
            scope: Scope::default(),
        }
    }

    scope_methods!();

    /// Give each probe its position in the set as cookie, whatever its own cookie.
    pub fn cookie_is_index(mut self, index: bool) -> Self {
        self.scope.set_flag(sys::UPM_ATTACH_COOKIE_IS_INDEX, index);
        self
    }

    /// Attach a loaded program.
    ///
    /// What it was loaded for is found by trying: uprobe.multi and uprobe.session programs go
    /// through multi links, plain uprobe programs through perf events. The descriptor stays
    /// the caller's, and may be closed afterwards.
    ///
    /// # Errors
    /// [`Nothing`](crate::ErrorKind::Nothing), [`Strict`](crate::ErrorKind::Strict),
    /// [`Program`](crate::ErrorKind::Program), [`Permission`](crate::ErrorKind::Permission),
    /// [`Unsupported`](crate::ErrorKind::Unsupported), [`NotFound`](crate::ErrorKind::NotFound)
    /// (a process), [`Cancelled`](crate::ErrorKind::Cancelled), [`System`](crate::ErrorKind::System).
    /// Nothing is left attached then.
    pub fn program(mut self, program: impl AsFd) -> Result<Link> {
        let fd = program.as_fd().as_raw_fd();
        let probes = self.probes.take().unwrap_or(Probes::Specs(Vec::new()));
        self.scope.with(
            probes,
            // SAFETY: set and options live until the call has returned.
            |set, options, out| unsafe { sys::upm_attach(fd, set, options, out) },
            Link::from_raw,
        )
    }

    /// Resolve and attach a program of an object; without a name, its only one. Probes given as a
    /// set are attached as they are; specs may lack the kind, which is then that of the section.
    ///
    /// # Errors
    /// As [`Attach::program`] and [`Resolver::resolve`](crate::Resolver::resolve);
    /// [`NotFound`](crate::ErrorKind::NotFound) for a program that is not there, or several without a
    /// name.
    pub fn object(mut self, object: &mut Object, name: Option<&str>) -> Result<Link> {
        if let Some(Probes::Set(_)) = self.probes {
            let fd = object.program(name)?.as_raw_fd();
            // SAFETY: the object, borrowed for this call, keeps the descriptor open.
            return self.program(unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) });
        }
        let name = match name {
            Some(name) => Some(c_string(name, "choose a program")?),
            None => None,
        };
        let specs = match &self.probes {
            Some(Probes::Specs(specs)) => Some(Texts::new(
                specs.iter().map(Spec::as_str),
                "resolve the spec",
            )?),
            _ => None,
        };
        let (array, count) = specs
            .as_ref()
            .map_or((ptr::null(), 0), |texts| (texts.as_ptr(), texts.len()));
        self.scope.options(
            // SAFETY: names, specs and options live until the call has returned.
            |options, out| unsafe {
                sys::upm_object_attach(
                    object.as_mut_ptr(),
                    or_null(&name),
                    array,
                    count,
                    options,
                    out,
                )
            },
            Link::from_raw,
        )
    }
}
