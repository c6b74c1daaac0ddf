/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/matches.h"

#include <string.h>

#include "base/error.h"
#include "binary/ifunc.h"
#include "resolve/seen.h"

enum { DYNAMIC_TABLE = 0 };

struct collector {
	const struct upm_match_request *request;
	struct upm_matches *matches;
	struct upm_ifunc_resolver *ifuncs; /* opened at the first indirect function */
	bool ifuncs_tried;
	struct upm_seen seen;
	const struct upm_segment *segment; /* of the last function */
	bool named;			   /* names are looked at */
	bool readable;			   /* compare demangled names */
};

static bool version_fits(const struct upm_spec *spec, const struct upm_symbol *symbol)
{
	if (!spec->version)
		return true;
	if (spec->default_version && !symbol->default_version)
		return false;
	return strcmp(spec->version, symbol->version) == 0;
}

static bool is_wanted(const struct upm_spec *spec, const struct upm_symbol *symbol)
{
	return upm_symbol_is_function(symbol) && (symbol->size || spec->form == UPM_SPEC_NAME);
}

static enum upm_match compare(const struct collector *collector, const struct upm_symbol *symbol)
{
	const struct upm_pattern *pattern = collector->request->pattern;
	enum upm_match match = UPM_MATCH_NO;

	if (!version_fits(collector->request->spec, symbol))
		return UPM_MATCH_NO;
	match = upm_pattern_match(pattern, symbol->name);
	if (match == UPM_MATCH_NO && collector->readable)
		match = upm_pattern_match_demangled(pattern, symbol->name);
	return match;
}

static int open_ifuncs(struct collector *collector)
{
	if (collector->ifuncs_tried)
		return UPM_OK;
	collector->ifuncs_tried = true;
	return upm_ifunc_open(collector->request->binary, collector->request->pid,
			      &collector->ifuncs);
}

/* Replace the resolver by what a process chose, where that can be told. */
static int follow_ifunc(struct collector *collector, uint64_t address, struct upm_found *found)
{
	enum upm_ifunc_answer answer = UPM_IFUNC_UNKNOWN;
	int status = open_ifuncs(collector);

	if (status)
		return status;
	if (collector->ifuncs)
		answer = upm_ifunc_target(collector->ifuncs, address, &found->place);
	if (answer == UPM_IFUNC_ELSEWHERE)
		found->verdict = UPM_VERDICT_VDSO;
	found->flags |=
		answer == UPM_IFUNC_RESOLVED ? UPM_PROBE_IFUNC_TARGET : UPM_PROBE_IFUNC_RESOLVER;
	return UPM_OK;
}

/* Functions stand together: the segment of the last one is most often that of the next. */
static bool offset_of(struct collector *collector, uint64_t address, uint64_t *offset)
{
	const struct upm_segment *last = collector->segment;

	if (!last || address - last->address >= last->file_size)
		last = collector->segment =
			upm_binary_segment_of(collector->request->binary, address);
	if (last)
		*offset = last->offset + (address - last->address);
	return last != NULL;
}

static int add_function(struct collector *collector, const struct upm_symbol *symbol,
			struct upm_found found)
{
	const struct upm_spec *spec = collector->request->spec;
	int status = UPM_OK;

	if (!offset_of(collector, symbol->address, &found.place)) {
		found.place = 0;
		found.verdict = UPM_VERDICT_NOT_EXECUTABLE;
	} else if (symbol->type == STT_GNU_IFUNC) {
		status = follow_ifunc(collector, symbol->address, &found);
	}
	if (status)
		return status;
	found.place += spec->number;
	upm_seen_add(&collector->seen, symbol->address);
	if (!upm_vector_push(&collector->matches->points.list, found))
		return upm_fail_memory("collect functions");
	return UPM_OK;
}

static int too_hard(const struct upm_spec *spec, const struct upm_symbol *symbol)
{
	return upm_fail(UPM_ERR_SPEC, 0, "match the pattern", spec->text,
			"write it without nested repetition",
			"the expression needs too many steps on the name '%.200s'", symbol->name);
}

/* Texts last: most symbols are passed over without. */
static int collect_symbol(struct collector *collector, struct upm_symbol *symbol,
			  struct upm_found found)
{
	const struct upm_spec *spec = collector->request->spec;
	struct upm_symbol_table *table = collector->matches->tables.items[found.table];
	bool wanted = is_wanted(spec, symbol);
	int status;

	if (!wanted && spec->form != UPM_SPEC_NAME)
		return UPM_OK;
	if (!collector->named)
		return add_function(collector, symbol, found);
	status = upm_symbol_table_read_names(table);
	if (status)
		return status;
	upm_symbol_table_name(table, symbol);
	if (spec->version)
		upm_symbol_table_version(table, found.symbol, symbol);
	switch (compare(collector, symbol)) {
	case UPM_MATCH_NO:
		return UPM_OK;
	case UPM_MATCH_TOO_HARD:
		return too_hard(spec, symbol);
	case UPM_MATCH_YES:
		break;
	}
	if (wanted)
		return add_function(collector, symbol, found);
	if (!upm_vector_push(&collector->matches->rejected.list, found))
		return upm_fail_memory("collect functions");
	return UPM_OK;
}

static int collect_table(struct collector *collector, size_t number)
{
	struct upm_symbol_table *table = collector->matches->tables.items[number];
	uint8_t flags = upm_symbol_table_is_debug(table) ? UPM_PROBE_DEBUG_SYMBOL : 0;
	struct upm_symbol_scan scan;
	struct upm_symbol symbol;
	int status = upm_symbol_scan_open(&scan, table);

	if (status)
		return status;
	while (!status && upm_symbol_scan_next(&scan, &symbol)) {
		struct upm_found found = {.symbol = (uint32_t)scan.next - 1,
					  .table = (uint8_t)number,
					  .flags = flags};

		if (number != DYNAMIC_TABLE || !upm_seen_has(&collector->seen, symbol.address))
			status = collect_symbol(collector, &symbol, found);
	}
	upm_symbol_scan_close(&scan);
	return status ? status : scan.status;
}

/* Where doubles are to be passed over, .symtab goes before .dynsym. */
static int collect_tables(struct collector *collector)
{
	size_t count = collector->matches->tables.count;
	bool swap = collector->seen.count != 0;
	int status = UPM_OK;

	for (size_t i = 0; i < count && !status; i++)
		status = collect_table(collector, swap && i < 2 ? 1 - i : i);
	return status;
}

/* Room for the largest table: what is not used is never touched. */
static bool reserve_points(struct collector *collector)
{
	size_t most = 0;

	for (size_t i = 0; i < collector->matches->tables.count; i++) {
		size_t size = upm_symbol_table_size(collector->matches->tables.items[i]);

		if (size > most)
			most = size;
	}
	return upm_vector_reserve(&collector->matches->points.list, most);
}

/*
 * A plain name that stands in a table as it is was meant raw. Only when there is
 * none are readable names compared, since demangling a whole table takes time.
 */
static int collect(struct collector *collector)
{
	const struct upm_matches *matches = collector->matches;
	bool name = collector->request->spec->form == UPM_SPEC_NAME;
	int status;

	if (!name && !reserve_points(collector))
		return upm_fail_memory("collect functions");
	upm_seen_open(&collector->seen, collector->request->binary, matches->tables);
	collector->named = collector->request->spec->version ||
			   !upm_pattern_matches_all(collector->request->pattern);
	collector->readable = !name && !upm_pattern_matches_all(collector->request->pattern);
	status = collect_tables(collector);
	if (!status && name && !matches->points.list.count && !matches->rejected.list.count) {
		collector->readable = true;
		status = collect_tables(collector);
	}
	upm_seen_close(&collector->seen);
	return status;
}

static int load_tables(const struct upm_match_request *request, unsigned sources,
		       struct upm_matches *matches)
{
	if (request->flags & UPM_RESOLVE_DEBUGINFOD)
		sources |= sources & UPM_SYMBOLS_DEBUG ? UPM_SYMBOLS_DEBUGINFOD : 0;
	return upm_binary_symbols(request->binary, sources, request->progress,
				  request->progress_context, &matches->tables);
}

static int find(struct collector *collector)
{
	const struct upm_match_request *request = collector->request;
	struct upm_matches *matches = collector->matches;
	bool always = request->flags & UPM_RESOLVE_DEBUG_ALWAYS;
	int status;

	status = load_tables(request, UPM_SYMBOLS_OWN | (always ? UPM_SYMBOLS_DEBUG : 0), matches);
	if (!status)
		status = collect(collector);
	if (status || matches->points.list.count || always ||
	    (request->flags & UPM_RESOLVE_DEBUG_NEVER))
		return status;
	matches->rejected.list.count = 0;
	status = load_tables(request, UPM_SYMBOLS_OWN | UPM_SYMBOLS_DEBUG, matches);
	return status ? status : collect(collector);
}

int upm_find_matches(const struct upm_match_request *request, struct upm_matches *matches)
{
	struct collector collector = {.request = request, .matches = matches};
	int status;

	*matches = (struct upm_matches){0};
	status = find(&collector);
	upm_ifunc_close(collector.ifuncs);
	if (status)
		upm_matches_clear(matches);
	return status;
}

void upm_matches_clear(struct upm_matches *matches)
{
	upm_vector_clear(&matches->points.list);
	upm_vector_clear(&matches->rejected.list);
}
