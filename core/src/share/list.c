/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/pins.h"
#include "base/error.h"
#include "base/options.h"
#include "base/strings.h"
#include "share/metadata.h"
#include "share/place.h"
#include "uprobe_multi.h"

static const char operation[] = "list pinned observers";

struct upm_pinned_list {
	UPM_VECTOR(struct upm_pinned) items;
	struct upm_strings *strings;
};

/* One reading of a directory. */
struct listing {
	struct upm_pinned_list *list;
	const char *directory;
	const char *prefix; /* what comes before a name for upm_observer_open() */
	int fd;
};

static bool has(const char *path, const char *part)
{
	char inner[PATH_MAX];

	upm_pins_path(inner, path, part);
	return access(inner, F_OK) == 0;
}

/* Others may use the same file system: only what was made here is listed, whole or not. */
static bool is_observer(const char *path, const char *name)
{
	return name[0] == UPM_SHARE_UNFINISHED || access(path, R_OK | X_OK) || has(path, "meta") ||
	       has(path, "links");
}

/* See lock_unfinished() in pin.c. */
static bool is_at_work(int fd)
{
	struct flock lock = {.l_type = F_WRLCK};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int read_header(const char *path, struct upm_share_header *header)
{
	char meta[PATH_MAX];
	int status, fd;

	upm_pins_path(meta, path, "meta");
	if (access(meta, F_OK))
		return upm_fail(UPM_ERR_FORMAT, errno, operation, path, NULL,
				"it is no pinned observer, or a damaged one");
	status = upm_pins_open(operation, meta, &fd);
	if (status)
		return status;
	status = upm_metadata_header(fd, path, header);
	close(fd);
	return status;
}

static int check_links(const char *path, const struct upm_share_header *header)
{
	char links[PATH_MAX];
	long count;

	upm_pins_path(links, path, "links");
	count = upm_pins_count(links);
	if (count >= 0 && (uint64_t)count == header->kernel_links)
		return UPM_OK;
	return upm_fail(UPM_ERR_FORMAT, 0, operation, path, NULL, "some of its links are missing");
}

/* What is wrong with one is no error of the list: the error record stays as it was. */
static const char *problem_of(struct upm_strings *strings, const char *path, const char *name,
			      struct upm_share_header *header)
{
	const char *problem = "";
	struct upm_error_copy before;

	if (name[0] == UPM_SHARE_UNFINISHED)
		return "unfinished: the process that pinned or unpinned it was ended; unpin it";
	upm_error_take(&before);
	if (read_header(path, header) || check_links(path, header))
		problem = upm_strings_add(strings, upm_error_last()->message);
	upm_error_put_back(&before);
	return problem;
}

static bool add(struct listing *listing, const char *path, const char *name,
		const struct stat *facts)
{
	struct upm_strings *strings = listing->list->strings;
	struct upm_share_header header = {.magic = ""};
	struct upm_pinned pinned = {.size = sizeof(pinned), .owner = facts->st_uid};

	pinned.problem = problem_of(strings, path, name, &header);
	if (!pinned.problem)
		return false;
	if (*pinned.problem)
		memset(&header, 0, sizeof(header));
	pinned.name = upm_strings_format(strings, "%s%s", listing->prefix, name);
	pinned.creator = upm_strings_add(strings, header.creator);
	pinned.created_s = header.created_s;
	pinned.probes = header.probes;
	pinned.attached = header.attached;
	pinned.kernel_links = header.kernel_links;
	pinned.creator_pid = header.creator_pid;
	pinned.kind = header.kind;
	return pinned.name && pinned.creator && upm_vector_push(&listing->list->items, pinned);
}

/* @return false when out of memory */
static bool look_at(struct listing *listing, const char *name)
{
	char path[PATH_MAX];
	struct stat facts;
	bool at_work;
	int fd;

	upm_pins_path(path, listing->directory, name);
	if (name[0] == '.' || lstat(path, &facts) || !S_ISDIR(facts.st_mode) ||
	    !is_observer(path, name))
		return true;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return true;
	at_work = fd >= 0 && is_at_work(fd);
	if (fd >= 0)
		close(fd);
	return at_work || add(listing, path, name, &facts);
}

static int by_name(const void *left, const void *right)
{
	const struct upm_pinned *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static int read_directory(struct listing *listing)
{
	DIR *directory = fdopendir(listing->fd);
	const struct dirent *entry;
	bool memory = true;

	if (!directory) {
		close(listing->fd);
		return upm_fail_memory(operation);
	}
	while (memory && (entry = readdir(directory)))
		memory = look_at(listing, entry->d_name);
	closedir(directory);
	if (!memory)
		return upm_fail_memory(operation);
	if (listing->list->items.count)
		qsort(listing->list->items.items, listing->list->items.count,
		      sizeof(*listing->list->items.items), by_name);
	return UPM_OK;
}

/* UPM_PIN_DIRECTORY need not exist: then nothing is pinned there. */
static int open_directory(struct listing *listing, bool usual)
{
	listing->fd = open(listing->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (listing->fd >= 0 && upm_pins_possible(listing->directory))
		return UPM_OK;
	if (listing->fd >= 0) {
		close(listing->fd);
		return upm_share_fail(operation, listing->directory, ENOENT, "");
	}
	if (usual && errno == ENOENT && upm_pins_possible("/sys/fs/bpf"))
		return UPM_OK;
	return upm_share_fail(operation, listing->directory, errno,
			      "the directory can not be read");
}

static int fill(struct upm_pinned_list *list, const char *directory)
{
	struct listing listing = {.list = list, .directory = UPM_PIN_DIRECTORY, .prefix = ""};
	int status;

	if (directory) {
		size_t length = strlen(directory);

		listing.directory = directory;
		listing.prefix =
			upm_strings_format(list->strings, "%s%s", directory,
					   length && directory[length - 1] == '/' ? "" : "/");
		if (!listing.prefix)
			return upm_fail_memory(operation);
	}
	status = open_directory(&listing, !directory);
	return status || listing.fd < 0 ? status : read_directory(&listing);
}

int32_t upm_pinned_list(const char *directory, struct upm_pinned_list **out)
{
	struct upm_pinned_list *list;
	int status;

	if (!out || (directory && strlen(directory) > PATH_MAX / 2))
		return upm_fail(UPM_ERR_INVALID, 0, operation, directory, NULL, "%s",
				out ? "the path is too long" : "out is NULL");
	list = calloc(1, sizeof(*list));
	if (list)
		list->strings = upm_strings_new();
	status = list && list->strings ? fill(list, directory) : upm_fail_memory(operation);
	if (status)
		upm_pinned_list_free(list);
	else
		*out = list;
	return status;
}

size_t upm_pinned_list_size(const struct upm_pinned_list *list)
{
	return list ? list->items.count : 0;
}

int32_t upm_pinned_list_get(const struct upm_pinned_list *list, size_t index,
			    struct upm_pinned *pinned)
{
	if (index >= upm_pinned_list_size(list))
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL,
				"number %zu is out of range: there are %zu", index,
				upm_pinned_list_size(list));
	return upm_options_write(pinned, &list->items.items[index], sizeof(*pinned),
				 "struct upm_pinned");
}

void upm_pinned_list_free(struct upm_pinned_list *list)
{
	if (!list)
		return;
	upm_vector_clear(&list->items);
	upm_strings_unref(list->strings);
	free(list);
}
