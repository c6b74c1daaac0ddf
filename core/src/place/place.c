/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Placement: what a hit costs is decided by the instruction that it is on, and an observer is free
 * to choose among those that see the same calls.
 *
 * A function whose first instruction the kernel has to single-step (two traps) often has one soon
 * behind it that the kernel emulates (one trap): a push, or the branch that ends its first block.
 * Everything up to it is run once whenever the function is entered, unless a signal handler or the
 * end of the thread comes in between. proof.h tells how that is shown for each function; where it
 * is not, the probe stays at the entry.
 *
 * What a program looks at decides how far it may go. A count looks at nothing. Whoever watches the
 * return needs the stack pointer as it is at the entry, since the kernel takes the word there for
 * the return address. Arguments need their registers, and memory as the caller left it when they
 * are read from the stack or point to what is read.
 *
 * Three steps keep it cheap: blocks are read at once, with the code window that serves thousands
 * of functions; a file is looked through once for all its candidates; and each of them is then
 * proven by itself, on several threads when there are many. What a file says of itself does not
 * decide how long that takes: text.c and proof.c have bounds, and behind these probes stay.
 */
#include "place/place.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "place/block.h"
#include "place/proof.h"
#include "place/shadow_stacks.h"
#include "resolve/probe_name.h"

enum {
	LEAST_SHARE = 512, /* candidates that are worth a thread */
	MOST_SHARES = 4,
	PATIENCE = 1 << 20, /* bytes decoded, or as much work, before the caller is asked again */
	MOST_WORK = 4096    /* bytes that a candidate's surroundings count for */
};

static const char operation[] = "place probes";

/* A probe that could be placed elsewhere. */
struct move {
	size_t probe;
	struct upm_candidate candidate;
	uint8_t site; /* as struct upm_sites has it */
};

/* The moves within one file. */
struct moves {
	UPM_VECTOR(struct move) list;
	struct upm_text text;
};

struct placing {
	const struct upm_probe_table *table;
	upm_needs_fn needs;
	const void *context;
	upm_progress_fn progress;
	void *progress_context;
	bool calls; /* a direct call may be a site */
	struct upm_sites *sites;
};

/* The probes are not attached yet: that is the stage, and none of it is done. */
static bool wants_an_end(const struct placing *placing)
{
	return placing->progress && placing->progress("attach", 0, placing->table->probes.count,
						      placing->progress_context);
}

static int fail_cancelled(void)
{
	return upm_fail(UPM_ERR_CANCELLED, 0, operation, NULL, NULL,
			"the progress callback asked to stop");
}

static int set_site(struct placing *placing, size_t probe, uint8_t site)
{
	if (!placing->sites)
		placing->sites = upm_sites_new(placing->table->probes.count);
	if (!placing->sites)
		return upm_fail_memory(operation);
	placing->sites->distances[probe] = site;
	return UPM_OK;
}

/* ---- which probes */

static bool may_move(const struct upm_probe_table *table, const struct upm_probe_entry *probe)
{
	const uint8_t stay = UPM_PROBE_REPEATS | UPM_PROBE_UNVERIFIED | UPM_PROBE_IFUNC_RESOLVER;

	return probe->verdict == UPM_VERDICT_OK && probe->cost == UPM_COST_STEPPED &&
	       probe->kind != UPM_KIND_USDT && !(probe->flags & stay) &&
	       probe->name != UPM_NAME_NONE && !upm_probe_detail(table, probe)->symbol_offset &&
	       !upm_probe_detail(table, probe)->ref_ctr_offset;
}

/* Names of one point are of one function; the largest covers it. */
static uint64_t size_of(const struct upm_probe_table *table, const struct upm_probe_entry *probe)
{
	const struct upm_probe_detail *detail = upm_probe_detail(table, probe);
	uint64_t size;

	if (probe->flags & UPM_PROBE_IFUNC_TARGET)
		return 0;
	size = upm_name_size(table, probe->origin, probe->name);
	for (uint32_t i = 0; i < detail->alias_count; i++) {
		uint64_t other = upm_name_size(table, probe->origin,
					       table->aliases.items[detail->first_alias + i]);

		if (other > size)
			size = other;
	}
	return size;
}

static int consider(const struct placing *placing, size_t index, struct moves *moves,
		    struct upm_code_window *window)
{
	const struct upm_probe_entry *probe = &placing->table->probes.items[index];
	uint32_t needs = placing->needs(placing->context, placing->table, index);
	struct move move = {.probe = index};
	size_t available;
	const uint8_t *code;

	if (needs & UPM_NEEDS_PLACE ||
	    !upm_binary_address_of(moves->text.binary, probe->offset, &move.candidate.entry))
		return UPM_OK;
	code = upm_code_window_at(window, probe->offset, UPM_BLOCK_BYTES + UPM_INSN_MAX,
				  &available);
	move.candidate.size = size_of(placing->table, probe);
	if (!move.candidate.size && upm_binary_unwinds(moves->text.binary))
		return UPM_OK;
	move.candidate.site = upm_block_site(&moves->text.rules, needs, placing->calls, code,
					     available, move.candidate.size, move.candidate.entry);
	if (!move.candidate.site)
		return UPM_OK;
	upm_text_watch(&moves->text, move.candidate.entry + 1,
		       move.candidate.entry + move.candidate.site);
	return upm_vector_push(&moves->list, move) ? UPM_OK : upm_fail_memory(operation);
}

static int find_moves(const struct placing *placing, uint32_t file, struct moves *moves)
{
	const struct upm_probe_table *table = placing->table;
	struct upm_code_window window;
	int status = upm_code_window_open(&window, moves->text.binary);

	for (size_t i = 0; i < table->probes.count && !status; i++)
		if (may_move(table, &table->probes.items[i]) &&
		    upm_probe_file(table, &table->probes.items[i]) == file)
			status = consider(placing, i, moves, &window);
	upm_code_window_close(&window);
	return status;
}

/* ---- which of them are proven */

struct proving {
	const struct placing *placing;
	struct moves *moves;
	size_t share; /* moves of each thread */
	pthread_t caller;
	atomic_bool cancelled;
	int status[MOST_SHARES];
};

static uint8_t site_of(struct upm_prover *prover, const struct upm_candidate *candidate)
{
	if (upm_prove(prover, candidate))
		return candidate->site;
	return prover->exhausted ? UPM_SITE_TOO_MUCH : 0;
}

/* Only the thread that the library was called on may ask. */
static void ask(struct proving *proving)
{
	if (pthread_equal(proving->caller, pthread_self()) && wants_an_end(proving->placing))
		atomic_store(&proving->cancelled, true);
}

static int prove_range(struct proving *proving, size_t first, size_t end)
{
	struct upm_prover prover;
	int status = upm_prover_open(&prover, &proving->moves->text);
	uint64_t work = 0;

	for (size_t i = first; i < end && !status && !atomic_load(&proving->cancelled); i++) {
		struct move *move = &proving->moves->list.items[i];
		uint64_t before = prover.left;

		move->site = site_of(&prover, &move->candidate);
		if (prover.out_of_memory)
			status = UPM_ERR_MEMORY;
		work += before - prover.left + MOST_WORK;
		if (work < PATIENCE)
			continue;
		work = 0;
		ask(proving);
	}
	upm_prover_close(&prover);
	return status;
}

static void prove_share(void *context, size_t index)
{
	struct proving *proving = context;
	size_t first = index * proving->share, end = first + proving->share;

	if (end > proving->moves->list.count)
		end = proving->moves->list.count;
	proving->status[index] = prove_range(proving, first, end);
}

static int prove(const struct placing *placing, struct moves *moves)
{
	size_t shares = upm_parallel_shares(moves->list.count, LEAST_SHARE, MOST_SHARES);
	struct proving proving = {
		.placing = placing,
		.moves = moves,
		.share = (moves->list.count + shares - 1) / shares,
		.caller = pthread_self(),
	};

	upm_parallel(shares, shares, prove_share, &proving);
	for (size_t i = 0; i < shares; i++)
		if (proving.status[i])
			return upm_fail_memory(operation);
	return atomic_load(&proving.cancelled) ? fail_cancelled() : UPM_OK;
}

/* ---- a file after the other */

static int keep_sites(struct placing *placing, const struct moves *moves)
{
	int status = UPM_OK;

	for (size_t i = 0; i < moves->list.count && !status; i++)
		if (moves->list.items[i].site)
			status = set_site(placing, moves->list.items[i].probe,
					  moves->list.items[i].site);
	return status;
}

static int place_moves(struct placing *placing, uint32_t file, struct moves *moves)
{
	int status = find_moves(placing, file, moves);

	if (status || !moves->list.count)
		return status;
	status = upm_text_survey(&moves->text);
	if (!status)
		status = prove(placing, moves);
	return status ? status : keep_sites(placing, moves);
}

/* None of a file's probes is moved, and each that might have been says why. */
static int give_up(struct placing *placing, uint32_t file, uint8_t why)
{
	const struct upm_probe_table *table = placing->table;
	int status = UPM_OK;

	for (size_t i = 0; i < table->probes.count && !status; i++)
		if (may_move(table, &table->probes.items[i]) &&
		    upm_probe_file(table, &table->probes.items[i]) == file &&
		    !(placing->needs(placing->context, table, i) & UPM_NEEDS_PLACE))
			status = set_site(placing, i, why);
	return status;
}

static int place_file(struct placing *placing, uint32_t file)
{
	struct upm_binary *binary = placing->table->files.items[file].binary;
	struct moves moves = {0};
	int status;

	if (!binary || binary->fd < 0)
		return UPM_OK;
	if (wants_an_end(placing))
		return fail_cancelled();
	status = upm_text_open(&moves.text, binary);
	if (status == UPM_ERR_UNSUPPORTED)
		return UPM_OK;
	if (status)
		return give_up(placing, file,
			       status == UPM_ERR_LIMIT ? UPM_SITE_TOO_MUCH : UPM_SITE_NO_MEMORY);
	status = place_moves(placing, file, &moves);
	upm_vector_clear(&moves.list);
	upm_text_close(&moves.text);
	return status;
}

int upm_place(const struct upm_probe_table *table, upm_needs_fn needs, const void *context,
	      upm_progress_fn progress, void *progress_context, struct upm_sites **out)
{
	struct placing placing = {
		.table = table,
		.needs = needs,
		.context = context,
		.progress = progress,
		.progress_context = progress_context,
		.calls = !upm_has_shadow_stacks(),
	};
	int status = UPM_OK;

	for (size_t i = 0; i < table->files.count && !status; i++)
		status = place_file(&placing, (uint32_t)i);
	if (status) {
		upm_sites_unref(placing.sites);
		return status;
	}
	*out = placing.sites;
	return UPM_OK;
}

/* ---- what programs need */

uint32_t upm_needs_of_count(const void *context, const struct upm_probe_table *table, size_t index)
{
	(void)context;
	return table->probes.items[index].kind == UPM_KIND_URETPROBE ? UPM_STATE_RSP : 0;
}

uint32_t upm_needs_of_return(const void *context, const struct upm_probe_table *table, size_t index)
{
	(void)context, (void)table, (void)index;
	return UPM_STATE_RSP;
}

uint32_t upm_needs_of_arguments(const void *context, const struct upm_probe_table *table,
				size_t index)
{
	return upm_needs_of_count(context, table, index) | UPM_STATE_ARGUMENTS;
}

uint32_t upm_needs_of_any(const void *context, const struct upm_probe_table *table, size_t index)
{
	(void)context, (void)table, (void)index;
	return UPM_STATE_REGISTERS | UPM_STATE_MEMORY;
}

int32_t upm_probe_set_place(struct upm_probe_set *set, uint32_t observer)
{
	static const upm_needs_fn needs[] = {
		[0] = upm_needs_of_any,
		[UPM_OBSERVER_COUNT] = upm_needs_of_count,
		[UPM_OBSERVER_LATENCY] = upm_needs_of_return,
		[UPM_OBSERVER_TRACE] = upm_needs_of_arguments,
	};
	struct upm_sites *sites = NULL;
	int status;

	if (!set || observer > UPM_OBSERVER_TRACE)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL,
				"give a set, and 0 or a value of enum upm_observer_kind",
				set ? "%u is no kind of observer" : "set is NULL", observer);
	status = upm_place(set->table, needs[observer], NULL, NULL, NULL, &sites);
	if (status)
		return status;
	upm_sites_unref(set->sites);
	set->sites = sites;
	return UPM_OK;
}
