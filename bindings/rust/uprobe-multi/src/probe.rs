// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
use std::borrow::Cow;
use std::ffi::c_char;
use std::fmt;
use std::marker::PhantomData;
use std::ops::BitOr;
use std::path::Path;
use std::ptr;

use crate::error::check;
use crate::raw::{bytes, c_string, lossy, path};
use crate::sys;

numbered! {
    /// What a probe observes: `enum upm_kind`.
    pub enum Kind: u32 {
        /// Execution reaches the offset.
        Uprobe = sys::UPM_KIND_UPROBE,
        /// The function entered at the offset returns.
        Uretprobe = sys::UPM_KIND_URETPROBE,
        /// A statically defined tracing probe's call site.
        Usdt = sys::UPM_KIND_USDT,
    }
}
named_by!(Kind, sys::upm_kind_name);

numbered! {
    /// Why a probe can not, or should not, be attached: `enum upm_verdict`.
    pub enum Verdict: i32 {
        /// It can.
        Ok = sys::UPM_VERDICT_OK,
        /// The kernel can not run this instruction out of line.
        Unprobeable = sys::UPM_VERDICT_UNPROBEABLE,
        /// The symbol is imported: its code is in another file.
        Undefined = sys::UPM_VERDICT_UNDEFINED,
        /// The symbol is data.
        Data = sys::UPM_VERDICT_DATA,
        /// A zero-size marker, not a function.
        Marker = sys::UPM_VERDICT_MARKER,
        /// No executable segment holds the address.
        NotExecutable = sys::UPM_VERDICT_NOT_EXECUTABLE,
        /// The name stands for several functions; the reason lists them.
        Ambiguous = sys::UPM_VERDICT_AMBIGUOUS,
        /// The spec matches nothing in the binary.
        NoMatch = sys::UPM_VERDICT_NO_MATCH,
        /// The offset is not at the start of an instruction.
        MidInstruction = sys::UPM_VERDICT_MID_INSTRUCTION,
        /// The kernel's optimisation could overwrite the red zone.
        RedZone = sys::UPM_VERDICT_RED_ZONE,
        /// A return probe on Go code breaks its stack growth.
        GoReturn = sys::UPM_VERDICT_GO_RETURN,
        /// A return probe needs a function's entry.
        NotEntry = sys::UPM_VERDICT_NOT_ENTRY,
        /// The bytes are of another architecture or class.
        Foreign = sys::UPM_VERDICT_FOREIGN,
        /// The file ends before the offset.
        Truncated = sys::UPM_VERDICT_TRUNCATED,
        /// The reference counter's offset can not be right.
        Semaphore = sys::UPM_VERDICT_SEMAPHORE,
        /// The same offset is asked for with two different reference counters.
        Conflict = sys::UPM_VERDICT_CONFLICT,
        /// The process runs a file that has been replaced on disk and can not be reached.
        Replaced = sys::UPM_VERDICT_REPLACED,
        /// The binary can not be opened or is not usable ELF.
        Unreadable = sys::UPM_VERDICT_UNREADABLE,
        /// The kernel refused it although it was judged good.
        Refused = sys::UPM_VERDICT_REFUSED,
        /// The process ended before the probe could be attached.
        ProcessGone = sys::UPM_VERDICT_PROCESS_GONE,
        /// An indirect function whose implementation lies in no file.
        Vdso = sys::UPM_VERDICT_VDSO,
        /// A return probe would crash the program.
        ReturnUnsafe = sys::UPM_VERDICT_RETURN_UNSAFE,
        /// A map of the program has no room for one more USDT call site.
        NoRoom = sys::UPM_VERDICT_NO_ROOM,
    }
}
named_by!(Verdict, sys::upm_verdict_name);

numbered! {
    /// What one hit costs, cheapest first: `enum upm_cost`.
    pub enum Cost: u32 {
        /// The probe has no instruction to judge.
        NotJudged = sys::UPM_COST_UNKNOWN,
        /// The kernel turns the breakpoint into a call.
        Nop5 = sys::UPM_COST_NOP5,
        /// One trap.
        Emulated = sys::UPM_COST_EMULATED,
        /// Two traps and a single step out of line.
        Stepped = sys::UPM_COST_STEPPED,
    }
}
named_by!(Cost, sys::upm_cost_name);

/// Facts about a probe beside its verdict: `enum upm_probe_flag`, or-ed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProbeFlags(u32);

impl ProbeFlags {
    /// An indirect function, and the offset is its resolver.
    pub const IFUNC_RESOLVER: Self = Self(sys::UPM_PROBE_IFUNC_RESOLVER);
    /// An indirect function, and the offset is what a process chose for it.
    pub const IFUNC_TARGET: Self = Self(sys::UPM_PROBE_IFUNC_TARGET);
    /// The name comes from a debug file or from `.gnu_debugdata`.
    pub const DEBUG_SYMBOL: Self = Self(sys::UPM_PROBE_DEBUG_SYMBOL);
    /// That it starts an instruction is the caller's word.
    pub const UNVERIFIED: Self = Self(sys::UPM_PROBE_UNVERIFIED);
    /// A return probe or a session here would harm the program.
    pub const RETURN_UNSAFE: Self = Self(sys::UPM_PROBE_RETURN_UNSAFE);
    /// A repeated string operation: hit at each repetition, not once.
    pub const REPEATS: Self = Self(sys::UPM_PROBE_REPEATS);

    /// Exceptions or panics may leave the function: see
    /// [`Resolver::accept_unwinding`](crate::Resolver::accept_unwinding).
    pub const UNWINDS: Self = Self(sys::UPM_PROBE_UNWINDS);

    /// Whether all of these are set.
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl BitOr for ProbeFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One point in one file, as the handle that it is borrowed from knows it. A small value to be copied.
///
/// Texts that are not UTF-8 have replacement characters; paths are exact.
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    raw: sys::upm_probe,
    /// Where aliases and arguments are asked for; NULL for the probes of a link.
    set: *const sys::upm_probe_set,
    index: usize,
    handle: PhantomData<&'a ()>,
}

// SAFETY: points to strings of a handle that is not changed for 'a, and calls const functions.
unsafe impl Send for Probe<'_> {}
// SAFETY: as above.
unsafe impl Sync for Probe<'_> {}

impl<'a> Probe<'a> {
    /// Has one filled in by `get`; `None` when the index is out of range.
    ///
    /// # Safety
    /// The strings must live for `'a`; set is NULL or lives for `'a`.
    pub(crate) unsafe fn read(
        set: *const sys::upm_probe_set,
        index: usize,
        get: impl FnOnce(*mut sys::upm_probe) -> i32,
    ) -> Option<Self> {
        let mut raw = sized!(upm_probe {});
        (get(&mut raw) == sys::UPM_OK).then_some(Self {
            raw,
            set,
            index,
            handle: PhantomData,
        })
    }

    fn text(&self, pointer: *const c_char) -> Cow<'a, str> {
        // SAFETY: read() was told so.
        unsafe { lossy(pointer) }
    }

    /// What it observes.
    pub fn kind(&self) -> Kind {
        Kind::from_raw(self.raw.kind)
    }

    /// The file, as a person would name it.
    pub fn path(&self) -> &'a Path {
        // SAFETY: read() was told so.
        unsafe { path(self.raw.path) }
    }

    /// Raw name of the function or USDT probe; empty where none is known.
    pub fn symbol(&self) -> Cow<'a, str> {
        self.text(self.raw.symbol)
    }

    /// The symbol as people read it: demangled, with the provider of a USDT probe, and `+0x10` behind.
    pub fn name(&self) -> String {
        // SAFETY: read() was told so.
        let (symbol, provider) = unsafe { (bytes(self.raw.symbol), bytes(self.raw.provider)) };
        if symbol.is_empty() {
            return format!("{:#x}", self.offset());
        }
        let name = demangle(&String::from_utf8_lossy(symbol));
        if !provider.is_empty() {
            format!("{}:{name}", String::from_utf8_lossy(provider))
        } else if self.symbol_offset() != 0 {
            format!("{name}+{:#x}", self.symbol_offset())
        } else {
            name
        }
    }

    /// Provider of a USDT probe; empty for others.
    pub fn provider(&self) -> Cow<'a, str> {
        self.text(self.raw.provider)
    }

    /// Symbol version without `@`; may be empty.
    pub fn version(&self) -> Cow<'a, str> {
        self.text(self.raw.version)
    }

    /// The spec that it comes from; may be empty.
    pub fn spec(&self) -> Cow<'a, str> {
        self.text(self.raw.spec)
    }

    /// Whether, or why not, it can be attached.
    pub fn verdict(&self) -> Verdict {
        Verdict::from_raw(self.raw.verdict)
    }

    /// Whether the verdict is [`Verdict::Ok`].
    pub fn is_ok(&self) -> bool {
        self.raw.verdict == sys::UPM_VERDICT_OK as i32
    }

    /// One line about verdict or flags; empty when there is nothing to say.
    pub fn reason(&self) -> Cow<'a, str> {
        self.text(self.raw.reason)
    }

    /// The verdict that a return probe, a latency or a trace with returns has at this place.
    ///
    /// ```
    /// use uprobe_multi::{Verdict, resolve};
    /// let set = resolve(["libc.so.6:setjmp", "libc.so.6:malloc"])?;
    /// let verdicts: Vec<_> = set.iter().map(|probe| probe.return_verdict()).collect();
    /// assert_eq!(verdicts, [Verdict::ReturnUnsafe, Verdict::Ok]);
    /// # Ok::<(), uprobe_multi::Error>(())
    /// ```
    pub fn return_verdict(&self) -> Verdict {
        Verdict::from_raw(self.raw.return_verdict)
    }

    /// One line about [`Probe::return_verdict`]; empty when that is [`Verdict::Ok`].
    pub fn return_reason(&self) -> Cow<'a, str> {
        self.text(self.raw.return_reason)
    }

    /// With [`Verdict::Refused`]: what the kernel said.
    pub fn errno(&self) -> Option<i32> {
        (self.raw.sys_errno != 0).then_some(self.raw.sys_errno)
    }

    /// What one hit costs.
    pub fn cost(&self) -> Cost {
        Cost::from_raw(self.raw.cost)
    }

    /// File offset of the instruction that is probed: [`offset`](Self::offset), or one behind it that
    /// sees the same calls and costs less. See [`ProbeSet::place`](crate::ProbeSet::place).
    pub fn site_offset(&self) -> u64 {
        self.raw.site_offset
    }

    /// What one hit there costs.
    pub fn site_cost(&self) -> Cost {
        Cost::from_raw(self.raw.site_cost)
    }

    /// Facts beside the verdict.
    pub fn flags(&self) -> ProbeFlags {
        ProbeFlags(self.raw.flags)
    }

    /// File offset, bytes.
    pub fn offset(&self) -> u64 {
        self.raw.offset
    }

    /// The same point as a virtual address of the ELF file.
    pub fn address(&self) -> u64 {
        self.raw.address
    }

    /// Bytes from the start of the symbol.
    pub fn symbol_offset(&self) -> u64 {
        self.raw.symbol_offset
    }

    /// Size of the symbol in bytes; 0 when it is not known.
    pub fn symbol_size(&self) -> u64 {
        self.raw.symbol_size
    }

    /// File offset of the reference counter (USDT semaphore).
    pub fn ref_ctr_offset(&self) -> Option<u64> {
        (self.raw.ref_ctr_offset != 0).then_some(self.raw.ref_ctr_offset)
    }

    /// What `bpf_get_attach_cookie()` returns in the program.
    pub fn cookie(&self) -> u64 {
        self.raw.cookie
    }

    /// Further names of the same point; none for the probes of a link.
    pub fn aliases(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let (set, index) = (self.set, self.index);
        let count = if set.is_null() {
            0
        } else {
            self.raw.alias_count as usize
        };
        (0..count).map(move |alias| {
            // SAFETY: read() was told that the set lives for 'a; its strings do so, too.
            unsafe { lossy(sys::upm_probe_set_alias(set, index, alias)) }
        })
    }

    /// Arguments of a USDT call site; none for the probes of a link.
    pub fn arguments(&self) -> impl Iterator<Item = Argument> + use<'a> {
        let (set, index) = (self.set, self.index);
        let count = if set.is_null() {
            0
        } else {
            self.raw.argument_count as usize
        };
        (0..count).map(move |argument| {
            let mut raw = sized!(upm_argument {});
            // SAFETY: read() was told that the set lives for 'a.
            let status = unsafe { sys::upm_probe_set_argument(set, index, argument, &mut raw) };
            check(status).expect("the argument exists");
            Argument(raw)
        })
    }
}

impl fmt::Display for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.kind(),
            self.path().display(),
            self.name()
        )
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("kind", &self.kind())
            .field("path", &self.path())
            .field("name", &self.name())
            .field("offset", &self.offset())
            .field("verdict", &self.verdict())
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

numbered! {
    /// Where the value of a USDT argument stands when its site is hit.
    pub enum ArgumentPlace: u32 {
        /// See [`Argument::reason`].
        Unreadable = sys::UPM_ARGUMENT_UNREADABLE,
        /// In the note.
        Constant = sys::UPM_ARGUMENT_CONSTANT,
        /// In a register.
        Register = sys::UPM_ARGUMENT_REGISTER,
        /// In memory.
        Memory = sys::UPM_ARGUMENT_MEMORY,
    }
}

/// One argument of a USDT call site.
#[derive(Clone, Copy)]
pub struct Argument(sys::upm_argument);

// SAFETY: its one string is static.
unsafe impl Send for Argument {}
// SAFETY: as above.
unsafe impl Sync for Argument {}

impl Argument {
    /// Where its value stands.
    pub fn place(&self) -> ArgumentPlace {
        ArgumentPlace::from_raw(self.0.place)
    }

    /// Of the value, bytes: 1, 2, 4 or 8; 0 when it is not known.
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// Whether its sign bit counts.
    pub fn is_signed(&self) -> bool {
        self.0.is_signed != 0
    }

    /// Whether it is floating point, of which the type is known but no value.
    pub fn is_float(&self) -> bool {
        self.0.is_float != 0
    }

    /// As the note has it, such as `-4@8(%rbp)`.
    pub fn text(&self) -> Cow<'_, str> {
        // SAFETY: an array in self that ends with NUL.
        unsafe { lossy(self.0.text.as_ptr()) }
    }

    /// Why it can not be read; empty when it can.
    pub fn reason(&self) -> &'static str {
        // SAFETY: belongs to the library, whatever becomes of the set.
        unsafe { crate::raw::static_text(self.0.reason) }
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Argument({:?} {})", self.place(), self.text())
    }
}

/// The readable form of a C++ or Rust name; other names as they are.
///
/// ```
/// assert_eq!(uprobe_multi::demangle("_ZN3foo3barEv"), "foo::bar()");
/// assert_eq!(uprobe_multi::demangle("malloc"), "malloc");
/// ```
pub fn demangle(symbol: &str) -> String {
    let Ok(raw) = c_string(symbol, "demangle") else {
        return symbol.to_owned();
    };
    // SAFETY: a buffer of no bytes is allowed: the length is asked for.
    let needed = unsafe { sys::upm_demangle(raw.as_ptr(), ptr::null_mut(), 0) };
    if needed == 0 {
        return symbol.to_owned();
    }
    let mut buffer = vec![0u8; needed + 1];
    // SAFETY: the buffer has the length that is said.
    unsafe { sys::upm_demangle(raw.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
    buffer.truncate(needed);
    String::from_utf8_lossy(&buffer).into_owned()
}
