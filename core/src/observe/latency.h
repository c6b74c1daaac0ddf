/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The measuring observer: kernel/bpf/latency*.bpf.[ch] and its rows. */
#ifndef UPM_OBSERVE_LATENCY_H
#define UPM_OBSERVE_LATENCY_H

#include "observe/counters.h"
#include "observe/observer.h"
#include "upm_latency.h"

/* Which programs measure. */
enum upm_latency_form {
	UPM_LATENCY_SESSION,	     /* one for entry and return */
	UPM_LATENCY_SESSION_CONTEXT, /* the same, for kernels from 7.0 on */
	UPM_LATENCY_PAIR,	     /* one for each */
	UPM_LATENCY_FORMS
};

/* The state of an observer: its rows, in this process. */
struct upm_latency {
	struct upm_latency_config config;
	const struct upm_latency_cell *cells; /* NULL = read by system calls */
	size_t cells_size;
	int cells_fd, owners_fd; /* not owned */
	struct upm_counters lost;
};

/** upm_latency() with the programs that are meant; those of another form can fail to load. */
int upm_latency_measure(enum upm_latency_form form, const struct upm_probe_set *set,
			const struct upm_latency_options *latency,
			const struct upm_attach_options *options, struct upm_observer **out);

/** Open the rows from the observer's maps. @return UPM_OK or an error; the state is then set */
int upm_latency_open_rows(struct upm_observer *observer);
void upm_latency_close_rows(struct upm_observer *observer);
/** upm_observer_hits(): calls that began, those without a row included. */
int upm_latency_hits(const struct upm_observer *observer, uint64_t *hits);

#define UPM_LATENCY_CELLS "upm_cells"
#define UPM_LATENCY_OWNERS "upm_owners"
#define UPM_LATENCY_LOST "upm_lost"

#endif
