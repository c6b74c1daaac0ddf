/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The signals that end an observation: SIGINT, SIGTERM and SIGHUP. The first one asks
 * for a clean end; a second one, half a second later or more, ends the process at once.
 */
#ifndef UPM_CLI_SIGNALS_H
#define UPM_CLI_SIGNALS_H

/** Catch them from now on. @return 0 or -1 with errno. */
int cli_signals_install(void);

/** @return a descriptor that becomes readable with the first signal and stays so. */
int cli_signals_fd(void);

/** @return the signal that asked for an end, 0 = none yet. */
int cli_signals_caught(void);

/** What is left to do needs no clean end: from now on a signal ends the process at once. */
void cli_signals_release(void);

/** In a forked child: put back every disposition that was there before the install. */
void cli_signals_restore(void);

#endif
