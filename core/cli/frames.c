// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "frames.h"

#include <string.h>

#include "text.h"

static uint64_t address_at(const struct upm_event *event, const char *text, uint32_t index)
{
	uint64_t address;

	memcpy(&address, text + event->stack_offset + index * sizeof(address), sizeof(address));
	return address;
}

/* The first frame stands at an instruction, after a return as all others behind a call. */
static bool is_after_call(const struct upm_event *event, uint32_t index)
{
	return index || event->kind == UPM_EVENT_RETURN;
}

static void use_probe(struct upm_place *place, const struct upm_probe *probe)
{
	place->path = probe->path;
	place->symbol = probe->symbol;
	place->offset = *probe->symbol ? probe->symbol_offset : probe->offset;
	place->file_offset = probe->offset;
}

struct cli_frame cli_frame_of(struct cli_frames *frames, const struct upm_event *event,
			      const char *text, uint32_t index, const struct upm_probe *probe)
{
	struct cli_frame frame = {
		.address = address_at(event, text, index),
		.place = {.size = sizeof(frame.place), .path = "", .symbol = ""},
	};
	bool known = frames->symbolizer || upm_symbolizer_new(&frames->symbolizer) == UPM_OK;

	if (known)
		upm_symbolizer_find(frames->symbolizer, (int32_t)event->pid, frame.address,
				    is_after_call(event, index), &frame.place);
	if (!*frame.place.symbol && !is_after_call(event, index))
		use_probe(&frame.place, probe);
	return frame;
}

static const char *name_of(struct cli_frames *frames, const struct upm_place *place)
{
	return cli_readable(frames->names, place->symbol);
}

void cli_frame_print(FILE *out, struct cli_frames *frames, const struct cli_frame *frame)
{
	const struct upm_place *place = &frame->place;

	if (!*place->path) {
		fprintf(out, "%#llx", (unsigned long long)frame->address);
		return;
	}
	cli_text_put(out, cli_base_name(place->path), 0, 0);
	if (*place->symbol) {
		fputc(':', out);
		cli_text_put(out, name_of(frames, place), CLI_MOST_LABEL, 0);
	}
	if (place->offset || !*place->symbol)
		fprintf(out, "+%#llx", (unsigned long long)place->offset);
}

const char *cli_frame_short(struct cli_frames *frames, const struct cli_frame *frame, char *buffer,
			    size_t size)
{
	const struct upm_place *place = &frame->place;

	if (*place->symbol)
		return name_of(frames, place);
	if (!*place->path)
		return "[unknown]";
	snprintf(buffer, size, "[%s]", cli_base_name(place->path));
	return buffer;
}

void cli_frames_free(struct cli_frames *frames)
{
	upm_symbolizer_free(frames->symbolizer);
}
