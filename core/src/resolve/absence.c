/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What to say of a spec that found no function in a file: the reason, and what may have been meant.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "resolve/place.h"

enum { SUGGESTIONS = 3, SHORTEST_HINT = 3, LONGEST_NAME = 64 };

/* What a probe that finds nothing says. */
struct answer {
	uint8_t verdict;
	const char *reason;
};

static void describe_rejected(const struct upm_symbol *symbol, struct answer *answer)
{
	if (symbol->undefined) {
		answer->verdict = UPM_VERDICT_UNDEFINED;
		answer->reason = "it is imported: its code is in another file, probe it there";
	} else if (symbol->type == STT_NOTYPE && symbol->size == 0) {
		answer->verdict = UPM_VERDICT_MARKER;
		answer->reason =
			"it is a marker without type and size, not a function; give a file "
			"offset to probe it all the same";
	} else {
		answer->verdict = UPM_VERDICT_DATA;
		answer->reason = "it is data, not a function";
	}
}

static bool holds(const char *name, const char *text, size_t length)
{
	for (; *name; name++)
		if (strncasecmp(name, text, length) == 0)
			return true;
	return false;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Letters to drop, add or change to make one name of the other (Levenshtein's distance). */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[LONGEST_NAME + 1], columns = (unsigned)strlen(b);

	for (unsigned j = 0; j <= columns; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= columns; j++) {
			unsigned above = row[j];

			row[j] =
				least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[columns];
}

static bool is_near(const char *name, const char *wanted, size_t length)
{
	size_t other = strnlen(name, LONGEST_NAME);
	size_t difference = other > length ? other - length : length - other;

	if (holds(name, wanted, length))
		return true;
	return length > SHORTEST_HINT && length < LONGEST_NAME && other < LONGEST_NAME &&
	       difference <= 2 && distance(name, wanted) <= (length > 5 ? 2u : 1u);
}

struct suggestions {
	const char *names[SUGGESTIONS];
	size_t count;
};

static void suggest_name(struct suggestions *suggestions, const char *name)
{
	for (size_t i = 0; i < suggestions->count; i++)
		if (strcmp(suggestions->names[i], name) == 0)
			return;
	suggestions->names[suggestions->count++] = name;
}

/* Functions whose names come near the one asked for: "did you mean". */
static void suggest(const struct upm_placing *placement, const struct upm_matches *matches,
		    struct suggestions *suggestions)
{
	const char *wanted = placement->request->spec->pattern;
	size_t length = strlen(wanted);
	struct upm_symbol symbol;

	if (placement->request->spec->form != UPM_SPEC_NAME || length < SHORTEST_HINT)
		return;
	for (size_t t = 0; t < matches->tables.count; t++) {
		size_t symbols = upm_symbol_table_size(matches->tables.items[t]);

		for (size_t i = 0; i < symbols && suggestions->count < SUGGESTIONS; i++) {
			upm_symbol_table_get(matches->tables.items[t], i, &symbol);
			if (upm_symbol_is_function(&symbol) && is_near(symbol.name, wanted, length))
				suggest_name(suggestions, symbol.name);
		}
	}
}

static void write_suggestions(const struct suggestions *suggestions, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < suggestions->count && used + 1 < size; i++) {
		snprintf(text + used, size - used, "%s%.80s", i ? ", " : "; it has ",
			 suggestions->names[i]);
		used = strlen(text);
	}
}

/* A stripped program still has imports: what counts is a function of its own. */
static bool defines_functions(const struct upm_matches *matches)
{
	struct upm_symbol symbol;

	for (size_t t = 0; t < matches->tables.count; t++) {
		size_t symbols = upm_symbol_table_size(matches->tables.items[t]);

		for (size_t i = 0; i < symbols; i++) {
			upm_symbol_table_outline(matches->tables.items[t], i, &symbol);
			if (upm_symbol_is_function(&symbol) && symbol.size)
				return true;
		}
	}
	return false;
}

static bool describe_absence(const struct upm_placing *placement, const struct upm_matches *matches,
			     struct answer *answer)
{
	const struct upm_spec *spec = placement->request->spec;
	struct suggestions near = {.count = 0};
	char suggestions[300];

	suggest(placement, matches, &near);
	write_suggestions(&near, suggestions, sizeof(suggestions));
	answer->verdict = UPM_VERDICT_NO_MATCH;
	if (!defines_functions(matches))
		answer->reason =
			"the file is stripped: it names no function of its own, and no debug "
			"file for it was found; install its debug package, or give file "
			"offsets";
	else
		answer->reason = upm_strings_format(
			placement->table->strings, "no function %s '%.200s%s%s'%s",
			spec->form == UPM_SPEC_NAME ? "is named" : "matches", spec->pattern,
			spec->version ? "@" : "", spec->version ? spec->version : "", suggestions);
	return answer->reason;
}

int upm_place_absence(const struct upm_placing *placement, const struct upm_matches *matches)
{
	struct upm_probe_table *table = placement->table;
	struct upm_probe_text pattern = {
		.symbol = upm_strings_add(table->strings, placement->request->spec->pattern)};
	struct upm_probe_entry probe = {
		.origin = placement->origin,
		.kind = placement->request->spec->kind,
	};
	struct answer answer;

	if (!pattern.symbol)
		return upm_fail_memory("make probes");
	if (matches->rejected.list.count) {
		const struct upm_found *rejected = &matches->rejected.list.items[0];
		struct upm_symbol symbol;

		upm_symbol_table_get(matches->tables.items[rejected->table], rejected->symbol,
				     &symbol);
		describe_rejected(&symbol, &answer);
	} else if (!describe_absence(placement, matches, &answer)) {
		return upm_fail_memory("make probes");
	}
	probe.verdict = answer.verdict;
	if (!upm_name_of_text(table, pattern, &probe.name) ||
	    !upm_probe_table_add(table, probe, &(struct upm_probe_detail){.reason = answer.reason}))
		return upm_fail_memory("make probes");
	return UPM_OK;
}
