/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "binary/elf_file.h"
#include "index/folder.h"
#include "index/record.h"
#include "index/sample.h"
#include "resolve/probe_name.h"

#define DAY_S 86400

struct reader {
	struct upm_probe_table *table;
	const struct upm_binary *binary;
	struct upm_symbol_tables symbols;
	struct upm_index_header header;
	uint32_t origin;
	int fd;
	/* behind the probes, which are read to where they stay */
	uint8_t *rest;
	size_t rest_size;
	const struct upm_index_detail *details;
	const uint32_t *aliases;
	const char *text;
};

static bool read_header(struct reader *reader, const struct upm_index_key *key)
{
	const struct upm_index_header *header = &reader->header;
	struct stat status;
	uint64_t most, size;

	if (fstat(reader->fd, &status) ||
	    upm_read_fully(reader->fd, &reader->header, sizeof(reader->header), 0) !=
		    sizeof(reader->header) ||
	    memcmp(&header->key, key, sizeof(*key)) != 0)
		return false;
	most = size = (uint64_t)status.st_size - sizeof(*header);
	if (!header->probes || header->probes > most || header->details > most ||
	    header->aliases > most || header->text_size > most || header->probes > UINT32_MAX)
		return false;
	reader->rest_size = header->details * sizeof(struct upm_index_detail) +
			    header->aliases * sizeof(uint32_t) + header->text_size;
	return size == header->probes * sizeof(struct upm_probe_entry) + reader->rest_size;
}

static bool is_same_file(const struct reader *reader)
{
	uint64_t sample;

	return upm_index_sample(reader->binary, &sample) && sample == reader->header.sample;
}

static bool read_rest(struct reader *reader)
{
	const struct upm_index_header *header = &reader->header;
	size_t probes = header->probes * sizeof(struct upm_probe_entry);

	reader->rest = malloc(reader->rest_size + 1);
	if (!reader->rest || upm_read_fully(reader->fd, reader->rest, reader->rest_size,
					    sizeof(*header) + probes) != reader->rest_size)
		return false;
	reader->details = (const void *)reader->rest;
	reader->aliases = (const void *)(reader->details + header->details);
	reader->text = (const char *)(reader->aliases + header->aliases);
	return !header->text_size || !reader->text[header->text_size - 1];
}

static bool read_probes(struct reader *reader)
{
	const struct upm_index_header *header = &reader->header;
	size_t size = header->probes * sizeof(struct upm_probe_entry);
	struct upm_probe_entry *probes;
	uint64_t sum;

	if (!upm_vector_reserve(&reader->table->probes, header->probes) ||
	    !upm_vector_reserve(&reader->table->details, header->details) ||
	    !upm_vector_reserve(&reader->table->aliases, header->aliases))
		return false;
	probes = reader->table->probes.items + reader->table->probes.count;
	if (upm_read_fully(reader->fd, probes, size, sizeof(*header)) != size)
		return false;
	sum = upm_index_checksum(0, probes, size);
	sum = upm_index_checksum(sum, reader->details, header->details * sizeof(*reader->details));
	sum = upm_index_checksum(sum, reader->aliases, header->aliases * sizeof(*reader->aliases));
	return upm_index_checksum(sum, reader->text, header->text_size) == header->checksum;
}

/* ---- what a damaged file could say */

static bool is_symbol(const struct reader *reader, uint32_t name)
{
	uint32_t table = name >> UPM_NAME_SYMBOL_BITS;
	uint32_t symbol = name & ((UINT32_C(1) << UPM_NAME_SYMBOL_BITS) - 1);

	return table < reader->symbols.count &&
	       symbol < upm_symbol_table_size(reader->symbols.items[table]);
}

static bool check_details(const struct reader *reader)
{
	const struct upm_index_header *header = &reader->header;

	for (size_t i = 0; i < header->details; i++) {
		const struct upm_index_detail *detail = &reader->details[i];

		if (detail->reason > header->text_size || detail->first_alias > header->aliases ||
		    detail->alias_count > header->aliases - detail->first_alias ||
		    (detail->unranked &&
		     (!detail->alias_count || detail->alias_count > UPM_NAMES_UNRANKED_MAX)))
			return false;
	}
	for (size_t i = 0; i < header->aliases; i++)
		if (!is_symbol(reader, reader->aliases[i]))
			return false;
	return true;
}

/* Probes rise, so that one look at a segment serves all that lie in it. */
static bool check_probes(const struct reader *reader)
{
	const struct upm_index_header *header = &reader->header;
	const struct upm_probe_entry *probes =
		reader->table->probes.items + reader->table->probes.count;
	const struct upm_segment *segment = NULL;

	for (size_t i = 0; i < header->probes; i++) {
		const struct upm_probe_entry *probe = &probes[i];

		if (probe->kind != header->key.kind || probe->detail > header->details ||
		    probe->cost > UPM_COST_STEPPED ||
		    (i && probe->offset <= probes[i - 1].offset) || !is_symbol(reader, probe->name))
			return false;
		if (probe->verdict != UPM_VERDICT_OK) {
			if (*upm_verdict_name(probe->verdict) == '?')
				return false;
			continue;
		}
		if (!segment || probe->offset - segment->offset >= segment->file_size)
			segment = upm_binary_executable_at(reader->binary, probe->offset);
		if (!segment)
			return false;
	}
	return true;
}

/* ---- into the table: there is room for all but the reasons */

static bool add_detail(struct reader *reader, const struct upm_index_detail *kept,
		       uint32_t first_alias)
{
	struct upm_probe_detail detail = {
		.first_alias = first_alias + kept->first_alias,
		.alias_count = kept->alias_count,
		.unranked = kept->unranked,
	};

	if (kept->reason) {
		detail.reason = upm_strings_format(reader->table->strings, "%s",
						   reader->text + kept->reason - 1);
		if (!detail.reason)
			return false;
	}
	reader->table->details.items[reader->table->details.count++] = detail;
	return true;
}

static bool add_parts(struct reader *reader)
{
	const struct upm_index_header *header = &reader->header;
	struct upm_probe_table *table = reader->table;
	uint32_t before = (uint32_t)table->details.count;
	uint32_t first_alias = (uint32_t)table->aliases.count;

	for (size_t i = 0; i < header->details; i++) {
		if (!add_detail(reader, &reader->details[i], first_alias)) {
			table->details.count = before;
			return false;
		}
	}
	if (header->aliases)
		memcpy(table->aliases.items + first_alias, reader->aliases,
		       header->aliases * sizeof(*reader->aliases));
	table->aliases.count += header->aliases;
	for (size_t i = 0; i < header->probes; i++) {
		struct upm_probe_entry *probe = &table->probes.items[table->probes.count++];

		probe->origin = reader->origin;
		if (probe->detail)
			probe->detail += before;
	}
	return true;
}

static bool read_answer(struct reader *reader, const struct upm_index_key *key)
{
	struct upm_binary *binary = reader->table->origins.items[reader->origin].binary;

	reader->binary = binary;
	return upm_index_is_ours(reader->fd, S_IFREG) && read_header(reader, key) &&
	       is_same_file(reader) && read_rest(reader) && read_probes(reader) &&
	       !upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &reader->symbols) &&
	       check_details(reader) && check_probes(reader) && add_parts(reader);
}

/* Trimming goes by the time of the last use, which a day's exactness is enough for. */
static void note_use(int fd)
{
	struct stat status;

	if (!fstat(fd, &status) && time(NULL) - status.st_mtime > DAY_S)
		futimens(fd, NULL);
}

bool upm_index_load(const struct upm_index_key *key, struct upm_probe_table *table, uint32_t origin)
{
	struct reader reader = {.table = table, .origin = origin, .fd = -1};
	char name[UPM_INDEX_NAME_SIZE];
	int folder = upm_index_folder(false);
	bool found = false;

	if (folder < 0)
		return false;
	upm_index_name(key, name);
	reader.fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(folder);
	if (reader.fd >= 0) {
		found = read_answer(&reader, key);
		if (found)
			note_use(reader.fd);
		close(reader.fd);
	}
	free(reader.rest);
	return found;
}
