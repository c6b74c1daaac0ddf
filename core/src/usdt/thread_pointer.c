/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "usdt/thread_pointer.h"

#include <bpf/btf.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static uint16_t found_offset;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The member of this name: its type, and its place added to *offset. */
static bool enter(const struct btf *btf, uint32_t *type, const char *name, uint32_t *offset)
{
	const struct btf_type *structure = btf__type_by_id(btf, *type);

	for (uint32_t i = 0; structure && btf_is_struct(structure) && i < btf_vlen(structure);
	     i++) {
		const struct btf_member *member = &btf_members(structure)[i];
		const char *found = btf__name_by_offset(btf, member->name_off);

		if (!found || strcmp(found, name) != 0)
			continue;
		*type = member->type;
		*offset += btf_member_bit_offset(structure, i) / 8;
		return true;
	}
	return false;
}

static void find(void)
{
	uint32_t offset = 0, type;
	struct btf *btf;
	int task;

	if (access("/sys/kernel/btf/vmlinux", R_OK)) /* libbpf would complain aloud */
		return;
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return;
	task = btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT);
	type = task > 0 ? (uint32_t)task : 0;
	if (enter(btf, &type, "thread", &offset) && enter(btf, &type, "fsbase", &offset) &&
	    offset <= UINT16_MAX)
		found_offset = (uint16_t)offset;
	btf__free(btf);
}

uint16_t upm_thread_pointer_offset(void)
{
	pthread_once(&once, find);
	return found_offset;
}
