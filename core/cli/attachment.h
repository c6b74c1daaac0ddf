/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The programs of a BPF object, each attached to its probes. */
#ifndef UPM_CLI_ATTACHMENT_H
#define UPM_CLI_ATTACHMENT_H

#include "run.h"

struct cli_attachment {
	struct upm_program program;
	struct upm_probe_set *set; /**< what it was to be attached to; NULL = nothing was named */
	struct upm_link *link;	   /**< NULL when it is not attached */
	char *pin;		   /**< directory of its pins, or NULL */
	char *note;		   /**< why it is not attached, or NULL */
};

struct cli_attachments {
	const char *path;
	struct upm_object *object;
	struct cli_attachment *list;
	size_t count;
};

/**
 * Load the object and attach its programs. A program for which no probe can be attached
 * is noted, and fails the whole only when all do; any other failure fails the whole at once.
 * @param nothing  receives true when that was the failure: the list has the reasons
 * @return 0, or CLI_FAILED after a message.
 */
int cli_attachments_make(struct cli_attachments *attachments, struct cli_run *run, bool *nothing);

/** Pin each link in directory/PROGRAM. @return 0, or CLI_FAILED with nothing left pinned. */
int cli_attachments_pin(struct cli_attachments *attachments, const char *directory);

/** Detach and free; pins stay. */
void cli_attachments_free(struct cli_attachments *attachments);

#endif
