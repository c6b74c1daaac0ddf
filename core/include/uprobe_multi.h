/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * uprobe_multi.h - probe user-space programs through one kernel link.
 *
 * This is the one public header of libuprobe_multi and the only input of every
 * language binding. The flow of a program that uses it:
 *
 *     specs --upm_resolve()--> probe set --upm_attach()--> link
 *                                  |
 *                                  +-----upm_count()-----> observer --> hits
 *                                  +---upm_latency()-----> observer --> snapshots
 *                                  +-----upm_trace()-----> observer --> batches of events
 *
 * Processes to observe are given twice: to upm_resolve(), so that a BINARY means what they see, and
 * to what attaches, so that only their hits count. upm_observer_pin() lets an observer outlive its
 * maker.
 *
 * A *spec* is what the user asks for, as text:
 *
 *     uprobe:BINARY:PATTERN     entry of every function that PATTERN names
 *     uretprobe:BINARY:PATTERN  their return
 *     usdt:BINARY:PROVIDER:NAME every call site of statically defined tracing probes;
 *                               PROVIDER and NAME are names, globs or /regex/
 *     BINARY:PATTERN            short for uprobe
 *
 * BINARY is a path, a glob of paths, a library name as the dynamic loader knows
 * it (libc.so.6), a command on PATH, or `*` for everything that the processes
 * of upm_resolve_options.pids map. PATTERN is a name, a glob (`*`, `?`,
 * `[a-z]`), `/regex/` (PCRE2), `name+0x10`, `0x401000` (a file offset),
 * `name@VERSION` or `name@@VERSION`. Patterns match raw and demangled names.
 *
 * A *probe* is one point in one file. Every probe carries a *verdict*: UPM_VERDICT_OK
 * or why it can not be attached, and a *cost class*: what a hit costs. Whatever
 * was asked for ends up attached or skipped with a verdict; nothing is lost.
 *
 * Rules that hold for every function (docs/contract.md has the whole):
 *
 * Errors    A function returning int gives 0 (UPM_OK) or a negative enum
 *           upm_status; upm_error_last() then has the details.
 * Ownership What a function stores through an `**out` parameter belongs to the
 *           caller, who gives it to the matching _free(). Every _free() takes
 *           NULL. A `const char *` inside a structure belongs to the handle it
 *           came from and lives as long as that handle is unchanged.
 * Structs   Every structure that the caller provides begins with `size`, to be
 *           set to sizeof of it. A library newer or older than the caller then
 *           reads and writes only the fields that both know. Options may be
 *           NULL: all defaults. A non-zero field that this library does not
 *           know is refused with UPM_ERR_INVALID.
 * Threads   Different handles may be used from different threads at once. On
 *           one handle, functions that take it as `const` may run together;
 *           any other call needs it alone.
 * Fork      Descriptors are close-on-exec. A child made by fork() shares the
 *           kernel links; they end when both parent and child let go.
 * Signals   No function installs a handler. Interrupted system calls are
 *           repeated; cancel from a progress callback.
 */
#ifndef UPROBE_MULTI_H
#define UPROBE_MULTI_H

#include <stddef.h>
#include <stdint.h>

#ifndef UPM_API
#define UPM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this header; upm_version() has that of the library. */
#define UPM_VERSION_MAJOR 0
#define UPM_VERSION_MINOR 1
#define UPM_VERSION_PATCH 0

/* ------------------------------------------------------------------ errors */

/** What went wrong, as the negative return value of a function. */
enum upm_status {
	UPM_OK = 0,
	UPM_ERR_INVALID = -1,	  /**< an argument is out of range or NULL */
	UPM_ERR_SPEC = -2,	  /**< a spec or pattern does not parse */
	UPM_ERR_NOT_FOUND = -3,	  /**< no such binary, symbol, process, pin or program */
	UPM_ERR_FORMAT = -4,	  /**< a file is not the ELF or BPF object it should be */
	UPM_ERR_PERMISSION = -5,  /**< a capability, sysctl, lockdown or seccomp rule forbids it */
	UPM_ERR_UNSUPPORTED = -6, /**< this kernel or this build can not do it */
	UPM_ERR_NOTHING = -7,	  /**< no probe of the set can be attached */
	UPM_ERR_STRICT = -8,	  /**< a probe would be skipped and UPM_ATTACH_STRICT was given */
	UPM_ERR_MEMORY = -9,	  /**< out of memory */
	UPM_ERR_SYSTEM = -10,	  /**< another system call failed: see sys_errno */
	UPM_ERR_CANCELLED = -11,  /**< the caller's progress callback asked to stop */
	UPM_ERR_PROGRAM =
		-12,	     /**< the BPF program has the wrong type, or the verifier refused it */
	UPM_ERR_LIMIT = -13, /**< more than this library or kernel allows */
	UPM_ERR_STATE = -14  /**< the handle is detached or stopped already */
};

/** The last failure on this thread. Its strings live until the next failure on it. */
struct upm_error {
	int32_t code;	       /**< enum upm_status, or 0 when nothing has failed yet */
	int32_t sys_errno;     /**< errno of the system call behind it, or 0 */
	const char *operation; /**< what was tried, such as "open the binary"; never NULL */
	const char *object;    /**< the file, spec, symbol or process it was tried on; may be "" */
	const char *message;   /**< one line that says what happened; never NULL */
	const char *hint;      /**< one line that says what to do next; may be "" */
};

/** @return the record of this thread; owned by the library, never NULL. */
UPM_API const struct upm_error *upm_error_last(void);

/** @return the name of an enum upm_status, such as "UPM_ERR_SPEC"; a static string. */
UPM_API const char *upm_status_name(int32_t status);

/** @return the library's version, such as "0.1.0"; a static string. */
UPM_API const char *upm_version(void);

/**
 * Progress of a long call.
 * @param done, total  steps of this stage; total 0 = not known
 * @param stage        "resolve", "debuginfo", "attach" or "detach"; a static string
 * @param context      what the options gave
 * @return 0 to go on; anything else cancels: the call undoes what it did and
 *         returns UPM_ERR_CANCELLED. Never called from another thread.
 */
typedef int32_t (*upm_progress_fn)(const char *stage, uint64_t done, uint64_t total, void *context);

/* ------------------------------------------------------------------ probes */

/** What a probe observes. */
enum upm_kind {
	UPM_KIND_UPROBE = 0,	/**< execution reaches the offset */
	UPM_KIND_URETPROBE = 1, /**< the function entered at the offset returns */
	UPM_KIND_USDT = 2	/**< a statically defined tracing probe's call site */
};

/** Why a probe can not, or should not, be attached. */
enum upm_verdict {
	UPM_VERDICT_OK = 0,
	/** The kernel can not run this instruction out of line (arch/x86/kernel/uprobes.c). */
	UPM_VERDICT_UNPROBEABLE = 1,
	/** The symbol is imported: its code is in another file. */
	UPM_VERDICT_UNDEFINED = 2,
	/** The symbol is data. */
	UPM_VERDICT_DATA = 3,
	/** A zero-size marker, not a function. */
	UPM_VERDICT_MARKER = 4,
	/** No executable PT_LOAD segment holds the address. */
	UPM_VERDICT_NOT_EXECUTABLE = 5,
	/** The name stands for several functions; the reason lists the candidates. */
	UPM_VERDICT_AMBIGUOUS = 6,
	/** The spec matches nothing in the binary. */
	UPM_VERDICT_NO_MATCH = 7,
	/** The offset is not at the start of an instruction: a breakpoint would corrupt the
	   program. */
	UPM_VERDICT_MID_INSTRUCTION = 8,
	/** A nop5 inside a function, where the kernel's optimisation may overwrite the red zone. */
	UPM_VERDICT_RED_ZONE = 9,
	/** A return probe on Go code breaks its stack growth. */
	UPM_VERDICT_GO_RETURN = 10,
	/** A return probe needs a function's entry; this offset is inside one. */
	UPM_VERDICT_NOT_ENTRY = 11,
	/** The bytes are of another architecture or class than this kernel runs. */
	UPM_VERDICT_FOREIGN = 12,
	/** The file ends before the offset. */
	UPM_VERDICT_TRUNCATED = 13,
	/** The reference counter's offset is odd, or outside every writable segment. */
	UPM_VERDICT_SEMAPHORE = 14,
	/** The same offset is asked for with two different reference counters. */
	UPM_VERDICT_CONFLICT = 15,
	/** The process runs a file that has been replaced on disk and can not be reached. */
	UPM_VERDICT_REPLACED = 16,
	/** The binary can not be opened or is not usable ELF; the reason says why. */
	UPM_VERDICT_UNREADABLE = 17,
	/** The kernel refused it although it was judged good; the reason has the errno. */
	UPM_VERDICT_REFUSED = 18,
	/** The process ended before the probe could be attached. */
	UPM_VERDICT_PROCESS_GONE = 19,
	/** An indirect function whose implementation lies in no file (the vDSO). */
	UPM_VERDICT_VDSO = 20,
	/** The function keeps or moves its return address (setjmp, the unwinder), or has none
	 *  (_start, a .cold part): a return probe would crash the program. */
	UPM_VERDICT_RETURN_UNSAFE = 21,
	/** A map of the program, of fixed size, has no room for one more USDT call site. */
	UPM_VERDICT_NO_ROOM = 22
};

/** What one hit costs, cheapest first; measured figures are in docs/benchmarks.md. */
enum upm_cost {
	UPM_COST_UNKNOWN = 0,  /**< the probe has no instruction to judge */
	UPM_COST_NOP5 = 1,     /**< the kernel turns the breakpoint into a call (x86-64, 6.18) */
	UPM_COST_EMULATED = 2, /**< one trap */
	UPM_COST_STEPPED = 3   /**< two traps and a single step out of line */
};

/** Facts about a probe beside its verdict. */
enum upm_probe_flag {
	/** The symbol is an indirect function and the offset is its resolver, which
	 *  runs once when the symbol is bound, not at each call. */
	UPM_PROBE_IFUNC_RESOLVER = 1,
	/** The symbol is an indirect function; the offset is what a process chose for it. */
	UPM_PROBE_IFUNC_TARGET = 2,
	/** The name comes from a separate debug file or from .gnu_debugdata. */
	UPM_PROBE_DEBUG_SYMBOL = 4,
	/** No symbol covers the offset, so that it starts an instruction is the caller's word. */
	UPM_PROBE_UNVERIFIED = 8,
	/** A return probe or a session here would harm the program; see the return verdicts. */
	UPM_PROBE_RETURN_UNSAFE = 16,
	/** The instruction is a repeated string operation (rep movsb …): the probe is hit at each
	 *  repetition, not once. */
	UPM_PROBE_REPEATS = 32,
	/** Exceptions may leave the function, or it may be left for another stack, and
	 * UPM_RESOLVE_ACCEPT_UNWINDING was given. */
	UPM_PROBE_UNWINDS = 64
};

/**
 * One probe, as upm_probe_set_get() and upm_link_*_get() fill it in. Strings
 * belong to the handle that filled it.
 */
struct upm_probe {
	size_t size;	     /**< set by the caller: sizeof(struct upm_probe) */
	const char *path;    /**< the file, as a person would name it; never NULL */
	const char *symbol;  /**< raw name of the function; "" where no symbol is known */
	const char *version; /**< symbol version without '@', or "" */
	const char *spec;    /**< the spec it comes from, or "" */
	const char *reason; /**< one line about verdict or flags; "" when there is nothing to say */
	uint64_t offset;    /**< file offset of the probe, bytes */
	uint64_t address;   /**< the same point as a virtual address of the ELF file */
	uint64_t symbol_offset;	 /**< bytes from the start of the symbol to the probe */
	uint64_t symbol_size;	 /**< bytes; 0 = not known */
	uint64_t ref_ctr_offset; /**< file offset of the reference counter (USDT semaphore); 0 =
				    none */
	uint64_t cookie;	 /**< what bpf_get_attach_cookie() returns in the program */
	uint32_t kind;		 /**< enum upm_kind */
	int32_t verdict;	 /**< enum upm_verdict */
	uint32_t cost;		 /**< enum upm_cost */
	uint32_t flags;		 /**< enum upm_probe_flag, or-ed */
	uint32_t alias_count;	 /**< further names of the same point: upm_probe_set_alias() */
	int32_t sys_errno;	 /**< with UPM_VERDICT_REFUSED: what the kernel said */
	const char *provider;	 /**< of a USDT probe, whose name is symbol; "" for others */
	uint32_t argument_count; /**< of a USDT call site: see upm_probe_set_argument() */
	/** With UPM_PROBE_RETURN_UNSAFE: the verdict (enum upm_verdict) that a return probe, or a
	 *  latency or trace with returns, has at this place; else UPM_VERDICT_OK, and so for USDT
	 *  probes and for those of a pinned observer */
	int32_t return_verdict;
	const char *return_reason; /**< one line about return_verdict; "" when that is OK */
	/** File offset of the instruction that is probed: offset, or with UPM_PLACEMENT_CHEAPEST
	 *  one behind it that sees the same calls and costs less */
	uint64_t site_offset;
	uint32_t site_cost; /**< enum upm_cost of a hit there */
	uint32_t reserved;  /**< 0 */
};

/** @return "uprobe", "uretprobe", "usdt"; "?" for a number that is no kind. Static strings. */
UPM_API const char *upm_kind_name(uint32_t kind);
/** @return "ok", "unprobeable", "undefined", …; "?" for a number that is no verdict. Static
 * strings. */
UPM_API const char *upm_verdict_name(int32_t verdict);
/** @return "nop5", "emulated", "stepped", "unknown". Static strings. */
UPM_API const char *upm_cost_name(uint32_t cost);

/**
 * Demangle a C++ or Rust (v0 or legacy) name.
 * @param symbol  raw name
 * @param buffer  receives the readable name, cut to fit, with a terminating NUL
 * @param length  bytes in buffer
 * @return bytes of the whole readable name without the NUL (more than length-1
 *         when it was cut); 0 when the name is not mangled, buffer then has the raw name.
 */
UPM_API size_t upm_demangle(const char *symbol, char *buffer, size_t length);

/* -------------------------------------------------------------- probe sets */

/** An ordered list of probes from any number of specs and files. Opaque. */
struct upm_probe_set;

/** Bits of upm_resolve_options.flags. */
enum upm_resolve_flag {
	/** Read separate debug files for every spec, not only for those that match
	 *  nothing in the binary's own symbol tables. */
	UPM_RESOLVE_DEBUG_ALWAYS = 1,
	/** Never read separate debug files nor .gnu_debugdata. */
	UPM_RESOLVE_DEBUG_NEVER = 2,
	/** Ask the servers of DEBUGINFOD_URLS where no local debug file is found. */
	UPM_RESOLVE_DEBUGINFOD = 4,
	/** Let a plain name that stands for several functions match them all. */
	UPM_RESOLVE_ALL_MATCHES = 8,
	/** Allow return probes, latencies and sessions on functions that an exception may leave:
	 * all of a file whose code throws or cleans up (C++, Rust). An exception that does leave
	 * such a function ends the program, since its unwinder does not know the kernel's
	 *  trampoline. Likewise on functions of a file that switches stacks (swapcontext and its
	 *  like): one that is left for another stack returns to a wrong place. Without this they
	 *  have UPM_VERDICT_RETURN_UNSAFE. */
	UPM_RESOLVE_ACCEPT_UNWINDING = 16,
	/** Neither read nor write the index, which keeps what a pattern found in a file where that
	 *  was 8,192 functions or more: in the folder that the environment variable
	 *  UPROBE_MULTI_INDEX names ("off" = none), else /var/cache/uprobe_multi for root and
	 *  ~/.cache/uprobe_multi for others. */
	UPM_RESOLVE_NO_INDEX = 32
};

/** Options of upm_resolve(). */
struct upm_resolve_options {
	size_t size;	   /**< sizeof(struct upm_resolve_options) */
	uint32_t flags;	   /**< enum upm_resolve_flag, or-ed */
	uint32_t reserved; /**< 0 */
	const int32_t
		*pids;	  /**< processes in whose view of the file system and of loaded
			   *   libraries BINARY is looked up; thread ids stand for their process */
	size_t pid_count; /**< elements of pids; 0 = the caller's own view */
	const char
		*program;	  /**< an executable about to run: BINARY may be a library that it
				   *   will load, and `*` is the executable and all it needs; NULL = none */
	upm_progress_fn progress; /**< NULL = none */
	void *progress_context;	  /**< handed to progress */
};

/**
 * Turn specs into probes, each judged.
 *
 * A spec that parses but finds nothing does not fail the call: it becomes one
 * probe with UPM_VERDICT_NO_MATCH or UPM_VERDICT_UNREADABLE. Several names of
 * one point become one probe with aliases. Probes are ordered by spec, then
 * file, then offset.
 *
 * @param specs    array of spec texts, copied
 * @param count    elements of specs, at least 1
 * @param options  NULL = defaults
 * @param out      receives the set; free it with upm_probe_set_free()
 * @return UPM_OK; UPM_ERR_SPEC (nothing is stored); UPM_ERR_NOT_FOUND for a process
 *         that does not exist; UPM_ERR_PERMISSION; UPM_ERR_MEMORY; UPM_ERR_CANCELLED.
 */
UPM_API int32_t upm_resolve(const char *const *specs, size_t count,
			    const struct upm_resolve_options *options, struct upm_probe_set **out);

/** Make an empty set. @return UPM_OK or UPM_ERR_MEMORY. */
UPM_API int32_t upm_probe_set_new(struct upm_probe_set **out);

/**
 * Add probes by place, one per element: paths[i], offsets[i], ref_ctr_offsets[i],
 * cookies[i]. Each is judged like a resolved one and named by the symbol that
 * covers it. Every element becomes one probe, equal ones too.
 *
 * @param set             changed
 * @param kind            enum upm_kind of all of them
 * @param paths           count file names, copied
 * @param offsets         count file offsets, bytes
 * @param ref_ctr_offsets count file offsets of reference counters; NULL = none
 * @param cookies         count cookies; NULL = all 0
 * @param count           elements of each array
 * @return UPM_OK; UPM_ERR_INVALID; UPM_ERR_MEMORY. On error the set is unchanged.
 */
UPM_API int32_t upm_probe_set_add(struct upm_probe_set *set, uint32_t kind,
				  const char *const *paths, const uint64_t *offsets,
				  const uint64_t *ref_ctr_offsets, const uint64_t *cookies,
				  size_t count);

/** @return number of probes, whatever their verdicts; 0 for NULL. */
UPM_API size_t upm_probe_set_size(const struct upm_probe_set *set);

/** @return number of probes with this enum upm_verdict. */
UPM_API size_t upm_probe_set_count_verdict(const struct upm_probe_set *set, int32_t verdict);

/**
 * Describe one probe.
 * @param index  0 … upm_probe_set_size()-1
 * @param probe  its field `size` is set by the caller; the rest is filled in.
 *               Strings live until the set is changed or freed.
 * @return UPM_OK or UPM_ERR_INVALID.
 */
UPM_API int32_t upm_probe_set_get(const struct upm_probe_set *set, size_t index,
				  struct upm_probe *probe);

/**
 * @return name number alias (0 … alias_count-1) of probe number index beside
 *         its symbol; NULL when either is out of range. Belongs to the set.
 */
UPM_API const char *upm_probe_set_alias(const struct upm_probe_set *set, size_t index,
					size_t alias);

/** Where the value of a USDT argument stands when its site is hit. */
enum upm_argument_place {
	UPM_ARGUMENT_UNREADABLE = 0, /**< see reason */
	UPM_ARGUMENT_CONSTANT = 1,
	UPM_ARGUMENT_REGISTER = 2,
	UPM_ARGUMENT_MEMORY = 3
};

/** One argument of a USDT call site. */
struct upm_argument {
	size_t size;	    /**< set by the caller: sizeof(struct upm_argument) */
	const char *reason; /**< why it can not be read; "" when it can. Belongs to the library */
	uint32_t place;	    /**< enum upm_argument_place */
	uint32_t width;	    /**< of the value, bytes: 1, 2, 4 or 8; 0 = not known */
	uint32_t is_signed; /**< 1 when its sign bit counts */
	uint32_t is_float;  /**< 1 for floating point, of which the type is known but no value */
	char text[64];	    /**< as the note has it, such as "-4@8(%rbp)"; cut to fit */
};

/**
 * Describe an argument of a USDT call site.
 * @param index     position of the probe in the set
 * @param argument  0 … upm_probe.argument_count-1
 * @param out       its field `size` is set by the caller; the rest is filled in
 * @return UPM_OK or UPM_ERR_INVALID.
 */
UPM_API int32_t upm_probe_set_argument(const struct upm_probe_set *set, size_t index,
				       size_t argument, struct upm_argument *out);

/**
 * Set the cookies of all probes.
 * @param cookies  one per probe, in order
 * @param count    must equal upm_probe_set_size()
 * @return UPM_OK, UPM_ERR_INVALID, UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_probe_set_cookies(struct upm_probe_set *set, const uint64_t *cookies,
				      size_t count);

/**
 * Find the instructions that an observer with default options would probe: site_offset and
 * site_cost of the set's probes. What attaches chooses for itself, whether this was called or not.
 * Probes that are added later are at their offsets.
 * @param observer  enum upm_observer_kind; 0 = a program of one's own with UPM_PLACEMENT_CHEAPEST
 * @return UPM_OK, UPM_ERR_INVALID, UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_probe_set_place(struct upm_probe_set *set, uint32_t observer);

/**
 * Make a new set of some probes of this one.
 * @param indexes  positions, in the order wanted; may repeat
 * @param out      receives the new set; free it with upm_probe_set_free()
 * @return UPM_OK, UPM_ERR_INVALID, UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_probe_set_select(const struct upm_probe_set *set, const size_t *indexes,
				     size_t count, struct upm_probe_set **out);

/** Append copies of all probes of other. @return UPM_OK, UPM_ERR_INVALID, UPM_ERR_MEMORY. */
UPM_API int32_t upm_probe_set_join(struct upm_probe_set *set, const struct upm_probe_set *other);

/** Free a set. Links and observers made from it are not affected. */
UPM_API void upm_probe_set_free(struct upm_probe_set *set);

/* ------------------------------------------------------------------- check */

/** Answer of one question of upm_check(). */
enum upm_answer {
	UPM_NO = 0,
	UPM_YES = 1,
	UPM_UNKNOWN = 2 /**< this user may not ask, or the machine can not be asked */
};

/**
 * What this kernel and this user can do. Each field but `size` is an enum
 * upm_answer found by trying, never by comparing versions.
 */
struct upm_features {
	size_t size;	       /**< set by the caller */
	uint32_t uprobe_multi; /**< BPF_TRACE_UPROBE_MULTI links (6.6, commit 89ae89f53d20) */
	uint32_t session;      /**< BPF_TRACE_UPROBE_SESSION links (6.13, commit d920179b3d48) */
	uint32_t pid_filter;  /**< a link's PID filter is per process (6.10, commit 46ba0e49b642) */
	uint32_t link_info;   /**< BPF_OBJ_GET_INFO_BY_FD lists a link's probes (6.8, commit
				 e56fdbfb06e2) */
	uint32_t fdinfo;      /**< /proc/PID/fdinfo describes a multi link (6.17) */
	uint32_t path_fd;     /**< a link takes a descriptor in place of a path (7.2) */
	uint32_t perf_event;  /**< uprobes by perf_event_open(2) */
	uint32_t perf_cookie; /**< perf-event links carry cookies (5.15, commit 82e6b1eee6a8) */
	uint32_t uprobe_syscall;     /**< nop5 sites are turned into calls (x86-64, 6.18) */
	uint32_t nop5_red_zone_safe; /**< that call steps over the red zone (nop10 scheme) */
	uint32_t ringbuf;	     /**< BPF_MAP_TYPE_RINGBUF (5.8) */
	uint32_t mmapable_array;     /**< BPF_F_MMAPABLE arrays (5.5) */
	uint32_t cap_bpf;	     /**< effective CAP_BPF (or CAP_SYS_ADMIN) */
	uint32_t cap_perfmon;	     /**< effective CAP_PERFMON (or CAP_SYS_ADMIN) */
	uint32_t cap_sys_admin;	     /**< effective CAP_SYS_ADMIN */
	uint32_t cap_sys_ptrace; /**< effective CAP_SYS_PTRACE: maps of other users' processes */
	uint32_t backend; /**< enum upm_backend that upm_attach() takes by itself; 0 = none works */
	uint32_t paths; /**< a link takes probes of many files (patches in kernel/patches/paths) */
};

/** How probes reach the kernel. */
enum upm_backend {
	UPM_BACKEND_AUTO = 0,	      /**< the best that works */
	UPM_BACKEND_UPROBE_MULTI = 1, /**< one link for many probes */
	UPM_BACKEND_PERF_EVENT = 2    /**< one perf event and one link for each probe */
};

/** @return "auto", "uprobe_multi", "perf_event"; "?" otherwise. Static strings. */
UPM_API const char *upm_backend_name(uint32_t backend);

/**
 * Find out what works here. The kernel is asked once per process and answers
 * are kept; capabilities are read anew each time.
 * @return UPM_OK or UPM_ERR_INVALID. What can not be found out is UPM_UNKNOWN.
 */
UPM_API int32_t upm_check(struct upm_features *features);

/* ------------------------------------------------------------------- links */

/** An attached probe set: one handle, whatever the number of kernel links behind it. Opaque. */
struct upm_link;

/** Bits of upm_attach_options.flags. */
enum upm_attach_flag {
	/** Attach every probe or none: UPM_ERR_STRICT names the first that would be skipped. */
	UPM_ATTACH_STRICT = 1,
	/** Also observe processes that the given PIDs fork after the attach. The kernel
	 *  has no filter for this: only observers can, other programs get UPM_ERR_UNSUPPORTED. */
	UPM_ATTACH_CHILDREN = 2,
	/** Give each probe its position in the set as cookie, whatever its own cookie. */
	UPM_ATTACH_COOKIE_IS_INDEX = 4
};

/** Which instruction of a function is probed. */
enum upm_placement {
	/** Observers: the cheapest. upm_attach() and upm_object_attach(): the exact one. */
	UPM_PLACEMENT_DEFAULT = 0,
	/** The one that was asked for. */
	UPM_PLACEMENT_EXACT = 1,
	/** Where a function begins with an instruction that the kernel has to single-step: the
	 * first one behind it that is cheaper, runs exactly once a call, and finds what the program
	 * reads as it was at the entry. A program of the caller's finds all registers but flags and
	 *  instruction pointer, and memory. Where this can not be proven the exact one. */
	UPM_PLACEMENT_CHEAPEST = 2
};

/** Options of upm_attach(), upm_object_attach() and the observers. */
struct upm_attach_options {
	size_t size;	     /**< sizeof(struct upm_attach_options) */
	uint32_t flags;	     /**< enum upm_attach_flag, or-ed */
	uint32_t backend;    /**< enum upm_backend to force; 0 = the best that works */
	const int32_t *pids; /**< processes to observe; thread ids stand for their process */
	size_t pid_count;    /**< elements of pids; 0 = every process */
	uint32_t
		probes_per_link; /**< most probes in one kernel link; 0 = the kernel's cap, 1<<20 */
	uint32_t placement;	 /**< enum upm_placement */
	upm_progress_fn progress; /**< NULL = none */
	void *progress_context;	  /**< handed to progress */
};

/**
 * Attach one BPF program to every probe of a set that can be attached.
 *
 * The program is of type BPF_PROG_TYPE_KPROBE. What it was loaded for is found
 * by trying: uprobe.multi and uprobe.session programs go through multi links,
 * plain uprobe programs through perf events. A session program takes the
 * UPM_KIND_UPROBE probes and sees entry and return of each.
 *
 * @param program_fd  a loaded program; stays the caller's, and may be closed afterwards
 * @param set         stays the caller's, and may be freed afterwards
 * @param options     NULL = defaults
 * @param out         receives the link; free it with upm_link_free()
 * @return UPM_OK when at least one probe is attached: look at upm_link_skipped() for the
 *         rest; UPM_ERR_NOTHING; UPM_ERR_STRICT; UPM_ERR_PROGRAM; UPM_ERR_PERMISSION;
 *         UPM_ERR_UNSUPPORTED; UPM_ERR_NOT_FOUND (process); UPM_ERR_CANCELLED;
 *         UPM_ERR_SYSTEM. After an error nothing is left attached.
 */
UPM_API int32_t upm_attach(int32_t program_fd, const struct upm_probe_set *set,
			   const struct upm_attach_options *options, struct upm_link **out);

/** @return number of probes that are, or were until detach, attached. */
UPM_API size_t upm_link_attached(const struct upm_link *link);
/** @return number of probes of the set that are not attached; each has its verdict. */
UPM_API size_t upm_link_skipped(const struct upm_link *link);
/** Describe attached probe number index. @return UPM_OK or UPM_ERR_INVALID. */
UPM_API int32_t upm_link_attached_get(const struct upm_link *link, size_t index,
				      struct upm_probe *probe);
/** Describe skipped probe number index. @return UPM_OK or UPM_ERR_INVALID. */
UPM_API int32_t upm_link_skipped_get(const struct upm_link *link, size_t index,
				     struct upm_probe *probe);
/** @return enum upm_backend that carries the link. */
UPM_API uint32_t upm_link_backend(const struct upm_link *link);
/** @return time that upm_attach() took, ns. */
UPM_API uint64_t upm_link_attach_ns(const struct upm_link *link);

/** One kernel link (or perf event) behind a link. */
struct upm_kernel_link {
	size_t size;	  /**< set by the caller */
	const char *path; /**< the file it probes, or the first of many; belongs to the link */
	uint64_t probes;  /**< number of probes in it */
	uint32_t id;	  /**< the kernel's link id, as bpftool shows it; 0 = it has none */
	int32_t fd;	  /**< descriptor; stays the link's, do not close */
	uint32_t kind;	  /**< enum upm_kind */
	int32_t pid;	  /**< the process it is limited to; 0 = every process */
	uint64_t files;	  /**< number of files it probes: 1, or more with upm_features.paths */
};

/** @return number of kernel links behind the link; 0 after detach. */
UPM_API size_t upm_link_kernel_links(const struct upm_link *link);
/** Describe kernel link number index. @return UPM_OK or UPM_ERR_INVALID. */
UPM_API int32_t upm_link_kernel_get(const struct upm_link *link, size_t index,
				    struct upm_kernel_link *kernel_link);

/**
 * Keep the kernel links alive in bpffs after this process has gone.
 * @param path  a directory to make below a mounted bpffs; holds one pin per kernel link
 * @return UPM_OK; UPM_ERR_NOT_FOUND (no bpffs there); UPM_ERR_SYSTEM (sys_errno EEXIST for
 *         a taken name); UPM_ERR_STATE. On error nothing is left pinned.
 */
UPM_API int32_t upm_link_pin(struct upm_link *link, const char *path);

/**
 * Open what upm_link_pin() made, in any process. Probes are named again from the files; a kernel
 * that does not tell what a link is at (before 6.8, and of perf events) leaves them out.
 * @param path  as given to upm_link_pin()
 * @param out   receives a link; freeing it lets go of this process's descriptors only
 * @return UPM_OK; UPM_ERR_NOT_FOUND; UPM_ERR_PERMISSION; UPM_ERR_SYSTEM.
 */
UPM_API int32_t upm_link_open(const char *path, struct upm_link **out);

/** Remove the pins at path. The probes end when the last descriptor goes. */
UPM_API int32_t upm_link_unpin(const char *path);

/**
 * Let go of every kernel link. attached and skipped stay readable. A second call does nothing.
 * @param elapsed_ns  receives the time it took, ns; NULL = not wanted
 * @return UPM_OK.
 */
UPM_API int32_t upm_link_detach(struct upm_link *link, uint64_t *elapsed_ns);

/** Detach if need be, and free. */
UPM_API void upm_link_free(struct upm_link *link);

/* ----------------------------------------------------------------- objects */

/**
 * A BPF object file, opened with libbpf and loaded. Opaque. Its programs may be in
 * sections uprobe.multi, uretprobe.multi, uprobe.session, uprobe, uretprobe, usdt and
 * their .s forms, with or without "/BINARY:PATTERN" behind (usdt: "/BINARY:PROVIDER:NAME").
 *
 * Programs built with libbpf's <bpf/usdt.bpf.h>, in either of its layouts, find their
 * arguments: upm_attach() fills in the maps that the header defines, whoever loaded the program.
 */
struct upm_object;

/** One program of an object. */
struct upm_program {
	size_t size;	     /**< set by the caller */
	const char *name;    /**< belongs to the object */
	const char *section; /**< as in the file; belongs to the object */
	const char *spec;    /**< the spec that the section names, or "" */
	int32_t fd;	     /**< stays the object's, do not close */
	uint32_t kind;	     /**< enum upm_kind that its section asks for */
	uint32_t session;    /**< 1 for uprobe.session */
	uint32_t sleepable;  /**< 1 for the .s forms */
};

/**
 * Open and load a BPF object. Works with libbpf 1.1, which does not know these sections.
 * @param path  the object file
 * @param out   receives the object; free it with upm_object_free()
 * @return UPM_OK; UPM_ERR_NOT_FOUND; UPM_ERR_FORMAT; UPM_ERR_PROGRAM (the message ends with
 *         what the verifier said last); UPM_ERR_PERMISSION.
 */
UPM_API int32_t upm_object_open(const char *path, struct upm_object **out);
/** @return number of programs that can be attached to probes. */
UPM_API size_t upm_object_programs(const struct upm_object *object);
/** Describe program number index. @return UPM_OK or UPM_ERR_INVALID. */
UPM_API int32_t upm_object_program(const struct upm_object *object, size_t index,
				   struct upm_program *program);
/** @return descriptor of the map of this name, which stays the object's; or UPM_ERR_NOT_FOUND. */
UPM_API int32_t upm_object_map_fd(const struct upm_object *object, const char *name);

/**
 * Resolve and attach one program of an object.
 * @param program  its name; NULL = the only one
 * @param specs    what to probe, without a kind or with the one of the section;
 *                 NULL = what the section names
 * @param count    elements of specs
 * @param options  NULL = defaults; its pids also guide the resolution
 * @param out      receives the link; free it with upm_link_free(). It outlives the object.
 * @return as upm_resolve() and upm_attach().
 */
UPM_API int32_t upm_object_attach(struct upm_object *object, const char *program,
				  const char *const *specs, size_t count,
				  const struct upm_attach_options *options, struct upm_link **out);

/** Free an object. Its links go on. */
UPM_API void upm_object_free(struct upm_object *object);

/* --------------------------------------------------------------- observers */

/** A shipped BPF program with its maps and link. Opaque. */
struct upm_observer;

/** What an observer finds out. */
enum upm_observer_kind {
	UPM_OBSERVER_COUNT = 1,	  /**< how often: upm_count() */
	UPM_OBSERVER_LATENCY = 2, /**< how long: upm_latency() */
	UPM_OBSERVER_TRACE = 3	  /**< with what, from where: upm_trace() */
};

/** @return "count", "latency", "trace"; "?" otherwise. Static strings. */
UPM_API const char *upm_observer_kind_name(uint32_t kind);

/**
 * Count hits, exactly, for each probe of a set.
 *
 * Hits are counted from the moment the kernel arms a probe until it is disarmed,
 * one counter per probe and CPU, each updated atomically.
 *
 * @param set      stays the caller's, and may be freed afterwards
 * @param options  NULL = defaults; UPM_ATTACH_COOKIE_IS_INDEX is implied
 * @param out      receives the observer; free it with upm_observer_free()
 * @return as upm_attach(), and UPM_ERR_LIMIT for more probes than a BPF map can hold.
 */
UPM_API int32_t upm_count(const struct upm_probe_set *set, const struct upm_attach_options *options,
			  struct upm_observer **out);

/** @return enum upm_observer_kind; 0 for NULL. */
UPM_API uint32_t upm_observer_kind(const struct upm_observer *observer);

/** @return the probes that are observed, in the order of all its results; belongs to the observer.
 */
UPM_API const struct upm_probe_set *upm_observer_probes(const struct upm_observer *observer);

/** @return the observer's link; belongs to the observer. */
UPM_API const struct upm_link *upm_observer_link(const struct upm_observer *observer);

/**
 * Read the hits so far; may be called while running and after upm_observer_stop().
 * For a latency these are the calls that began, with or without a row, for a trace the hits before
 * any filter but that of processes.
 * @param hits   receives one number per probe of the set, in its order; 0 for skipped ones
 * @param count  elements of hits; must equal the size of the set
 * @return UPM_OK or UPM_ERR_INVALID. See upm_observer_lost_processes() for what the numbers lack.
 */
UPM_API int32_t upm_observer_hits(const struct upm_observer *observer, uint64_t *hits,
				  size_t count);

/**
 * With UPM_ATTACH_CHILDREN, 65,536 processes can be followed at once.
 * @return number of children that were too many: the results lack theirs and their
 *         descendants'. 0 = they lack none.
 */
UPM_API uint64_t upm_observer_lost_processes(const struct upm_observer *observer);

/**
 * Detach; the results then stand still and stay readable. A second call does nothing. An
 * observer that is pinned goes on in the kernel: only this process lets go of it.
 * @param elapsed_ns  receives the time it took, ns; NULL = not wanted
 */
UPM_API int32_t upm_observer_stop(struct upm_observer *observer, uint64_t *elapsed_ns);

/** Stop if need be, and free. */
UPM_API void upm_observer_free(struct upm_observer *observer);

/* ----------------------------------------------------------------- latency */

/** How the rows of a latency are told apart, beside by probe. */
enum upm_split {
	UPM_SPLIT_NONE = 0,
	UPM_SPLIT_PROCESS = 1, /**< a row for each probe and process */
	UPM_SPLIT_THREAD = 2   /**< a row for each probe and thread */
};

/** Options of upm_latency(). */
struct upm_latency_options {
	size_t size;	    /**< sizeof(struct upm_latency_options) */
	uint32_t split;	    /**< enum upm_split */
	uint32_t most_rows; /**< rows with a histogram, about 2.6 KB of kernel memory each and for
			     *   every CPU up to 64 MiB; 0 = as many as the set has probes, at most
			     *   16,384 (split: 16,384) */
};

/**
 * Measure the time from the entry of functions to their return.
 *
 * One session link where the kernel has sessions, else a return link and an entry link.
 * Each call is measured by itself, whatever the recursion and the threads. An entry whose return
 * is not seen is counted as such (upm_latency_row.unreturned): the call still runs, was left
 * by longjmp(), ended with its thread, or lies deeper than the 64 nested calls that the kernel
 * follows in a thread (without sessions also: a function that tail-called itself more than 8 times,
 * or one of more than 65,536 calls that run at once). Calls that began before the attach are not
 * counted. Of a call that forks, the return in the child is not either.
 *
 * What is measured lies between the two programs. It holds the kernel's way from and to them, about
 * 1 us, and where the probed instruction is single-stepped (site_cost UPM_COST_STEPPED) that step,
 * which is as long as a trap (11 to 20 us together on virtual machines): of functions shorter than
 * that it is a bound rather than a measure.
 *
 * As with any return probe, the kernel replaces the return address while a function runs. An
 * exception or a panic that is thrown and caught inside a measured function does no harm; the
 * unwinder can not pass such an address, so that one that has to leave a measured function ends the
 * program. So functions of files that throw or clean up are skipped with UPM_VERDICT_RETURN_UNSAFE,
 * unless they were resolved with UPM_RESOLVE_ACCEPT_UNWINDING.
 *
 * @param set      its UPM_KIND_UPROBE probes are measured, UPM_KIND_URETPROBE ones with them (both
 *                 name a function); others are skipped with UPM_VERDICT_NOT_ENTRY
 * @param latency  NULL = defaults
 * @param options  as for upm_count()
 * @param out      receives the observer; free it with upm_observer_free()
 * @return as upm_attach(), and UPM_ERR_LIMIT for more rows than a BPF map can hold.
 */
UPM_API int32_t upm_latency(const struct upm_probe_set *set,
			    const struct upm_latency_options *latency,
			    const struct upm_attach_options *options, struct upm_observer **out);

/** What a latency had measured at one moment; does not change any more. Opaque. */
struct upm_latency_snapshot;

/** Number of buckets of a histogram. */
#define UPM_LATENCY_BUCKETS 320

/** The calls of one probe, or of one probe in one process or thread. */
struct upm_latency_row {
	size_t size;	     /**< set by the caller */
	uint64_t probe;	     /**< position in upm_observer_probes() */
	uint64_t entries;    /**< calls that began */
	uint64_t calls;	     /**< calls that returned: those of the histogram */
	uint64_t unreturned; /**< entries - calls; 0 where a difference has more calls */
	uint64_t sum_ns;
	uint64_t min_ns; /**< 0 without calls */
	uint64_t max_ns;
	int32_t pid; /**< with UPM_SPLIT_PROCESS and UPM_SPLIT_THREAD; else 0 */
	int32_t tid; /**< with UPM_SPLIT_THREAD; else 0 */
};

/**
 * Read what has been measured so far; may be called while running and after the stop.
 * @param out  receives the snapshot, a row for each probe that was entered, by probe, then
 *             pid and tid; free it with upm_latency_snapshot_free(). It outlives the observer.
 * @return UPM_OK; UPM_ERR_INVALID for an observer of another kind; UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_latency_read(const struct upm_observer *observer,
				 struct upm_latency_snapshot **out);
/** @return number of rows. */
UPM_API size_t upm_latency_snapshot_size(const struct upm_latency_snapshot *snapshot);
/** @return CLOCK_MONOTONIC at the reading, ns. */
UPM_API uint64_t upm_latency_snapshot_time_ns(const struct upm_latency_snapshot *snapshot);
/** @return number of calls that are in no row, because there was no room for one more row. */
UPM_API uint64_t upm_latency_snapshot_lost(const struct upm_latency_snapshot *snapshot);
/** Describe row number index. @return UPM_OK or UPM_ERR_INVALID. */
UPM_API int32_t upm_latency_snapshot_get(const struct upm_latency_snapshot *snapshot, size_t index,
					 struct upm_latency_row *row);
/**
 * @return the UPM_LATENCY_BUCKETS numbers of calls of row number index; they belong to the
 *         snapshot. NULL when index is out of range.
 */
UPM_API const uint64_t *upm_latency_snapshot_buckets(const struct upm_latency_snapshot *snapshot,
						     size_t index);
/**
 * The time that a share of the calls did not exceed, by the nearest rank.
 * @param share  0 … 1, such as 0.99
 * @return ns: the middle of the bucket that holds it, at most 1/16 off, and never beyond
 *         min_ns and max_ns, which are exact; 0 without calls.
 */
UPM_API uint64_t upm_latency_snapshot_percentile(const struct upm_latency_snapshot *snapshot,
						 size_t index, double share);
/**
 * What a bucket counts: times from *low_ns to below *high_ns. The first 16 buckets are one
 * nanosecond each, then eight share every power of two; the last one has no end.
 * @return UPM_OK or UPM_ERR_INVALID.
 */
UPM_API int32_t upm_latency_bucket(size_t bucket, uint64_t *low_ns, uint64_t *high_ns);
/**
 * Add two snapshots up, row by row: of several processes, machines or times, with the same probes.
 * @param out  receives the sum, with the later one's time; free it with
 *             upm_latency_snapshot_free()
 * @return UPM_OK; UPM_ERR_INVALID; UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_latency_snapshot_merge(const struct upm_latency_snapshot *one,
					   const struct upm_latency_snapshot *other,
					   struct upm_latency_snapshot **out);
/**
 * What came between two snapshots of one observer. A minimum or maximum that is older is unknown:
 * the bound of the outermost bucket stands for it. A call that began before and returned in between
 * counts in calls, not in entries.
 * @param out  receives the rows that have entries or calls, with the time of the later snapshot;
 *             free it with upm_latency_snapshot_free()
 * @return UPM_OK; UPM_ERR_INVALID when earlier is no earlier state of later; UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_latency_snapshot_diff(const struct upm_latency_snapshot *later,
					  const struct upm_latency_snapshot *earlier,
					  struct upm_latency_snapshot **out);
/** Free a snapshot. */
UPM_API void upm_latency_snapshot_free(struct upm_latency_snapshot *snapshot);

/* ------------------------------------------------------------------- trace */

/** Bits of upm_trace_options.flags. */
enum upm_trace_flag {
	/** One event for each call, at its return: arguments as they were at the entry, the
	 *  result, and the duration. Concerns UPM_KIND_UPROBE probes. */
	UPM_TRACE_RETURNS = 1,
	/** Add the user stack, as the kernel finds it by frame pointers. */
	UPM_TRACE_STACKS = 2
};

/** Options of upm_trace(). */
struct upm_trace_options {
	size_t size;	       /**< sizeof(struct upm_trace_options) */
	uint32_t flags;	       /**< enum upm_trace_flag, or-ed */
	uint32_t ring_bytes;   /**< of the ring buffer, rounded up to a power of two that holds
				*   several events; 0 = 16 MiB, at most 1 GiB */
	uint32_t text_bytes;   /**< most bytes of a string or byte buffer; 0 = 256, at most 4096 */
	uint32_t stack_frames; /**< most frames of a stack; 0 = 64, at most 127 */
	/**
	 * The arguments, as a C-like signature for all probes: "(int fd, char *path, size_t n)",
	 * with or without the type of the result and a name before it. A `char *` is read as a
	 * string, `char data[n]` as the bytes that argument n counts, `char data[16]` as
	 * 16 bytes; other pointers are shown as such. NULL = the first six integer registers, and
	 * of USDT probes what their notes say.
	 */
	const char *arguments;
	/** A signature for each probe of the set, NULL ones stand for `arguments`; NULL = none. */
	const char *const *probe_arguments;
	size_t probe_argument_count; /**< elements of probe_arguments; the size of the set, or 0 */
	/**
	 * Comparisons joined by &&, such as "fd == 3 && n >= 4096 && path ^= \"/etc/\"": names are
	 * those of the signature, or arg0 …; `result` and `duration_ns` with UPM_TRACE_RETURNS.
	 * Operators:
	 * == != < <= > >= & (any of these bits set); for strings == != and ^= (begins with), up to
	 * 63 bytes. A probe that has no such argument is refused. NULL = none.
	 */
	const char *filter;
	const char *comm;    /**< only threads of this name, cut to 15 bytes; NULL = all */
	const int32_t *tids; /**< only these threads; NULL = all */
	size_t tid_count;
	uint32_t sample; /**< of each probe, on each CPU, the first of every so many hits that pass
			  *   the filters; 0 and 1 = every one */
	uint32_t rate;	 /**< most events in a second of the clock, over all probes; 0 = no limit */
};

/**
 * Record an event for each hit.
 *
 * Each hit becomes an event, or is counted: filtered, when a filter, the sampling or the rate
 * limit kept it out; lost, when the ring buffer was full (or the table of running calls, see
 * below); unreturned, with UPM_TRACE_RETURNS. See upm_trace_counts(): nothing is lost in silence.
 * What can not be read meets no comparison of a filter, neither == nor !=.
 *
 * With UPM_TRACE_RETURNS a call waits for its return in a table of 16,384 (fewer where texts or
 * stacks make them large). It never becomes an event when it was left by longjmp(), ended with its
 * thread or program, or lies deeper than the 64 nested calls that the kernel follows in a thread:
 * it is unreturned then, and stays in the table until room is needed and a reading of the events
 * finds that its thread has ended or has left it. Calls that find no room are lost and refused.
 * Of a function that tail-calls itself, at some remove, the innermost 8 calls are followed.
 *
 * @param set      stays the caller's, and may be freed afterwards
 * @param trace    NULL = defaults
 * @param options  as for upm_count()
 * @param out      receives the observer; free it with upm_observer_free()
 * @return as upm_attach(); UPM_ERR_SPEC for a signature or filter that does not parse.
 */
UPM_API int32_t upm_trace(const struct upm_probe_set *set, const struct upm_trace_options *trace,
			  const struct upm_attach_options *options, struct upm_observer **out);

/** What an event tells of. */
enum upm_event_kind {
	UPM_EVENT_ENTRY = 0,  /**< execution reached a uprobe */
	UPM_EVENT_RETURN = 1, /**< a function returned: result */
	UPM_EVENT_USDT = 2,   /**< a call site of a USDT probe was reached */
	UPM_EVENT_CALL = 3    /**< a call from entry to return: arguments, result and duration_ns */
};

/** Most arguments of an event. */
#define UPM_EVENT_ARGUMENTS 12

/**
 * One event. A batch holds them side by side, in the order of the ring buffer, each
 * upm_batch_event_size() bytes after the one before; all integers in the byte order of the machine.
 * It has 168 bytes; the comment of each field begins with the number of its first byte.
 *
 * An element of arguments is a number, cut to the width of its type and with its sign, or for
 * strings and byte buffers a place in the batch's text: the low 32 bits are the first byte,
 * the high 32 the number of bytes. Strings and buffers end with a NUL that is not counted. Of
 * one that could not be read the element is the pointer itself.
 */
struct upm_event {
	/** 0: CLOCK_MONOTONIC, as in the time namespace of the reader; of a call, its entry */
	uint64_t time_ns;
	uint64_t duration_ns; /**< 8: of a call, else 0 */
	uint64_t result;      /**< 16: of a call or return, cut like an argument; else 0 */
	/** 24: process, as numbered in the PID namespace of whoever made the observer; 0 for one
	 *  that has no number there */
	uint32_t pid;
	uint32_t tid;		 /**< 28 */
	uint32_t cpu;		 /**< 32 */
	uint32_t probe;		 /**< 36: position in upm_observer_probes() */
	char comm[16];		 /**< 40: name of the thread, ends with NUL */
	uint16_t kind;		 /**< 56: enum upm_event_kind */
	uint16_t argument_count; /**< 58: 0 of UPM_EVENT_RETURN: registers have changed by then */
	uint16_t unreadable;	 /**< 60: bit i: arguments[i] could not be read */
	uint16_t truncated;	 /**< 62: bit i: the string or buffer goes on */
	uint32_t stack_offset;	 /**< 64: the stack's first byte in the text, divisible by 8 */
	/** 68: addresses there, uint64_t each, innermost first; of a call, as they were at its
	 * entry */
	uint32_t stack_count;
	uint64_t arguments[UPM_EVENT_ARGUMENTS]; /**< 72: 0 from argument_count on */
};

/** How the value of an argument or result is meant. */
enum upm_form {
	UPM_FORM_UNSIGNED = 0,
	UPM_FORM_SIGNED = 1,
	UPM_FORM_POINTER = 2,
	UPM_FORM_STRING = 3,
	UPM_FORM_BYTES = 4,
	UPM_FORM_CHARACTER = 5,
	UPM_FORM_BOOLEAN = 6,
	UPM_FORM_UNREADABLE = 7, /**< floating point, or a USDT argument that can not be read */
	UPM_FORM_NONE = 8	 /**< void */
};

/** An argument of the events of a probe. */
struct upm_event_argument {
	size_t size;	  /**< set by the caller */
	const char *name; /**< "arg0" … where the signature names none; belongs to the observer */
	const char *type; /**< as the signature or the note has it; belongs to the observer */
	uint32_t form;	  /**< enum upm_form */
	uint32_t width;	  /**< of the value, bytes: 1, 2, 4 or 8 */
};

/** Position of the result, for upm_trace_argument(). */
#define UPM_TRACE_RESULT 0xffffffffu

/**
 * Describe an argument of a probe's events, or their result.
 * @param probe     position in upm_observer_probes()
 * @param argument  0 … argument_count-1, or UPM_TRACE_RESULT
 * @return UPM_OK or UPM_ERR_INVALID.
 */
UPM_API int32_t upm_trace_argument(const struct upm_observer *observer, size_t probe,
				   uint32_t argument, struct upm_event_argument *out);

/** What became of the hits of one probe: hits = events + filtered + lost + unreturned. */
struct upm_trace_count {
	uint64_t hits;	   /**< in the processes observed */
	uint64_t events;   /**< put into the ring buffer */
	uint64_t filtered; /**< kept out by a filter, the sampling or the rate limit */
	uint64_t lost;	   /**< there was no room */
	/** with UPM_TRACE_RETURNS: running, or without a return that the kernel tells of: see
	 *  upm_trace() */
	uint64_t unreturned;
	/** of lost: calls that found no room in the table of running calls; the others found none
	 *  in the ring buffer */
	uint64_t refused;
};

/**
 * Read what became of the hits so far; exact once the observer is stopped.
 * @param counts  receives one structure per probe of the set, in its order
 * @param count   elements of counts; must equal the size of the set
 * @return UPM_OK or UPM_ERR_INVALID.
 */
UPM_API int32_t upm_trace_counts(const struct upm_observer *observer,
				 struct upm_trace_count *counts, size_t count);

/** Room for events that are read together, and those read last. Opaque. */
struct upm_batch;

/**
 * Make room for events.
 * @param events      most events of a reading; 0 = 4096
 * @param text_bytes  of strings, buffers and stacks together; 0 = 1 MiB. A reading ends early
 *                    when the next event's do not fit; one event always fits.
 * @param out         receives the batch; free it with upm_batch_free()
 * @return UPM_OK or UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_batch_new(size_t events, size_t text_bytes, struct upm_batch **out);
/** @return events that were read last. */
UPM_API size_t upm_batch_size(const struct upm_batch *batch);
/** @return the events, side by side; they belong to the batch and change with its next reading. */
UPM_API const struct upm_event *upm_batch_events(const struct upm_batch *batch);
/** @return bytes from one event to the next: sizeof(struct upm_event) of the library. */
UPM_API size_t upm_batch_event_size(void);
/** @return the text area, which strings, buffers and stacks of the events lie in. */
UPM_API const char *upm_batch_text(const struct upm_batch *batch);
/** @return bytes used of the text area. */
UPM_API size_t upm_batch_text_size(const struct upm_batch *batch);
/** Free a batch. */
UPM_API void upm_batch_free(struct upm_batch *batch);

/**
 * Read events: all that are there, as far as the batch has room. When none is, wait for some.
 * The kernel wakes a waiting reader only when a quarter of the ring is full; else it looks every
 * 10 ms.
 *
 * A ring buffer has one reader: the first process that reads keeps it until it frees the observer.
 * A child that it forks is another process, and can not read.
 * Once the observer is stopped nothing is waited for. upm_trace_next() and upm_trace_run() take
 * events in batches of their own; what they have taken and not given out comes first here.
 *
 * @param batch       what it held before is replaced
 * @param timeout_ms  how long to wait for the first event; 0 = not at all, -1 = for ever
 * @return UPM_OK, also when the time is over and the batch stays empty; UPM_ERR_INVALID;
 *         UPM_ERR_STATE when another process reads the events; UPM_ERR_CANCELLED when a
 *         signal came while waiting and was handled; UPM_ERR_FORMAT for a record that is none of
 *         this trace's, which is passed. What was read before it came with the reading before.
 */
UPM_API int32_t upm_trace_read(struct upm_observer *observer, struct upm_batch *batch,
			       int32_t timeout_ms);

/**
 * Pull one event.
 * @param event  receives a copy, whose texts lie in *text until the next reading
 * @param text   receives the text area; belongs to the observer
 * @return as upm_trace_read(); UPM_ERR_NOT_FOUND when the time is over.
 */
UPM_API int32_t upm_trace_next(struct upm_observer *observer, struct upm_event *event,
			       const char **text, int32_t timeout_ms);

/**
 * Takes events one by one.
 * @return 0 to go on; anything else ends upm_trace_run(), which returns it.
 */
typedef int32_t (*upm_event_fn)(const struct upm_event *event, const char *text, void *context);

/**
 * Call a function for each event, on this thread.
 * @param timeout_ms  how long to go on; 0 = only what is there now, -1 = until stopped
 * @return UPM_OK when the time is over; what the function returned; else as upm_trace_read().
 */
UPM_API int32_t upm_trace_run(struct upm_observer *observer, upm_event_fn function, void *context,
			      int32_t timeout_ms);

/**
 * @return a descriptor to wait for events with poll(2) in an event loop, beside a timer of 10 ms or
 *         so (see upm_trace_read()); stays the observer's. Or UPM_ERR_INVALID.
 */
UPM_API int32_t upm_trace_fd(const struct upm_observer *observer);

/* --------------------------------------------------------------- addresses */

/** Finds out what lies at addresses of processes, and remembers it. Opaque. */
struct upm_symbolizer;

/** What lies at an address. Strings belong to the symbolizer, and live until its next call. */
struct upm_place {
	size_t size;	    /**< set by the caller */
	const char *path;   /**< the file mapped there, as the process names it; "[vdso]" and such;
			     *   of code made at run time the list that names it,
			     *   "/tmp/perf-PID.map"; "" when not known */
	const char *symbol; /**< raw name of the function; "" when not known */
	uint64_t offset;    /**< bytes from the start of the symbol, or without one of the file */
	uint64_t file_offset; /**< bytes */
};

/** Make a symbolizer. @return UPM_OK or UPM_ERR_MEMORY. */
UPM_API int32_t upm_symbolizer_new(struct upm_symbolizer **out);

/**
 * Find out what lies at an address of code. The process's mappings are read when it is asked for
 * the first time, and again when an address is in none of them or it has replaced its program; what
 * was found stays known after its end, of the last 1,024 processes. Ask soon: what a
 * process that has ended, or has run another program since, had mapped can not be found out later.
 *
 * Functions are those of the file's own symbol tables, of .gnu_debugdata and of local debug files;
 * those of run-time compilers are read from /tmp/perf-PID.map where that is a plain file of the
 * process's user or of root.
 *
 * @param pid         the process
 * @param address     virtual
 * @param after_call  1 when it is one that a call returns to (every frame of a stack but the
 *                    first): the function is that of the call before it, offsets are the address's
 * @return UPM_OK, also for an address of which nothing is known; UPM_ERR_INVALID; UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_symbolizer_find(struct upm_symbolizer *symbolizer, int32_t pid,
				    uint64_t address, int32_t after_call, struct upm_place *place);

/** Free a symbolizer and the strings of its places. */
UPM_API void upm_symbolizer_free(struct upm_symbolizer *symbolizer);

/* ----------------------------------------------------------------- sharing */

/** Where observers are pinned by name; /sys/fs/bpf has to be a BPF file system. */
#define UPM_PIN_DIRECTORY "/sys/fs/bpf/uprobe_multi"

/**
 * Keep an observer alive under a name, after this process has gone.
 * @param name  a directory to make: below UPM_PIN_DIRECTORY, or with a '/' in it a path below
 *              any BPF file system. No dots, no '~' to begin with. Only its owner and root can look
 *              into it (mode 0700).
 * @return UPM_OK; UPM_ERR_NOT_FOUND (no BPF file system there; the hint says how to mount one);
 *         UPM_ERR_SYSTEM (sys_errno EEXIST for a taken name); UPM_ERR_STATE for one that is
 *         stopped, or pinned already; UPM_ERR_PERMISSION; UPM_ERR_INVALID; UPM_ERR_MEMORY. On
 *         error nothing is left pinned.
 */
UPM_API int32_t upm_observer_pin(struct upm_observer *observer, const char *name);

/**
 * Open what upm_observer_pin() made, in any process and language. The files that it probes need
 * not be there; for that, its probes can be looked at but not attached anew.
 * @param name  as for upm_observer_pin()
 * @param out   receives an observer with the same probes, verdicts and results; freeing it
 *              lets go of this process's descriptors only
 * @return UPM_OK; UPM_ERR_NOT_FOUND; UPM_ERR_PERMISSION; UPM_ERR_FORMAT; UPM_ERR_UNSUPPORTED for
 *         one made by another version of this library.
 */
UPM_API int32_t upm_observer_open(const char *name, struct upm_observer **out);

/**
 * Remove the pins of an observer: its probes end when the last process that has it open lets go,
 * or, if none has, before this returns (those on perf events soon after). Removes as well
 * what was left unfinished or is damaged, by the name that upm_pinned_list() shows.
 * @return UPM_OK; UPM_ERR_NOT_FOUND; UPM_ERR_PERMISSION; UPM_ERR_SYSTEM.
 */
UPM_API int32_t upm_observer_unpin(const char *name);

/** The pinned observers of a directory, as they were when it was read. Opaque. */
struct upm_pinned_list;

/** One pinned observer. Strings belong to the list. */
struct upm_pinned {
	size_t size;	       /**< set by the caller */
	const char *name;      /**< for upm_observer_open() */
	const char *problem;   /**< why it can not be opened; "" when it can */
	const char *creator;   /**< name of the process that pinned it, such as "uprobe-multi" */
	uint64_t created_s;    /**< when it was pinned, seconds since 1970 */
	uint64_t probes;       /**< of its set */
	uint64_t attached;     /**< of these */
	uint64_t kernel_links; /**< behind its link */
	int32_t creator_pid;   /**< the process that pinned it */
	uint32_t owner;	       /**< user id */
	uint32_t kind;	       /**< enum upm_observer_kind; 0 with a problem */
	uint32_t reserved;     /**< 0 */
};

/**
 * List pinned observers, also those that can not be opened: damaged, of another version, or left
 * unfinished by a process that was killed while it pinned them. What others keep there is left out.
 * @param directory  NULL = UPM_PIN_DIRECTORY
 * @param out        receives the list, by name; free it with upm_pinned_list_free()
 * @return UPM_OK, also when there are none; UPM_ERR_NOT_FOUND where no BPF file system is
 *         mounted; UPM_ERR_PERMISSION; UPM_ERR_MEMORY.
 */
UPM_API int32_t upm_pinned_list(const char *directory, struct upm_pinned_list **out);
/** @return number of pinned observers. */
UPM_API size_t upm_pinned_list_size(const struct upm_pinned_list *list);
/** Describe pinned observer number index. @return UPM_OK or UPM_ERR_INVALID. */
UPM_API int32_t upm_pinned_list_get(const struct upm_pinned_list *list, size_t index,
				    struct upm_pinned *pinned);
/** Free a list. */
UPM_API void upm_pinned_list_free(struct upm_pinned_list *list);

#ifdef __cplusplus
}
#endif

#endif
