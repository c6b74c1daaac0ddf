/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The data behind a probe set: compact probes, the files they lie in, and the
 * strings that name them. Tables are immutable once a link shares them: a probe set
 * that is changed then copies its table first.
 *
 * There may be a million probes, of which few are ever shown. So a probe has 24 bytes and no
 * pointer. What many share (file, spec) is an origin; what few have (a reason, a semaphore,
 * other names) is a detail; a name is a symbol's number, and its text, version and size are
 * looked up in the symbol table of the binary when somebody asks. See probe_name.c.
 */
#ifndef UPM_RESOLVE_PROBE_TABLE_H
#define UPM_RESOLVE_PROBE_TABLE_H

#include "base/strings.h"
#include "base/vector.h"
#include "binary/binary.h"
#include "uprobe_multi.h"
#include "usdt/argument.h"

struct upm_sites; /* sites.h */

struct upm_probe_entry {
	uint64_t offset;
	uint32_t name;	 /* enum upm_name_layout */
	uint32_t origin; /* index in origins */
	uint32_t detail; /* index in details, plus 1; 0 = none */
	uint8_t kind;	 /* enum upm_kind */
	uint8_t verdict; /* enum upm_verdict */
	uint8_t cost;	 /* enum upm_cost */
	uint8_t flags;	 /* enum upm_probe_flag */
};

/* Where a probe comes from. */
struct upm_probe_origin {
	struct upm_binary
		*binary;    /* whose symbols its name is of; NULL = none. Kept by the table */
	const char *remark; /* on probes that have nothing else to say; "" */
	uint32_t file;	    /* index in files */
	uint32_t spec;	    /* index in specs; UINT32_MAX = none */
	bool judged;	    /* its probes came from the index with their verdicts */
};

struct upm_remembered; /* remembered.h */

/* What few probes have. Several probes may share one, so it does not change once they are made. */
struct upm_probe_detail {
	uint64_t ref_ctr_offset;
	const char *reason; /* NULL = none of its own */
	uint32_t symbol_offset;
	uint32_t first_alias; /* index in aliases */
	uint32_t alias_count;
	uint32_t site; /* of a USDT probe: index in sites, plus 1; 0 = none */
	bool unranked; /* aliases has all names of the point, none chosen yet */
	/* Of a probe that was read from pins: what its file would tell. NULL = ask the file. */
	const struct upm_remembered *remembered;
};

/* What the note of a USDT call site says beside its place. Strings belong to the binary. */
struct upm_usdt_site {
	const char *provider;
	const char *arguments; /* "-4@%edi 8@16(%rsp)"; see usdt/argument.h */
	/* Of a set that was read from pins, the arguments as they were understood when its file
	 * was there; NULL = to be found out. */
	const struct upm_usdt_argument *parsed;
	size_t parsed_count;
};

/* A name that is in no symbol table. The table's pools or binaries keep the strings. */
struct upm_probe_text {
	const char *symbol, *version;
	uint32_t size; /* of the function; 0 = unknown */
};

/* A file that probes lie in, or would. */
struct upm_probe_file {
	struct upm_binary *binary; /* NULL when it can not be used */
	const char *path;
};

struct upm_probe_table {
	unsigned references;
	UPM_VECTOR(struct upm_probe_entry) probes;
	UPM_VECTOR(struct upm_probe_origin) origins;
	UPM_VECTOR(struct upm_probe_detail) details;
	UPM_VECTOR(uint64_t) cookies; /* one a probe, or empty: all are 0 */
	UPM_VECTOR(struct upm_probe_file) files;
	UPM_VECTOR(struct upm_probe_text) texts;
	UPM_VECTOR(uint32_t) aliases; /* enum upm_name_layout */
	UPM_VECTOR(struct upm_usdt_site) sites;
	UPM_VECTOR(const char *) specs;
	UPM_VECTOR(struct upm_strings *) pools; /* keep the strings of joined tables alive */
	UPM_VECTOR(struct upm_binary *) kept;	/* and the symbol names of files opened twice */
	struct upm_strings *strings;		/* where this table adds its own */
};

struct upm_probe_set {
	struct upm_probe_table *table;
	struct upm_sites *sites; /* NULL = all are hit where they were asked for */
};

/** Make a set of a table, which it takes a reference of. UPM_ERR_MEMORY. */
int upm_probe_set_wrap(struct upm_probe_table *table, struct upm_probe_set **out);
/** Make the set's table its own before a change. UPM_ERR_MEMORY. */
int upm_probe_set_own(struct upm_probe_set *set);

struct upm_probe_table *upm_probe_table_new(void);
struct upm_probe_table *upm_probe_table_ref(struct upm_probe_table *table);
void upm_probe_table_unref(struct upm_probe_table *table);
/** @return a table of one reference with the same content, or NULL when out of memory. */
struct upm_probe_table *upm_probe_table_copy(const struct upm_probe_table *table);
/** Append all of other. @return false when out of memory; table is then as it was. */
bool upm_probe_table_append(struct upm_probe_table *table, const struct upm_probe_table *other);
/** @return the site of a USDT probe that has one; NULL for other probes. */
const struct upm_usdt_site *upm_probe_table_site(const struct upm_probe_table *table,
						 const struct upm_probe_entry *probe);
/**
 * Arguments of a USDT probe, with the symbols of its file for operands such as "counter(%rip)".
 * @param arguments  receives them; NULL = only their number is wanted
 * @return their number; 0 for probes of other kinds
 */
size_t upm_probe_table_arguments(const struct upm_probe_table *table,
				 const struct upm_probe_entry *probe,
				 struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX]);
/** Describe probe number index in the public form (without size check). */
void upm_probe_table_describe(const struct upm_probe_table *table, size_t index,
			      struct upm_probe *probe);
/**
 * Index of the file with this identity; added (with a reference of its own) when missing.
 * @return UPM_OK or UPM_ERR_MEMORY
 */
int upm_probe_table_file(struct upm_probe_table *table, struct upm_binary *binary, const char *path,
			 uint32_t *index);
/** Add an origin. @return UPM_OK or UPM_ERR_MEMORY */
int upm_probe_table_origin(struct upm_probe_table *table, const struct upm_probe_origin *origin,
			   uint32_t *index);
/**
 * Append a probe.
 * @param detail  NULL, or all zero, for none
 * @return false when out of memory
 */
bool upm_probe_table_add(struct upm_probe_table *table, struct upm_probe_entry probe,
			 const struct upm_probe_detail *detail);
/**
 * A detail that the probe has for itself, to be changed while the table is made.
 * @return NULL when out of memory; valid until the next is asked for
 */
struct upm_probe_detail *upm_probe_table_detail(struct upm_probe_table *table,
						struct upm_probe_entry *probe);

/** Change the verdict, and say why. @return UPM_OK or UPM_ERR_MEMORY, recorded */
int upm_probe_condemn(struct upm_probe_table *table, struct upm_probe_entry *probe, uint8_t verdict,
		      const char *reason);

/** @return what a probe has beside its entry; all zero when nothing. */
const struct upm_probe_detail *upm_probe_detail(const struct upm_probe_table *table,
						const struct upm_probe_entry *probe);

/** @return the index in files. */
static inline uint32_t upm_probe_file(const struct upm_probe_table *table,
				      const struct upm_probe_entry *probe)
{
	return table->origins.items[probe->origin].file;
}

/** @return the file's binary; NULL when it can not be used. */
static inline struct upm_binary *upm_probe_binary(const struct upm_probe_table *table,
						  const struct upm_probe_entry *probe)
{
	return table->files.items[upm_probe_file(table, probe)].binary;
}

static inline uint64_t upm_probe_cookie(const struct upm_probe_table *table, size_t index)
{
	return table->cookies.count ? table->cookies.items[index] : 0;
}

/** @return why it has its verdict, or what else is to be known; "" = nothing. */
const char *upm_probe_reason(const struct upm_probe_table *table,
			     const struct upm_probe_entry *probe);

#endif
