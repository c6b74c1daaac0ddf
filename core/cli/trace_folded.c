// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "text.h"
#include "trace.h"

#define FRAME_SIZE 300

/* A stack of a return or of a call site does not hold the function, or the site, itself. */
static bool adds_leaf(const struct upm_event *event)
{
	return event->kind == UPM_EVENT_RETURN || event->kind == UPM_EVENT_USDT ||
	       !event->stack_count;
}

static bool is_control(const char *character, size_t length)
{
	unsigned char first = (unsigned char)character[0];

	return length == 1 ? first < ' ' || first == 0x7f
			   : first == 0xc2 && (unsigned char)character[1] < 0xa0;
}

/* Nothing in a name may look like the end of its frame, or of the line, or command a terminal. */
static void put_frame(FILE *out, const char *name)
{
	size_t left = strlen(name);

	while (left) {
		size_t length = cli_text_utf8_sequence(name, left);

		if (!length)
			fprintf(out, "\\x%02x", (unsigned char)*name);
		else if (*name == ';' || is_control(name, length))
			fputc(':', out);
		else
			fwrite(name, 1, length, out);
		name += length ? length : 1;
		left -= length ? length : 1;
	}
}

static void put_line(struct cli_trace *trace, FILE *out, const struct cli_traced *traced,
		     const struct upm_event *event)
{
	char name[FRAME_SIZE];

	put_frame(out, event->comm);
	for (uint32_t i = event->stack_count; i > 0; i--) {
		struct cli_frame frame = cli_frame_of(
			&trace->frames, event, upm_batch_text(trace->batch), i - 1, &traced->probe);

		fputc(';', out);
		put_frame(out, cli_frame_short(&trace->frames, &frame, name, sizeof(name)));
	}
	if (adds_leaf(event)) {
		fputc(';', out);
		put_frame(out, traced->name);
	}
}

int cli_trace_fold_event(struct cli_trace *trace, const struct upm_event *event)
{
	const struct cli_traced *traced = cli_trace_probe(trace, event->probe);
	char *line = NULL;
	size_t length;
	FILE *out = traced ? open_memstream(&line, &length) : NULL;
	bool ok = out != NULL;

	if (ok) {
		put_line(trace, out, traced, event);
		ok = fclose(out) == 0 && cli_folded_add(&trace->folded, line) == 0;
	}
	free(line);
	return ok ? 0 : cli_fail("collapse", "the stacks", strerror(ENOMEM), "");
}
