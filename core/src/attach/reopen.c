/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/reopen.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/shelter.h"
#include "attach/sys.h"
#include "base/error.h"

static const char operation[] = "open a pinned link";

/* One kernel link as arrays. */
struct contents {
	char *path; /* or one for each probe, NUL behind each; an empty one means the one before */
	size_t path_size;
	uint64_t *offsets, *ref_ctr_offsets, *cookies;
	size_t count;
	enum upm_kind kind;
	int32_t pid;
};

int upm_opened_begin(struct upm_opened *opened)
{
	memset(opened, 0, sizeof(*opened));
	return upm_probe_set_new(&opened->set);
}

static int fail_info(int failure)
{
	return upm_fail(upm_status_of_errno(-failure), -failure, operation, NULL, NULL,
			"the kernel does not describe the link");
}

static int allocate(struct contents *contents, size_t count, size_t path_size)
{
	contents->count = count;
	contents->path_size = path_size;
	contents->path = calloc(path_size + 1, 1);
	contents->offsets = calloc(count + 1, sizeof(uint64_t));
	contents->ref_ctr_offsets = calloc(count + 1, sizeof(uint64_t));
	contents->cookies = calloc(count + 1, sizeof(uint64_t));
	if (contents->path && contents->offsets && contents->ref_ctr_offsets && contents->cookies)
		return UPM_OK;
	return upm_fail_memory(operation);
}

static uint64_t pointer(const void *address)
{
	return (uint64_t)(uintptr_t)address;
}

static int read_multi(int fd, const struct upm_bpf_link_info *sizes, struct contents *contents)
{
	bool many = sizes->multi.flags & UPM_BPF_F_UPROBE_MULTI_PATHS;
	struct upm_bpf_link_info info = {0};
	int failure, status;

	status = allocate(contents, sizes->multi.count, many ? sizes->multi.path_size : PATH_MAX);
	if (status)
		return status;
	info.multi.path = pointer(contents->path);
	info.multi.path_size = (uint32_t)contents->path_size;
	info.multi.offsets = pointer(contents->offsets);
	info.multi.ref_ctr_offsets = pointer(contents->ref_ctr_offsets);
	info.multi.cookies = pointer(contents->cookies);
	info.multi.count = (uint32_t)contents->count;
	failure = upm_sys_object_info(fd, &info, sizeof(info));
	if (failure)
		return fail_info(failure);
	if (info.multi.path_size > contents->path_size)
		return fail_info(-ERANGE); /* a file was renamed meanwhile */
	contents->kind = info.multi.flags & UPM_BPF_F_UPROBE_MULTI_RETURN ? UPM_KIND_URETPROBE
									  : UPM_KIND_UPROBE;
	contents->pid = (int32_t)info.multi.pid;
	return UPM_OK;
}

/* Kernels before 6.6 say nothing about a perf link: it then has no probe to show. */
static int read_perf(int fd, struct contents *contents)
{
	struct upm_bpf_link_info info = {0};
	int failure, status = allocate(contents, 1, PATH_MAX);

	if (status)
		return status;
	info.perf_event.file_name = pointer(contents->path);
	info.perf_event.name_length = PATH_MAX;
	failure = upm_sys_object_info(fd, &info, sizeof(info));
	if (failure)
		return fail_info(failure);
	contents->count = info.perf_event.type == UPM_BPF_PERF_UPROBE ||
			  info.perf_event.type == UPM_BPF_PERF_URETPROBE;
	contents->kind = info.perf_event.type == UPM_BPF_PERF_URETPROBE ? UPM_KIND_URETPROBE
									: UPM_KIND_UPROBE;
	contents->offsets[0] = info.perf_event.offset;
	contents->ref_ctr_offsets[0] = info.perf_event.ref_ctr_offset;
	contents->cookies[0] = info.perf_event.cookie;
	return UPM_OK;
}

static int read_contents(struct upm_opened *opened, int fd, struct contents *contents)
{
	struct upm_bpf_link_info info = {0};
	int failure = upm_sys_object_info(fd, &info, sizeof(info));

	if (failure)
		return fail_info(failure);
	if (info.type == UPM_BPF_LINK_UPROBE_MULTI) {
		opened->backend = UPM_BACKEND_UPROBE_MULTI;
		return read_multi(fd, &info, contents);
	}
	if (info.type == UPM_BPF_LINK_PERF_EVENT) {
		opened->backend = UPM_BACKEND_PERF_EVENT;
		return read_perf(fd, contents);
	}
	return upm_fail(UPM_ERR_FORMAT, 0, operation, NULL,
			"name the directory that upm_link_pin() made",
			"a pin there is a link of type %u, not of uprobes", info.type);
}

/* A path for each probe. @return the number of files */
static uint32_t list_paths(const struct contents *contents, const char **paths)
{
	const char *at = contents->path, *end = contents->path + contents->path_size;
	uint32_t files = 1;

	for (size_t i = 0; i < contents->count; i++) {
		paths[i] = i ? paths[i - 1] : at;
		if (i && at < end && *at) {
			paths[i] = at;
			files++;
		}
		if (at < end)
			at += strlen(at) + 1;
	}
	return files;
}

static int add_probes(struct upm_opened *opened, const struct contents *contents, uint32_t *files)
{
	const char **paths = malloc((contents->count + 1) * sizeof(*paths));
	int status = paths ? UPM_OK : upm_fail_memory(operation);

	if (!status)
		*files = list_paths(contents, paths);
	if (!status && contents->count)
		status = upm_probe_set_add(opened->set, contents->kind, paths, contents->offsets,
					   contents->ref_ctr_offsets, contents->cookies,
					   contents->count);
	free(paths);
	return status;
}

static int add_contents(struct upm_opened *opened, int fd, const struct contents *contents)
{
	struct upm_kernel_handle handle = {
		.fd = fd,
		.event_fd = -1,
		.pid = contents->pid,
		.probes = (uint32_t)contents->count,
		.kind = (uint8_t)contents->kind,
	};
	int status = add_probes(opened, contents, &handle.files);

	if (status)
		return status;
	return upm_vector_push(&opened->handles, handle) ? UPM_OK : upm_fail_memory(operation);
}

int upm_opened_add(struct upm_opened *opened, int fd)
{
	struct contents contents = {0};
	int status = read_contents(opened, fd, &contents);

	if (!status)
		status = add_contents(opened, fd, &contents);
	if (status)
		upm_shelter_close(fd);
	free(contents.path);
	free(contents.offsets);
	free(contents.ref_ctr_offsets);
	free(contents.cookies);
	return status;
}

/* Handles and probes were added in step, so each handle's file is that of its first probe. */
static int name_files(struct upm_opened *opened)
{
	struct upm_probe_table *table = opened->set->table;
	size_t probe = 0;

	for (size_t i = 0; i < opened->handles.count; i++) {
		struct upm_kernel_handle *handle = &opened->handles.items[i];

		if (handle->probes)
			handle->file = upm_probe_file(table, &table->probes.items[probe]);
		else if (upm_probe_table_file(table, NULL, "", &handle->file))
			return upm_fail_memory(operation);
		probe += handle->probes;
	}
	return UPM_OK;
}

static int make_link(struct upm_opened *opened, struct upm_link **out)
{
	struct upm_link *link = upm_link_new(opened->set->table);
	int status;

	if (!link)
		return upm_fail_memory(operation);
	status = upm_outcome_finish(&link->outcome, link->table->probes.count);
	if (!status && !upm_vector_reserve(&link->handles, opened->handles.count))
		status = upm_fail_memory(operation);
	if (status) {
		upm_link_free(link);
		return status;
	}
	memcpy(link->handles.items, opened->handles.items,
	       opened->handles.count * sizeof(*link->handles.items));
	link->handles.count = opened->handles.count;
	link->backend = opened->backend;
	opened->handles.count = 0;
	*out = link;
	return UPM_OK;
}

int upm_opened_end(struct upm_opened *opened, int status, struct upm_link **out)
{
	if (!status)
		status = name_files(opened);
	if (!status)
		status = make_link(opened, out);
	for (size_t i = 0; i < opened->handles.count; i++)
		upm_shelter_close(opened->handles.items[i].fd);
	upm_vector_clear(&opened->handles);
	upm_probe_set_free(opened->set);
	return status;
}
