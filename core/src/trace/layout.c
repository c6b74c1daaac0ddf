/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/layout.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/options.h"
#include "uprobe_multi.h"

#define DEFAULT_RING (16U << 20)
#define MOST_RING (1U << 30)
#define LEAST_RECORDS 16 /* in a ring */
#define DEFAULT_TEXT 256
#define DEFAULT_FRAMES 64
#define MOST_FRAMES 127 /* kernel.perf_event_max_stack, as it is by default */
#define MOST_CALLS 16384
#define CALLS_BUDGET (64U << 20) /* bytes: the table is kept in memory that is never paged out */

static const char operation[] = "trace probes";

/* Of struct pt_regs on x86-64, of struct user_pt_regs on aarch64. */
#ifdef __aarch64__
static const struct upm_registers_shape registers = {
	.size = 272, .instruction = 256, .stack = 248, .link = 240};
#else
static const struct upm_registers_shape registers = {
	.size = 168, .instruction = 128, .stack = 152, .popped = 8};
#endif

/* ---- options */

static int refuse(const char *field, const char *hint, uint64_t value)
{
	return upm_fail(UPM_ERR_INVALID, 0, operation, field, hint, "%llu is out of range",
			(unsigned long long)value);
}

int upm_trace_options_read(struct upm_trace_options *ours, const struct upm_trace_options *theirs)
{
	const uint32_t known = UPM_TRACE_RETURNS | UPM_TRACE_STACKS;
	int status = upm_options_read(ours, sizeof(*ours), theirs, "struct upm_trace_options");

	if (status)
		return status;
	if (ours->flags & ~known)
		return refuse("flags", "use the flags of this library's header", ours->flags);
	if (ours->ring_bytes > MOST_RING)
		return refuse("ring_bytes", "give at most 1 GiB", ours->ring_bytes);
	if (ours->text_bytes > UPM_TRACE_TEXT_MAX)
		return refuse("text_bytes", "give at most 4096 bytes", ours->text_bytes);
	if (ours->stack_frames > MOST_FRAMES)
		return refuse("stack_frames", "give at most 127 frames", ours->stack_frames);
	if ((ours->tid_count && !ours->tids) || ours->tid_count > UPM_SCOPE_MAX)
		return refuse("tid_count", "give as many as tids has, at most 65,536",
			      ours->tid_count);
	if (ours->probe_argument_count && !ours->probe_arguments)
		return refuse("probe_argument_count", "give as many as probe_arguments has",
			      ours->probe_argument_count);
	if (!ours->ring_bytes)
		ours->ring_bytes = DEFAULT_RING;
	if (!ours->text_bytes)
		ours->text_bytes = DEFAULT_TEXT;
	if (!ours->stack_frames)
		ours->stack_frames = DEFAULT_FRAMES;
	return UPM_OK;
}

/* ---- events */

static uint32_t in_words(uint32_t bytes)
{
	return (bytes + 7) / 8 * 8;
}

static void add_list(const struct upm_trace_list *list, struct upm_trace_config *config)
{
	if (list->arguments.count > config->arguments)
		config->arguments = list->arguments.count;
	for (uint32_t i = 0; i < list->condition_count; i++)
		config->conditions |= list->conditions[i].subject < UPM_TRACE_ARGUMENTS
					      ? UPM_CONDITIONS_ARGUMENTS
					      : UPM_CONDITIONS_OUTCOME;
}

static void lay_out_record(struct upm_trace_config *config)
{
	config->numbers_offset = sizeof(struct upm_trace_record);
	if (config->stack_bytes)
		config->numbers_offset += (uint32_t)sizeof(uint64_t) + config->stack_bytes;
	config->plain_size = config->numbers_offset + 8 * config->arguments;
	/* The byte for the NUL, and the one that tells that a string goes on. */
	config->text_stride =
		(uint32_t)sizeof(struct upm_trace_slot) + in_words(config->text_bytes + 2);
	config->full_size = config->plain_size + config->texts * config->text_stride;
}

bool upm_trace_layout_is_sound(const struct upm_trace_config *config)
{
	struct upm_trace_config again = *config;

	if (config->arguments > UPM_TRACE_ARGUMENTS || config->texts > UPM_TRACE_ARGUMENTS ||
	    config->text_bytes > UPM_TRACE_TEXT_MAX || config->stack_bytes > 8 * MOST_FRAMES)
		return false;
	lay_out_record(&again);
	return again.numbers_offset == config->numbers_offset &&
	       again.plain_size == config->plain_size && again.text_stride == config->text_stride &&
	       again.full_size == config->full_size;
}

void upm_trace_layout(const struct upm_trace_options *trace, const struct upm_trace_lists *lists,
		      struct upm_trace_config *config)
{
	config->registers = registers;
	config->probes = (uint32_t)lists->probe_count;
	config->returns = (trace->flags & UPM_TRACE_RETURNS) != 0;
	config->texts = lists->most_texts;
	config->text_bytes = trace->text_bytes;
	config->stack_bytes = trace->flags & UPM_TRACE_STACKS ? 8 * trace->stack_frames : 0;
	config->sample = trace->sample;
	config->rate = trace->rate;
	config->selects_threads = trace->tid_count != 0;
	config->selects_comm = trace->comm != NULL;
	if (trace->comm)
		memcpy(config->comm, trace->comm, strnlen(trace->comm, sizeof(config->comm) - 1));
	for (size_t i = 0; i < lists->lists.count; i++)
		add_list(&lists->lists.items[i], config);
	lay_out_record(config);
}

uint32_t upm_trace_record_size(const struct upm_trace_config *config)
{
	return config->texts ? config->full_size : config->plain_size;
}

uint32_t upm_trace_ring_bytes(const struct upm_trace_options *trace,
			      const struct upm_trace_config *config)
{
	uint64_t least = (uint64_t)LEAST_RECORDS * upm_trace_record_size(config);
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);

	while (bytes < trace->ring_bytes || bytes < least)
		bytes *= 2;
	return (uint32_t)bytes;
}

uint32_t upm_trace_calls(const struct upm_trace_config *config)
{
	uint32_t most = CALLS_BUDGET / upm_trace_record_size(config);

	if (!config->returns)
		return 1;
	return most < MOST_CALLS ? most : MOST_CALLS;
}
