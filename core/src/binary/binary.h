/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One ELF file, opened once. Everything later (symbols, instructions, the
 * kernel link itself) goes through this one descriptor, so a file that is
 * replaced on disk meanwhile can not be mistaken for the one that was judged.
 * Offsets are computed from PT_LOAD segments, never from section headers.
 * Reading uses pread(2), never a mapping: a file that is truncated while we read
 * gives a short read and a verdict, not a SIGBUS.
 */
#ifndef UPM_BINARY_BINARY_H
#define UPM_BINARY_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vector.h"

#define UPM_BUILD_ID_MAX 64

struct upm_segment {
	uint64_t offset;      /* in the file */
	uint64_t address;     /* virtual, as linked */
	uint64_t file_size;   /* bytes */
	uint64_t memory_size; /* bytes */
	bool readable, writable, executable;
};

struct upm_binary_symbols; /* symbols.h */
struct upm_elf;		   /* private: the libelf handle and what was read through it */

struct upm_binary {
	unsigned references;
	int fd;	    /* O_RDONLY | O_CLOEXEC; -1 = released */
	char *path; /* as a person would name it */
	dev_t device;
	ino_t inode;
	uint64_t file_size;
	uint8_t build_id[UPM_BUILD_ID_MAX];
	size_t build_id_size; /* 0 = it has none */
	uint16_t machine;     /* EM_X86_64, EM_386, EM_AARCH64, … */
	uint16_t elf_type;    /* ET_EXEC, ET_DYN, … */
	uint8_t bits;	      /* 64 or 32 */
	bool big_endian;
	uint64_t thread_area; /* bytes that a thread's copy of its thread-local variables takes */
	bool go;	      /* linked by Go (.go.buildinfo, .gopclntab or its build-id note) */
	UPM_VECTOR(struct upm_segment) segments; /* PT_LOAD only, in file order */
	struct upm_elf *elf;
};

/**
 * Open an ELF file. UPM_ERR_NOT_FOUND, UPM_ERR_PERMISSION, UPM_ERR_FORMAT (not a regular
 * file, not ELF, truncated headers), with the path in the error.
 */
int upm_binary_open(const char *path, struct upm_binary **out);
/** As upm_binary_open(), from a descriptor that becomes the binary's, also on error. */
int upm_binary_open_fd(int fd, const char *path, struct upm_binary **out);
struct upm_binary *upm_binary_ref(struct upm_binary *binary);
void upm_binary_unref(struct upm_binary *binary);
/**
 * Close the file and its debug files: segments and what was read of symbols stay, and nothing more
 * can be read. For a binary that nobody else has.
 */
void upm_binary_release(struct upm_binary *binary);

/** @return the first segment of whose bytes in the file one has this virtual address, or NULL. */
const struct upm_segment *upm_binary_segment_of(const struct upm_binary *binary, uint64_t address);
/** File offset of a virtual address. @return false when no file-backed byte of a segment has it. */
bool upm_binary_offset_of(const struct upm_binary *binary, uint64_t address, uint64_t *offset);
/** Virtual address of a file offset. @return false when no segment maps it. */
bool upm_binary_address_of(const struct upm_binary *binary, uint64_t offset, uint64_t *address);
/** @return the executable segment that maps this file offset, or NULL. */
const struct upm_segment *upm_binary_executable_at(const struct upm_binary *binary,
						   uint64_t offset);
/** @return the writable segment that maps this file offset, or NULL. */
const struct upm_segment *upm_binary_writable_at(const struct upm_binary *binary, uint64_t offset);

/*
 * A window over the file for reading code at rising offsets: one large pread(2)
 * serves thousands of functions.
 */
struct upm_code_window {
	const struct upm_binary *binary;
	uint8_t *bytes;
	uint64_t start;
	size_t length, capacity;
};
/** @return UPM_OK or UPM_ERR_MEMORY. */
int upm_code_window_open(struct upm_code_window *window, const struct upm_binary *binary);
/**
 * @param wanted     bytes; at most 64 KiB
 * @param available  receives how many there are, at most wanted; 0 past the end of file
 * @return the bytes at a file offset; valid until the next call
 */
const uint8_t *upm_code_window_at(struct upm_code_window *window, uint64_t offset, size_t wanted,
				  size_t *available);
void upm_code_window_close(struct upm_code_window *window);

#endif
