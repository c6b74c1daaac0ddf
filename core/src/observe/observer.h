/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What all observers have in common, and what each kind brings.
 *
 * An observer is made in steps: the kind opens and configures its program (prepare), the
 * program is loaded, the kind maps what it reads (open), processes are selected, the probes are
 * attached. One that was pinned is opened from its maps alone: the kind gets the same maps by
 * the same names, and its open step sees no difference.
 */
#ifndef UPM_OBSERVE_OBSERVER_H
#define UPM_OBSERVE_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/job.h"
#include "base/bytes.h"
#include "observe/process_filter.h"
#include "place/place.h"
#include "uprobe_multi.h"

struct bpf_object;

/* Most maps that a reader of an observer needs, and most programs of one. */
enum { UPM_OBSERVER_MAPS = 8, UPM_OBSERVER_PROGRAMS = 4 };

struct upm_observer {
	const struct upm_observer_type *type;
	struct upm_probe_set *set; /* what is observed; its own */
	struct upm_link *link;
	struct bpf_object *object; /* NULL when opened from pins */
	struct upm_process_filter filter;
	int map_fds[UPM_OBSERVER_MAPS]; /* in the order of type->maps; -1 = none */
	void *state;			/* of the kind; NULL until its open step */
	int pin_fd;			/* the directory of its pins; -1 = not pinned */
	int reader_fd;			/* a file that the reader of events has locked; -1 = none */
	int32_t reader; /* the one process that reads the events: share/events.h; 0 = not known */
};

/* One upm_count() and the like under way. */
struct upm_observation {
	const char *operation; /* for errors: "count hits" */
	const struct upm_probe_set *set;
	struct upm_attach_options options; /* the caller's, read */
	struct upm_scope scope;
	enum upm_backend backend;
	bool filter;	     /* the program selects processes: its map upm_scope is used */
	const void *request; /* the options of the kind */

	/* What the kind's prepare step decides: */
	struct upm_attach_program
		programs[UPM_OBSERVER_PROGRAMS]; /* fds are filled in after the load */
	const char *program_names[UPM_OBSERVER_PROGRAMS];
	size_t program_count;
};

struct upm_observer_type {
	enum upm_observer_kind kind;
	/* Names of the maps that a reader needs, up to the first NULL. The first is the program's
	 * constants (".rodata"), which tell their shape. */
	const char *maps[UPM_OBSERVER_MAPS];
	/*
	 * Open the shipped program (observer->object), size its maps, set its constants, name its
	 * programs. Nothing is loaded yet. @return UPM_OK or an error
	 */
	int (*prepare)(struct upm_observation *observation, struct upm_observer *observer);
	/* What the program needs to find at the site of a probe; its context is the observer, after
	 * prepare. */
	upm_needs_fn needs;
	/* Fill maps in after the load and before the attach; may be NULL. @return UPM_OK or an
	 * error */
	int (*fill)(const struct upm_observation *observation, struct upm_observer *observer);
	/* Map what is read, from observer->map_fds alone; sets observer->state. @return UPM_OK or
	 * an error */
	int (*open)(struct upm_observer *observer);
	/* Undo open; the state may be NULL. */
	void (*close)(struct upm_observer *observer);
	/* upm_observer_hits() */
	int (*hits)(const struct upm_observer *observer, uint64_t *hits);
	/*
	 * What a reader needs beside maps and probes, as bytes to be kept with the pins, and back
	 * again, after open; both may be NULL. @return UPM_OK or an error
	 */
	int (*store)(const struct upm_observer *observer, struct upm_bytes *bytes);
	int (*restore)(struct upm_observer *observer, const void *bytes, size_t size);
};

extern const struct upm_observer_type upm_count_type, upm_latency_type, upm_trace_type;

/** @return an observer without anything but its type and a reference to the set's probes, or NULL.
 */
struct upm_observer *upm_observer_new(const struct upm_observer_type *type,
				      const struct upm_probe_set *set);
/**
 * Make an observer: every step from the caller's arguments to attached probes.
 * @param observation  with operation, set and request
 * @return as upm_count()
 */
int upm_observe(const struct upm_observer_type *type, struct upm_observation *observation,
		const struct upm_attach_options *options, struct upm_observer **out);
/** @return descriptor of the map of this name in type->maps; -1 when there is none. */
int upm_observer_map(const struct upm_observer *observer, const char *name);
/** Read the program's constants. @return UPM_OK or UPM_ERR_SYSTEM; UPM_ERR_FORMAT for another size
 */
int upm_observer_constants(const struct upm_observer *observer, void *constants, size_t size);
/** Refuse an observer that is NULL or of another kind. @return UPM_OK or UPM_ERR_INVALID */
int upm_observer_require(const struct upm_observer *observer, const struct upm_observer_type *type,
			 const char *operation);

#endif
