/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Separate debug files on this machine, where distributions put them: by build-id
 * below /usr/lib/debug/.build-id, and by the name that .gnu_debuglink gives, beside
 * the binary, in .debug/ beside it, and below /usr/lib/debug. A file is taken
 * when its build-id is that of the binary or, where one has none, when its
 * content has the CRC that .gnu_debuglink gives.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "binary/symbol_table.h"

#define DEBUG_ROOT "/usr/lib/debug"
#define CRC_BLOCK (256u << 10)

static bool crc_of(const struct upm_binary *binary, uint32_t *crc)
{
	uint8_t *block = malloc(CRC_BLOCK);
	uint64_t offset = 0;
	size_t got;

	*crc = 0;
	if (!block)
		return false;
	while ((got = upm_read_fully(binary->fd, block, CRC_BLOCK, offset)) > 0) {
		*crc = lzma_crc32(block, got, *crc);
		offset += got;
	}
	free(block);
	return offset == binary->file_size;
}

static bool belongs(const struct upm_binary *binary, const struct upm_binary *candidate,
		    const uint32_t *crc)
{
	uint32_t found;

	if (candidate->bits != binary->bits || candidate->machine != binary->machine ||
	    candidate->big_endian != binary->big_endian ||
	    (candidate->device == binary->device && candidate->inode == binary->inode))
		return false;
	if (binary->build_id_size && candidate->build_id_size)
		return binary->build_id_size == candidate->build_id_size &&
		       memcmp(binary->build_id, candidate->build_id, binary->build_id_size) == 0;
	return crc && crc_of(candidate, &found) && found == *crc;
}

struct upm_binary *upm_debug_file_open(const struct upm_binary *binary, const char *path,
				       const uint32_t *crc)
{
	struct upm_binary *candidate;

	if (access(path, R_OK) || upm_binary_open(path, &candidate))
		return NULL;
	if (belongs(binary, candidate, crc))
		return candidate;
	upm_binary_unref(candidate);
	return NULL;
}

static struct upm_binary *find_by_build_id(const struct upm_binary *binary)
{
	char path[sizeof(DEBUG_ROOT) + 32 + 2 * UPM_BUILD_ID_MAX];
	size_t at = (size_t)snprintf(path, sizeof(path), DEBUG_ROOT "/.build-id/%02x/",
				     binary->build_id[0]);

	if (binary->build_id_size < 2)
		return NULL;
	for (size_t i = 1; i < binary->build_id_size; i++)
		at += (size_t)snprintf(path + at, sizeof(path) - at, "%02x", binary->build_id[i]);
	snprintf(path + at, sizeof(path) - at, ".debug");
	return upm_debug_file_open(binary, path, NULL);
}

/* The content of .gnu_debuglink: a name, padded to 4 bytes, and a CRC. */
static char *read_link(const struct upm_elf *elf, uint32_t *crc)
{
	GElf_Shdr header;
	size_t name_size;
	char *link;

	if (!upm_elf_section(elf, elf->debuglink, &header) || header.sh_size > PATH_MAX)
		return NULL;
	link = upm_elf_bytes(elf, header.sh_offset, header.sh_size, "read .gnu_debuglink",
			     "the section .gnu_debuglink");
	if (!link)
		return NULL;
	name_size = (strlen(link) + 1 + 3) & ~(size_t)3;
	if (name_size + sizeof(*crc) > header.sh_size || !*link || strchr(link, '/')) {
		free(link);
		return NULL;
	}
	memcpy(crc, link + name_size, sizeof(*crc));
	if (elf->foreign_order)
		*crc = __builtin_bswap32(*crc);
	return link;
}

static struct upm_binary *find_by_link(const struct upm_binary *binary)
{
	static const char *const places[] = {"", "/.debug", NULL};
	char real[PATH_MAX], path[3 * PATH_MAX];
	struct upm_binary *found = NULL;
	uint32_t crc;
	char *link = read_link(binary->elf, &crc);
	const char *directory;

	if (!link)
		return NULL;
	if (!realpath(binary->path, real))
		snprintf(real, sizeof(real), "%s", binary->path);
	directory = dirname(real);
	for (size_t i = 0; places[i] && !found; i++) {
		snprintf(path, sizeof(path), "%s%s/%s", directory, places[i], link);
		found = upm_debug_file_open(binary, path, &crc);
	}
	if (!found && *directory == '/') {
		snprintf(path, sizeof(path), DEBUG_ROOT "%s/%s", directory, link);
		found = upm_debug_file_open(binary, path, &crc);
	}
	free(link);
	return found;
}

int upm_debug_file_load(struct upm_binary *binary)
{
	struct upm_binary **file = &binary->elf->debug_files[0];

	if (!*file && binary->build_id_size)
		*file = find_by_build_id(binary);
	if (!*file)
		*file = find_by_link(binary);
	return *file ? upm_symbols_add(binary->elf, (*file)->elf) : UPM_OK;
}
