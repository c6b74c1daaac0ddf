/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Private to locate/: what a locator keeps between specs. */
#ifndef UPM_LOCATE_LOCATOR_H
#define UPM_LOCATE_LOCATOR_H

#include "locate/library.h"
#include "locate/locate.h"
#include "locate/process.h"
#include "locate/view.h"

#define UPM_LOCATE "find the binary"

/* A place to look at: a process, or with pid 0 this one. */
struct upm_target {
	int32_t pid;
	struct upm_view view;
	bool mappings_read;
	struct upm_mappings mappings;
	struct upm_library_search *search; /* made at first need */
};

/* One file, opened or found unusable. */
struct upm_opened {
	dev_t device;
	ino_t inode;
	struct upm_binary *binary; /* NULL = unusable */
	char *reason;		   /* why */
};

/*
 * A mapping looked at before. Its device may not be that of the file (overlayfs), nor tell one file
 * from another: all subvolumes of a btrfs have one, and each counts its inodes from the same
 * number. Two containers may then show two files alike, so it is known of one process only.
 */
struct upm_known_mapping {
	int32_t pid;
	dev_t device;
	ino_t inode;
	char *path;
	size_t opened;
};

struct upm_locator {
	UPM_VECTOR(struct upm_target) targets; /* one with pid 0 when no process was given */
	char *program;			       /* the executable about to run, or NULL */
	bool closure_read;
	struct upm_locations closure; /* of program */
	UPM_VECTOR(struct upm_opened) opened;
	UPM_VECTOR(struct upm_known_mapping) known_mappings;
};

/* What is known of a file when it becomes a location. */
struct upm_sighting {
	const char *path;
	const char *remark; /* NULL = none */
	int32_t pid;	    /* maps it; 0 = not known */
	bool elf_only;	    /* pass over what is no ELF file: globs name whatever lies there */
};

/* All of these return UPM_OK or UPM_ERR_MEMORY; a file that can not be used is a location too. */

/** Add the file behind fd, which becomes the locator's, unless it is there already. */
int upm_locations_add_fd(struct upm_locator *locator, int fd, const struct upm_sighting *sighting,
			 struct upm_locations *out);
/** Add the file behind a mapping. */
int upm_locations_add_mapping(struct upm_locator *locator, struct upm_target *target,
			      const struct upm_mapping *mapping, struct upm_locations *out);
/** Add a location without a file. */
int upm_locations_add_failure(struct upm_locations *out, int32_t verdict, const char *path,
			      int32_t pid, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/** Add a copy of a location, unless its file is there already. */
int upm_locations_add_copy(struct upm_locations *out, const struct upm_location *location);

/** The mappings of a target, read once. Those of a process that has ended are an empty list. */
int upm_target_mappings(struct upm_target *target, const struct upm_mappings **mappings);
/** @return true when a mapping is code of a file. */
bool upm_mapping_is_code(const struct upm_mapping *mapping);

int upm_locate_path(struct upm_locator *locator, const char *path, struct upm_locations *out);
int upm_locate_name(struct upm_locator *locator, const char *name, struct upm_locations *out);
int upm_locate_everything(struct upm_locator *locator, struct upm_locations *out);
/** The files that locator->program will map: itself, its interpreter, all that it needs. */
int upm_program_closure(struct upm_locator *locator, const struct upm_locations **closure);

/** @return the last component of a path. */
const char *upm_base_name(const char *path);
bool upm_is_glob(const char *name);

#endif
