/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the section of a program asks for. */
#ifndef UPM_OBSERVE_OBJECT_H
#define UPM_OBSERVE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

struct upm_section {
	uint8_t kind; /* enum upm_kind */
	bool multi;   /* of a multi link; sessions too */
	bool session;
	bool sleepable;
	const char *place; /* "BINARY:PATTERN" within the name, or "" */
};

/** Take a section's name apart. @return false when it is not for user-space probes */
bool upm_section_parse(const char *name, struct upm_section *section);

#endif
