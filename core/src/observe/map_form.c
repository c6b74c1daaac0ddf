/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/map_form.h"

#include <linux/bpf.h>
#include <string.h>

#include "attach/sys.h"
#include "base/error.h"

static const char operation[] = "open an observer's maps";

struct upm_map_form upm_map_form_of_array(size_t value_size, uint64_t entries)
{
	return (struct upm_map_form){BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), value_size, entries};
}

int upm_map_require(const char *name, int map_fd, struct upm_map_form form)
{
	struct bpf_map_info info;
	int failure;

	memset(&info, 0, sizeof(info));
	failure = -upm_sys_object_info(map_fd, &info, sizeof(info));
	if (failure)
		return upm_fail(upm_status_of_errno(failure), failure, operation, name, NULL,
				"the kernel does not describe the map");
	if (info.type == form.type && info.key_size == form.key_size &&
	    info.value_size == form.value_size && form.entries && info.max_entries >= form.entries)
		return UPM_OK;
	return upm_fail(UPM_ERR_FORMAT, 0, operation, name,
			"open it with the library that made it, or remove it",
			"the map %s is of another form: type %u with %u elements of %u and %u "
			"bytes, not type %u with %llu of %zu and %zu",
			name, info.type, info.max_entries, info.key_size, info.value_size,
			form.type, (unsigned long long)form.entries, form.key_size,
			form.value_size);
}
