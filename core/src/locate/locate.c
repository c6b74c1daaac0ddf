/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "locate/locate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "locate/locator.h"

const char *upm_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool upm_is_glob(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

bool upm_mapping_is_code(const struct upm_mapping *mapping)
{
	static const char *const no_files[] = {"/dev/", "/memfd:", "/SYSV", "/anon_hugepage",
					       "/[aio]"};

	if (!mapping->executable || *mapping->path != '/' || !mapping->inode)
		return false;
	for (size_t i = 0; i < sizeof(no_files) / sizeof(no_files[0]); i++) {
		if (strncmp(mapping->path, no_files[i], strlen(no_files[i])) == 0)
			return false;
	}
	return true;
}

int upm_target_mappings(struct upm_target *target, const struct upm_mappings **mappings)
{
	int status = UPM_OK;

	if (!target->mappings_read && target->pid) {
		status = upm_process_mappings(target->pid, &target->mappings);
		if (status == UPM_ERR_NOT_FOUND)
			status = UPM_OK;
		target->mappings_read = !status;
	}
	*mappings = &target->mappings;
	return status;
}

static int add_target(struct upm_locator *locator, int32_t pid)
{
	struct upm_target target = {.view = {.root = -1}};
	int status = pid ? upm_process_group(pid, &target.pid) : UPM_OK;

	for (size_t i = 0; i < locator->targets.count && !status; i++) {
		if (locator->targets.items[i].pid == target.pid)
			return UPM_OK;
	}
	if (!status)
		status = upm_view_open(&target.view, target.pid);
	if (status)
		return status;
	if (upm_vector_push(&locator->targets, target))
		return UPM_OK;
	upm_view_close(&target.view);
	return upm_fail_memory(UPM_LOCATE);
}

static int add_targets(struct upm_locator *locator, const int32_t *pids, size_t pid_count)
{
	int status = pid_count ? UPM_OK : add_target(locator, 0);

	for (size_t i = 0; i < pid_count && !status; i++) {
		status = pids[i] > 0 ? add_target(locator, pids[i])
				     : upm_fail_process(pids[i], ESRCH, "");
	}
	return status;
}

int upm_locator_open(const int32_t *pids, size_t pid_count, const char *program,
		     struct upm_locator **out)
{
	struct upm_locator *locator = calloc(1, sizeof(*locator));
	int status;

	if (!locator)
		return upm_fail_memory(UPM_LOCATE);
	status = add_targets(locator, pids, pid_count);
	if (!status && program && !(locator->program = strdup(program)))
		status = upm_fail_memory(UPM_LOCATE);
	if (status)
		upm_locator_close(locator);
	else
		*out = locator;
	return status;
}

static int add_mapped_files(struct upm_locator *locator, struct upm_target *target,
			    struct upm_locations *out)
{
	const struct upm_mappings *mappings;
	int status = upm_target_mappings(target, &mappings);

	for (size_t i = 0; i < mappings->list.count && !status; i++) {
		if (upm_mapping_is_code(&mappings->list.items[i]))
			status = upm_locations_add_mapping(locator, target,
							   &mappings->list.items[i], out);
	}
	if (!status && !mappings->list.count)
		status = upm_locations_add_failure(
			out, UPM_VERDICT_NO_MATCH, "*", target->pid,
			"process %" PRId32 " maps no file: it has ended, or is a kernel thread",
			target->pid);
	return status;
}

static int add_all(const struct upm_locations *from, struct upm_locations *out)
{
	int status = UPM_OK;

	for (size_t i = 0; i < from->list.count && !status; i++)
		status = upm_locations_add_copy(out, &from->list.items[i]);
	return status;
}

int upm_locate_everything(struct upm_locator *locator, struct upm_locations *out)
{
	const struct upm_locations *closure;
	int status = UPM_OK;

	for (size_t i = 0; i < locator->targets.count && !status; i++) {
		if (locator->targets.items[i].pid)
			status = add_mapped_files(locator, &locator->targets.items[i], out);
	}
	if (!status && locator->program) {
		status = upm_program_closure(locator, &closure);
		if (!status)
			status = add_all(closure, out);
	}
	if (!status && !out->list.count)
		status = upm_locations_add_failure(out, UPM_VERDICT_NO_MATCH, "*", 0,
						   "* means every file that a process maps: name "
						   "one with -p PID, or give -- COMMAND");
	return status;
}

int upm_locate(struct upm_locator *locator, const char *name, struct upm_locations *out)
{
	int status;

	memset(out, 0, sizeof(*out));
	if (strcmp(name, "*") == 0)
		status = upm_locate_everything(locator, out);
	else if (strchr(name, '/'))
		status = upm_locate_path(locator, name, out);
	else
		status = upm_locate_name(locator, name, out);
	if (status)
		upm_locations_clear(out);
	return status;
}

void upm_locator_close(struct upm_locator *locator)
{
	if (!locator)
		return;
	for (size_t i = 0; i < locator->targets.count; i++) {
		upm_view_close(&locator->targets.items[i].view);
		upm_mappings_clear(&locator->targets.items[i].mappings);
		upm_library_search_free(locator->targets.items[i].search);
	}
	for (size_t i = 0; i < locator->opened.count; i++) {
		upm_binary_unref(locator->opened.items[i].binary);
		free(locator->opened.items[i].reason);
	}
	for (size_t i = 0; i < locator->known_mappings.count; i++)
		free(locator->known_mappings.items[i].path);
	upm_locations_clear(&locator->closure);
	upm_vector_clear(&locator->targets);
	upm_vector_clear(&locator->opened);
	upm_vector_clear(&locator->known_mappings);
	free(locator->program);
	free(locator);
}
