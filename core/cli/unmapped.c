// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A file is known again among the maps of a process by device and inode. Some file systems
 * (overlayfs, btrfs) give stat() another device than maps; there inode and name, or the
 * path, will do. The path may be in the view of the process, so it is looked up there first.
 */
#include "unmapped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "names.h"
#include "report.h"
#include "text.h"

#define MOST_NAMED 3

struct file {
	const char *path; /* belongs to the set */
	bool is_mapped;
	bool is_found; /* in the view of the process looked at */
	struct stat status;
};

struct files {
	struct file *list;
	size_t count;
	size_t capacity;
};

struct mapping {
	dev_t device;
	ino_t inode;
	const char *path;
};

static bool add_file(struct files *files, const char *path)
{
	struct file *grown;

	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->list[i].path, path) == 0)
			return true;
	if (files->count == files->capacity) {
		files->capacity = files->capacity ? 2 * files->capacity : 16;
		grown = reallocarray(files->list, files->capacity, sizeof(*grown));
		if (!grown)
			return false;
		files->list = grown;
	}
	files->list[files->count++] = (struct file){.path = path};
	return true;
}

static bool collect(struct files *files, const struct upm_probe_set *set)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	const char *before = "";

	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		if (upm_probe_set_get(set, i, &probe) != UPM_OK ||
		    probe.verdict != UPM_VERDICT_OK || probe.path == before)
			continue;
		if (!add_file(files, probe.path))
			return false;
		before = probe.path;
	}
	return true;
}

static void find_in_view(struct file *file, int32_t pid)
{
	char *path;

	file->is_found = false;
	if (asprintf(&path, "/proc/%d/root%s", (int)pid, file->path) >= 0) {
		file->is_found = stat(path, &file->status) == 0;
		free(path);
	}
	if (!file->is_found)
		file->is_found = stat(file->path, &file->status) == 0;
}

/* The path of a file that was replaced is followed by " (deleted)". */
static bool is_same_path(const char *mapped, const char *path)
{
	size_t length = strlen(path);

	return strncmp(mapped, path, length) == 0 &&
	       (!mapped[length] || strcmp(mapped + length, " (deleted)") == 0);
}

static bool is_mapping_of(const struct mapping *mapping, const struct file *file)
{
	if (is_same_path(mapping->path, file->path))
		return true;
	if (!file->is_found || mapping->inode != file->status.st_ino)
		return false;
	return mapping->device == file->status.st_dev ||
	       strcmp(cli_base_name(mapping->path), cli_base_name(file->path)) == 0;
}

/* @return false when the line is of no file. */
static bool parse_mapping(char *line, struct mapping *mapping)
{
	unsigned int major, minor;
	unsigned long inode;
	int path = 0;

	if (sscanf(line, "%*s %*s %*s %x:%x %lu %n", &major, &minor, &inode, &path) < 3 || !inode)
		return false;
	line[strcspn(line, "\n")] = '\0';
	*mapping = (struct mapping){makedev(major, minor), inode, line + path};
	return true;
}

static void compare(struct files *files, const struct mapping *mapping)
{
	for (size_t i = 0; i < files->count; i++)
		if (!files->list[i].is_mapped)
			files->list[i].is_mapped = is_mapping_of(mapping, &files->list[i]);
}

/* @return false when the maps can not be read, though not because the process has ended. */
static bool look_at_process(struct files *files, int32_t pid)
{
	char maps_path[32], *line = NULL;
	struct mapping mapping;
	size_t size = 0;
	FILE *maps;

	snprintf(maps_path, sizeof(maps_path), "/proc/%d/maps", (int)pid);
	maps = fopen(maps_path, "re");
	if (!maps)
		return errno == ENOENT || errno == ESRCH;
	for (size_t i = 0; i < files->count; i++)
		if (!files->list[i].is_mapped)
			find_in_view(&files->list[i], pid);
	while (getline(&line, &size, maps) > 0)
		if (parse_mapping(line, &mapping))
			compare(files, &mapping);
	free(line);
	fclose(maps);
	return true;
}

static bool add_path(struct cli_unmapped *unmapped, const char *path)
{
	char **grown;

	for (size_t i = 0; i < unmapped->count; i++)
		if (strcmp(unmapped->paths[i], path) == 0)
			return true;
	grown = reallocarray(unmapped->paths, unmapped->count + 1, sizeof(*grown));
	if (!grown)
		return false;
	unmapped->paths = grown;
	grown[unmapped->count] = strdup(path);
	return grown[unmapped->count] && ++unmapped->count;
}

static bool find(struct cli_unmapped *unmapped, struct files *files,
		 const struct cli_options *options)
{
	for (size_t i = 0; i < options->pid_count; i++)
		if (!look_at_process(files, options->pids[i]))
			return true;
	for (size_t i = 0; i < files->count; i++)
		if (!files->list[i].is_mapped && !add_path(unmapped, files->list[i].path))
			return false;
	return true;
}

int cli_unmapped_find(struct cli_unmapped *unmapped, const struct upm_probe_set *set,
		      const struct cli_options *options)
{
	struct files files = {0};
	bool ok = collect(&files, set) && find(unmapped, &files, options);

	free(files.list);
	return ok ? 0 : cli_fail("read the maps of", "the processes", strerror(ENOMEM), "");
}

void cli_unmapped_print(FILE *out, const struct cli_unmapped *unmapped, size_t first)
{
	char number[CLI_NUMBER_SIZE];
	size_t left = unmapped->count - first;

	if (!left)
		return;
	fputs("remark: none of the processes maps ", out);
	for (size_t i = 0; i < left && i < MOST_NAMED; i++) {
		fputs(i ? ", " : "", out);
		cli_text_put(out, unmapped->paths[first + i], 0, 0);
	}
	if (left > MOST_NAMED)
		fprintf(out, " and %s", cli_text_counted(number, left - MOST_NAMED, "more file"));
	fprintf(out, " (yet): %s probes fire only once they load %s\n", left == 1 ? "its" : "their",
		left == 1 ? "it" : "them");
}

void cli_unmapped_json(struct cli_json *json, const struct cli_unmapped *unmapped)
{
	cli_json_array(json, "unmapped");
	for (size_t i = 0; i < unmapped->count; i++)
		cli_json_element(json, cli_json_text(unmapped->paths[i]));
	cli_json_array_end(json);
}

void cli_unmapped_free(struct cli_unmapped *unmapped)
{
	for (size_t i = 0; i < unmapped->count; i++)
		free(unmapped->paths[i]);
	free(unmapped->paths);
}
