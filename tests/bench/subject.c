/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The observers, and empty programs on the same kinds of links. */
#include "subject.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "attach/sys.h"

#define WARM_UP 2000

uint64_t time_calls(struct caller *caller, unsigned long calls)
{
	caller_run(caller, calls < WARM_UP ? calls : WARM_UP);
	return caller_run(caller, calls);
}

static const struct upm_probe_set *set_of(const struct caller *caller,
					  const struct subject *subject)
{
	return subject->at_return ? caller->returns : caller->set;
}

static uint64_t time_empty(struct caller *caller, const struct subject *subject,
			   unsigned long calls)
{
	int program = need_errno(upm_sys_program_load_nop(subject->attach_type), "load a program");
	struct upm_link *link;
	uint64_t time;

	NEED(upm_attach(program, set_of(caller, subject), &caller->options, &link));
	time = time_calls(caller, calls);
	upm_link_free(link);
	close(program);
	return time;
}

static uint64_t time_count(struct caller *caller, const struct subject *subject,
			   unsigned long calls)
{
	struct upm_observer *observer;
	uint64_t time;

	NEED(upm_count(set_of(caller, subject), &caller->options, &observer));
	time = time_calls(caller, calls);
	upm_observer_free(observer);
	return time;
}

static uint64_t time_latency(struct caller *caller, const struct subject *subject,
			     unsigned long calls)
{
	struct upm_observer *observer;
	uint64_t time;

	(void)subject;
	NEED(upm_latency(caller->set, NULL, &caller->options, &observer));
	time = time_calls(caller, calls);
	upm_observer_free(observer);
	return time;
}

struct listener {
	struct upm_observer *observer;
	atomic_bool stop;
};

static void *read_events(void *context)
{
	struct listener *listener = context;
	struct upm_batch *batch;

	NEED(upm_batch_new(0, 0, &batch));
	while (!atomic_load(&listener->stop))
		NEED(upm_trace_read(listener->observer, batch, 20));
	upm_batch_free(batch);
	return NULL;
}

static uint64_t time_trace(struct caller *caller, const struct subject *subject,
			   unsigned long calls)
{
	struct upm_trace_options trace = {.size = sizeof(trace), .flags = subject->flags};
	struct listener listener = {0};
	pthread_t thread;
	uint64_t time;

	NEED(upm_trace(caller->set, &trace, &caller->options, &listener.observer));
	need_errno(-pthread_create(&thread, NULL, read_events, &listener), "start a thread");
	time = time_calls(caller, calls);
	atomic_store(&listener.stop, true);
	pthread_join(thread, NULL);
	upm_observer_free(listener.observer);
	return time;
}

const struct subject subject_empty = {"an empty program", time_empty,
				      .attach_type = UPM_BPF_TRACE_UPROBE_MULTI};
const struct subject subject_empty_return = {"an empty program at the return", time_empty,
					     .attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
					     .at_return = true};
const struct subject subject_empty_session = {"an empty program at entry and return", time_empty,
					      .attach_type = UPM_BPF_TRACE_UPROBE_SESSION};
const struct subject subject_count = {.name = "count", .time = time_count};
const struct subject subject_count_return = {
	.name = "count at the return", .time = time_count, .at_return = true};
const struct subject subject_latency = {.name = "latency", .time = time_latency};
const struct subject subject_trace = {.name = "trace, six registers", .time = time_trace};
const struct subject subject_trace_calls = {"trace, calls with result", time_trace,
					    .flags = UPM_TRACE_RETURNS};

uint64_t compare_subjects(struct caller *caller, const struct duel *duel)
{
	struct comparison comparison = {
		.name = duel->name,
		.what = duel->what,
		.probes = 1,
		.base_name = duel->base->name,
		.ours_name = duel->ours->name,
		.goal = duel->goal,
	};

	for (int turn = 0; turn < 2 * duel->rounds; turn++) {
		bool is_ours = (turn % 4 == 0 || turn % 4 == 3);
		const struct subject *subject = is_ours ? duel->ours : duel->base;

		samples_add(is_ours ? &comparison.ours : &comparison.base,
			    subject->time(caller, subject, duel->calls));
	}
	report_comparison(&comparison);
	return samples_median(&comparison.base);
}
