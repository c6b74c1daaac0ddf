/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What count and attach share: specs to probes, the command held and let go, the options. */
#ifndef UPM_CLI_RUN_H
#define UPM_CLI_RUN_H

#include "launch.h"
#include "options.h"
#include "output_json.h"
#include "unmapped.h"
#include "wait.h"

struct cli_run {
	const struct cli_options *options;
	struct cli_progress progress;
	struct cli_launch launch;
	struct cli_unmapped unmapped; /**< of all sets resolved so far */
	int32_t *pids;		      /**< those of -p and the command's */
	size_t pid_count;
	uint64_t started_ns; /**< when the wait began */
	enum cli_event ended_by;
};

/** Catch signals and find the command. @return 0 or CLI_FAILED after a message. */
int cli_run_open(struct cli_run *run, const struct cli_options *options);

/**
 * Specs to probes. With -p and no command, a remark tells of files that no process maps.
 * @return 0 or CLI_FAILED after a message.
 */
int cli_run_resolve(struct cli_run *run, const char *const *specs, size_t count,
		    struct upm_probe_set **set);

/** Fork the command, if there is one. @return 0 or CLI_FAILED after a message. */
int cli_run_hold(struct cli_run *run);

/** Let it go. @return 0 or CLI_FAILED after a message. */
int cli_run_release(struct cli_run *run);

struct upm_attach_options cli_run_attach_options(struct cli_run *run);

/** Note how the command ended; one that got the same Ctrl-C has a moment to end. */
void cli_run_reap(struct cli_run *run);

/** Print how the command stands, as a line; nothing without a command. */
void cli_run_print_command(FILE *out, const struct cli_run *run);

/** Add "ended" and, where there is one, "command". */
void cli_run_json(struct cli_json *json, const struct cli_run *run);

/** Add "unmapped", with -p and no command. */
void cli_run_json_unmapped(struct cli_json *json, const struct cli_run *run);

void cli_run_close(struct cli_run *run);

#endif
