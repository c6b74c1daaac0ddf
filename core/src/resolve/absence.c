/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What to say of a spec that found no function in a file: the reason, and what may have been meant.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "resolve/place.h"

enum { SUGGESTIONS = 3, SHORTEST_HINT = 3 };

static void describe_rejected(const struct upm_symbol *symbol, struct upm_probe_entry *probe)
{
	if (symbol->undefined) {
		probe->verdict = UPM_VERDICT_UNDEFINED;
		probe->reason = "it is imported: its code is in another file, probe it there";
	} else if (symbol->type == STT_NOTYPE && symbol->size == 0) {
		probe->verdict = UPM_VERDICT_MARKER;
		probe->reason = "it is a marker without type and size, not a function; give a file "
				"offset to probe it all the same";
	} else {
		probe->verdict = UPM_VERDICT_DATA;
		probe->reason = "it is data, not a function";
	}
}

static bool holds(const char *name, const char *text, size_t length)
{
	for (; *name; name++)
		if (strncasecmp(name, text, length) == 0)
			return true;
	return false;
}

/* Functions whose names hold the one asked for, whatever the case: "did you mean". */
static void suggest(const struct upm_placement *placement, const struct upm_matches *matches,
		    char *text, size_t size)
{
	const char *wanted = placement->request->spec->pattern;
	size_t length = strlen(wanted), suggestions = 0, used = 0;
	struct upm_symbol symbol;

	text[0] = '\0';
	if (placement->request->spec->form != UPM_SPEC_NAME || length < SHORTEST_HINT)
		return;
	for (size_t t = 0; t < matches->tables.count; t++) {
		size_t symbols = upm_symbol_table_size(matches->tables.items[t]);

		for (size_t i = 0; i < symbols && suggestions < SUGGESTIONS; i++) {
			upm_symbol_table_get(matches->tables.items[t], i, &symbol);
			if (!upm_symbol_is_function(&symbol) ||
			    !holds(symbol.name, wanted, length) ||
			    (used && strstr(text, symbol.name)) || used + 1 >= size)
				continue;
			snprintf(text + used, size - used, "%s%.80s",
				 suggestions++ ? ", " : "; it has ", symbol.name);
			used = strlen(text);
		}
	}
}

static bool describe_absence(const struct upm_placement *placement,
			     const struct upm_matches *matches, struct upm_probe_entry *probe)
{
	const struct upm_spec *spec = placement->request->spec;
	char suggestions[300];

	suggest(placement, matches, suggestions, sizeof(suggestions));
	probe->verdict = UPM_VERDICT_NO_MATCH;
	if (matches->tables.count == 0)
		probe->reason = "the file has no symbols, and no debug file for it was found; "
				"install its debug package, or give file offsets";
	else
		probe->reason = upm_strings_format(
			placement->table->strings, "no function %s '%.200s%s%s'%s",
			spec->form == UPM_SPEC_NAME ? "is named" : "matches", spec->pattern,
			spec->version ? "@" : "", spec->version ? spec->version : "", suggestions);
	return probe->reason;
}

int upm_place_absence(const struct upm_placement *placement, const struct upm_matches *matches)
{
	struct upm_probe_table *table = placement->table;
	const char *pattern = upm_strings_add(table->strings, placement->request->spec->pattern);
	struct upm_probe_entry probe = {
		.symbol = pattern,
		.version = "",
		.file = placement->file,
		.spec = placement->spec,
		.kind = placement->request->spec->kind,
	};

	if (!pattern)
		return upm_fail_memory("make probes");
	if (matches->rejected.list.count) {
		const struct upm_found *rejected = &matches->rejected.list.items[0];
		struct upm_symbol symbol;

		upm_symbol_table_get(matches->tables.items[rejected->table], rejected->symbol,
				     &symbol);
		describe_rejected(&symbol, &probe);
	} else if (!describe_absence(placement, matches, &probe)) {
		return upm_fail_memory("make probes");
	}
	if (!upm_vector_push(&table->probes, probe))
		return upm_fail_memory("make probes");
	return UPM_OK;
}
