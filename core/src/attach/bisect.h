/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Which probes of a link does the kernel mind? */
#ifndef UPM_ATTACH_BISECT_H
#define UPM_ATTACH_BISECT_H

#include <stdbool.h>

#include "attach/sys.h"
#include "base/vector.h"

struct upm_refusal {
	size_t position; /* in the link's arrays */
	size_t count;	 /* 1, or all that a refused file has in the link */
	int sys_errno;
};

struct upm_refusals {
	UPM_VECTOR(struct upm_refusal) list; /* by rising position */
};

/** @return whether one probe alone can make the kernel refuse a link with this errno. */
bool upm_errno_is_of_probe(int sys_errno);
/** @return whether this errno is about a whole file: asking probe by probe would only repeat it. */
bool upm_errno_is_of_file(int sys_errno);

/**
 * Try parts of a link that was refused, until each offender stands alone.
 * @param link       as it was refused; its program_fd is not used
 * @param go_on      asked between rounds; its enum upm_status ends the search
 * @param sys_errno  receives what the kernel said, where that is not about a probe; else 0
 * @return UPM_OK; UPM_ERR_MEMORY; what go_on returned
 */
int upm_bisect(const struct upm_multi_link *link, int (*go_on)(void *context), void *context,
	       struct upm_refusals *refusals, int *sys_errno);
void upm_refusals_clear(struct upm_refusals *refusals);

#endif
