/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "text.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

struct piece {
	unsigned long start, end, offset;
};

/* The file is opened through the mapping: it may have been replaced or removed. */
static size_t compare(pid_t pid, int memory, const struct piece *piece)
{
	uint8_t loaded[4096], stored[4096];
	size_t differences = 0;
	char path[96];
	int file;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", pid, piece->start, piece->end);
	file = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	for (unsigned long at = piece->start; at < piece->end; at += sizeof(loaded)) {
		ssize_t there = pread(memory, loaded, sizeof(loaded), (off_t)at);
		ssize_t wanted = pread(file, stored, sizeof(stored),
				       (off_t)(piece->offset + at - piece->start));

		for (ssize_t i = 0; i < there && i < wanted; i++)
			differences += loaded[i] != stored[i];
	}
	close(file);
	return differences;
}

size_t text_differences(pid_t pid, const char *path_contains)
{
	char path[64], line[PATH_MAX + 128];
	size_t differences = 0;
	struct piece piece;
	FILE *maps;
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	assert_true(memory >= 0 && maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx r-xp %lx", &piece.start, &piece.end, &piece.offset) ==
			    3 &&
		    strstr(line, path_contains))
			differences += compare(pid, memory, &piece);
	fclose(maps);
	close(memory);
	return differences;
}

size_t text_settles(pid_t pid, const char *path_contains)
{
	size_t differences = text_differences(pid, path_contains);

	for (int tries = 0; differences && tries < 15000; tries++) {
		usleep(20000);
		differences = text_differences(pid, path_contains);
	}
	return differences;
}
