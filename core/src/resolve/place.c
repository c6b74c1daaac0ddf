/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/intern.h"

/* The names of one point: points first … first + count - 1 of the list. */
struct group {
	const struct upm_matches *matches;
	size_t first, count;
	size_t best;	  /* the point whose name is shown */
	bool has_aliases; /* else they are one symbol, met in .symtab and in .dynsym */
};

static void choose_best(struct group *group)
{
	const struct upm_found *points = group->matches->points.list.items;
	struct upm_symbol best, symbol;

	upm_found_symbol(&points[group->first], group->matches->tables, &best);
	for (size_t i = group->first + 1; i < group->first + group->count; i++) {
		upm_found_symbol(&points[i], group->matches->tables, &symbol);
		if (upm_symbol_is_better(&symbol, &best)) {
			best = symbol;
			group->best = i;
		}
	}
}

/*
 * A linker copies what it exports from .symtab to .dynsym, so two entries of one address,
 * size, type and binding, one in each table, are one symbol. Knowing that without a look
 * at the names saves two cache misses a function. The first table, .dynsym, has the version.
 */
static bool are_one_symbol(const struct upm_found *points, struct upm_symbol_tables tables)
{
	struct upm_symbol first, second;

	if (points[0].table == points[1].table || points[1].flags & UPM_PROBE_DEBUG_SYMBOL)
		return false;
	upm_symbol_table_outline(tables.items[points[0].table], points[0].symbol, &first);
	upm_symbol_table_outline(tables.items[points[1].table], points[1].symbol, &second);
	return first.size == second.size && first.type == second.type &&
	       first.binding == second.binding;
}

static void take_group(const struct upm_matches *matches, size_t first, struct group *group)
{
	const struct upm_found *points = &matches->points.list.items[first];
	size_t most = matches->points.list.count - first, count = 1;

	while (count < most && points[count].place == points->place)
		count++;
	*group = (struct group){.matches = matches, .first = first, .count = count, .best = first};
	if (count > 1)
		group->has_aliases = count > 2 || !are_one_symbol(points, matches->tables);
}

/* Which name is the best may wait where all say the same of the probe: see probe_name.c. */
static bool can_wait(const struct group *group)
{
	const struct upm_found *points = &group->matches->points.list.items[group->first];

	for (size_t i = 1; i < group->count; i++)
		if (points[i].flags != points->flags || points[i].verdict != points->verdict)
			return false;
	return group->count <= UPM_NAMES_UNRANKED_MAX;
}

static const char *text_of(const struct upm_placing *placement, uint32_t name)
{
	struct upm_symbol symbol;

	upm_name_symbol(placement->table, placement->origin, name, &symbol);
	return symbol.name;
}

/* The names of a group, each once; they are ranked when somebody asks if that can wait. */
static bool list_aliases(const struct upm_placing *placement, const struct group *group,
			 bool ranked, struct upm_intern *listed)
{
	const struct upm_found *points = group->matches->points.list.items;
	bool added = true;

	if (ranked &&
	    !upm_intern_add_text(listed, text_of(placement, upm_found_name(&points[group->best])),
				 &added))
		return false;
	for (size_t i = group->first; i < group->first + group->count; i++) {
		uint32_t name = upm_found_name(&points[i]);

		added = true;
		if ((ranked && !upm_intern_add_text(listed, text_of(placement, name), &added)) ||
		    (added && !upm_vector_push(&placement->table->aliases, name)))
			return false;
	}
	return true;
}

static bool add_aliases(const struct upm_placing *placement, const struct group *group,
			struct upm_probe_detail *detail)
{
	const struct upm_probe_table *table = placement->table;
	struct upm_intern listed;
	bool done;

	upm_intern_open_texts(&listed);
	detail->first_alias = (uint32_t)table->aliases.count;
	done = list_aliases(placement, group, !detail->unranked, &listed);
	detail->alias_count = (uint32_t)table->aliases.count - detail->first_alias;
	upm_intern_close(&listed);
	return done;
}

static const char *note_on(const struct upm_found *point)
{
	if (point->verdict == UPM_VERDICT_VDSO)
		return "an indirect function whose implementation is the vDSO's, which is no file";
	if (point->verdict == UPM_VERDICT_NOT_EXECUTABLE)
		return "its address lies in no segment of the file";
	if (point->flags & UPM_PROBE_IFUNC_RESOLVER)
		return "an indirect function: this is its resolver, which runs once when the "
		       "symbol "
		       "is bound; give a process that has it bound to probe the implementation";
	if (point->flags & UPM_PROBE_IFUNC_TARGET)
		return "the implementation that a process chose for an indirect function";
	return NULL;
}

static uint32_t clamp_size(uint64_t size)
{
	return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

static int add_group(const struct upm_placing *placement, struct group *group)
{
	const struct upm_spec *spec = placement->request->spec;
	struct upm_probe_detail detail = {
		.symbol_offset = clamp_size(spec->number),
		.unranked = group->has_aliases && can_wait(group),
	};
	const struct upm_found *point;

	if (group->has_aliases && !detail.unranked)
		choose_best(group);
	if (group->has_aliases && !add_aliases(placement, group, &detail))
		return upm_fail_memory("make probes");
	point = &group->matches->points.list.items[group->best];
	detail.reason = note_on(point);
	if (!upm_probe_table_add(placement->table,
				 (struct upm_probe_entry){
					 .offset = point->place,
					 .name = upm_found_name(point),
					 .origin = placement->origin,
					 .kind = spec->kind,
					 .verdict = point->verdict,
					 .flags = point->flags,
				 },
				 &detail))
		return upm_fail_memory("make probes");
	return UPM_OK;
}

/* The usual one: there is nothing to say of it. Room for it is reserved. */
static void add_plain(const struct upm_placing *placement, const struct upm_found *point)
{
	struct upm_probe_table *table = placement->table;

	table->probes.items[table->probes.count++] = (struct upm_probe_entry){
		.offset = point->place,
		.name = upm_found_name(point),
		.origin = placement->origin,
		.kind = placement->request->spec->kind,
		.flags = point->flags,
	};
}

static bool is_plain(const struct upm_placing *placement, const struct upm_matches *matches,
		     size_t index)
{
	const struct upm_found *point = &matches->points.list.items[index];

	return !(point->flags & (UPM_PROBE_IFUNC_TARGET | UPM_PROBE_IFUNC_RESOLVER)) &&
	       point->verdict == UPM_VERDICT_OK && !placement->request->spec->number &&
	       (index + 1 == matches->points.list.count || point[1].place != point->place);
}

/* ------------------------------------------------- a name of several functions */

struct candidates {
	size_t count;	   /* functions of this very name */
	size_t exported;   /* of these, global or weak in their default version */
	uint64_t chosen;   /* place of an exported one */
	char listing[256]; /* "0x1234 (GLIBC_2.2.5), 0x5678" */
};

static void add_candidate(struct candidates *candidates, const struct upm_symbol *symbol,
			  uint64_t place)
{
	size_t used = strlen(candidates->listing);

	candidates->count++;
	if (symbol->binding != STB_LOCAL && symbol->default_version) {
		candidates->exported++;
		candidates->chosen = place;
	}
	snprintf(candidates->listing + used, sizeof(candidates->listing) - used,
		 "%s0x%" PRIx64 "%s%s%s", used ? ", " : "", place, symbol->version[0] ? " (" : "",
		 symbol->version, symbol->version[0] ? ")" : "");
}

static void find_candidates(const struct upm_match_request *request,
			    const struct upm_matches *matches, struct candidates *candidates)
{
	struct group group;

	*candidates = (struct candidates){0};
	for (size_t i = 0; i < matches->points.list.count; i += group.count) {
		const struct upm_found *point;
		struct upm_symbol symbol;

		take_group(matches, i, &group);
		if (group.has_aliases)
			choose_best(&group);
		point = &matches->points.list.items[group.best];
		upm_found_symbol(point, matches->tables, &symbol);
		if (strcmp(symbol.name, request->spec->pattern) == 0)
			add_candidate(candidates, &symbol, point->place);
	}
}

/* One exported function among several of a name is the one that linkers mean. */
static int place_ambiguous(const struct upm_placing *placement, const struct upm_matches *matches,
			   const struct candidates *candidates)
{
	struct upm_probe_table *table = placement->table;
	bool choose = candidates->exported == 1;
	const char *reason = upm_strings_format(
		table->strings,
		"%zu functions are named so, at %s%s; name one as 0xOFFSET or NAME@VERSION, or ask "
		"for all matches",
		candidates->count, candidates->listing,
		choose ? "; the exported default was taken" : "");
	struct group group;
	int status = reason ? UPM_OK : upm_fail_memory("make probes");

	for (size_t i = 0; i < matches->points.list.count && !status; i += group.count) {
		take_group(matches, i, &group);
		status = add_group(placement, &group);
		if (status || (choose && matches->points.list.items[i].place == candidates->chosen))
			continue;
		status = upm_probe_condemn(table, &table->probes.items[table->probes.count - 1],
					   UPM_VERDICT_AMBIGUOUS, reason);
	}
	return status;
}

/* What is to become the probes serves for sorting before. */
static bool sort_points(struct upm_probe_table *table, struct upm_matches *matches)
{
	size_t count = matches->points.list.count;

	_Static_assert(sizeof(struct upm_found) <= sizeof(struct upm_probe_entry), "scratch");
	return upm_vector_reserve(&table->probes, count) &&
	       upm_found_sort(&matches->points, table->probes.items + table->probes.count);
}

int upm_place_matches(const struct upm_placing *placement, struct upm_matches *matches)
{
	const struct upm_match_request *request = placement->request;
	struct group group;
	int status = UPM_OK;

	if (!sort_points(placement->table, matches))
		return upm_fail_memory("make probes");
	if (request->spec->form == UPM_SPEC_NAME && !(request->flags & UPM_RESOLVE_ALL_MATCHES)) {
		struct candidates candidates;

		find_candidates(request, matches, &candidates);
		if (candidates.count > 1)
			return place_ambiguous(placement, matches, &candidates);
	}
	for (size_t i = 0; i < matches->points.list.count && !status; i += group.count) {
		group.count = 1;
		if (is_plain(placement, matches, i)) {
			add_plain(placement, &matches->points.list.items[i]);
			continue;
		}
		take_group(matches, i, &group);
		status = add_group(placement, &group);
	}
	return status;
}

/* ------------------------------------------------------------ file offsets */

int upm_place_offset(const struct upm_placing *placement, struct upm_naming *naming,
		     uint64_t offset)
{
	struct upm_probe_entry probe = {
		.offset = offset,
		.name = UPM_NAME_NONE,
		.origin = placement->origin,
		.kind = placement->request->spec->kind,
		.flags = UPM_PROBE_UNVERIFIED,
	};
	struct upm_probe_detail detail = {0};
	struct upm_symbol symbol;
	uint64_t address;
	bool named = false;
	int status = UPM_OK;

	if (upm_binary_address_of(placement->request->binary, offset, &address))
		status = upm_naming_find(naming, placement->request->binary, address, &named,
					 &symbol, &probe.name);
	if (status)
		return status;
	if (named) {
		detail.symbol_offset = clamp_size(address - symbol.address);
		probe.flags = 0;
	}
	if (!upm_probe_table_add(placement->table, probe, &detail))
		return upm_fail_memory("make probes");
	return UPM_OK;
}
