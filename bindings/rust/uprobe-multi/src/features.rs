// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::fmt;

use crate::error::{Result, check as check_status};
use crate::scope::Backend;
use crate::sys;

numbered! {
    /// Answer of one question of [`check`].
    pub enum Answer: u32 {
        /// It does not work.
        No = sys::UPM_NO,
        /// It works.
        Yes = sys::UPM_YES,
        /// This user may not ask, or the machine can not be asked.
        NotKnown = sys::UPM_UNKNOWN,
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::No => "no",
            Self::Yes => "yes",
            _ => "unknown",
        })
    }
}

macro_rules! features {
    ($($(#[$what:meta])* $name:ident,)*) => {
        /// What this kernel and this user can do, found by trying: see [`check`].
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Features {
            $($(#[$what])* pub $name: Answer,)*
            /// What an attach takes by itself; `None` when nothing works.
            pub backend: Option<Backend>,
        }

        impl Features {
            /// Every answer with its name in C.
            pub fn answers(&self) -> impl Iterator<Item = (&'static str, Answer)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }

        /// Find out what works here. The kernel is asked once per process and answers are kept;
        /// capabilities are read anew each time.
        ///
        /// # Errors
        /// None that are known.
        ///
        /// ```
        /// let features = uprobe_multi::check()?;
        /// println!("{features:?}");
        /// # Ok::<(), uprobe_multi::Error>(())
        /// ```
        pub fn check() -> Result<Features> {
            let mut raw = sized!(upm_features {});
            // SAFETY: a structure with its size.
            check_status(unsafe { sys::upm_check(&mut raw) })?;
            Ok(Features {
                $($name: Answer::from_raw(raw.$name),)*
                backend: (raw.backend != 0).then(|| Backend::from_raw(raw.backend)),
            })
        }
    };
}

features! {
    /// Multi links (6.6).
    uprobe_multi,
    /// Session links (6.13).
    session,
    /// A link's PID filter is per process (6.10).
    pid_filter,
    /// A link lists its probes (6.8).
    link_info,
    /// `/proc/PID/fdinfo` describes a multi link (6.17).
    fdinfo,
    /// A link takes a descriptor in place of a path (7.2).
    path_fd,
    /// A link takes probes of many files (a patched kernel).
    paths,
    /// Uprobes by perf_event_open(2).
    perf_event,
    /// Perf-event links carry cookies (5.15).
    perf_cookie,
    /// nop5 sites are turned into calls (x86-64, 6.18).
    uprobe_syscall,
    /// That call steps over the red zone.
    nop5_red_zone_safe,
    /// Ring buffers (5.8).
    ringbuf,
    /// Arrays that can be mapped (5.5).
    mmapable_array,
    /// Effective CAP_BPF or CAP_SYS_ADMIN.
    cap_bpf,
    /// Effective CAP_PERFMON or CAP_SYS_ADMIN.
    cap_perfmon,
    /// Effective CAP_SYS_ADMIN.
    cap_sys_admin,
    /// Effective CAP_SYS_PTRACE.
    cap_sys_ptrace,
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.answers())
            .entry(&"backend", &self.backend)
            .finish()
    }
}

/// The library's version, such as `"0.1.0"`.
///
/// ```
/// assert!(uprobe_multi::version().starts_with("0."));
/// ```
pub fn version() -> &'static str {
    // SAFETY: a static string.
    unsafe { crate::raw::static_text(sys::upm_version()) }
}
