/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What probes are called: numbers that stand for names, and the names of one point. */
#ifndef UPM_RESOLVE_PROBE_NAME_H
#define UPM_RESOLVE_PROBE_NAME_H

#include "binary/symbols.h"
#include "resolve/probe_table.h"

/* A name as a number: a table of the origin's binary and the symbol in it, or one of texts. */
enum upm_name_layout { UPM_NAME_SYMBOL_BITS = 28, UPM_NAME_OF_TEXT = 15 };
#define UPM_NAME_NONE UINT32_MAX

/* Points of more names have the best chosen when they are made. */
enum { UPM_NAMES_UNRANKED_MAX = 256 };

/* The names of one probe. */
struct upm_probe_names {
	struct upm_symbol symbol; /* the one to show; name "" when there is none */
	const uint32_t *ranked;	  /* NULL: aliases has them */
	uint32_t aliases[UPM_NAMES_UNRANKED_MAX];
	uint32_t alias_count;
	uint32_t best;
};

static inline uint32_t upm_name_of_symbol(uint32_t table, uint32_t symbol)
{
	return table << UPM_NAME_SYMBOL_BITS | symbol;
}

/** Number a text. @return false when out of memory */
bool upm_name_of_text(struct upm_probe_table *table, struct upm_probe_text text, uint32_t *name);
/** The symbol of a name; a text is a symbol without version and size. */
void upm_name_symbol(const struct upm_probe_table *table, uint32_t origin, uint32_t name,
		     struct upm_symbol *symbol);

/** @return bytes of the function of this name, without reading any text; 0 when not known. */
uint64_t upm_name_size(const struct upm_probe_table *table, uint32_t origin, uint32_t name);

/** All names of a probe. */
void upm_probe_names(const struct upm_probe_table *table, const struct upm_probe_entry *probe,
		     struct upm_probe_names *names);
/** @return alias number index, below alias_count. */
const char *upm_probe_alias(const struct upm_probe_table *table,
			    const struct upm_probe_entry *probe,
			    const struct upm_probe_names *names, size_t index);
/** @return the name to show; "" when unknown. */
const char *upm_probe_symbol(const struct upm_probe_table *table,
			     const struct upm_probe_entry *probe);
/** @return bytes of the function; 0 when unknown. */
uint32_t upm_probe_symbol_size(const struct upm_probe_entry *probe,
			       const struct upm_probe_names *names);
/** Choose among the names of a probe for good, so that others can be added. @return false when
 * out of memory */
bool upm_probe_rank(struct upm_probe_table *table, struct upm_probe_entry *probe);

#endif
