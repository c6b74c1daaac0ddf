/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "stack/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "binary/elf_file.h"

#define VDSO "[vdso]"
#define VDSO_LIMIT ((size_t)256 << 10)

/* A function of unknown size ends where the next one begins, but not further than this. */
#define UNSIZED_LIMIT ((uint64_t)64 << 10)

static void free_image(struct upm_image *image)
{
	upm_symbol_index_close(&image->index);
	upm_binary_unref(image->binary);
	free(image->answers);
	free(image->vdso);
	free(image);
}

/* The oldest first, until there is room for one more. */
static void drop_unused(struct upm_images *images)
{
	size_t count = images->list.count, kept = 0;

	if (count < UPM_IMAGES_KEPT)
		return;
	for (size_t i = 0; i < images->list.count; i++) {
		struct upm_image *image = images->list.items[i];

		if (count >= UPM_IMAGES_KEPT && !image->regions) {
			free_image(image);
			count--;
		} else {
			images->list.items[kept++] = image;
		}
	}
	images->list.count = kept;
}

static struct upm_image *add(struct upm_images *images)
{
	struct upm_image *image = calloc(1, sizeof(*image));

	drop_unused(images);
	if (image && upm_vector_push(&images->list, image))
		return image;
	free(image);
	return NULL;
}

/* ---- files */

/* The kernel's answer for what is no file, and for devices, which mere opening may disturb. */
static bool may_be_opened(const struct upm_mapping *mapping)
{
	static const char devices[] = "/dev/", shared_memory[] = "/dev/shm/";

	return mapping->inode && mapping->path[0] == '/' &&
	       (strncmp(mapping->path, devices, sizeof(devices) - 1) != 0 ||
		strncmp(mapping->path, shared_memory, sizeof(shared_memory) - 1) == 0);
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Old kernels stamp files with the time of their last clock tick, 1 to 10 ms ago: what changes, or
 * is removed and made again under the same inode, within a tick may not be seen to. */
static bool may_change_unseen(const struct stat *facts)
{
	const int64_t ticks = 20 * 1000 * 1000;
	struct timespec now;
	int64_t age;

	if (clock_gettime(CLOCK_REALTIME, &now) || now.tv_sec - facts->st_ctim.tv_sec > 1 ||
	    facts->st_ctim.tv_sec - now.tv_sec > 1)
		return false;
	age = (now.tv_sec - facts->st_ctim.tv_sec) * 1000000000 + now.tv_nsec -
	      facts->st_ctim.tv_nsec;
	return age > -ticks && age < ticks;
}

static bool is_of_file(const struct upm_image *image, const struct stat *facts)
{
	return !image->vdso && !image->unsettled && image->device == facts->st_dev &&
	       image->inode == facts->st_ino && image->size == facts->st_size &&
	       is_same_time(&image->modified, &facts->st_mtim) &&
	       is_same_time(&image->changed, &facts->st_ctim);
}

static struct upm_image *find_file(const struct upm_images *images, const struct stat *facts)
{
	for (size_t i = 0; i < images->list.count; i++) {
		struct upm_image *image = images->list.items[i];

		if (is_of_file(image, facts))
			return image;
	}
	return NULL;
}

/* The descriptor is taken. A file that is no ELF is remembered as such. */
static int image_of_file(struct upm_images *images, int fd, const char *path,
			 struct upm_image **image)
{
	struct stat facts;

	if (fstat(fd, &facts)) {
		close(fd);
		return UPM_OK;
	}
	*image = find_file(images, &facts);
	if (*image) {
		close(fd);
		return UPM_OK;
	}
	*image = add(images);
	if (!*image) {
		close(fd);
		return upm_fail_memory("find functions");
	}
	(*image)->device = facts.st_dev;
	(*image)->inode = facts.st_ino;
	(*image)->size = facts.st_size;
	(*image)->modified = facts.st_mtim;
	(*image)->changed = facts.st_ctim;
	(*image)->unsettled = may_change_unseen(&facts);
	return upm_binary_open_fd(fd, path, &(*image)->binary);
}

/* ---- the vDSO: it is no file, but what an ELF file would be, in memory */

static uint8_t *read_vdso(int32_t pid, const struct upm_mapping *mapping, size_t size)
{
	uint8_t *bytes = size && size <= VDSO_LIMIT ? malloc(size) : NULL;
	char path[64];
	size_t length;
	int fd;

	if (!bytes)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/mem", upm_process_living_thread(pid));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? 0 : upm_read_fully(fd, bytes, size, mapping->start);
	if (fd >= 0)
		close(fd);
	if (length == size)
		return bytes;
	free(bytes);
	return NULL;
}

static struct upm_image *find_vdso(const struct upm_images *images, const uint8_t *bytes,
				   size_t size)
{
	for (size_t i = 0; i < images->list.count; i++) {
		struct upm_image *image = images->list.items[i];

		if (image->vdso && image->vdso_size == size &&
		    memcmp(image->vdso, bytes, size) == 0)
			return image;
	}
	return NULL;
}

static int file_of_bytes(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("vdso", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) == (ssize_t)size)
		return fd;
	close(fd);
	return -1;
}

static int image_of_vdso(struct upm_images *images, int32_t pid, const struct upm_mapping *mapping,
			 struct upm_image **image)
{
	size_t size = (size_t)(mapping->end - mapping->start);
	uint8_t *bytes = read_vdso(pid, mapping, size);
	int fd;

	if (!bytes)
		return UPM_OK;
	*image = find_vdso(images, bytes, size);
	if (*image) {
		free(bytes);
		return UPM_OK;
	}
	*image = add(images);
	if (!*image) {
		free(bytes);
		return upm_fail_memory("find functions");
	}
	(*image)->vdso = bytes;
	(*image)->vdso_size = size;
	fd = file_of_bytes(bytes, size);
	return fd < 0 ? UPM_OK : upm_binary_open_fd(fd, VDSO, &(*image)->binary);
}

int upm_images_of_mapping(struct upm_images *images, int32_t pid, const struct upm_mapping *mapping,
			  struct upm_image **image)
{
	struct upm_error_copy before;
	int fd, status = UPM_OK;

	*image = NULL;
	upm_error_take(&before);
	if (strcmp(mapping->path, VDSO) == 0) {
		status = image_of_vdso(images, pid, mapping, image);
	} else if (may_be_opened(mapping)) {
		fd = upm_process_open_mapping(pid, mapping);
		if (fd >= 0)
			status = image_of_file(images, fd, mapping->path, image);
	}
	upm_error_put_back(&before);
	return status == UPM_ERR_MEMORY ? UPM_ERR_MEMORY : UPM_OK;
}

/* ---- functions */

static void make_index(struct upm_image *image)
{
	struct upm_symbol_tables tables;
	struct upm_error_copy before;

	image->indexed = true;
	upm_error_take(&before);
	if (upm_binary_symbols(image->binary, UPM_SYMBOLS_OWN | UPM_SYMBOLS_DEBUG, NULL, NULL,
			       &tables) == UPM_OK)
		upm_symbol_index_open(&image->index, tables);
	upm_binary_release(image->binary);
	image->answers = calloc(UPM_IMAGE_ANSWERS, sizeof(*image->answers));
	upm_error_put_back(&before);
}

/* The nearest function below, if its size is not known: assembler code often says none. */
static bool find_unsized(const struct upm_image *image, uint64_t address, struct upm_symbol *symbol)
{
	const struct upm_found *functions = image->index.functions.list.items;
	size_t low = 0, high = image->index.functions.list.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (functions[middle].place <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - functions[low - 1].place > UNSIZED_LIMIT)
		return false;
	upm_found_symbol(&functions[low - 1], image->index.tables, symbol);
	return symbol->size == 0;
}

static const char *look_up(struct upm_image *image, uint64_t offset, uint64_t *start)
{
	struct upm_symbol symbol;
	uint64_t address;
	uint32_t name;

	if (!upm_binary_address_of(image->binary, offset, &address) ||
	    (!upm_symbol_index_find(&image->index, address, &symbol, &name) &&
	     !find_unsized(image, address, &symbol)))
		return NULL;
	*start = offset - (address - symbol.address);
	return symbol.name;
}

const char *upm_image_function(struct upm_image *image, uint64_t offset, uint64_t *start)
{
	struct upm_image_answer *answer;

	if (!image->binary)
		return NULL;
	if (!image->indexed)
		make_index(image);
	if (!image->answers)
		return look_up(image, offset, start);
	answer = &image->answers[(offset ^ offset >> 10) % UPM_IMAGE_ANSWERS];
	if (answer->offset != offset + 1) {
		answer->offset = offset + 1;
		answer->name = look_up(image, offset, &answer->start);
	}
	*start = answer->start;
	return answer->name;
}

void upm_images_close(struct upm_images *images)
{
	for (size_t i = 0; i < images->list.count; i++)
		free_image(images->list.items[i]);
	upm_vector_clear(&images->list);
}
