/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Names of processes and threads, kept for when they have ended. */
#ifndef UPM_CLI_COMMS_H
#define UPM_CLI_COMMS_H

#include <stddef.h>
#include <stdint.h>

struct cli_comm {
	int32_t pid;
	int32_t tid;   /**< 0 = the process */
	char name[16]; /**< "" = it could not be read */
};

struct cli_comms {
	struct cli_comm *list; /**< by pid and tid */
	size_t count;
	size_t capacity;
};

/** Read the name of a process, or thread, once. @return 0 or -1: no memory. */
int cli_comms_note(struct cli_comms *comms, int32_t pid, int32_t tid);

/** @return the name; "" when it is not known. */
const char *cli_comms_name(const struct cli_comms *comms, int32_t pid, int32_t tid);

void cli_comms_free(struct cli_comms *comms);

#endif
