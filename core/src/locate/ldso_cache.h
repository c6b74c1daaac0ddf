/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The dynamic loader's cache, /etc/ld.so.cache: library names and the files they stand for. */
#ifndef UPM_LOCATE_LDSO_CACHE_H
#define UPM_LOCATE_LDSO_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upm_ldso_entry {
	const char *name; /* libc.so.6; points into the cache */
	const char *path; /* points into the cache */
	bool native;	  /* of the 64-bit ABI of this machine */
};

/** @return false stops the walk. */
typedef bool (*upm_ldso_fn)(const struct upm_ldso_entry *entry, void *context);

/**
 * Visit all entries of a cache in its order. Entries that point out of it are passed over.
 * @param bytes  the file, followed by a NUL that size does not count
 * @return false when it has no format that this library knows
 */
bool upm_ldso_cache_visit(const char *bytes, size_t size, upm_ldso_fn visit, void *context);

#endif
