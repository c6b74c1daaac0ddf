/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/usdt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "usdt/notes.h"

/* A provider is matched as a spec of its own whose pattern it is. */
static int compile_provider(const struct upm_spec *spec, struct upm_pattern **out)
{
	struct upm_spec provider;
	char *text;
	int status;

	if (asprintf(&text, "usdt:x:x:%s", spec->provider) < 0)
		return upm_fail_memory("compile the pattern");
	status = upm_spec_parse(text, &provider);
	if (!status) {
		provider.text = spec->text;
		status = upm_pattern_compile(&provider, out);
		upm_spec_clear(&provider);
	}
	free(text);
	return status;
}

int upm_usdt_patterns_compile(const struct upm_spec *spec, struct upm_usdt_patterns *patterns)
{
	int status = compile_provider(spec, &patterns->provider);

	return status ? status : upm_pattern_compile(spec, &patterns->name);
}

void upm_usdt_patterns_clear(struct upm_usdt_patterns *patterns)
{
	upm_pattern_free(patterns->provider);
	upm_pattern_free(patterns->name);
}

static int add_probe(const struct upm_placing *placement, const char *name,
		     struct upm_probe_entry probe, const struct upm_probe_detail *detail)
{
	struct upm_probe_table *table = placement->table;

	probe.origin = placement->origin;
	probe.kind = UPM_KIND_USDT;
	if (!upm_name_of_text(table, (struct upm_probe_text){.symbol = name}, &probe.name) ||
	    !upm_probe_table_add(table, probe, detail))
		return upm_fail_memory("make USDT probes");
	return UPM_OK;
}

static int add_damaged(const struct upm_placing *placement, const struct upm_usdt_note *note)
{
	return add_probe(placement, note->name,
			 (struct upm_probe_entry){.verdict = UPM_VERDICT_UNREADABLE},
			 &(struct upm_probe_detail){.reason = note->damage});
}

static int add_damaged_notes(const struct upm_placing *placement,
			     const struct upm_usdt_notes *notes)
{
	int status = UPM_OK;

	for (size_t i = 0; i < notes->list.count && !status; i++)
		if (notes->list.items[i].damage)
			status = add_damaged(placement, &notes->list.items[i]);
	return status;
}

static void find_place(const struct upm_placing *placement, const struct upm_usdt_note *note,
		       struct upm_probe_entry *probe, struct upm_probe_detail *detail)
{
	const struct upm_binary *binary = placement->request->binary;

	if (!upm_binary_offset_of(binary, note->address, &probe->offset)) {
		probe->verdict = UPM_VERDICT_NOT_EXECUTABLE;
		detail->reason = "the note's address lies in no segment of the file";
	} else if (note->semaphore &&
		   !upm_binary_offset_of(binary, note->semaphore, &detail->ref_ctr_offset)) {
		probe->verdict = UPM_VERDICT_SEMAPHORE;
		detail->reason = "its semaphore's address lies in no segment of the file";
	}
}

static int add_site(const struct upm_placing *placement, const struct upm_usdt_note *note)
{
	struct upm_probe_table *table = placement->table;
	struct upm_usdt_site site = {.provider = note->provider, .arguments = note->arguments};
	struct upm_probe_entry probe = {.offset = 0};
	struct upm_probe_detail detail = {.reason = NULL};

	if (!upm_vector_push(&table->sites, site))
		return upm_fail_memory("make USDT probes");
	detail.site = (uint32_t)table->sites.count;
	find_place(placement, note, &probe, &detail);
	return add_probe(placement, note->name, probe, &detail);
}

static int too_hard(const struct upm_spec *spec)
{
	return upm_fail(UPM_ERR_SPEC, 0, "match the pattern", spec->text,
			"write it without nested repetition",
			"the expression needs too many steps");
}

int upm_place_usdt(const struct upm_placing *placement, const struct upm_usdt_patterns *patterns,
		   bool *found)
{
	const struct upm_usdt_notes *notes;
	int status = upm_binary_usdt_notes(placement->request->binary, &notes);

	*found = false;
	for (size_t i = 0; !status && i < notes->list.count; i++) {
		const struct upm_usdt_note *note = &notes->list.items[i];
		enum upm_match match;

		if (note->damage)
			continue;
		match = upm_pattern_match(patterns->provider, note->provider);
		if (match == UPM_MATCH_YES)
			match = upm_pattern_match(patterns->name, note->name);
		if (match == UPM_MATCH_TOO_HARD)
			return too_hard(placement->request->spec);
		if (match == UPM_MATCH_NO)
			continue;
		*found = true;
		status = add_site(placement, note);
	}
	if (!status && !(*found && placement->request->spec->form == UPM_SPEC_NAME))
		status = add_damaged_notes(placement, notes);
	return status;
}

static bool is_first_of_provider(const struct upm_usdt_notes *notes, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(notes->list.items[i].provider, notes->list.items[index].provider) == 0)
			return false;
	return notes->list.items[index].provider[0] != '\0';
}

/* "; its providers: hotspot, hs_private", so that a typing error shows. */
static void list_providers(const struct upm_usdt_notes *notes, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < notes->list.count && used + 1 < size; i++) {
		if (!is_first_of_provider(notes, i))
			continue;
		snprintf(text + used, size - used, "%s%.60s",
			 used ? ", " : "; its providers: ", notes->list.items[i].provider);
		used = strlen(text);
	}
}

int upm_place_usdt_absence(const struct upm_placing *placement)
{
	const struct upm_spec *spec = placement->request->spec;
	struct upm_strings *strings = placement->table->strings;
	struct upm_probe_detail detail = {.reason = "the file has no USDT probes"};
	const struct upm_usdt_notes *notes;
	char providers[300];
	const char *name;
	int status = upm_binary_usdt_notes(placement->request->binary, &notes);

	if (status)
		return status;
	list_providers(notes, providers, sizeof(providers));
	name = upm_strings_format(strings, "%s:%s", spec->provider, spec->pattern);
	if (notes->list.count)
		detail.reason = upm_strings_format(strings, "no USDT probe is '%.100s:%.100s'%s",
						   spec->provider, spec->pattern, providers);
	if (!name || !detail.reason)
		return upm_fail_memory("make USDT probes");
	return add_probe(placement, name, (struct upm_probe_entry){.verdict = UPM_VERDICT_NO_MATCH},
			 &detail);
}
