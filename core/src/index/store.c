/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/bytes.h"
#include "index/folder.h"
#include "index/record.h"
#include "index/sample.h"
#include "resolve/probe_name.h"

/* The parts of an answer. */
struct writer {
	const struct upm_probe_table *table;
	size_t first, count; /* of the probes */
	struct upm_probe_entry *probes;
	UPM_VECTOR(struct upm_index_detail) details;
	UPM_VECTOR(uint32_t) aliases;
	struct upm_bytes text;
};

static bool is_own_symbol(uint32_t name)
{
	return name >> UPM_NAME_SYMBOL_BITS < UPM_TABLES_MAX;
}

/* What is of a process, or of a debug file that may come and go, is asked for anew each time. */
static bool can_be_kept(const struct upm_probe_entry *probe)
{
	const uint8_t passing =
		UPM_PROBE_IFUNC_RESOLVER | UPM_PROBE_IFUNC_TARGET | UPM_PROBE_DEBUG_SYMBOL;

	return !(probe->flags & passing) && is_own_symbol(probe->name);
}

/* Few reasons, each of many probes: the last ones are looked through for the same text. */
static uint32_t put_text(struct writer *writer, const char *text)
{
	const uint8_t *items = writer->text.data.items;
	size_t at = 0;

	while (at < writer->text.data.count && strcmp((const char *)items + at, text) != 0)
		at += strlen((const char *)items + at) + 1;
	if (at == writer->text.data.count)
		upm_bytes_put(&writer->text, text, strlen(text) + 1);
	return (uint32_t)at + 1;
}

static bool put_detail(struct writer *writer, const struct upm_probe_detail *detail)
{
	struct upm_index_detail kept = {
		.first_alias = (uint32_t)writer->aliases.count,
		.alias_count = detail->alias_count,
		.reason = detail->reason ? put_text(writer, detail->reason) : 0,
		.unranked = detail->unranked,
	};

	if (detail->ref_ctr_offset || detail->symbol_offset || detail->site || detail->remembered)
		return false;
	for (uint32_t i = 0; i < detail->alias_count; i++) {
		uint32_t name = writer->table->aliases.items[detail->first_alias + i];

		if (!is_own_symbol(name) || !upm_vector_push(&writer->aliases, name))
			return false;
	}
	return upm_vector_push(&writer->details, kept);
}

static bool put_probes(struct writer *writer)
{
	writer->probes = malloc(writer->count * sizeof(*writer->probes));
	if (!writer->probes)
		return false;
	for (size_t i = 0; i < writer->count; i++) {
		const struct upm_probe_entry *probe =
			&writer->table->probes.items[writer->first + i];

		if (!can_be_kept(probe))
			return false;
		writer->probes[i] = *probe;
		writer->probes[i].origin = 0;
		if (probe->detail &&
		    !put_detail(writer, &writer->table->details.items[probe->detail - 1]))
			return false;
		writer->probes[i].detail = probe->detail ? (uint32_t)writer->details.count : 0;
	}
	return !writer->text.failed;
}

static bool write_fully(int fd, const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size) {
		ssize_t got = write(fd, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		size -= (size_t)got;
	}
	return true;
}

static const struct upm_binary *binary_of(const struct writer *writer)
{
	const struct upm_probe_entry *probe = &writer->table->probes.items[writer->first];

	return writer->table->origins.items[probe->origin].binary;
}

static bool write_parts(struct writer *writer, const struct upm_index_key *key, int fd)
{
	const struct {
		const void *data;
		size_t size;
	} parts[] = {
		{writer->probes, writer->count * sizeof(*writer->probes)},
		{writer->details.items, writer->details.count * sizeof(*writer->details.items)},
		{writer->aliases.items, writer->aliases.count * sizeof(*writer->aliases.items)},
		{writer->text.data.items, writer->text.data.count},
	};
	struct upm_index_header header = {
		.key = *key,
		.probes = writer->count,
		.details = writer->details.count,
		.aliases = writer->aliases.count,
		.text_size = writer->text.data.count,
	};

	if (writer->count && !upm_index_sample(binary_of(writer), &header.sample))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		header.checksum = upm_index_checksum(header.checksum, parts[i].data, parts[i].size);
	if (!write_fully(fd, &header, sizeof(header)))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!write_fully(fd, parts[i].data, parts[i].size))
			return false;
	return true;
}

/* Readers see a whole answer or none: it gets its name when it is complete. */
static void write_file(struct writer *writer, const struct upm_index_key *key, int folder)
{
	char name[UPM_INDEX_NAME_SIZE], unfinished[UPM_INDEX_NAME_SIZE];
	uint64_t number = 0;
	bool complete;
	int fd;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		return;
	snprintf(unfinished, sizeof(unfinished), ".%016llx", (unsigned long long)number);
	upm_index_name(key, name);
	fd = openat(folder, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	complete = write_parts(writer, key, fd);
	close(fd);
	if (!complete || renameat(folder, unfinished, folder, name))
		unlinkat(folder, unfinished, 0);
	else
		upm_index_trim(folder);
}

void upm_index_store(const struct upm_index_key *key, const struct upm_probe_table *table,
		     size_t first, size_t count)
{
	struct writer writer = {.table = table, .first = first, .count = count};
	int folder;

	folder = upm_index_folder(true);
	if (folder < 0)
		return;
	if (put_probes(&writer))
		write_file(&writer, key, folder);
	close(folder);
	free(writer.probes);
	upm_vector_clear(&writer.details);
	upm_vector_clear(&writer.aliases);
	upm_bytes_free(&writer.text);
}
