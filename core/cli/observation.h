/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One observation, from specs to the result: what count, latency and trace have in common.
 *
 *     resolve → hold the command → make → pin, or:
 *     read(OPEN) → release the command → watch → read(CLOSE) → stop → read(END) → print
 *
 * What is pinned is opened in place of the first line, and never stopped. A kind of observer
 * fills in the steps of struct cli_kind, and has its own state behind a struct
 * cli_observation at the start.
 */
#ifndef UPM_CLI_OBSERVATION_H
#define UPM_CLI_OBSERVATION_H

#include "live.h"
#include "names.h"
#include "run.h"
#include "skipped.h"
#include "terminal.h"

struct cli_observation;

/** When a reading is taken. Rates are of the time between OPEN and CLOSE. */
enum cli_reading {
	CLI_READ_OPEN,	/**< every probe is armed; the command has not begun */
	CLI_READ_TICK,	/**< from time to time while watching */
	CLI_READ_CLOSE, /**< the end has come, every probe is still armed */
	CLI_READ_END	/**< nothing changes any more; of what is pinned: this is enough */
};

/** A kind of observer. Steps return 0, or CLI_FAILED after a message. */
struct cli_kind {
	uint32_t kind;	   /**< enum upm_observer_kind */
	const char *doing; /**< such as "counting" */
	size_t size;	   /**< of the state that begins with a struct cli_observation */
	/** Whether returns of functions are watched too; NULL = no. */
	bool (*with_returns)(const struct cli_options *options);
	/** Attach. @return as the library, or CLI_FAILED after a message */
	int32_t (*make)(struct cli_observation *observation,
			const struct upm_attach_options *options);
	int (*prepare)(struct cli_observation *observation);
	int (*read)(struct cli_observation *observation, enum cli_reading when);
	/** Wait for the end; NULL = readings at each tick, drawn where there is a live table. */
	int (*watch)(struct cli_observation *observation, struct cli_wait *wait);
	void (*draw)(struct cli_observation *observation);
	/** Whether readings are taken at each tick without a live table too; NULL = no. */
	bool (*needs_ticks)(const struct cli_observation *observation);
	int (*print)(struct cli_observation *observation);
	int (*print_json)(struct cli_observation *observation);
	void (*release)(struct cli_observation *observation);
};

extern const struct cli_kind cli_kind_count;
extern const struct cli_kind cli_kind_latency;
extern const struct cli_kind cli_kind_trace;

struct cli_observation {
	const struct cli_kind *kind;
	struct cli_run run;
	struct cli_names names;
	struct cli_live live;
	FILE *out;
	const char *pinned;		 /**< the name it was opened by, or NULL */
	struct upm_probe_set *resolved;	 /**< from the specs; NULL when it was opened */
	const struct upm_probe_set *set; /**< what is observed, in the order of all results */
	struct upm_observer *observer;	 /**< NULL when nothing could be attached */
	const struct upm_link *link;	 /**< of the observer */
	size_t links;			 /**< kernel links behind it, while attached */
	size_t *attached;		 /**< positions in the set, ascending */
	size_t attached_count;
	bool full_paths;      /**< two files of the set have the same base name */
	bool skipped_told;    /**< before the table */
	bool is_final;	      /**< the last reading has been taken */
	uint64_t observed_ns; /**< from OPEN to CLOSE; 0 = it was only looked at */
	uint64_t detach_ns;
};

/** Observe the specs of the options. @return the exit status */
int cli_observe(const struct cli_options *options, const struct cli_kind *kind);

/** Show what is pinned under a name. @return the exit status */
int cli_observe_pinned(const struct cli_options *options, const char *name);

/** @return what is skipped, for the reports. */
struct cli_skipped cli_observation_skipped(const struct cli_observation *observation);

/** On a terminal, print what is skipped before the table, which it would push off the screen. */
void cli_print_begin(struct cli_observation *observation, const struct cli_window *window);

/**
 * Print "hits     N (N/s) in N functions".
 * @param title     such as "hits", at most 8 columns
 * @param observed  those while all probes were armed
 */
void cli_print_amount(const struct cli_observation *observation, FILE *out, const char *title,
		      uint64_t total, uint64_t observed, size_t functions);

/** Tell what the rates leave out. @param noun such as "hit" */
void cli_print_rates(const struct cli_observation *observation, FILE *out, uint64_t outside,
		     const char *noun);

/** Print how many are attached, what took how long, how the command ended, and what is skipped. */
void cli_print_end(struct cli_observation *observation, FILE *out);

/** Add what all kinds have, up to "lost_processes". */
void cli_json_observation(struct cli_json *json, const struct cli_observation *observation);

/** @return {"path","symbol","offset","kind"} and, when asked for, "demangled". NULL: no memory. */
json_t *cli_json_probe(struct cli_observation *observation, size_t position);

/** Print why nothing could be attached. @return CLI_FAILED */
int cli_print_nothing(struct cli_observation *observation);

/** Print under what name it is pinned, and how to get at it. @return CLI_DONE or CLI_FAILED */
int cli_print_pinned(struct cli_observation *observation);

#endif
