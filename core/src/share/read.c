/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "resolve/remembered.h"
#include "share/record.h"

static const char operation[] = "open a pinned observer";

struct reader {
	struct upm_bytes_reader bytes;
	const char *name; /* of the pins */
	struct upm_probe_table *table;
	UPM_VECTOR(uint8_t) sites;
	const char **strings; /* in the table's pool */
	size_t string_count;
	uint32_t *files; /* index in the table's files + 1, for each string that is a path */
	bool memory;	 /* ran out */
};

static int fail_damaged(const char *name, const char *what)
{
	return upm_fail(UPM_ERR_FORMAT, 0, operation, name,
			"unpin it: it was not pinned by this library, or is damaged",
			"its metadata is wrong: %s", what);
}

int upm_share_read_header(const void *bytes, size_t size, const char *name,
			  struct upm_share_header *header)
{
	if (size < sizeof(*header))
		return fail_damaged(name, "it is cut off");
	memcpy(header, bytes, sizeof(*header));
	if (memcmp(header->magic, UPM_SHARE_MAGIC, sizeof(header->magic)) != 0)
		return fail_damaged(name, "it is something else");
	header->library[sizeof(header->library) - 1] = '\0';
	header->creator[sizeof(header->creator) - 1] = '\0';
	if (header->format != UPM_SHARE_FORMAT)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, name,
				"open it with the version that pinned it, or unpin it",
				"it has format %u, of library version %s; this is version %s, "
				"with format %u",
				header->format, header->library, upm_version(), UPM_SHARE_FORMAT);
	if (header->size > size)
		return fail_damaged(name, "it is cut off");
	if (header->attached > header->probes)
		return fail_damaged(name, "more probes are attached than there are");
	return UPM_OK;
}

/* ---- parts */

static void fail(struct reader *reader)
{
	reader->bytes.failed = true;
}

/* How many items of at least so many bytes follow: 0 when they can not all be there. */
static size_t take_count(struct reader *reader, size_t item_size)
{
	uint64_t count = upm_bytes_take_number(&reader->bytes);

	if (count <= (size_t)(reader->bytes.end - reader->bytes.at) / item_size &&
	    count < UINT32_MAX)
		return (size_t)count;
	fail(reader);
	return 0;
}

static bool take(struct reader *reader, void *to, size_t size)
{
	const void *from = upm_bytes_take(&reader->bytes, size);

	if (from)
		memcpy(to, from, size);
	return from != NULL;
}

static const char *string_of(struct reader *reader, uint32_t number)
{
	if (number < reader->string_count)
		return reader->strings[number];
	fail(reader);
	return "";
}

static void check_memory(struct reader *reader, bool there)
{
	if (there)
		return;
	reader->memory = true;
	fail(reader);
}

static void read_strings(struct reader *reader)
{
	size_t count = take_count(reader, 1);

	reader->strings = calloc(count + 1, sizeof(*reader->strings));
	reader->files = calloc(count + 1, sizeof(*reader->files));
	check_memory(reader, reader->strings && reader->files);
	while (reader->string_count < count && !reader->bytes.failed) {
		const char *text = (const char *)reader->bytes.at;
		const char *end =
			memchr(text, '\0', (size_t)(reader->bytes.end - reader->bytes.at));
		const char *kept = end ? upm_strings_add(reader->table->strings, text) : NULL;

		if (!end) {
			fail(reader);
			return;
		}
		check_memory(reader, kept);
		reader->strings[reader->string_count++] = kept;
		reader->bytes.at = (const uint8_t *)end + 1;
	}
}

/* Index of a file in the table. */
static uint32_t file_of(struct reader *reader, uint32_t path)
{
	uint32_t index = 0;

	if (path >= reader->string_count) {
		fail(reader);
		return 0;
	}
	if (reader->files[path])
		return reader->files[path] - 1;
	check_memory(reader, upm_probe_table_file(reader->table, NULL, reader->strings[path],
						  &index) == UPM_OK);
	reader->files[path] = index + 1;
	return index;
}

/* @return memory that lives as long as the table; NULL when so many can not be there */
static void *room(struct reader *reader, uint32_t count, size_t item_size, size_t size_here)
{
	void *memory;

	if (count > (size_t)(reader->bytes.end - reader->bytes.at) / item_size) {
		fail(reader);
		return NULL;
	}
	memory = upm_strings_reserve(reader->table->strings, (count + 1) * size_here);
	check_memory(reader, memory);
	return memory;
}

static const char *const *read_aliases(struct reader *reader, uint32_t count)
{
	const char **aliases = room(reader, count, sizeof(uint32_t), sizeof(*aliases));

	for (uint32_t i = 0; i < count && aliases; i++) {
		uint32_t number;

		if (!take(reader, &number, sizeof(number)))
			return NULL;
		aliases[i] = string_of(reader, number);
	}
	return aliases;
}

static void read_argument(struct reader *reader, struct upm_argument *argument)
{
	struct upm_share_argument in;

	if (!take(reader, &in, sizeof(in)))
		return;
	*argument = (struct upm_argument){
		.size = sizeof(*argument),
		.reason = string_of(reader, in.reason),
		.place = in.place,
		.width = in.width,
		.is_signed = in.is_signed,
		.is_float = in.is_float,
	};
	memcpy(argument->text, in.text, sizeof(in.text) - 1);
}

static const struct upm_argument *read_arguments(struct reader *reader, uint32_t count)
{
	struct upm_argument *arguments =
		room(reader, count, sizeof(struct upm_share_argument), sizeof(*arguments));

	for (uint32_t i = 0; i < count && arguments && !reader->bytes.failed; i++)
		read_argument(reader, &arguments[i]);
	return arguments;
}

static struct upm_probe describe(struct reader *reader, const struct upm_share_probe *in)
{
	return (struct upm_probe){
		.size = sizeof(struct upm_probe),
		.path = string_of(reader, in->path),
		.symbol = string_of(reader, in->symbol),
		.version = string_of(reader, in->version),
		.spec = string_of(reader, in->spec),
		.reason = string_of(reader, in->reason),
		.provider = string_of(reader, in->provider),
		.offset = in->offset,
		.address = in->address,
		.symbol_offset = in->symbol_offset,
		.symbol_size = in->symbol_size,
		.ref_ctr_offset = in->ref_ctr_offset,
		.cookie = in->cookie,
		.kind = in->kind,
		.verdict = (int32_t)in->verdict,
		.cost = in->cost,
		.flags = in->flags,
		.alias_count = in->aliases,
		.argument_count = in->arguments,
	};
}

static void read_probe(struct reader *reader)
{
	struct upm_remembered *probe = room(reader, 1, 1, sizeof(*probe));
	struct upm_share_probe in;
	uint32_t file;

	if (!probe || !take(reader, &in, sizeof(in)))
		return;
	if (in.kind > UPM_KIND_USDT || in.verdict > UINT8_MAX || in.cost > UINT8_MAX ||
	    in.flags > UINT8_MAX || in.site > UINT8_MAX) {
		fail(reader);
		return;
	}
	probe->probe = describe(reader, &in);
	probe->aliases = read_aliases(reader, in.aliases);
	probe->arguments = read_arguments(reader, in.arguments);
	check_memory(reader, upm_vector_push(&reader->sites, (uint8_t)in.site));
	file = file_of(reader, in.path);
	if (!reader->bytes.failed)
		check_memory(reader, upm_remembered_add(reader->table, probe, file));
}

static void read_probes(struct reader *reader)
{
	size_t count = take_count(reader, sizeof(struct upm_share_probe));

	for (size_t i = 0; i < count && !reader->bytes.failed; i++)
		read_probe(reader);
}

/* ---- the link */

static void read_handles(struct reader *reader, struct upm_link *link)
{
	size_t count = take_count(reader, sizeof(struct upm_share_link));
	struct upm_share_link in;

	check_memory(reader, upm_vector_reserve(&link->handles, count));
	for (size_t i = 0; i < count && !reader->bytes.failed && take(reader, &in, sizeof(in));
	     i++) {
		link->handles.items[link->handles.count++] = (struct upm_kernel_handle){
			.fd = -1,
			.event_fd = -1,
			.file = file_of(reader, in.path),
			.files = in.files,
			.pid = in.pid,
			.probes = in.probes,
			.kind = (uint8_t)in.kind,
		};
	}
}

/* @param least  the lowest index that may come, for their order */
static void read_skip(struct reader *reader, struct upm_outcome *outcome, size_t *least)
{
	struct upm_share_skip in;
	const char *reason = NULL;
	struct upm_skip skip;

	if (!take(reader, &in, sizeof(in)))
		return;
	if (in.index >= reader->table->probes.count || in.index < *least)
		fail(reader);
	*least = (size_t)in.index + 1;
	if (in.reason != UPM_SHARE_NONE)
		reason = string_of(reader, in.reason);
	skip = (struct upm_skip){
		.index = in.index,
		.verdict = (uint8_t)in.verdict,
		.sys_errno = in.sys_errno,
		.reason = reason,
	};
	check_memory(reader, upm_vector_push(&outcome->skipped, skip));
}

/* Reasons lie in the table's pool, which the link keeps. */
static void read_link(struct reader *reader, struct upm_link *link)
{
	size_t count, least = 0;

	read_handles(reader, link);
	count = take_count(reader, sizeof(struct upm_share_skip));
	for (size_t i = 0; i < count && !reader->bytes.failed; i++)
		read_skip(reader, &link->outcome, &least);
	if (!reader->bytes.failed)
		check_memory(reader, upm_outcome_finish(&link->outcome,
							reader->table->probes.count) == UPM_OK);
}

static void read_sites(struct reader *reader, struct upm_link *link)
{
	size_t count = reader->sites.count;
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= reader->sites.items[i] != 0;
	if (!any || reader->bytes.failed)
		return;
	link->sites = upm_sites_new(count);
	check_memory(reader, link->sites);
	if (link->sites)
		memcpy(link->sites->distances, reader->sites.items, count);
}

/* ---- the whole */

static int judge(const struct reader *reader, const struct upm_share_record *record)
{
	const struct upm_share_header *header = &record->header;

	if (reader->memory)
		return upm_fail_memory(operation);
	if (reader->bytes.failed || reader->bytes.at != reader->bytes.end)
		return fail_damaged(reader->name, "its parts do not fit together");
	if (header->probes != reader->table->probes.count ||
	    header->kernel_links != record->link->handles.count ||
	    header->attached != record->link->outcome.attached_count)
		return fail_damaged(reader->name, "its parts contradict each other");
	return UPM_OK;
}

static int read_all(struct reader *reader, struct upm_share_record *record)
{
	struct upm_link *link = upm_link_new(reader->table);
	int status;

	if (!link)
		return upm_fail_memory(operation);
	record->link = link;
	link->cookie_is_index = true;
	link->backend = record->header.backend;
	link->attach_ns = record->header.attach_ns;
	read_strings(reader);
	read_probes(reader);
	read_sites(reader, link);
	read_link(reader, link);
	record->own_size = take_count(reader, 1);
	record->own = upm_bytes_take(&reader->bytes, record->own_size);
	status = judge(reader, record);
	if (status)
		upm_link_free(link);
	return status;
}

int upm_share_read(const void *bytes, size_t size, const char *name,
		   struct upm_share_record *record)
{
	struct reader reader = {.name = name};
	int status = upm_share_read_header(bytes, size, name, &record->header);

	if (status)
		return status;
	if (record->header.size < sizeof(record->header))
		return fail_damaged(name, "it is cut off");
	reader.bytes.at = (const uint8_t *)bytes + sizeof(record->header);
	reader.bytes.end = (const uint8_t *)bytes + record->header.size;
	reader.table = upm_probe_table_new();
	if (!reader.table)
		return upm_fail_memory(operation);
	status = read_all(&reader, record);
	free(reader.strings);
	free(reader.files);
	upm_vector_clear(&reader.sites);
	upm_probe_table_unref(reader.table);
	return status;
}
