/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
	struct upm_pins directory;
	const char *prefix; /* what comes before a name for upm_observer_open() */
};

/* Others may use the same file system: only what was made here is listed, whole or not. */
static bool is_observer(const struct upm_pins *pins, const char *name)
{
	return name[0] == UPM_SHARE_UNFINISHED || pins->fd < 0 || upm_pins_has(pins, "meta") ||
	       upm_pins_has(pins, "links");
}

/* See lock_unfinished() in pin.c. */
static bool is_at_work(int fd)
{
	struct flock lock = {.l_type = F_WRLCK};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int read_header(const struct upm_pins *pins, struct upm_share_header *header)
{
	int status, fd;

	if (pins->fd < 0)
		return upm_share_fail(operation, pins->path, -pins->fd,
				      "it can not be looked into");
	if (!upm_pins_has(pins, "meta"))
		return upm_fail(UPM_ERR_FORMAT, ENOENT, operation, pins->path, NULL,
				"it is no pinned observer, or a damaged one");
	status = upm_pins_open(operation, pins, "meta", &fd);
	if (status)
		return status;
	status = upm_metadata_header(fd, pins->path, header);
	close(fd);
	return status;
}

static int check_links(const struct upm_pins *pins, const struct upm_share_header *header)
{
	struct upm_pins links;
	long count = upm_pins_enter(&links, pins, "links");

	if (count == 0) {
		count = upm_pins_count(&links);
		upm_pins_leave(&links);
	}
	if (count >= 0 && (uint64_t)count == header->kernel_links)
		return UPM_OK;
	return upm_fail(UPM_ERR_FORMAT, 0, operation, pins->path, NULL,
			"some of its links are missing");
}

/* What is wrong with one is no error of the list: the error record stays as it was. */
static const char *problem_of(struct upm_strings *strings, const struct upm_pins *pins,
			      const char *name, struct upm_share_header *header)
{
	const char *problem = "";
	struct upm_error_copy before;

	if (name[0] == UPM_SHARE_UNFINISHED)
		return "unfinished: the process that pinned or unpinned it was ended; unpin it";
	upm_error_take(&before);
	if (read_header(pins, header) || check_links(pins, header))
		problem = upm_strings_add(strings, upm_error_last()->message);
	upm_error_put_back(&before);
	return problem;
}

static bool add(struct listing *listing, const struct upm_pins *pins, const char *name,
		const struct stat *facts)
{
	struct upm_strings *strings = listing->list->strings;
	struct upm_share_header header = {.magic = ""};
	struct upm_pinned pinned = {.size = sizeof(pinned), .owner = facts->st_uid};

	pinned.problem = problem_of(strings, pins, name, &header);
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
	const struct upm_pins *above = &listing->directory;
	struct upm_pins pins;
	struct stat facts;
	bool memory = true;
	int failure;

	if (name[0] == '.')
		return true;
	failure = -upm_pins_enter(&pins, above, name);
	if (failure == ENOENT || failure == ENOTDIR || failure == EXDEV)
		return true;
	if (fstatat(above->fd, name, &facts, AT_SYMLINK_NOFOLLOW))
		facts.st_uid = UINT32_MAX; /* nobody knows */
	if (is_observer(&pins, name) && (failure || !is_at_work(pins.fd)))
		memory = add(listing, &pins, name, &facts);
	upm_pins_leave(&pins);
	return memory;
}

static int by_name(const void *left, const void *right)
{
	const struct upm_pinned *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static int read_directory(struct listing *listing)
{
	DIR *directory = fdopendir(listing->directory.fd);
	const struct dirent *entry;
	bool memory = true;
	int failure;

	if (!directory) {
		upm_pins_leave(&listing->directory);
		return upm_fail_memory(operation);
	}
	while (memory && (entry = upm_pins_next(directory)))
		memory = look_at(listing, entry->d_name);
	failure = errno;
	closedir(directory);
	if (!memory)
		return upm_fail_memory(operation);
	if (failure)
		return upm_share_fail(operation, listing->directory.path, failure,
				      "the directory can not be read");
	if (listing->list->items.count)
		qsort(listing->list->items.items, listing->list->items.count,
		      sizeof(*listing->list->items.items), by_name);
	return UPM_OK;
}

/* UPM_PIN_DIRECTORY need not exist: then nothing is pinned there. */
static int open_usual(struct upm_pins *directory)
{
	int status = upm_share_open_usual(operation, O_RDONLY, &directory->fd);

	if (status || directory->fd >= 0 || upm_pins_possible("/sys/fs/bpf"))
		return status;
	return upm_share_fail(operation, directory->path, ENOENT, "the directory can not be read");
}

static int open_directory(struct upm_pins *directory, bool usual)
{
	if (usual)
		return open_usual(directory);
	directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->fd < 0)
		return upm_share_fail(operation, directory->path, errno,
				      "the directory can not be read");
	if (upm_pins_possible_at(directory->fd))
		return UPM_OK;
	upm_pins_leave(directory);
	return upm_share_fail(operation, directory->path, ENOENT, "");
}

static int fill(struct upm_pinned_list *list, const char *directory)
{
	struct listing listing = {.list = list, .directory.fd = -1, .prefix = ""};
	size_t length = directory ? strlen(directory) : 0;
	int status;

	snprintf(listing.directory.path, PATH_MAX, "%s", directory ? directory : UPM_PIN_DIRECTORY);
	if (directory)
		listing.prefix =
			upm_strings_format(list->strings, "%s%s", directory,
					   length && directory[length - 1] == '/' ? "" : "/");
	if (!listing.prefix)
		return upm_fail_memory(operation);
	status = open_directory(&listing.directory, !directory);
	return status || listing.directory.fd < 0 ? status : read_directory(&listing);
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
