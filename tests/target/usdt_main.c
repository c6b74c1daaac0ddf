/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The target of USDT tests. It prints "ready PID", then answers lines of its standard
 * input: "fire" hits every probe of usdt_forms.h once ("fired ROUND"), "thread" does so in a
 * thread of its own, "semaphore" tells
 * that of forms:many ("semaphore N"), "guarded" hits forms:many only if that is raised
 * ("guarded 0" or "guarded 1").
 */
#define _SDT_HAS_SEMAPHORES 1
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

#include "usdt_forms.h"

volatile unsigned short forms_many_semaphore __attribute__((section(".probes")));
volatile unsigned short forms_none_semaphore __attribute__((section(".probes")));

#define DECLARE(name) void fire_##name(int round);
USDT_CONSTRAINTS(DECLARE)

static void fire_many(int round)
{
	STAP_PROBE12(forms, many, 0 * round, 1 * round, 2 * round, 3 * round, 4 * round, 5 * round,
		     6 * round, 7 * round, 8 * round, 9 * round, 10 * round, 11 * round);
}

static __attribute__((noinline)) void fire(int round)
{
#define FIRE(name) fire_##name(round);
	USDT_CONSTRAINTS(FIRE)
	fire_many(round);
	STAP_PROBE(forms, none);
	printf("fired %d\n", round);
}

static void *fire_in_thread(void *round)
{
	fire(*(int *)round);
	return NULL;
}

static void run_thread(int round)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fire_in_thread, &round) == 0)
		pthread_join(thread, NULL);
}

static void guarded(int round)
{
	int raised = forms_many_semaphore != 0;

	if (raised)
		fire_many(round);
	printf("guarded %d\n", raised);
}

int main(void)
{
	char line[64];
	int round = 0;

	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "fire\n") == 0)
			fire(++round);
		else if (strcmp(line, "thread\n") == 0)
			run_thread(++round);
		else if (strcmp(line, "guarded\n") == 0)
			guarded(++round);
		else
			printf("semaphore %d\n", forms_many_semaphore);
		fflush(stdout);
	}
	return 0;
}
