/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Records of a ring buffer. Their layout is what a tracer makes, or what the pins of somebody
 * else's say; records come from the kernel's program, but a decoder must not trust that.
 */
#include "fuzz.h"

#include "look.h"
#include "trace/decode.h"
#include "trace/layout.h"

/* What the input begins with. */
struct input {
	uint8_t foreign; /* bit 0: the layout is as it stands, if it is sound */
	uint8_t texts;	 /* bit 0: records with texts */
	uint16_t padding;
	uint32_t arguments, slots, text_bytes, stack_bytes;
	uint32_t numbers_offset, plain_size, text_stride, full_size;
};

static bool lay_out(const struct input *input, struct upm_trace_config *config)
{
	const struct upm_trace_options trace = {
		.text_bytes = input->text_bytes % (UPM_TRACE_TEXT_MAX + 1),
		.stack_frames = input->stack_bytes % 128,
		.flags = input->stack_bytes % 128 ? UPM_TRACE_STACKS : 0,
	};
	struct upm_trace_list list = {.arguments.count =
					      input->arguments % (UPM_TRACE_ARGUMENTS + 1)};
	struct upm_trace_lists lists = {
		.lists.items = &list,
		.lists.count = 1,
		.most_texts = input->slots % (UPM_TRACE_ARGUMENTS + 1),
		.probe_count = 1,
	};

	if (!(input->foreign & 1)) {
		upm_trace_layout(&trace, &lists, config);
		return true;
	}
	config->arguments = input->arguments;
	config->texts = input->slots;
	config->text_bytes = input->text_bytes;
	config->stack_bytes = input->stack_bytes;
	config->numbers_offset = input->numbers_offset;
	config->plain_size = input->plain_size;
	config->text_stride = input->text_stride;
	config->full_size = input->full_size;
	return upm_trace_layout_is_sound(config);
}

static void look_at_event(const struct upm_batch *batch, const struct upm_event *event,
			  const struct upm_trace_record *record,
			  const struct upm_trace_config *config)
{
	const char *text = upm_batch_text(batch);
	uint32_t slots = 0;

	look(event->comm);
	fuzz_check(event->argument_count <= UPM_EVENT_ARGUMENTS);
	fuzz_check(event->stack_offset + 8 * (size_t)event->stack_count <=
		   upm_batch_text_size(batch));
	look_at_bytes(text + event->stack_offset, 8 * (size_t)event->stack_count);
	for (uint32_t i = 0; i < event->argument_count && slots < config->texts; i++) {
		if (!(record->texts & 1u << i))
			continue;
		slots++;
		if (!(event->unreadable & 1u << i))
			look_at_bytes(text + (uint32_t)event->arguments[i],
				      (event->arguments[i] >> 32) + 1);
	}
}

/* As often as the batch takes it. */
static void decode(const struct upm_trace_config *config, const uint8_t *record, uint32_t size)
{
	static struct upm_batch *batch;
	enum upm_decoded decoded;

	if (!batch)
		fuzz_check(upm_batch_new(8, 1, &batch) == UPM_OK);
	upm_batch_clear(batch);
	while ((decoded = upm_trace_decode(config, record, size, batch)) == UPM_DECODED)
		look_at_event(batch, &upm_batch_events(batch)[upm_batch_size(batch) - 1],
			      (const struct upm_trace_record *)record, config);
	fuzz_check(decoded == UPM_DECODE_DAMAGED || upm_batch_size(batch) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upm_trace_config config = {0};
	struct input input;
	uint8_t *record;
	uint32_t length;

	if (size < sizeof(input))
		return 0;
	memcpy(&input, data, sizeof(input));
	if (!lay_out(&input, &config))
		return 0;
	data += sizeof(input);
	size -= sizeof(input);
	length = input.texts & 1 ? config.full_size : config.plain_size;
	record = calloc(1, length);
	fuzz_check(record != NULL);
	memcpy(record, data, size < length ? size : length);
	decode(&config, record, length);
	free(record);
	return 0;
}
