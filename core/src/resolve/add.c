/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Probes by place: parallel arrays of paths, offsets, reference counters and cookies. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "resolve/judge_probes.h"
#include "resolve/naming.h"
#include "resolve/place.h"
#include "resolve/probe_name.h"

/* A path met before; kept in a tree, since a caller may give as many paths as probes. */
struct known_path {
	const char *path;
	uint32_t origin;
};

struct addition {
	struct upm_probe_table *table;
	struct upm_naming naming;
	void *paths; /* tree of struct known_path, see tsearch(3) */
	struct upm_spec spec;
};

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct known_path *)a)->path, ((const struct known_path *)b)->path);
}

static int open_path(struct addition *addition, const char *path, uint32_t *origin)
{
	const char *kept = upm_strings_add(addition->table->strings, path);
	struct upm_probe_origin made = {.remark = "", .spec = UINT32_MAX};
	int status = upm_binary_open(path, &made.binary);

	if (status == UPM_ERR_MEMORY || !kept) {
		if (!status)
			upm_binary_unref(made.binary);
		return upm_fail_memory("add probes");
	}
	if (status)
		made.binary = NULL;
	status = upm_probe_table_file(addition->table, made.binary, kept, &made.file);
	upm_binary_unref(made.binary);
	made.binary = status ? NULL : addition->table->files.items[made.file].binary;
	if (status || upm_probe_table_origin(addition->table, &made, origin))
		return upm_fail_memory("add probes");
	return UPM_OK;
}

static int find_origin(struct addition *addition, const char *path, uint32_t *origin)
{
	struct known_path key = {.path = path}, *known, **slot;
	int status;

	slot = tfind(&key, &addition->paths, compare_paths);
	if (slot) {
		*origin = (*slot)->origin;
		return UPM_OK;
	}
	status = open_path(addition, path, origin);
	if (status)
		return status;
	known = malloc(sizeof(*known));
	if (!known)
		return upm_fail_memory("add probes");
	*known = (struct known_path){.path = path, .origin = *origin};
	if (tsearch(known, &addition->paths, compare_paths))
		return UPM_OK;
	free(known);
	return upm_fail_memory("add probes");
}

static int add_unusable(struct addition *addition, uint32_t origin, uint64_t offset)
{
	struct upm_probe_entry probe = {
		.offset = offset,
		.name = UPM_NAME_NONE,
		.origin = origin,
		.kind = addition->spec.kind,
		.verdict = UPM_VERDICT_UNREADABLE,
	};
	const struct upm_probe_detail detail = {
		.reason = "the file can not be opened, or is not ELF"};

	if (!upm_probe_table_add(addition->table, probe, &detail))
		return upm_fail_memory("add probes");
	return UPM_OK;
}

static int add_place(struct addition *addition, const char *path, uint64_t offset)
{
	struct upm_match_request request = {.spec = &addition->spec};
	struct upm_placing placement = {.table = addition->table, .request = &request};
	int status;

	if (!path)
		return upm_fail(UPM_ERR_INVALID, 0, "add probes", NULL, NULL, "a path is NULL");
	status = find_origin(addition, path, &placement.origin);
	if (status)
		return status;
	request.binary = addition->table->origins.items[placement.origin].binary;
	if (!request.binary)
		return add_unusable(addition, placement.origin, offset);
	return upm_place_offset(&placement, &addition->naming, offset);
}

static int set_ref_ctr(struct upm_probe_table *table, uint64_t ref_ctr_offset)
{
	struct upm_probe_entry *probe = &table->probes.items[table->probes.count - 1];
	struct upm_probe_detail *detail;

	if (!ref_ctr_offset)
		return UPM_OK;
	detail = upm_probe_table_detail(table, probe);
	if (!detail)
		return upm_fail_memory("add probes");
	detail->ref_ctr_offset = ref_ctr_offset;
	return UPM_OK;
}

static int add_all(struct addition *addition, const char *const *paths, const uint64_t *offsets,
		   const uint64_t *ref_ctr_offsets, const uint64_t *cookies, size_t count)
{
	struct upm_probe_table *table = addition->table;
	int status = UPM_OK;

	for (size_t i = 0; i < count && !status; i++) {
		status = add_place(addition, paths[i], offsets[i]);
		if (!status && ref_ctr_offsets)
			status = set_ref_ctr(table, ref_ctr_offsets[i]);
		if (!status && cookies && !upm_vector_push(&table->cookies, cookies[i]))
			status = upm_fail_memory("add probes");
	}
	return status ? status : upm_judge_probes(table, 0, 0);
}

int32_t upm_probe_set_add(struct upm_probe_set *set, uint32_t kind, const char *const *paths,
			  const uint64_t *offsets, const uint64_t *ref_ctr_offsets,
			  const uint64_t *cookies, size_t count)
{
	struct addition addition = {.spec = {.kind = (uint8_t)kind}};
	int status;

	if (!set || !paths || !offsets || kind > UPM_KIND_USDT)
		return upm_fail(UPM_ERR_INVALID, 0, "add probes", NULL, NULL,
				"set, paths or offsets is NULL, or kind is no enum upm_kind");
	addition.table = upm_probe_table_new();
	if (!addition.table)
		return upm_fail_memory("add probes");
	status = add_all(&addition, paths, offsets, ref_ctr_offsets, cookies, count);
	if (!status)
		status = upm_probe_set_own(set);
	if (!status && !upm_probe_table_append(set->table, addition.table))
		status = upm_fail_memory("add probes");
	tdestroy(addition.paths, free);
	upm_naming_close(&addition.naming);
	upm_probe_table_unref(addition.table);
	return status;
}
