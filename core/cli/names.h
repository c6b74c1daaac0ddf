/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The name of a probe as a person reads it. */
#ifndef UPM_CLI_NAMES_H
#define UPM_CLI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "uprobe_multi.h"

struct cli_names {
	bool demangle;
	bool versions; /**< append @VERSION */
	char *buffer;
	size_t capacity;
};

/**
 * @return such as "std::sort(int*)+0x10", "malloc@GLIBC_2.2.5 (return)" or "0x401000"; lives
 *         until the next call.
 */
const char *cli_name_of(struct cli_names *names, const struct upm_probe *probe);

/** @return the readable form of the probe's symbol; "" when it is not mangled. */
const char *cli_demangled(struct cli_names *names, const struct upm_probe *probe);

/** @return a function's name, readable where names are to be so; lives until the next call. */
const char *cli_readable(struct cli_names *names, const char *symbol);

void cli_names_free(struct cli_names *names);

/** @return the file name without its directories. */
const char *cli_base_name(const char *path);

/** @return true when two files of the set can not be told apart by cli_base_name(). */
bool cli_base_names_clash(const struct upm_probe_set *set);

#endif
