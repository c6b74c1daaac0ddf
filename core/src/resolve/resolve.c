/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Resolution: specs in, judged probes out.
 *
 *     spec ----locate----> files ----match----> points ----place----> probes
 *                                                          merge, judge
 *
 * All specs are parsed before anything is opened, so that a misspelt one costs
 * nothing. From then on only what concerns the whole call fails it: no memory,
 * a process that does not exist, a caller who cancels. Everything about one file
 * or one function becomes a verdict in the set, because an answer about 2,199
 * functions and a reason for one is worth more than an error about one.
 *
 * What a pattern finds in a large file comes, already judged, from the index where it is known.
 *
 * A spec over many files (a glob, or `*`) has an answer when any of them has one:
 * only when none has, one probe says so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/options.h"
#include "index/index.h"
#include "locate/locate.h"
#include "resolve/judge_probes.h"
#include "resolve/matches.h"
#include "resolve/merge.h"
#include "resolve/naming.h"
#include "resolve/place.h"
#include "resolve/probe_name.h"
#include "resolve/usdt.h"

struct request {
	struct upm_spec spec;
	struct upm_pattern *pattern; /* of functions; NULL for an offset and for USDT */
	struct upm_usdt_patterns usdt;
};

struct resolution {
	struct upm_resolve_options options;
	struct request *requests;
	size_t count;
	struct upm_locator *locator;
	struct upm_naming naming;
	struct upm_probe_table *table;
};

static int read_options(const struct upm_resolve_options *options, struct upm_resolve_options *ours)
{
	const uint32_t known = UPM_RESOLVE_DEBUG_ALWAYS | UPM_RESOLVE_DEBUG_NEVER |
			       UPM_RESOLVE_DEBUGINFOD | UPM_RESOLVE_ALL_MATCHES |
			       UPM_RESOLVE_ACCEPT_UNWINDING | UPM_RESOLVE_NO_INDEX;
	int status = upm_options_read(ours, sizeof(*ours), options, "upm_resolve_options");

	if (status)
		return status;
	if ((ours->flags & ~known) || ours->reserved)
		return upm_fail(UPM_ERR_INVALID, 0, "resolve", "upm_resolve_options", NULL,
				"flags has bits that are not in enum upm_resolve_flag");
	if ((ours->flags & UPM_RESOLVE_DEBUG_ALWAYS) && (ours->flags & UPM_RESOLVE_DEBUG_NEVER))
		return upm_fail(UPM_ERR_INVALID, 0, "resolve", "upm_resolve_options", NULL,
				"debug files are asked for always and never");
	if (ours->pid_count && !ours->pids)
		return upm_fail(UPM_ERR_INVALID, 0, "resolve", "upm_resolve_options", NULL,
				"pid_count is %zu but pids is NULL", ours->pid_count);
	return UPM_OK;
}

static int parse_spec(struct resolution *resolution, const char *text, struct request *request)
{
	const char *kept = text ? upm_strings_add(resolution->table->strings, text) : NULL;
	int status;

	if (!text)
		return upm_fail(UPM_ERR_INVALID, 0, "resolve", NULL, NULL, "a spec is NULL");
	if (!kept || !upm_vector_push(&resolution->table->specs, kept))
		return upm_fail_memory("resolve");
	status = upm_spec_parse(kept, &request->spec);
	if (status || request->spec.form == UPM_SPEC_OFFSET)
		return status;
	if (request->spec.kind == UPM_KIND_USDT)
		return upm_usdt_patterns_compile(&request->spec, &request->usdt);
	return upm_pattern_compile(&request->spec, &request->pattern);
}

static int report(const struct resolution *resolution, size_t done)
{
	const struct upm_resolve_options *options = &resolution->options;

	if (!options->progress ||
	    !options->progress("resolve", done, resolution->count, options->progress_context))
		return UPM_OK;
	return upm_fail(UPM_ERR_CANCELLED, 0, "resolve", NULL, NULL, "cancelled by the caller");
}

/* ---------------------------------------------------------------- the index */

/* Probes of several specs are merged before they are judged. */
static bool find_key(const struct resolution *resolution, const struct upm_probe_origin *origin,
		     struct upm_index_key *key)
{
	return resolution->count == 1 && origin->binary &&
	       !(resolution->options.flags & UPM_RESOLVE_NO_INDEX) &&
	       upm_index_key(origin->binary, &resolution->requests[0].spec,
			     resolution->options.flags, key);
}

static bool take_from_index(const struct resolution *resolution, uint32_t number)
{
	struct upm_probe_origin *origin = &resolution->table->origins.items[number];
	struct upm_index_key key;

	origin->judged = find_key(resolution, origin, &key) &&
			 upm_index_load(&key, resolution->table, number);
	return origin->judged;
}

static void keep_probes(const struct resolution *resolution, size_t first, size_t count)
{
	const struct upm_probe_table *table = resolution->table;
	const struct upm_probe_origin *origin =
		&table->origins.items[table->probes.items[first].origin];
	struct upm_index_key key;

	if (count >= UPM_INDEX_LEAST_PROBES && !origin->judged &&
	    find_key(resolution, origin, &key) && upm_index_at_rest(&key))
		upm_index_store(&key, table, first, count);
}

/* Probes of one file stand together. */
static void keep_in_index(const struct resolution *resolution)
{
	const struct upm_probe_table *table = resolution->table;
	const struct upm_probe_entry *probes = table->probes.items;
	size_t first = 0;

	for (size_t i = 1; i <= table->probes.count; i++)
		if (i == table->probes.count || probes[i].origin != probes[first].origin) {
			keep_probes(resolution, first, i - first);
			first = i;
		}
}

/* ---------------------------------------------------------------- one file */

/* What was asked for, where there is nothing to name it better. */
static const char *name_of(struct upm_strings *strings, const struct upm_spec *spec)
{
	if (spec->provider)
		return upm_strings_format(strings, "%s:%s", spec->provider, spec->pattern);
	return upm_strings_add(strings, spec->pattern);
}

static int add_unusable(struct upm_placing *placement, const struct upm_location *location)
{
	struct upm_probe_table *table = placement->table;
	const struct upm_spec *spec = placement->request->spec;
	struct upm_probe_text name = {.symbol = name_of(table->strings, spec)};
	struct upm_probe_detail detail = {
		.reason = upm_strings_add(table->strings, location->reason ? location->reason : ""),
	};
	struct upm_probe_entry probe = {
		.offset = spec->form == UPM_SPEC_OFFSET ? spec->number : 0,
		.origin = placement->origin,
		.kind = spec->kind,
		.verdict = (uint8_t)location->verdict,
	};

	if (!name.symbol || !detail.reason || !upm_name_of_text(table, name, &probe.name) ||
	    !upm_probe_table_add(table, probe, &detail))
		return upm_fail_memory("make probes");
	return UPM_OK;
}

static int place_usdt_in_file(struct resolution *resolution, size_t index,
			      const struct upm_placing *placement, bool absence_matters)
{
	bool found;
	int status = upm_place_usdt(placement, &resolution->requests[index].usdt, &found);

	if (!status && !found && absence_matters)
		status = upm_place_usdt_absence(placement);
	return status;
}

static int place_in_file(struct resolution *resolution, size_t index,
			 const struct upm_placing *placement, bool absence_matters)
{
	struct upm_matches matches;
	int status;

	if (placement->request->spec->kind == UPM_KIND_USDT)
		return place_usdt_in_file(resolution, index, placement, absence_matters);
	if (placement->request->spec->form == UPM_SPEC_OFFSET)
		return upm_place_offset(placement, &resolution->naming,
					placement->request->spec->number);
	if (take_from_index(resolution, placement->origin))
		return UPM_OK;
	status = upm_find_matches(placement->request, &matches);
	if (status)
		return status;
	if (matches.points.list.count)
		status = upm_place_matches(placement, &matches);
	else if (absence_matters)
		status = upm_place_absence(placement, &matches);
	upm_matches_clear(&matches);
	return status;
}

/* A file whose symbols can not be read is an answer, not an error. */
static int place_or_explain(struct resolution *resolution, size_t index,
			    struct upm_placing *placement, const struct upm_location *location,
			    bool absence_matters)
{
	int status = place_in_file(resolution, index, placement, absence_matters);
	struct upm_location broken = *location;
	char reason[512];

	if (status != UPM_ERR_FORMAT && status != UPM_ERR_SYSTEM)
		return status;
	snprintf(reason, sizeof(reason), "%s", upm_error_last()->message);
	broken.reason = reason;
	broken.verdict = UPM_VERDICT_UNREADABLE;
	return add_unusable(placement, &broken);
}

static int resolve_in(struct resolution *resolution, size_t index,
		      const struct upm_location *location, bool absence_matters)
{
	struct upm_probe_table *table = resolution->table;
	const struct upm_match_request match = {
		.spec = &resolution->requests[index].spec,
		.pattern = resolution->requests[index].pattern,
		.binary = location->binary,
		.pid = location->pid,
		.flags = resolution->options.flags,
		.progress = resolution->options.progress,
		.progress_context = resolution->options.progress_context,
	};
	struct upm_placing placement = {.table = table, .request = &match};
	struct upm_probe_origin origin = {
		.binary = location->binary, .remark = "", .spec = (uint32_t)index};
	const char *path = upm_strings_add(table->strings, location->path);

	/* Goes to the probes that have nothing else to say. */
	if (location->binary && location->reason)
		origin.remark = upm_strings_add(table->strings, location->reason);
	if (!path || !origin.remark ||
	    upm_probe_table_file(table, location->binary, path, &origin.file) ||
	    upm_probe_table_origin(table, &origin, &placement.origin))
		return upm_fail_memory("resolve");
	if (!location->binary)
		return add_unusable(&placement, location);
	return place_or_explain(resolution, index, &placement, location, absence_matters);
}

/* ---------------------------------------------------------------- one spec */

static int explain_nothing(struct resolution *resolution, size_t index, size_t files)
{
	const struct upm_spec *spec = &resolution->requests[index].spec;
	char reason[256];
	struct upm_location nowhere = {
		.path = spec->binary, .reason = reason, .verdict = UPM_VERDICT_NO_MATCH};

	snprintf(reason, sizeof(reason), "no %s in any of %zu files %s '%.80s%s%.100s'",
		 spec->kind == UPM_KIND_USDT ? "USDT probe" : "function", files,
		 spec->form == UPM_SPEC_NAME ? "is named" : "matches",
		 spec->provider ? spec->provider : "", spec->provider ? ":" : "", spec->pattern);
	return resolve_in(resolution, index, &nowhere, true);
}

static int resolve_spec(struct resolution *resolution, size_t index)
{
	struct upm_locations locations = {0};
	size_t before = resolution->table->probes.count;
	size_t files;
	int status = upm_locate(resolution->locator, resolution->requests[index].spec.binary,
				&locations);

	files = locations.list.count;
	for (size_t i = 0; i < files && !status; i++) {
		status = i ? report(resolution, index) : UPM_OK;
		if (!status)
			status =
				resolve_in(resolution, index, &locations.list.items[i], files == 1);
	}
	if (!status && resolution->table->probes.count == before)
		status = explain_nothing(resolution, index, files);
	upm_locations_clear(&locations);
	return status;
}

static int resolve_all(struct resolution *resolution, const char *const *specs)
{
	const struct upm_resolve_options *options = &resolution->options;
	int status = UPM_OK;

	for (size_t i = 0; i < resolution->count && !status; i++)
		status = parse_spec(resolution, specs[i], &resolution->requests[i]);
	if (!status)
		status = upm_locator_open(options->pids, options->pid_count, options->program,
					  &resolution->locator);
	for (size_t i = 0; i < resolution->count && !status; i++) {
		status = report(resolution, i);
		if (!status)
			status = resolve_spec(resolution, i);
	}
	if (!status && resolution->count > 1)
		status = upm_merge_probes(resolution->table);
	if (!status)
		status = upm_judge_probes(resolution->table, 0, resolution->options.flags);
	if (!status)
		keep_in_index(resolution);
	return status;
}

static void clean_up(struct resolution *resolution)
{
	for (size_t i = 0; i < resolution->count; i++) {
		upm_spec_clear(&resolution->requests[i].spec);
		upm_pattern_free(resolution->requests[i].pattern);
		upm_usdt_patterns_clear(&resolution->requests[i].usdt);
	}
	free(resolution->requests);
	upm_naming_close(&resolution->naming);
	upm_locator_close(resolution->locator);
	upm_probe_table_unref(resolution->table);
}

int32_t upm_resolve(const char *const *specs, size_t count,
		    const struct upm_resolve_options *options, struct upm_probe_set **out)
{
	struct resolution resolution = {.count = count};
	int status;

	if (!specs || !count || !out)
		return upm_fail(UPM_ERR_INVALID, 0, "resolve", NULL, NULL,
				"specs or out is NULL, or there is no spec");
	status = read_options(options, &resolution.options);
	if (status)
		return status;
	resolution.naming.flags = resolution.options.flags;
	resolution.requests = calloc(count, sizeof(*resolution.requests));
	resolution.table = upm_probe_table_new();
	if (!resolution.requests || !resolution.table) {
		resolution.count = 0;
		status = upm_fail_memory("resolve");
	} else {
		status = resolve_all(&resolution, specs);
	}
	if (!status)
		status = upm_probe_set_wrap(resolution.table, out);
	clean_up(&resolution);
	return status;
}
