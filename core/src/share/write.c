/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/intern.h"
#include "share/record.h"

static const char operation[] = "pin an observer";

struct writer {
	const struct upm_probe_set *set;
	struct upm_bytes body;
	struct upm_intern strings; /* by address: equal strings may be kept twice */
	bool failed;
};

static uint32_t number_of(struct writer *writer, const char *string)
{
	uint32_t number = 0;

	if (!upm_intern_add(&writer->strings, &string, &number))
		writer->failed = true;
	return number;
}

static void put(struct writer *writer, const void *from, size_t size)
{
	upm_bytes_put(&writer->body, from, size);
}

static void put_number(struct writer *writer, size_t number)
{
	upm_bytes_put_number(&writer->body, number);
}

static void put_aliases(struct writer *writer, size_t index, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t number = number_of(writer, upm_probe_set_alias(writer->set, index, i));

		put(writer, &number, sizeof(number));
	}
}

static void put_arguments(struct writer *writer, size_t index, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct upm_argument argument = {.size = sizeof(argument)};
		struct upm_share_argument out = {0};

		upm_probe_set_argument(writer->set, index, i, &argument);
		out.reason = number_of(writer, argument.reason);
		out.place = argument.place;
		out.width = argument.width;
		out.is_signed = argument.is_signed;
		out.is_float = argument.is_float;
		memcpy(out.text, argument.text, sizeof(out.text));
		put(writer, &out, sizeof(out));
	}
}

static void put_probe(struct writer *writer, size_t index)
{
	struct upm_probe probe;
	struct upm_share_probe out;

	upm_probe_table_describe(writer->set->table, index, &probe);
	out = (struct upm_share_probe){
		.offset = probe.offset,
		.address = probe.address,
		.symbol_offset = probe.symbol_offset,
		.symbol_size = probe.symbol_size,
		.ref_ctr_offset = probe.ref_ctr_offset,
		.cookie = probe.cookie,
		.path = number_of(writer, probe.path),
		.symbol = number_of(writer, probe.symbol),
		.version = number_of(writer, probe.version),
		.spec = number_of(writer, probe.spec),
		.reason = number_of(writer, probe.reason),
		.provider = number_of(writer, probe.provider),
		.kind = probe.kind,
		.verdict = (uint32_t)probe.verdict,
		.cost = probe.cost,
		.flags = probe.flags,
		.aliases = probe.alias_count,
		.arguments = probe.argument_count,
		.site = upm_site_distance(writer->set->sites, index),
	};
	put(writer, &out, sizeof(out));
	put_aliases(writer, index, probe.alias_count);
	put_arguments(writer, index, probe.argument_count);
}

static void put_probes(struct writer *writer)
{
	size_t count = upm_probe_set_size(writer->set);

	put_number(writer, count);
	for (size_t i = 0; i < count; i++)
		put_probe(writer, i);
}

static void put_link(struct writer *writer, const struct upm_link *link)
{
	put_number(writer, link->handles.count);
	for (size_t i = 0; i < link->handles.count; i++) {
		const struct upm_kernel_handle *handle = &link->handles.items[i];
		struct upm_share_link out = {
			.path = number_of(writer, link->table->files.items[handle->file].path),
			.files = handle->files,
			.probes = handle->probes,
			.kind = handle->kind,
			.pid = handle->pid,
		};

		put(writer, &out, sizeof(out));
	}
	put_number(writer, link->outcome.skipped.count);
	for (size_t i = 0; i < link->outcome.skipped.count; i++) {
		const struct upm_skip *skip = &link->outcome.skipped.items[i];
		struct upm_share_skip out = {
			.index = skip->index,
			.verdict = skip->verdict,
			.sys_errno = skip->sys_errno,
			.reason = skip->reason ? number_of(writer, skip->reason) : UPM_SHARE_NONE,
		};

		put(writer, &out, sizeof(out));
	}
}

static int put_own(struct writer *writer, const struct upm_observer *observer)
{
	struct upm_bytes own = {0};
	int status = UPM_OK;

	if (observer->type->store)
		status = observer->type->store(observer, &own);
	put_number(writer, own.data.count);
	put(writer, own.data.items, own.data.count);
	writer->failed |= own.failed;
	upm_bytes_free(&own);
	return status;
}

static void read_comm(char comm[16])
{
	int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, comm, 15);

	if (fd >= 0)
		close(fd);
	comm[length > 0 ? length : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
}

static struct upm_share_header header_of(const struct upm_observer *observer)
{
	struct upm_share_header header = {
		.magic = UPM_SHARE_MAGIC,
		.format = UPM_SHARE_FORMAT,
		.kind = observer->type->kind,
		.created_s = (uint64_t)time(NULL),
		.probes = upm_probe_set_size(observer->set),
		.attached = observer->link->outcome.attached_count,
		.kernel_links = observer->link->handles.count,
		.attach_ns = observer->link->attach_ns,
		.backend = observer->link->backend,
		.creator_pid = getpid(),
	};

	strncpy(header.library, upm_version(), sizeof(header.library) - 1);
	read_comm(header.creator);
	return header;
}

/* Strings come first, but which they are is known last. */
static void assemble(struct writer *writer, struct upm_share_header *header,
		     struct upm_bytes *bytes)
{
	upm_bytes_put(bytes, header, sizeof(*header));
	upm_bytes_put_number(bytes, writer->strings.count);
	for (size_t i = 0; i < writer->strings.count; i++) {
		const char *string = *(const char **)upm_intern_item(&writer->strings, i);

		upm_bytes_put(bytes, string, strlen(string) + 1);
	}
	upm_bytes_put(bytes, writer->body.data.items, writer->body.data.count);
	if (bytes->failed)
		return;
	header->size = bytes->data.count;
	memcpy(bytes->data.items, header, sizeof(*header));
}

int upm_share_write(const struct upm_observer *observer, struct upm_bytes *bytes)
{
	struct writer writer = {.set = observer->set};
	struct upm_share_header header = header_of(observer);
	int status;

	upm_intern_open(&writer.strings, sizeof(const char *));
	put_probes(&writer);
	put_link(&writer, observer->link);
	status = put_own(&writer, observer);
	assemble(&writer, &header, bytes);
	if (!status && (writer.failed || writer.body.failed || bytes->failed))
		status = upm_fail_memory(operation);
	upm_intern_close(&writer.strings);
	upm_bytes_free(&writer.body);
	return status;
}
