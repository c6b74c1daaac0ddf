/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* From an argument as the note describes it to what a program is to do at the call site. */
#ifndef UPM_USDT_READING_H
#define UPM_USDT_READING_H

#include "binary/binary.h"
#include "upm_usdt.h"
#include "usdt/argument.h"

/* Where a call site is, and what it runs on. */
struct upm_usdt_position {
	uint16_t machine;
	bool fixed;	  /* the file is mapped at its own addresses (ET_EXEC) */
	uint64_t address; /* virtual, of the probe */
	uint16_t thread;  /* offset of the thread pointer in struct task_struct; 0 = not known */
};

/** The position of a probe at this offset of a file. */
struct upm_usdt_position upm_usdt_position_of(const struct upm_binary *binary, uint64_t offset);
/** Without UPM_READ_VALID where a program can not read it. */
struct upm_usdt_read upm_usdt_reading(const struct upm_usdt_argument *argument,
				      const struct upm_usdt_position *position);

#endif
