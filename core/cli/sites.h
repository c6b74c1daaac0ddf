// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What a USDT call site has beside its place: its semaphore and its arguments. */
#ifndef UPM_CLI_SITES_H
#define UPM_CLI_SITES_H

#include <jansson.h>
#include <stdio.h>
#include <uprobe_multi.h>

/** Print "args: -4@%edi 8@16(%rsp); semaphore 0x…", with what is wrong with an argument. */
void cli_site_print(FILE *out, const struct upm_probe_set *set, size_t index,
		    const struct upm_probe *probe);
/** Add the keys "semaphore" and "arguments" to the description of a probe. */
void cli_site_describe(json_t *value, const struct upm_probe_set *set, size_t index,
		       const struct upm_probe *probe);

#endif
