/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/shipped.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "attach/features.h"
#include "attach/privilege.h"
#include "base/error.h"
#include "observe/libbpf_log.h"

static const char object_name[] = "the shipped program";

int upm_shipped_open(const char *operation, struct upm_embedded image, struct bpf_object **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = image.name);
	struct bpf_program *program;
	struct upm_libbpf_log log;
	int failure;

	upm_libbpf_log_begin(&log);
	*out = bpf_object__open_mem(image.bytes, image.size, &options);
	failure = errno;
	upm_libbpf_log_end();
	/* LIBBPF_ERRNO__LIBELF: libelf refuses these bytes only for want of memory. */
	if (!*out && (failure == ENOMEM || failure == LIBBPF_ERRNO__LIBELF))
		return upm_fail_memory(operation);
	if (!*out)
		return upm_fail(UPM_ERR_FORMAT, failure, operation, object_name,
				"use the libbpf that the library was built with, or a later one",
				"libbpf does not understand it (%s)", upm_libbpf_log_verdict(&log));
	bpf_object__for_each_program(program, *out) bpf_program__set_autoload(program, false);
	return UPM_OK;
}

int upm_shipped_choose(const char *operation, struct bpf_object *object, const char *program,
		       enum upm_bpf_attach_type type)
{
	struct bpf_program *chosen = bpf_object__find_program_by_name(object, program);

	if (!chosen)
		return upm_fail(UPM_ERR_FORMAT, 0, operation, object_name, NULL,
				"it has no program %s", program);
	bpf_program__set_type(chosen, BPF_PROG_TYPE_KPROBE);
	bpf_program__set_expected_attach_type(chosen, (int)type);
	bpf_program__set_autoload(chosen, true);
	return UPM_OK;
}

int upm_shipped_constants(const char *operation, struct bpf_object *object, const void *constants,
			  size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");

	if (map && bpf_map__set_initial_value(map, constants, size) == 0)
		return UPM_OK;
	return upm_fail(UPM_ERR_SYSTEM, errno, operation, object_name, NULL,
			"can not set its constants");
}

void upm_shipped_size_map(struct bpf_object *object, const char *map, uint32_t entries, bool mapped)
{
	struct bpf_map *sized = bpf_object__find_map_by_name(object, map);

	bpf_map__set_max_entries(sized, entries);
	if (mapped && upm_kernel_features()->mmapable_array == UPM_YES)
		bpf_map__set_map_flags(sized, UPM_BPF_F_MMAPABLE);
}

int upm_shipped_load(const char *operation, struct bpf_object *object)
{
	struct upm_libbpf_log log;
	int failure = 0;

	upm_libbpf_log_begin(&log);
	if (bpf_object__load(object))
		failure = errno;
	upm_libbpf_log_end();
	if (!failure)
		return UPM_OK;
	if (upm_libbpf_log_is_mistaken(&log))
		return upm_fail_mistaken(operation, object_name);
	if (failure == EPERM || upm_errno_is_scarcity(failure))
		return upm_fail(upm_status_of_errno(failure), failure, operation, object_name,
				failure == EPERM ? upm_privilege_hint() : NULL,
				"the kernel did not load it");
	return upm_fail(UPM_ERR_PROGRAM, failure, operation, object_name, NULL,
			"the kernel did not load it (%s)", upm_libbpf_log_verdict(&log));
}
