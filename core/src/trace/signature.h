/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* C-like signatures: "int openat(int fd, char *path, int flags)", "(void *data, size_t n)". */
#ifndef UPM_TRACE_SIGNATURE_H
#define UPM_TRACE_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "upm_trace.h"

enum { UPM_NAME_SIZE = 64, UPM_TYPE_SIZE = 64 };

struct upm_parameter {
	char name[UPM_NAME_SIZE]; /* "arg0" … where none is given; of a result "result" */
	char type[UPM_TYPE_SIZE]; /* as written, blanks made single */
	uint8_t form;		  /* enum upm_form */
	uint8_t width;		  /* bytes */
	struct upm_trace_text text;
};

struct upm_signature {
	struct upm_parameter parameters[UPM_TRACE_ARGUMENTS];
	uint32_t count;
	struct upm_parameter result; /* UPM_FORM_SIGNED of 8 bytes where no type is given */
};

/** @return UPM_OK or UPM_ERR_SPEC with the place of the mistake. */
int upm_signature_parse(const char *text, struct upm_signature *signature);
/** What is shown of a function without a signature: integer registers, in hexadecimal. */
void upm_signature_default(struct upm_signature *signature);

#endif
