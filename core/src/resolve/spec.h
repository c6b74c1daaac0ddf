/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The text form of a request, taken apart:
 *
 *     [KIND:]BINARY:PATTERN
 *     usdt:BINARY:PROVIDER:NAME, each of the two a name, a glob or /REGEX/
 *     PATTERN = NAME[@VERSION|@@VERSION][+NUMBER] | GLOB[@VERSION] | /REGEX/ | 0xOFFSET
 *
 * The first colon after the kind ends BINARY, so that a PATTERN may hold "::";
 * a colon inside BINARY is written "\\:".
 */
#ifndef UPM_RESOLVE_SPEC_H
#define UPM_RESOLVE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

enum upm_spec_form {
	UPM_SPEC_PATTERN, /* a glob or a regex: whatever it matches */
	UPM_SPEC_NAME,	  /* one name: ambiguity is an issue */
	UPM_SPEC_OFFSET	  /* a file offset */
};

struct upm_spec {
	const char *text; /* as given; not owned */
	uint8_t kind;	  /* enum upm_kind */
	enum upm_spec_form form;
	char *binary;
	char *pattern;	/* without version and addend; a regex without its slashes; "" for an offset
			 */
	char *provider; /* of a USDT spec: a pattern, a regex with its slashes; else NULL */
	char *version;	/* NULL = any */
	bool default_version; /* "@@": the default version only */
	bool regex;
	uint64_t number; /* the file offset, or what is added to the name's address */
};

/** Take text apart. UPM_ERR_SPEC tells what is wrong and where; UPM_ERR_MEMORY. */
int upm_spec_parse(const char *text, struct upm_spec *spec);
void upm_spec_clear(struct upm_spec *spec);

#endif
