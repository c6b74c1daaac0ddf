// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "signals.h"
#include "terminal.h"
#include "text.h"

#define PATIENCE_NS CLI_SECOND_NS
#define REDRAW_NS (CLI_SECOND_NS / 10)

static const char *doing(const char *stage)
{
	static const char *const names[][2] = {
		{"resolve", "resolving"},
		{"debuginfo", "reading debug information"},
		{"attach", "attaching"},
		{"detach", "detaching"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(stage, names[i][0]) == 0)
			return names[i][1];
	return stage;
}

static void draw(const char *stage, uint64_t done, uint64_t total)
{
	char number[CLI_NUMBER_SIZE];

	fprintf(stderr, "\r\x1b[K%s %s", doing(stage), cli_text_number(number, done));
	if (total)
		fprintf(stderr, " of %s", cli_text_number(number, total));
	fputs(" ...", stderr);
	fflush(stderr);
}

void cli_progress_begin(struct cli_progress *progress)
{
	progress->terminal = cli_window_of(STDERR_FILENO).terminal;
	progress->visible = false;
	progress->begun_ns = cli_now_ns();
	progress->drawn_ns = 0;
}

int32_t cli_progress_step(const char *stage, uint64_t done, uint64_t total, void *context)
{
	struct cli_progress *progress = context;
	uint64_t now = cli_now_ns();

	if (progress->terminal && now - progress->begun_ns >= PATIENCE_NS &&
	    now - progress->drawn_ns >= REDRAW_NS) {
		draw(stage, done, total);
		progress->visible = true;
		progress->drawn_ns = now;
	}
	return cli_signals_caught() != 0;
}

void cli_progress_end(struct cli_progress *progress)
{
	if (progress->visible)
		fputs("\r\x1b[K", stderr);
	progress->visible = false;
}
