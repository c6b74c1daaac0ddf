/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The adapter of C: reads steps, one JSON object a line, does what each says with the public
 * header and writes the answer as one line. ../README.md has the vocabulary.
 */
#ifndef UPM_CONFORMANCE_ADAPTER_H
#define UPM_CONFORMANCE_ADAPTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "uprobe_multi.h"

/** Does one step. @return what the library returned; on success answer has been filled in. */
typedef int32_t (*verb_fn)(const json_t *step, json_t *answer);

struct verb {
	const char *name;
	verb_fn run;
};

/* The verbs of each subject; the last one has no name. */
extern const struct verb probe_verbs[], link_verbs[], observer_verbs[], latency_verbs[],
	trace_verbs[], pin_verbs[];

/** End the adapter: the step is not one of the vocabulary. */
__attribute__((noreturn, format(printf, 1, 2))) void broken(const char *format, ...);

/* What a step has. A key that is missing ends the adapter, but for the _or_ ones. */
const char *text_of(const json_t *step, const char *key);
const char *text_or_null(const json_t *step, const char *key);
uint64_t number_or(const json_t *step, const char *key, uint64_t otherwise);
/** Numbers beyond JSON's are decimal texts. */
uint64_t number_of(const json_t *value);
json_t *number_json(uint64_t number);
/** An array of texts, for upm_resolve(); NULL and 0 without the key. To be freed. */
const char **texts_of(const json_t *step, const char *key, size_t *count);
uint64_t *numbers_of(const json_t *step, const char *key, size_t *count);
/** Bits of names in an array. */
uint32_t flags_of(const json_t *step, const char *const *names);
/** Number of a word: name(0), name(1), … up to most. */
uint32_t word_of(const char *word, const char *(*name)(uint32_t), uint32_t most);
uint32_t kind_of(const json_t *step);

void put(json_t *answer, const char *key, json_t *value);
void put_number(json_t *answer, const char *key, uint64_t number);
void put_text(json_t *answer, const char *key, const char *text);

/* Handles by the name that a step gives them. */
enum thing { THING_SET, THING_LINK, THING_OBSERVER, THING_OBJECT, THING_SNAPSHOT };
void keep(const json_t *step, enum thing thing, void *handle);
void *find(const json_t *step, const char *key, enum thing thing);
/** The handle named by "of" when it is such a thing, else NULL. */
void *find_if(const json_t *step, enum thing thing);

/** upm_attach_options that a step gives. */
struct attach {
	struct upm_attach_options options;
	int32_t pids[8];
	uint64_t calls_left; /* of progress */
};
void attach_of(const json_t *step, struct attach *attach);
/** Cancels when calls_left of *context has come down to 0. */
int32_t count_down(const char *stage, uint64_t done, uint64_t total, void *context);
size_t pids_of(const json_t *step, int32_t *pids, size_t most);

/** The fields of a probe that the step asks for; set may be NULL. */
json_t *probe_json(const json_t *step, const struct upm_probe *probe,
		   const struct upm_probe_set *set, size_t index);
/** Keep a new observer and tell of it, or pass the error on. */
int32_t keep_observer(const json_t *step, json_t *answer, int32_t status,
		      struct upm_observer *observer);
void free_measured(void *snapshot);
/** attached, skipped, backend */
void put_link(json_t *answer, const struct upm_link *link);

#endif
