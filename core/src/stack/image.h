/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The files that processes have code from, each opened once, with its functions by address.
 *
 * A file that was written anew since is another one: device and inode stay, size or times do not.
 *
 * A file is closed once its functions are known: there can be more of them than descriptors. Of
 * those that no process has mapped any more, as far as it is remembered, some are kept: programs
 * that run often come and go.
 */
#ifndef UPM_STACK_IMAGE_H
#define UPM_STACK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/vector.h"
#include "locate/process.h"
#include "resolve/symbol_index.h"

/* What was found for an offset: stacks ask for the same few again and again. */
struct upm_image_answer {
	uint64_t offset; /* that was asked for, plus 1; 0 = none yet */
	uint64_t start;
	const char *name; /* NULL = no function */
};

enum { UPM_IMAGE_ANSWERS = 1024 };

/* Above this, images that no region names are dropped. */
enum { UPM_IMAGES_KEPT = 256 };

struct upm_image {
	size_t regions; /* that name it */
	dev_t device;
	ino_t inode;
	off_t size; /* this and the times: a file can be written anew in place */
	struct timespec modified, changed;
	bool unsettled;		   /* it was read so soon after a change that it is read again */
	struct upm_binary *binary; /* NULL when it is no ELF file */
	bool indexed;
	struct upm_symbol_index index;
	struct upm_image_answer *answers; /* UPM_IMAGE_ANSWERS, by offset; NULL = none are kept */
	uint8_t *vdso;			  /* its bytes, where it is one; NULL for files */
	size_t vdso_size;
};

struct upm_images {
	UPM_VECTOR(struct upm_image *) list;
};

/**
 * The file behind a mapping, or the vDSO.
 * @param image  receives NULL when it can not be reached; upm_image_hold() it
 * @return UPM_OK or UPM_ERR_MEMORY; the error record is left as it was
 */
int upm_images_of_mapping(struct upm_images *images, int32_t pid, const struct upm_mapping *mapping,
			  struct upm_image **image);
/**
 * The function at a file offset.
 * @param start  receives the file offset that it begins at
 * @return its name, which belongs to the image; NULL when there is none
 */
const char *upm_image_function(struct upm_image *image, uint64_t offset, uint64_t *start);
/** Count a region that names the image, or NULL. @return it */
static inline struct upm_image *upm_image_hold(struct upm_image *image)
{
	if (image)
		image->regions++;
	return image;
}
static inline void upm_image_let_go(struct upm_image *image)
{
	if (image)
		image->regions--;
}
void upm_images_close(struct upm_images *images);

#endif
