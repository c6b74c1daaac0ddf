/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A link made again from what the kernel tells about its kernel links. */
#ifndef UPM_ATTACH_REOPEN_H
#define UPM_ATTACH_REOPEN_H

#include "attach/link.h"

struct upm_opened {
	struct upm_probe_set *set;
	UPM_VECTOR(struct upm_kernel_handle) handles; /* file is filled in at the end */
	enum upm_backend backend;
};

/** @return UPM_OK or UPM_ERR_MEMORY. */
int upm_opened_begin(struct upm_opened *opened);
/** Add one kernel link; fd becomes opened's, also on error. @return UPM_OK or the error */
int upm_opened_add(struct upm_opened *opened, int fd);
/** Make the link, or with a status other than UPM_OK undo all. @return status, or a new error */
int upm_opened_end(struct upm_opened *opened, int status, struct upm_link **out);

#endif
