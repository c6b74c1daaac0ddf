// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes for what follows the symbol, beside its version. */
#define SUFFIX_SIZE 64

static bool reserve(struct cli_names *names, size_t size)
{
	char *grown;

	if (size <= names->capacity)
		return true;
	grown = realloc(names->buffer, size);
	if (!grown)
		return false;
	names->buffer = grown;
	names->capacity = size;
	return true;
}

/* Put the readable name into the buffer, with room for a suffix. @return its length; 0 = raw. */
static size_t demangle(struct cli_names *names, const char *symbol, size_t room)
{
	size_t length = upm_demangle(symbol, names->buffer, names->capacity);

	if (length && length + room > names->capacity) {
		if (!reserve(names, length + room))
			return 0;
		length = upm_demangle(symbol, names->buffer, names->capacity);
	}
	return length;
}

static void append_suffix(struct cli_names *names, size_t length, const struct upm_probe *probe)
{
	char *to = names->buffer + length;

	if (names->versions && *probe->version)
		to += sprintf(to, "@%s", probe->version);
	if (probe->symbol_offset)
		to += sprintf(to, "+0x%llx", (unsigned long long)probe->symbol_offset);
	if (probe->kind == UPM_KIND_URETPROBE)
		strcpy(to, " (return)");
}

/* Put the symbol into the buffer, readable when asked for. @return its length */
static size_t put_symbol(struct cli_names *names, const struct upm_probe *probe, size_t room)
{
	size_t readable = names->demangle ? demangle(names, probe->symbol, room) : 0;

	if (readable)
		return readable;
	if (*probe->provider)
		return (size_t)sprintf(names->buffer, "%s:%s", probe->provider, probe->symbol);
	return (size_t)(stpcpy(names->buffer, probe->symbol) - names->buffer);
}

const char *cli_name_of(struct cli_names *names, const struct upm_probe *probe)
{
	size_t room = SUFFIX_SIZE + strlen(probe->version) + strlen(probe->provider);
	size_t length;

	if (!*probe->symbol && !probe->offset)
		return probe->spec;
	if (!reserve(names, strlen(probe->symbol) + room))
		return probe->symbol;
	if (*probe->symbol)
		length = put_symbol(names, probe, room);
	else
		length =
			(size_t)sprintf(names->buffer, "0x%llx", (unsigned long long)probe->offset);
	append_suffix(names, length, probe);
	return names->buffer;
}

const char *cli_demangled(struct cli_names *names, const struct upm_probe *probe)
{
	if (!reserve(names, strlen(probe->symbol) + 1) || !demangle(names, probe->symbol, 1))
		return "";
	return names->buffer;
}

const char *cli_readable(struct cli_names *names, const char *symbol)
{
	if (names->demangle && reserve(names, strlen(symbol) + 1) && demangle(names, symbol, 1))
		return names->buffer;
	return symbol;
}

void cli_names_free(struct cli_names *names)
{
	free(names->buffer);
}

const char *cli_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Files seen so far, each once. */
struct paths {
	const char **list;
	size_t count;
};

/* @return true when another file of the same base name is there already. */
static bool add_path(struct paths *paths, const char *path)
{
	const char **grown;

	for (size_t i = 0; i < paths->count; i++) {
		if (strcmp(paths->list[i], path) == 0)
			return false;
		if (strcmp(cli_base_name(paths->list[i]), cli_base_name(path)) == 0)
			return true;
	}
	grown = reallocarray(paths->list, paths->count + 1, sizeof(*grown));
	if (!grown)
		return true;
	paths->list = grown;
	paths->list[paths->count++] = path;
	return false;
}

bool cli_base_names_clash(const struct upm_probe_set *set)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	struct paths paths = {NULL, 0};
	const char *before = "";
	bool clash = false;

	for (size_t i = 0; i < upm_probe_set_size(set) && !clash; i++) {
		if (upm_probe_set_get(set, i, &probe) != UPM_OK || probe.path == before)
			continue;
		clash = add_path(&paths, probe.path);
		before = probe.path;
	}
	free(paths.list);
	return clash;
}
