/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The limit of open descriptors: all that is allowed for us, what it was for the command. */
#ifndef UPM_CLI_DESCRIPTORS_H
#define UPM_CLI_DESCRIPTORS_H

/** Raise the soft limit to the hard one: links and watched processes take one each. */
void cli_descriptors_raise(void);

/** Put the limit back; async-signal-safe. */
void cli_descriptors_restore(void);

#endif
