/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The files of a set that no process of -p has mapped: their probes can not fire yet. */
#ifndef UPM_CLI_UNMAPPED_H
#define UPM_CLI_UNMAPPED_H

#include "options.h"
#include "output_json.h"

struct cli_unmapped {
	char **paths;
	size_t count;
};

/**
 * Add the files that have a probe to attach and that none of the processes maps. A file of
 * which that can not be told is not added.
 * @return 0, or CLI_FAILED after a message.
 */
int cli_unmapped_find(struct cli_unmapped *unmapped, const struct upm_probe_set *set,
		      const struct cli_options *options);

/** Print a remark on those from number `first` on. */
void cli_unmapped_print(FILE *out, const struct cli_unmapped *unmapped, size_t first);

/** Add the array "unmapped". */
void cli_unmapped_json(struct cli_json *json, const struct cli_unmapped *unmapped);

void cli_unmapped_free(struct cli_unmapped *unmapped);

#endif
