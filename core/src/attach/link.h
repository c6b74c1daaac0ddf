/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The handle behind upm_link: the probes asked for and the kernel links that carry them. */
#ifndef UPM_ATTACH_LINK_H
#define UPM_ATTACH_LINK_H

#include <stdbool.h>

#include "attach/outcome.h"
#include "attach/usdt_claim.h"
#include "resolve/probe_table.h"
#include "resolve/sites.h"
#include "uprobe_multi.h"

/* One descriptor that keeps probes alive. */
struct upm_kernel_handle {
	int fd;	       /* a link, or on kernels without perf links the event itself */
	int event_fd;  /* the perf event that the link uses; -1 = none, or kept by the link alone */
	uint32_t file; /* index in the table's files: the first one */
	uint32_t files; /* how many it probes */
	int32_t pid;	/* 0 = every process */
	uint32_t probes;
	uint8_t kind;
	uint8_t program; /* number of the program in its attach */
};

struct upm_link {
	struct upm_probe_table *table;
	struct upm_sites *sites; /* of its probes; NULL = where they were asked for */
	struct upm_outcome outcome;
	UPM_VECTOR(struct upm_kernel_handle) handles;
	enum upm_backend backend;
	bool cookie_is_index;
	struct upm_usdt_claim *usdt; /* NULL = none */
	uint64_t attach_ns;
};

/** @return a link of this table (a reference is taken) with nothing attached, or NULL. */
struct upm_link *upm_link_new(struct upm_probe_table *table);
/** Close the handles from number first on, many at once but those of the last program before the
 * others, and forget them. */
void upm_link_drop_handles(struct upm_link *link, size_t first);

#endif
