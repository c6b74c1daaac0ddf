/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "index/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "index/record.h"

#define MOST_BYTES (INT64_C(64) << 20)
#define MOST_FILES 256
#define UNFINISHED_S 3600 /* after which nobody writes it any more */

/* What root finds out is not left to a home directory, which may be another user's. */
static bool find_place(char path[PATH_MAX])
{
	const char *wanted = secure_getenv("UPROBE_MULTI_INDEX");
	const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
	int length = -1;

	if (wanted)
		length = strcmp(wanted, "off") == 0 ? -1 : snprintf(path, PATH_MAX, "%s", wanted);
	else if (geteuid() == 0)
		length = snprintf(path, PATH_MAX, "/var/cache/uprobe_multi");
	else if (cache && *cache == '/')
		length = snprintf(path, PATH_MAX, "%s/uprobe_multi", cache);
	else if (home && *home == '/')
		length = snprintf(path, PATH_MAX, "%s/.cache/uprobe_multi", home);
	return length > 0 && length < PATH_MAX;
}

bool upm_index_is_ours(int fd, uint32_t type)
{
	struct stat status;

	return !fstat(fd, &status) && (status.st_mode & S_IFMT) == type &&
	       status.st_uid == geteuid() && !(status.st_mode & (S_IWGRP | S_IWOTH));
}

int upm_index_folder(bool create)
{
	char path[PATH_MAX];
	int folder;

	if (!find_place(path))
		return -1;
	if (create)
		mkdir(path, 0700);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || upm_index_is_ours(folder, S_IFDIR))
		return folder;
	close(folder);
	return -1;
}

void upm_index_name(const struct upm_index_key *key, char name[UPM_INDEX_NAME_SIZE])
{
	snprintf(name, UPM_INDEX_NAME_SIZE, "%016" PRIx64,
		 upm_index_checksum(0, key, sizeof(*key)));
}

/* ---- bounds */

struct kept {
	char name[NAME_MAX + 1];
	time_t used;
	int64_t size;
};

struct kept_list {
	UPM_VECTOR(struct kept) list;
};

static int by_use(const void *left, const void *right)
{
	const struct kept *a = left, *b = right;

	return (a->used > b->used) - (a->used < b->used);
}

/* Names that begin with a dot are of files that are being written. */
static void look_at(int folder, const char *name, struct kept_list *kept)
{
	struct stat status;
	struct kept found;

	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) || !S_ISREG(status.st_mode))
		return;
	if (name[0] == '.') {
		if (time(NULL) - status.st_mtime > UNFINISHED_S)
			unlinkat(folder, name, 0);
		return;
	}
	found.used = status.st_mtime;
	found.size = status.st_size;
	snprintf(found.name, sizeof(found.name), "%s", name);
	upm_vector_push(&kept->list, found);
}

static void list_kept(int folder, struct kept_list *kept)
{
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!directory) {
		if (copy >= 0)
			close(copy);
		return;
	}
	rewinddir(directory);
	while ((entry = readdir(directory)))
		look_at(folder, entry->d_name, kept);
	closedir(directory);
}

void upm_index_trim(int folder)
{
	struct kept_list kept = {0};
	int64_t bytes = 0;

	list_kept(folder, &kept);
	if (kept.list.count)
		qsort(kept.list.items, kept.list.count, sizeof(*kept.list.items), by_use);
	for (size_t i = 0; i < kept.list.count; i++)
		bytes += kept.list.items[i].size;
	for (size_t i = 0; i < kept.list.count; i++) {
		if (bytes <= MOST_BYTES && kept.list.count - i <= MOST_FILES)
			break;
		unlinkat(folder, kept.list.items[i].name, 0);
		bytes -= kept.list.items[i].size;
	}
	upm_vector_clear(&kept.list);
}
