/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A kept answer: three bytes with the numbers of probes, details and aliases, then these, then the
 * texts of reasons. The question and the checksum are put right, so that the rest gets read.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_image.h"
#include "index/folder.h"
#include "index/record.h"
#include "look.h"
#include "resolve/sites.h"

static char folder[] = "/tmp/upm-fuzz-index-XXXXXX", path[128];
static const struct upm_index_key key = {.magic = "fuzz"};
static struct upm_binary *binary;

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void make_binary(void)
{
	static const struct image_symbol symbols[] = {
		{"one", IMAGE_BASE + 0x400, 8, STT_FUNC, STB_GLOBAL, 1},
		{"uno", IMAGE_BASE + 0x400, 8, STT_FUNC, STB_GLOBAL, 1},
		{"two", IMAGE_BASE + 0x408, 8, STT_FUNC, STB_GLOBAL, 1},
	};
	struct image *image = image_new(64, false);

	image_symbols(image, false, symbols, 3);
	image_finish(image);
	fuzz_check(!upm_binary_open_fd(bytes_to_fd(image->bytes, image->size), "input", &binary));
	free(image);
}

static void begin(void)
{
	char name[UPM_INDEX_NAME_SIZE];

	fuzz_check(mkdtemp(folder) && setenv("UPROBE_MULTI_INDEX", folder, 1) == 0);
	upm_index_name(&key, name);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	atexit(remove_folder);
	make_binary();
}

/* @return false when there are fewer bytes than the numbers say */
static bool make_header(const uint8_t *data, size_t size, struct upm_index_header *header)
{
	size_t parts[3];
	uint64_t sum = 0;

	*header = (struct upm_index_header){
		.key = key, .probes = data[0], .details = data[1], .aliases = data[2]};
	parts[0] = header->probes * sizeof(struct upm_probe_entry);
	parts[1] = header->details * sizeof(struct upm_index_detail);
	parts[2] = header->aliases * sizeof(uint32_t);
	data += 3;
	size -= 3;
	for (size_t i = 0; i < 3; i++) {
		if (parts[i] > size)
			return false;
		sum = upm_index_checksum(sum, data, parts[i]);
		data += parts[i];
		size -= parts[i];
	}
	header->text_size = size;
	header->checksum = upm_index_checksum(sum, data, size);
	return true;
}

static void write_answer(const struct upm_index_header *header, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fuzz_check(fd >= 0 && write(fd, header, sizeof(*header)) == sizeof(*header) &&
		   write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void load(void)
{
	struct upm_probe_table *table = upm_probe_table_new();
	struct upm_probe_origin origin = {.binary = binary, .remark = "", .spec = UINT32_MAX};
	struct upm_probe_set set = {.table = table};
	uint32_t number = 0;

	fuzz_check(table && !upm_probe_table_file(table, binary, "input", &origin.file) &&
		   !upm_probe_table_origin(table, &origin, &number));
	if (upm_index_load(&key, table, number)) {
		fuzz_check(upm_probe_set_place(&set, UPM_OBSERVER_COUNT) == UPM_OK);
		look_at_set(&set);
		upm_sites_unref(set.sites);
	} else {
		fuzz_check(!table->probes.count && !table->details.count && !table->aliases.count);
	}
	upm_probe_table_unref(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upm_index_header header;

	if (size < 3)
		return 0;
	if (!binary)
		begin();
	if (make_header(data, size, &header)) {
		write_answer(&header, data + 3, size - 3);
		load();
	}
	return 0;
}
