/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/parallel.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS_MAX 128
#define STACK_SIZE (64 * 1024)

struct pool {
	void (*work)(void *context, size_t index);
	void *context;
	size_t count;
	atomic_size_t next;
};

static void *drain(void *argument)
{
	struct pool *pool = argument;
	size_t index;

	while ((index = atomic_fetch_add(&pool->next, 1)) < pool->count)
		pool->work(pool->context, index);
	return NULL;
}

/* The helpers block every signal: the application's handlers run on its own threads. */
static size_t start(void *(*run)(void *), void *argument, pthread_t *threads, size_t wanted)
{
	size_t started = 0, stack = STACK_SIZE > PTHREAD_STACK_MIN ? STACK_SIZE : PTHREAD_STACK_MIN;
	sigset_t all, before;
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes))
		return 0;
	pthread_attr_setstacksize(&attributes, stack);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < wanted &&
	       pthread_create(&threads[started], &attributes, run, argument) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return started;
}

void upm_parallel(size_t count, size_t max_threads, void (*work)(void *context, size_t index),
		  void *context)
{
	struct pool pool = {.work = work, .context = context, .count = count};
	pthread_t threads[THREADS_MAX];
	size_t wanted = count < max_threads ? count : max_threads;
	size_t started = 0;

	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	if (wanted > 1)
		started = start(drain, &pool, threads, wanted - 1);
	drain(&pool);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

size_t upm_parallel_shares(uint64_t items, uint64_t least, size_t most)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t shares = items / least;

	if (shares > most)
		shares = most;
	if (processors > 0 && shares > (uint64_t)processors)
		shares = (uint64_t)processors;
	return shares ? (size_t)shares : 1;
}
