/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>

#include "index/index.h"
#include "judge/insn.h"

/*
 * Writing to a mapped page sets the times when the page becomes dirty, and not again before it is
 * written back: 30 s with the kernel's defaults, and 5 s until that is noticed.
 */
enum { REST_S = 60, FORMAT = 2 };

static const uint32_t flags_served =
	UPM_RESOLVE_DEBUG_NEVER | UPM_RESOLVE_ALL_MATCHES | UPM_RESOLVE_ACCEPT_UNWINDING;

/* Not in <linux/magic.h>. */
#define MAGIC_XFS 0x58465342
#define MAGIC_ZFS 0x2fc12fc1
#define MAGIC_BCACHEFS 0xca451a4e

/*
 * File systems of this machine, whose times are this kernel's; not images that are made once, with
 * the times of a release rather than of the making (squashfs, erofs). Others can be mounted from
 * such an image too, one after another by the same device number: these tell files apart by their
 * build-ids.
 */
static bool times_are_ours(const struct upm_binary *binary)
{
	struct statfs where;

	if (fstatfs(binary->fd, &where) || (where.f_flags & ST_RDONLY && !binary->build_id_size))
		return false;
	switch ((uint32_t)where.f_type) {
	case EXT4_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case MAGIC_XFS:
	case MAGIC_ZFS:
	case MAGIC_BCACHEFS:
		return true;
	default:
		return false;
	}
}

static void take_status(const struct stat *status, struct upm_index_key *key)
{
	key->device = status->st_dev;
	key->inode = status->st_ino;
	key->file_size = (uint64_t)status->st_size;
	key->modified_s = status->st_mtim.tv_sec;
	key->modified_ns = status->st_mtim.tv_nsec;
	key->changed_s = status->st_ctim.tv_sec;
	key->changed_ns = status->st_ctim.tv_nsec;
}

static void take_rules(const struct upm_insn_rules *rules, struct upm_index_key *key)
{
	key->machine = rules->machine;
	key->bits = rules->bits;
	key->nops_emulated = rules->nops_emulated;
	key->nop5_optimised = rules->nop5_optimised;
	key->nop5_red_zone_safe = rules->nop5_red_zone_safe;
}

_Static_assert(sizeof(struct upm_index_key) ==
		       8 + 24 + UPM_BUILD_ID_MAX + 8 * sizeof(uint64_t) + 4 + 2 + 6 + 132,
	       "padding would be compared");

/* A name stands for few functions, and its answer has more to it than they. */
static bool is_served(const struct upm_spec *spec)
{
	return spec->form == UPM_SPEC_PATTERN && spec->kind != UPM_KIND_USDT && !spec->version &&
	       !spec->number &&
	       strlen(spec->pattern) < sizeof(((struct upm_index_key *)0)->pattern);
}

bool upm_index_key(const struct upm_binary *binary, const struct upm_spec *spec, uint32_t flags,
		   struct upm_index_key *key)
{
	struct upm_insn_rules rules;
	struct stat status;

	if (flags & ~flags_served || !is_served(spec) ||
	    !upm_insn_rules_of_kernel(binary->machine, binary->bits, &rules) ||
	    fstat(binary->fd, &status) || !times_are_ours(binary))
		return false;
	*key = (struct upm_index_key){
		.magic = "upmindex",
		.format = FORMAT,
		.build_id_size = binary->build_id_size,
		.flags = flags & UPM_RESOLVE_ACCEPT_UNWINDING,
		.kind = spec->kind,
		.regex = spec->regex,
		.entry_size = sizeof(struct upm_probe_entry),
	};
	strcpy(key->pattern, spec->pattern);
	memcpy(key->build_id, binary->build_id, sizeof(key->build_id));
	take_status(&status, key);
	take_rules(&rules, key);
	return upm_self_id(key->build);
}

bool upm_index_at_rest(const struct upm_index_key *key)
{
	int64_t last = key->changed_s > key->modified_s ? key->changed_s : key->modified_s;

	return time(NULL) - last > REST_S;
}
