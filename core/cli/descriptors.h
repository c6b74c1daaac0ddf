/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The limit of open descriptors: all that is allowed for us, what it was for the command. And
 * the standard ones, which a caller may have closed.
 */
#ifndef UPM_CLI_DESCRIPTORS_H
#define UPM_CLI_DESCRIPTORS_H

/**
 * Occupy those of the standard descriptors that are closed, so that no file gets their numbers
 * and with them what is written to the standard output or error. They can be neither read nor
 * written, and the command does not inherit them.
 */
void cli_descriptors_reserve(void);

/** Raise the soft limit to the hard one: links and watched processes take one each. */
void cli_descriptors_raise(void);

/** Put the limit back; async-signal-safe. */
void cli_descriptors_restore(void);

#endif
