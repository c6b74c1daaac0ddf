/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "share/metadata.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/sys.h"
#include "base/error.h"

/* A map's elements can not be of any size: large ones need memory in one piece. */
enum { CHUNK = 4096, CHUNK_MIN = sizeof(struct upm_share_header), CHUNK_MAX = 1 << 20 };

#define SIZE_LIMIT (1ULL << 30)

static const char pin_operation[] = "pin an observer";
static const char open_operation[] = "open a pinned observer";

static int fill(int fd, const struct upm_bytes *bytes)
{
	uint8_t chunk[CHUNK];

	for (uint32_t key = 0; (size_t)key * CHUNK < bytes->data.count; key++) {
		size_t at = (size_t)key * CHUNK, left = bytes->data.count - at;

		memset(chunk, 0, sizeof(chunk));
		memcpy(chunk, bytes->data.items + at, left < CHUNK ? left : CHUNK);
		if (bpf_map_update_elem(fd, &key, chunk, BPF_ANY))
			return -errno;
	}
	return 0;
}

int upm_metadata_make(const struct upm_bytes *bytes, int *map_fd)
{
	size_t chunks = (bytes->data.count + CHUNK - 1) / CHUNK;
	int failure, fd;

	if (bytes->data.count > SIZE_LIMIT)
		return upm_fail(UPM_ERR_LIMIT, 0, pin_operation, NULL, "pin fewer probes",
				"what it is about takes %zu bytes", bytes->data.count);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "upm_meta", sizeof(uint32_t), CHUNK,
			    (uint32_t)chunks, NULL);
	failure = fd < 0 ? -errno : fill(fd, bytes);
	if (failure) {
		if (fd >= 0)
			close(fd);
		return upm_fail(upm_status_of_errno(-failure), -failure, pin_operation,
				"its metadata", NULL, "no map of %zu bytes could be made",
				bytes->data.count);
	}
	bpf_map_freeze(fd); /* from 5.2 on */
	*map_fd = fd;
	return UPM_OK;
}

/* What stands in a pin may be any kind of BPF object: then the checks or the reading fail. */
static int look(int fd, const char *name, struct bpf_map_info *info)
{
	memset(info, 0, sizeof(*info));
	if (upm_sys_object_info(fd, info, sizeof(*info)) == 0 && info->type == BPF_MAP_TYPE_ARRAY &&
	    info->key_size == sizeof(uint32_t) && info->value_size >= CHUNK_MIN &&
	    info->value_size <= CHUNK_MAX && info->max_entries &&
	    (uint64_t)info->value_size * info->max_entries <= SIZE_LIMIT)
		return UPM_OK;
	return upm_fail(UPM_ERR_FORMAT, 0, open_operation, name,
			"unpin it: it was not pinned by this library, or is damaged",
			"its metadata is of no known form");
}

/* The kernel writes whole elements, each rounded up to 8 bytes. */
static int read_chunks(int fd, const char *name, const struct bpf_map_info *info, uint32_t count,
		       uint8_t *to)
{
	for (uint32_t key = 0; key < count; key++)
		if (bpf_map_lookup_elem(fd, &key, to + (size_t)key * info->value_size))
			return upm_fail(upm_status_of_errno(errno), errno, open_operation, name,
					NULL, "its metadata can not be read");
	return UPM_OK;
}

static int read_first(int fd, const char *name, const struct bpf_map_info *info,
		      struct upm_share_header *header)
{
	uint8_t *first = malloc(info->value_size + 8);
	int status =
		first ? read_chunks(fd, name, info, 1, first) : upm_fail_memory(open_operation);

	/* Whether the rest is there, the map's size tells. */
	if (!status)
		status = upm_share_read_header(first, (size_t)info->value_size * info->max_entries,
					       name, header);
	free(first);
	return status;
}

int upm_metadata_header(int map_fd, const char *name, struct upm_share_header *header)
{
	struct bpf_map_info info;
	int status = look(map_fd, name, &info);

	return status ? status : read_first(map_fd, name, &info, header);
}

int upm_metadata_read(int map_fd, const char *name, uint8_t **bytes, size_t *size)
{
	struct upm_share_header header;
	struct bpf_map_info info;
	int status = look(map_fd, name, &info);
	uint32_t chunks;

	if (!status)
		status = read_first(map_fd, name, &info, &header);
	if (status)
		return status;
	chunks = (uint32_t)((header.size + info.value_size - 1) / info.value_size);
	*size = (size_t)header.size;
	*bytes = malloc((size_t)chunks * info.value_size + 8);
	status = *bytes ? read_chunks(map_fd, name, &info, chunks, *bytes)
			: upm_fail_memory(open_operation);
	if (status) {
		free(*bytes);
		*bytes = NULL;
	}
	return status;
}
