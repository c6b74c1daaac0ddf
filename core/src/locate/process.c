/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What /proc says about a process. When the leader of a thread group has exited
 * while other threads live on, its own directory is an empty shell (no maps, no
 * root, no exe); that of a living thread has them all, so every path is built
 * from upm_process_living_thread().
 */
#include "locate/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "base/regular.h"
#include "locate/view.h"

#define READ_PROCESS "look into"
#define DELETED " (deleted)"

static const char *hint_for(int status)
{
	if (status == UPM_ERR_PERMISSION)
		return "run as root, or with CAP_SYS_PTRACE";
	return status == UPM_ERR_MEMORY || status == UPM_ERR_LIMIT
		       ? "free memory and descriptors, and try again"
		       : "see that /proc is mounted and readable";
}

int upm_fail_process(int32_t pid, int sys_errno, const char *message)
{
	char name[32];
	int status = sys_errno == ESRCH ? UPM_ERR_NOT_FOUND : upm_status_of_errno(sys_errno);

	snprintf(name, sizeof(name), "process %" PRId32, pid);
	if (status == UPM_ERR_NOT_FOUND)
		return upm_fail(status, 0, READ_PROCESS, name, "list the running processes with ps",
				"there is no such process");
	return upm_fail(status, sys_errno, READ_PROCESS, name, hint_for(status), "%s", message);
}

/* What follows "Key:\t" in /proc/ID/status. @return 0 or an errno: ESRCH when there is no such task
 */
static int read_status(int32_t id, const char *key, char *value, size_t size)
{
	char path[64], wanted[32], text[4096];
	const char *found;
	ssize_t length;
	int fd, failure;

	snprintf(path, sizeof(path), "/proc/%" PRId32 "/status", id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ESRCH : errno;
	length = read(fd, text, sizeof(text) - 1);
	failure = errno;
	close(fd);
	if (length < 0)
		return failure;
	text[length] = '\0';
	snprintf(wanted, sizeof(wanted), "\n%s:\t", key);
	found = strstr(text, wanted);
	if (!found)
		return ESRCH;
	found += strlen(wanted);
	snprintf(value, size, "%.*s", (int)strcspn(found, "\n"), found);
	return 0;
}

int upm_process_group(int32_t pid, int32_t *tgid)
{
	char value[32];
	int failure = pid > 0 ? read_status(pid, "Tgid", value, sizeof(value)) : ESRCH;

	if (failure)
		return upm_fail_process(pid, failure, "its status can not be read");
	*tgid = (int32_t)strtol(value, NULL, 10);
	if (!upm_process_living_thread(*tgid))
		return upm_fail_process(pid, ESRCH, "");
	return UPM_OK;
}

static int task_alive(int32_t id, bool *alive)
{
	char state[32] = "";
	int failure = read_status(id, "State", state, sizeof(state));

	*alive = !failure && *state != 'Z' && *state != 'X';
	return failure == ESRCH ? 0 : failure;
}

/* What can not be looked at counts as alive: whoever wants its files will learn why not. */
static bool may_be_alive(int32_t id)
{
	bool alive;

	return task_alive(id, &alive) || alive;
}

int upm_process_leader_alive(int32_t tgid, bool *alive)
{
	int failure = task_alive(tgid, alive);

	return failure ? upm_fail_process(tgid, failure, "its status can not be read") : UPM_OK;
}

int32_t upm_process_living_thread(int32_t tgid)
{
	char path[64];
	int32_t found = 0;
	struct dirent *entry;
	DIR *tasks;

	if (may_be_alive(tgid))
		return tgid;
	snprintf(path, sizeof(path), "/proc/%" PRId32 "/task", tgid);
	tasks = opendir(path);
	if (!tasks)
		return errno == ENOENT || errno == ESRCH ? 0 : tgid;
	while (!found && (entry = readdir(tasks))) {
		int32_t id = (int32_t)strtol(entry->d_name, NULL, 10);

		if (isdigit((unsigned char)*entry->d_name) && may_be_alive(id))
			found = id;
	}
	closedir(tasks);
	return found;
}

/* seq_file writes a newline within a path as \012. */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		if (strncmp(from, "\\012", 4) == 0) {
			*to = '\n';
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool take_path(const char *text, struct upm_mapping *mapping)
{
	size_t length;

	mapping->path = strdup(text);
	if (!mapping->path)
		return false;
	length = strlen(mapping->path);
	if (*text == '/' && length > strlen(DELETED) &&
	    strcmp(text + length - strlen(DELETED), DELETED) == 0) {
		mapping->deleted = true;
		mapping->path[length - strlen(DELETED)] = '\0';
	}
	unescape(mapping->path);
	return true;
}

/* "start-end perms offset major:minor inode   path" */
static int take_line(char *line, struct upm_mappings *out)
{
	struct upm_mapping mapping = {0};
	unsigned int major, minor;
	uint64_t inode;
	char permissions[5] = "";
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &mapping.start, &mapping.end, permissions, &mapping.offset, &major, &minor,
		   &inode, &at) < 7)
		return UPM_OK;
	mapping.device = makedev(major, minor);
	mapping.inode = (ino_t)inode;
	mapping.executable = permissions[2] == 'x';
	if (!take_path(line + at, &mapping))
		return upm_fail_memory(READ_PROCESS);
	if (!upm_vector_push(&out->list, mapping)) {
		free(mapping.path);
		return upm_fail_memory(READ_PROCESS);
	}
	return UPM_OK;
}

int upm_mappings_read(FILE *file, struct upm_mappings *out)
{
	int status = UPM_OK;
	size_t capacity = 0;
	char *line = NULL;

	memset(out, 0, sizeof(*out));
	while (!status && getline(&line, &capacity, file) > 0)
		status = take_line(line, out);
	free(line);
	return status;
}

int upm_process_mappings(int32_t pid, struct upm_mappings *out)
{
	int32_t living = upm_process_living_thread(pid);
	char path[64];
	int status;
	FILE *file;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "/proc/%" PRId32 "/maps", living);
	file = living ? fopen(path, "re") : NULL;
	if (!file)
		return upm_fail_process(pid, living ? errno : ESRCH,
					"its memory mappings can not be read");
	errno = 0;
	status = upm_mappings_read(file, out);
	if (!status && !feof(file))
		status = upm_fail_process(pid, errno, "its memory mappings can not be read");
	fclose(file);
	if (status)
		upm_mappings_clear(out);
	return status;
}

void upm_mappings_clear(struct upm_mappings *mappings)
{
	for (size_t i = 0; i < mappings->list.count; i++)
		free(mappings->list.items[i].path);
	upm_vector_clear(&mappings->list);
}

static int open_map_file(int32_t pid, const struct upm_mapping *mapping)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%" PRId32 "/map_files/%" PRIx64 "-%" PRIx64,
		 upm_process_living_thread(pid), mapping->start, mapping->end);
	return upm_regular_open(path);
}

static bool is_file_of(const struct upm_mapping *mapping, const struct stat *facts)
{
	return facts->st_dev == mapping->device && facts->st_ino == mapping->inode;
}

/* Whether our own path leads to the very file, found without opening: at a path that another
 * process's mount namespace has for a file, ours may have a device. */
static bool is_here_too(const struct upm_mapping *mapping)
{
	struct stat facts;

	return stat(mapping->path, &facts) == 0 && is_file_of(mapping, &facts);
}

/* The file at the mapping's path as a process sees it, if it is the very one. */
static int open_same_file(int32_t viewer, const struct upm_mapping *mapping)
{
	int fd = mapping->deleted ? -1 : upm_process_open_path(viewer, mapping->path);
	struct stat facts;

	if (fd < 0)
		return -1;
	if (fstat(fd, &facts) == 0 && is_file_of(mapping, &facts))
		return fd;
	close(fd);
	return -1;
}

/* Whether the process maps the same at these addresses as before. */
static bool is_still_there(int32_t pid, const struct upm_mapping *mapping)
{
	struct upm_mappings now;
	bool found = false;

	if (upm_process_mappings(pid, &now))
		return false;
	for (size_t i = 0; i < now.list.count && !found; i++) {
		const struct upm_mapping *other = &now.list.items[i];

		found = other->start == mapping->start && other->end == mapping->end &&
			other->offset == mapping->offset && other->device == mapping->device &&
			other->inode == mapping->inode && strcmp(other->path, mapping->path) == 0;
	}
	upm_mappings_clear(&now);
	return found;
}

/*
 * The process may have mapped another file there since its mappings were read. Device and inode
 * tell, but on btrfs and stacked file systems, where maps shows others than the file has. There
 * what was opened is the one if the mapping is the same before and after. @return -errno without
 */
static int open_checked(int32_t pid, const struct upm_mapping *mapping)
{
	int fd = open_map_file(pid, mapping);
	struct stat facts;

	if (fd < 0 || (fstat(fd, &facts) == 0 && is_file_of(mapping, &facts)) ||
	    is_still_there(pid, mapping))
		return fd;
	close(fd);
	return -ENOENT;
}

int upm_process_open_mapping(int32_t pid, const struct upm_mapping *mapping)
{
	int fd = open_checked(pid, mapping), map_errno = -fd;

	if (fd < 0)
		fd = open_same_file(pid, mapping);
	if (fd < 0 && is_here_too(mapping))
		fd = open_same_file(getpid(), mapping);
	if (fd >= 0)
		return fd;
	return upm_fail(map_errno == EPERM || map_errno == EACCES ? UPM_ERR_PERMISSION
								  : UPM_ERR_NOT_FOUND,
			map_errno, "open a mapped file", mapping->path,
			"run as root, or with CAP_CHECKPOINT_RESTORE, or restart the process",
			"process %" PRId32 " maps a file that is no longer at its path", pid);
}

bool upm_process_maps_file(int32_t pid, const struct upm_mapping *mapping, dev_t device,
			   ino_t inode)
{
	struct stat facts;
	bool same;
	int fd;

	if (mapping->device == device && mapping->inode == inode)
		return true;
	/* Stacked file systems show another device, or even inode, in maps. */
	if (mapping->inode == 0 || *mapping->path != '/')
		return false;
	fd = open_map_file(pid, mapping);
	if (fd < 0)
		return false;
	same = fstat(fd, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode;
	close(fd);
	return same;
}

int upm_process_open_path(int32_t pid, const char *path)
{
	struct upm_view view;
	int fd = upm_view_open(&view, pid);

	if (fd)
		return fd;
	fd = upm_view_open_file(&view, path);
	upm_view_close(&view);
	return fd;
}
