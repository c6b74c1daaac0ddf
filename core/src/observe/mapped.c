/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/mapped.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/sys.h"
#include "base/error.h"

int upm_map_array(const char *operation, int map_fd, const void **memory, size_t *size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct bpf_map_info info = {0};
	void *mapped;

	*memory = NULL;
	*size = (*size + page - 1) / page * page;
	if (upm_sys_object_info(map_fd, &info, sizeof(info)) ||
	    !(info.map_flags & UPM_BPF_F_MMAPABLE))
		return UPM_OK;
	mapped = mmap(NULL, *size, PROT_READ, MAP_SHARED, map_fd, 0);
	if (mapped == MAP_FAILED)
		return upm_fail(upm_status_of_errno(errno), errno, operation, "the counters",
				"free memory, or observe fewer probes", "can not map %zu bytes",
				*size);
	*memory = mapped;
	return UPM_OK;
}
