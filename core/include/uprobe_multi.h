/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * uprobe_multi.h - probe user-space programs through one kernel link.
 *
 * This is the one public header of libuprobe_multi and the only input of every
 * language binding. The flow of a program that uses it:
 *
 *     specs --upm_resolve()--> probe set --upm_attach()--> link
 *                                  |
 *                                  +-----upm_count()-----> observer
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
	UPM_PROBE_REPEATS = 32
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
	uint32_t reserved;	 /**< 0 */
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
	UPM_RESOLVE_ALL_MATCHES = 8
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

/** Options of upm_attach(), upm_object_attach() and the observers. */
struct upm_attach_options {
	size_t size;	     /**< sizeof(struct upm_attach_options) */
	uint32_t flags;	     /**< enum upm_attach_flag, or-ed */
	uint32_t backend;    /**< enum upm_backend to force; 0 = the best that works */
	const int32_t *pids; /**< processes to observe; thread ids stand for their process */
	size_t pid_count;    /**< elements of pids; 0 = every process */
	uint32_t
		probes_per_link; /**< most probes in one kernel link; 0 = the kernel's cap, 1<<20 */
	uint32_t reserved;	 /**< 0 */
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
	const char *path; /**< the file it probes; belongs to the link */
	uint64_t probes;  /**< number of probes in it */
	uint32_t id;	  /**< the kernel's link id, as bpftool shows it; 0 = it has none */
	int32_t fd;	  /**< descriptor; stays the link's, do not close */
	uint32_t kind;	  /**< enum upm_kind */
	int32_t pid;	  /**< the process it is limited to; 0 = every process */
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
 * Open what upm_link_pin() made, in any process. Probes are named again from the files.
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

/** @return the observer's link; belongs to the observer. */
UPM_API const struct upm_link *upm_observer_link(const struct upm_observer *observer);

/**
 * Read the hits so far; may be called while running and after upm_observer_stop().
 * @param hits   receives one number per probe of the set, in its order; 0 for skipped ones
 * @param count  elements of hits; must equal the size of the set
 * @return UPM_OK or UPM_ERR_INVALID. See upm_observer_lost() for what the numbers lack.
 */
UPM_API int32_t upm_observer_hits(const struct upm_observer *observer, uint64_t *hits,
				  size_t count);

/**
 * With UPM_ATTACH_CHILDREN, 65,536 processes can be followed at once.
 * @return number of children that were too many: the hits lack theirs and their
 *         descendants'. 0 = the hits lack none.
 */
UPM_API uint64_t upm_observer_lost(const struct upm_observer *observer);

/**
 * Detach; the counts then stand still and stay readable. A second call does nothing.
 * @param elapsed_ns  receives the time it took, ns; NULL = not wanted
 */
UPM_API int32_t upm_observer_stop(struct upm_observer *observer, uint64_t *elapsed_ns);

/** Stop if need be, and free. */
UPM_API void upm_observer_free(struct upm_observer *observer);

#ifdef __cplusplus
}
#endif

#endif
