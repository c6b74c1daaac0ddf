/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Two formats are in use, both in the byte order of the machine. The new one
 * begins with its magic text and has 24-byte entries whose strings count from the
 * start of its header. A file may begin with the old one (libc5 and early glibc),
 * whose 12-byte entries are skipped to find the new one behind, aligned to 8.
 */
#include "locate/ldso_cache.h"

#include <string.h>

#define OLD_MAGIC "ld.so-1.7.0"
#define NEW_MAGIC "glibc-ld.so.cache1.1"

struct old_header {
	char magic[sizeof(OLD_MAGIC) - 1];
	uint32_t count;
};

struct old_entry {
	int32_t flags;
	uint32_t name, path;
};

struct new_header {
	char magic[sizeof(NEW_MAGIC) - 1];
	uint32_t count;
	uint32_t strings_size;
	uint8_t byte_order, padding[3];
	uint32_t extension;
	uint32_t unused[3];
};

struct new_entry {
	int32_t flags;
	uint32_t name, path;
	uint32_t os_version;
	uint64_t hardware;
};

/* The low byte is the kind of library (3: glibc's), the rest the ABI. */
#if defined(__x86_64__)
#define NATIVE_FLAGS 0x0303
#elif defined(__aarch64__)
#define NATIVE_FLAGS 0x0a03
#elif defined(__powerpc64__)
#define NATIVE_FLAGS 0x0503
#elif defined(__s390x__)
#define NATIVE_FLAGS 0x0403
#elif defined(__riscv)
#define NATIVE_FLAGS 0x1003
#else
#define NATIVE_FLAGS 0x0003
#endif

static size_t new_format_at(const char *bytes, size_t size)
{
	struct old_header old;
	size_t at = 0;

	if (size >= sizeof(old) && memcmp(bytes, OLD_MAGIC, sizeof(old.magic)) == 0) {
		memcpy(&old, bytes, sizeof(old));
		if (old.count > (size - sizeof(old)) / sizeof(struct old_entry))
			return size;
		at = sizeof(old) + old.count * sizeof(struct old_entry);
		at = (at + 7) & ~(size_t)7;
	}
	return at;
}

bool upm_ldso_cache_visit(const char *bytes, size_t size, upm_ldso_fn visit, void *context)
{
	size_t base = new_format_at(bytes, size);
	struct new_header header;

	if (base > size || size - base < sizeof(header) ||
	    memcmp(bytes + base, NEW_MAGIC, sizeof(header.magic)))
		return false;
	bytes += base;
	size -= base;
	memcpy(&header, bytes, sizeof(header));
	if (header.count > (size - sizeof(header)) / sizeof(struct new_entry))
		return false;
	for (uint32_t i = 0; i < header.count; i++) {
		struct upm_ldso_entry entry;
		struct new_entry raw;

		memcpy(&raw, bytes + sizeof(header) + i * sizeof(raw), sizeof(raw));
		if (raw.name >= size || raw.path >= size)
			continue;
		entry = (struct upm_ldso_entry){bytes + raw.name, bytes + raw.path,
						raw.flags == NATIVE_FLAGS};
		if (!visit(&entry, context))
			break;
	}
	return true;
}
