/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/usdt_maps.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/sys.h"
#include "base/error.h"
#include "usdt/libbpf_spec.h"

static const char operation[] = "find the maps of a USDT program";

/* As the kernel cuts them. */
static const char specs_name[BPF_OBJ_NAME_LEN] = "__bpf_usdt_spec";
static const char ips_name[BPF_OBJ_NAME_LEN] = "__bpf_usdt_ip_t";

static bool has_id(int fd, uint32_t id)
{
	struct bpf_map_info info = {0};

	return upm_sys_object_info(fd, &info, sizeof(info)) == 0 && info.id == id;
}

static bool is_map(int directory, const char *entry)
{
	static const char wanted[] = "anon_inode:bpf-map";
	char target[sizeof(wanted)];

	return readlinkat(directory, entry, target, sizeof(target)) == sizeof(wanted) - 1 &&
	       memcmp(target, wanted, sizeof(wanted) - 1) == 0;
}

/* Opening a map by its id takes CAP_SYS_ADMIN; who loaded the program may have it open. */
static int find_open(uint32_t id)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	int found = -1;

	if (!directory)
		return -1;
	while (found < 0 && (entry = readdir(directory))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (is_map(dirfd(directory), entry->d_name) && has_id(fd, id))
			found = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	closedir(directory);
	return found;
}

static int open_map(uint32_t id, int *fd)
{
	int failure;

	*fd = bpf_map_get_fd_by_id(id);
	if (*fd >= 0)
		return UPM_OK;
	failure = errno;
	*fd = find_open(id);
	if (*fd >= 0)
		return UPM_OK;
	return upm_fail(upm_status_of_errno(failure), failure, operation, NULL,
			failure == EPERM ? "run as root or with CAP_SYS_ADMIN, or load the "
					   "program in this process and keep its maps open"
					 : NULL,
			"can not open map %u of the program", id);
}

static int take_specs(struct upm_usdt_maps *maps, const struct bpf_map_info *info, int fd)
{
	maps->specs_fd = fd;
	maps->spec_size = info->value_size;
	maps->spec_count = info->max_entries;
	if (info->type == BPF_MAP_TYPE_ARRAY && upm_libbpf_spec_known(info->value_size))
		return UPM_OK;
	return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, "__bpf_usdt_specs",
			"build the program with another version of <bpf/usdt.bpf.h>",
			"its elements have %u bytes: only the layouts of 208 and 304 are known",
			info->value_size);
}

/* Keep the map's descriptor if it is one of ours. */
static int take_map(struct upm_usdt_maps *maps, int fd)
{
	struct bpf_map_info info = {0};
	int failure = upm_sys_object_info(fd, &info, sizeof(info));

	if (!failure && strcmp(info.name, specs_name) == 0 && maps->specs_fd < 0)
		return take_specs(maps, &info, fd);
	if (!failure && strcmp(info.name, ips_name) == 0 && maps->ips_fd < 0) {
		maps->ips_fd = fd;
		return UPM_OK;
	}
	if (!failure && strstr(info.name, "kconfig"))
		maps->kconfig = true;
	close(fd);
	return UPM_OK;
}

static int take_maps(struct upm_usdt_maps *maps, const uint32_t *ids, uint32_t count)
{
	int status = UPM_OK;

	for (uint32_t i = 0; i < count && !status; i++) {
		int fd;

		status = open_map(ids[i], &fd);
		if (!status)
			status = take_map(maps, fd);
	}
	return status;
}

int upm_usdt_maps_find(int program_fd, struct upm_usdt_maps *maps)
{
	struct bpf_prog_info info = {0};
	uint32_t *ids, count;
	int failure = upm_sys_object_info(program_fd, &info, sizeof(info));
	int status;

	*maps = (struct upm_usdt_maps){.specs_fd = -1, .ips_fd = -1};
	count = info.nr_map_ids;
	if (failure || !count)
		return UPM_OK;
	ids = calloc(count, sizeof(*ids));
	if (!ids)
		return upm_fail_memory(operation);
	memset(&info, 0, sizeof(info));
	info.nr_map_ids = count;
	info.map_ids = (uint64_t)(uintptr_t)ids;
	failure = upm_sys_object_info(program_fd, &info, sizeof(info));
	status = failure ? upm_fail(upm_status_of_errno(-failure), -failure, operation, NULL, NULL,
				    "the kernel does not tell the program's maps")
			 : take_maps(maps, ids, count);
	free(ids);
	return status;
}

void upm_usdt_maps_close(struct upm_usdt_maps *maps)
{
	if (maps->specs_fd >= 0)
		close(maps->specs_fd);
	if (maps->ips_fd >= 0)
		close(maps->ips_fd);
	maps->specs_fd = maps->ips_fd = -1;
}
