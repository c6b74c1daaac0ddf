/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* From virtual addresses to file offsets and back, by PT_LOAD segments. */
#include "binary/binary.h"

#define for_each_segment(segment, binary)                                                          \
	for (const struct upm_segment *segment = (binary)->segments.items,                         \
				      *end = segment ? segment + (binary)->segments.count : NULL;  \
	     segment != end; segment++)

const struct upm_segment *upm_binary_segment_of(const struct upm_binary *binary, uint64_t address)
{
	for_each_segment(segment, binary)
	{
		if (address - segment->address < segment->file_size)
			return segment;
	}
	return NULL;
}

bool upm_binary_offset_of(const struct upm_binary *binary, uint64_t address, uint64_t *offset)
{
	const struct upm_segment *segment = upm_binary_segment_of(binary, address);

	if (segment)
		*offset = segment->offset + (address - segment->address);
	return segment != NULL;
}

static bool holds(const struct upm_segment *segment, uint64_t offset)
{
	return offset - segment->offset < segment->file_size;
}

bool upm_binary_address_of(const struct upm_binary *binary, uint64_t offset, uint64_t *address)
{
	const struct upm_segment *best = upm_binary_executable_at(binary, offset);

	for_each_segment(segment, binary)
	{
		if (!best && holds(segment, offset))
			best = segment;
	}
	if (best)
		*address = best->address + (offset - best->offset);
	return best != NULL;
}

const struct upm_segment *upm_binary_executable_at(const struct upm_binary *binary, uint64_t offset)
{
	for_each_segment(segment, binary)
	{
		if (segment->executable && holds(segment, offset))
			return segment;
	}
	return NULL;
}

const struct upm_segment *upm_binary_writable_at(const struct upm_binary *binary, uint64_t offset)
{
	for_each_segment(segment, binary)
	{
		if (segment->writable && holds(segment, offset))
			return segment;
	}
	return NULL;
}
