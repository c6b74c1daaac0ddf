/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * .gnu_debugdata: an ELF image with nothing but a .symtab, compressed with xz,
 * within the binary itself. What it unpacks to is bounded, since a few kilobytes
 * may claim terabytes.
 */
#include <lzma.h>
#include <stdlib.h>

#include "base/error.h"
#include "binary/symbol_table.h"

#define UNPACK "unpack .gnu_debugdata"
#define UNPACKED_MAX (UINT64_C(256) << 20)
#define MEMORY_MAX (UINT64_C(128) << 20) /* xz -9 needs 65 MiB */
#define FIRST_GUESS 8			 /* times the packed size */

static const char *describe(lzma_ret result)
{
	switch (result) {
	case LZMA_MEM_ERROR:
		return "out of memory";
	case LZMA_MEMLIMIT_ERROR:
		return "it wants more memory than this library grants";
	case LZMA_FORMAT_ERROR:
		return "it is not in the xz format";
	case LZMA_OPTIONS_ERROR:
		return "it uses an xz option that liblzma does not know";
	case LZMA_BUF_ERROR:
		return "it is truncated";
	default:
		return "the compressed data is damaged";
	}
}

struct unpacked {
	uint8_t *bytes;
	size_t size, capacity;
};

static bool grow(struct unpacked *unpacked)
{
	uint8_t *grown = realloc(unpacked->bytes, unpacked->capacity * 2);

	if (grown) {
		unpacked->bytes = grown;
		unpacked->capacity *= 2;
	}
	return grown != NULL;
}

static lzma_ret run_decoder(lzma_stream *stream, struct unpacked *unpacked)
{
	lzma_ret result;

	do {
		if (unpacked->size == unpacked->capacity) {
			if (unpacked->capacity > UNPACKED_MAX / 2)
				return LZMA_MEMLIMIT_ERROR;
			if (!grow(unpacked))
				return LZMA_MEM_ERROR;
		}
		stream->next_out = unpacked->bytes + unpacked->size;
		stream->avail_out = unpacked->capacity - unpacked->size;
		result = lzma_code(stream, LZMA_FINISH);
		unpacked->size = unpacked->capacity - stream->avail_out;
	} while (result == LZMA_OK);
	return result == LZMA_STREAM_END ? LZMA_OK : result;
}

static lzma_ret unpack(const uint8_t *packed, size_t size, struct unpacked *unpacked)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret result = lzma_stream_decoder(&stream, MEMORY_MAX, LZMA_CONCATENATED);

	if (result != LZMA_OK)
		return result;
	stream.next_in = packed;
	stream.avail_in = size;
	result = run_decoder(&stream, unpacked);
	lzma_end(&stream);
	return result;
}

static int open_image(struct upm_elf *elf, const uint8_t *packed, size_t size)
{
	struct unpacked unpacked = {.capacity = size * FIRST_GUESS + 4096};
	struct upm_binary facts = {0}; /* of the image; only its section numbers matter */
	lzma_ret result;
	int status;

	if (unpacked.capacity > UNPACKED_MAX)
		unpacked.capacity = UNPACKED_MAX;
	unpacked.bytes = malloc(unpacked.capacity);
	if (!unpacked.bytes)
		return upm_fail_memory(UNPACK);
	result = unpack(packed, size, &unpacked);
	if (result != LZMA_OK) {
		free(unpacked.bytes);
		return result == LZMA_MEM_ERROR
			       ? upm_fail_memory(UNPACK)
			       : upm_fail(UPM_ERR_FORMAT, 0, UNPACK, elf->path,
					  "resolve without debug files", "%s", describe(result));
	}
	status = upm_elf_open(-1, unpacked.bytes, unpacked.size, elf->path, &elf->debugdata_image);
	if (!status)
		status = upm_elf_survey(elf->debugdata_image, &facts);
	upm_vector_clear(&facts.segments);
	return status;
}

int upm_debugdata_load(struct upm_binary *binary)
{
	struct upm_elf *elf = binary->elf;
	GElf_Shdr header;
	uint8_t *packed;
	int status;

	if (!upm_elf_section(elf, elf->debugdata, &header))
		return UPM_OK;
	if (!elf->debugdata_image) {
		packed = upm_elf_bytes(elf, header.sh_offset, header.sh_size, UNPACK,
				       "the section .gnu_debugdata");
		if (!packed)
			return upm_error_last()->code;
		status = open_image(elf, packed, header.sh_size);
		free(packed);
		if (status)
			return status;
	}
	return upm_symbols_add(elf, elf->debugdata_image);
}
