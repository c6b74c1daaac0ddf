/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A COMMAND that is another program than the one whose functions are observed. */
#ifndef UPM_CLI_OTHER_PROGRAM_H
#define UPM_CLI_OTHER_PROGRAM_H

#include "observation.h"

/**
 * Remark on stderr on a program that was observed while COMMAND began as another one: one of the
 * same name elsewhere on PATH, or a script that stands for it. To be called when nothing was hit.
 */
void cli_remark_other_program(const struct cli_observation *observation);

#endif
