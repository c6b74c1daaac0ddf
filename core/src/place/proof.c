/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "place/proof.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "judge/flow.h"

enum {
	STEP = 80,  /* bytes in which all ways of decoding fall into step */
	FAR = 143,  /* most bytes from the beginning of a jump of one byte forward to its target */
	NEAR = 128, /* most bytes from a target to the beginning of a jump of one byte back to it */
	MOST_PARTS = 64,
	LONGEST_PART = 32 << 10,
	LONGEST_FUNCTION = 4 << 20,
	LEAST_BUDGET = 1 << 20
};

/* Of each prover. What compilers make takes about as much as there is code. */
static uint64_t budget_of(const struct upm_text *text)
{
	return 4 * text->span + LEAST_BUDGET;
}

int upm_prover_open(struct upm_prover *prover, const struct upm_text *text)
{
	int status;

	memset(prover, 0, sizeof(*prover));
	prover->text = text;
	prover->left = budget_of(text);
	status = upm_text_view_open(&prover->view, text);
	if (!status)
		status = upm_text_view_open(&prover->elsewhere, text);
	return status;
}

void upm_prover_close(struct upm_prover *prover)
{
	upm_text_view_close(&prover->view);
	upm_text_view_close(&prover->elsewhere);
	upm_vector_clear(&prover->targets);
	upm_vector_clear(&prover->begins);
	upm_vector_clear(&prover->parts);
	upm_vector_clear(&prover->loads);
}

static bool flow_at(struct upm_text_view *view, uint64_t address, struct upm_flow *flow)
{
	size_t available;
	const uint8_t *code = upm_text_at(view, address, &available);

	return code && upm_flow_of(&view->text->rules, code, available, flow);
}

static uint64_t target_of(const struct upm_flow *flow, uint64_t address)
{
	return address + flow->length + (uint64_t)(int64_t)flow->target;
}

/* Behind the entry, up to and including the site. */
static bool is_inside(const struct upm_candidate *candidate, uint64_t address)
{
	return address - candidate->entry - 1 < candidate->site;
}

/* ---- what leads there from afar, and what begins there */

static bool is_reached(const struct upm_text *text, const struct upm_candidate *candidate)
{
	for (uint64_t at = 1; at <= candidate->site; at++)
		if (upm_text_has(text, text->reached, candidate->entry + at) ||
		    upm_text_has(text, text->starts, candidate->entry + at))
			return true;
	return false;
}

/* ---- jumps of one byte */

/* The bytes around a candidate. */
struct zone {
	const struct upm_candidate *candidate;
	uint64_t first, end;
	bool seen[STEP + FAR + 256 + NEAR]; /* an instruction that begins here was decoded */
	bool meets_entry;
	bool jumps; /* into the place */
};

static bool is_seen(struct zone *zone, uint64_t address)
{
	bool *seen = &zone->seen[address - zone->first];
	bool before = *seen;

	*seen = true;
	return before;
}

/* Decode from an address on until what follows is known. */
static void walk(struct upm_prover *prover, struct zone *zone, uint64_t address, uint64_t end)
{
	struct upm_flow flow;

	while (address < end && !is_seen(zone, address)) {
		if (!flow_at(&prover->view, address, &flow))
			return;
		if (flow.near && is_inside(zone->candidate, target_of(&flow, address)))
			zone->jumps = true;
		address += flow.length;
	}
	if (address == zone->candidate->entry)
		zone->meets_entry = true;
}

static void walk_before(struct upm_prover *prover, struct zone *zone)
{
	uint64_t entry = zone->candidate->entry;

	for (uint64_t i = 0; i < UPM_INSN_MAX && zone->first + i < entry; i++)
		walk(prover, zone, zone->first + i, entry);
	for (uint64_t at = zone->first; at < entry; at++)
		if (upm_text_has(prover->text, prover->text->starts, at))
			walk(prover, zone, at, entry);
	if (zone->first == entry)
		zone->meets_entry = true;
}

/* Behind the function other code may begin at any multiple of 16. */
static void walk_behind(struct upm_prover *prover, struct zone *zone)
{
	const struct upm_candidate *candidate = zone->candidate;
	uint64_t entry = candidate->entry, end = entry + candidate->size;

	walk(prover, zone, entry, zone->end);
	if (!candidate->size)
		end = entry + candidate->site + 1;
	for (uint64_t at = end; at < zone->end; at++)
		if (at == end || at % 16 == 0 ||
		    upm_text_has(prover->text, prover->text->starts, at))
			walk(prover, zone, at, zone->end);
}

static bool is_jumped_to(struct upm_prover *prover, const struct upm_candidate *candidate)
{
	uint64_t room = candidate->entry - prover->text->base;
	struct zone zone = {
		.candidate = candidate,
		.first = candidate->entry - (room < STEP + FAR ? room : STEP + FAR),
		.end = candidate->entry + candidate->site + NEAR,
	};

	walk_before(prover, &zone);
	walk_behind(prover, &zone);
	return zone.jumps || !zone.meets_entry;
}

/* ---- jumps through registers and memory */

/* Another function is its own affair, even when it is jumped to. */
static bool is_function(const struct upm_prover *prover, uint64_t address)
{
	return upm_text_has(prover->text, prover->text->functions, address);
}

static bool is_decoded(const struct upm_prover *prover, uint64_t address)
{
	for (size_t i = 0; i < prover->parts.count; i++)
		if (address - prover->parts.items[i].first <
		    prover->parts.items[i].end - prover->parts.items[i].first)
			return true;
	return false;
}

static bool note_target(struct upm_prover *prover, uint64_t target)
{
	if (upm_vector_push(&prover->targets, target))
		return true;
	prover->out_of_memory = true;
	return false;
}

/* ---- tail calls */

/*
 * Code that others may move holds no addresses. What is jumped to by a pointer was put into memory
 * by a relocation or by a lea, and both were looked at. (What a jump table of distances leads to
 * was added up in a register.)
 */
static bool pointers_are_seen(const struct upm_prover *prover)
{
	return prover->text->binary->elf_type == ET_DYN;
}

/* The instructions before the one at hand, in the order of their addresses. */
struct past {
	uint64_t addresses[16];
	size_t count;
};

static void remember(struct past *past, uint64_t address)
{
	past->addresses[past->count++ % 16] = address;
}

/*
 * A register that is jumped to: go back to what has set it. Only a load will do, and nothing may
 * jump in behind it, which is known once all targets are.
 */
static bool is_loaded(struct upm_prover *prover, struct upm_text_view *view,
		      const struct past *past, const struct upm_flow *jump, uint64_t address)
{
	unsigned int number = (unsigned int)jump->target;

	for (size_t i = 1; i <= 16 && i <= past->count; i++) {
		uint64_t at = past->addresses[(past->count - i) % 16];
		struct upm_code_range range = {at, address};
		struct upm_flow flow;
		size_t available;
		const uint8_t *code = upm_text_at(view, at, &available);

		if (!code || !upm_flow_of(&view->text->rules, code, available, &flow) ||
		    (flow.kind != UPM_FLOW_ON && flow.kind != UPM_FLOW_BRANCH))
			return false;
		if (!(upm_state_changed(&view->text->rules, code, available) & 1u << number))
			continue;
		return available >= UPM_INSN_MAX && upm_loads_pointer(code, number) &&
		       upm_vector_push(&prover->loads, range);
	}
	return false;
}

static bool spend(struct upm_prover *prover, uint64_t bytes)
{
	if (bytes > prover->left) {
		prover->exhausted = true;
		return false;
	}
	prover->left -= bytes;
	return true;
}

/* Note where a jump leads. @return false for one that may lead anywhere */
static bool follow(struct upm_prover *prover, struct upm_text_view *view, const struct past *past,
		   const struct upm_flow *flow, uint64_t address)
{
	switch (flow->kind) {
	case UPM_FLOW_UNKNOWN:
		return false;
	case UPM_FLOW_JUMP_POINTER:
		return pointers_are_seen(prover);
	case UPM_FLOW_JUMP_REGISTER:
		return pointers_are_seen(prover) && is_loaded(prover, view, past, flow, address);
	case UPM_FLOW_BRANCH:
	case UPM_FLOW_JUMP:
		return note_target(prover, target_of(flow, address));
	default:
		return true;
	}
}

static int by_address(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* @return the first target behind an address; UINT64_MAX = there is none */
static uint64_t next_target(const struct upm_prover *prover, uint64_t address)
{
	size_t first = 0, end = prover->targets.count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (prover->targets.items[middle] > address)
			end = middle;
		else
			first = middle + 1;
	}
	return first < prover->targets.count ? prover->targets.items[first] : UINT64_MAX;
}

static bool is_jumped_over(struct upm_prover *prover)
{
	if (!prover->loads.count || !prover->targets.count)
		return false;
	qsort(prover->targets.items, prover->targets.count, sizeof(*prover->targets.items),
	      by_address);
	for (size_t i = 0; i < prover->loads.count; i++)
		if (next_target(prover, prover->loads.items[i].first) <= prover->loads.items[i].end)
			return true;
	return false;
}

/* ---- the function and its parts */

static bool goes_on(const struct upm_flow *flow)
{
	return flow->kind != UPM_FLOW_JUMP && flow->kind != UPM_FLOW_END &&
	       flow->kind != UPM_FLOW_JUMP_POINTER && flow->kind != UPM_FLOW_JUMP_REGISTER;
}

static bool add_part(struct upm_prover *prover, uint64_t first, uint64_t end)
{
	struct upm_code_range part = {first, end};

	if (upm_vector_push(&prover->parts, part))
		return true;
	prover->out_of_memory = true;
	return false;
}

/* The function from its first byte to its last. Behind a call that ends it nothing comes back. */
static bool decode_function(struct upm_prover *prover, const struct upm_candidate *candidate)
{
	uint64_t at = candidate->entry, end = at + candidate->size;
	struct upm_flow flow = {0};
	struct past past = {.count = 0};

	prover->begins.count = 0;
	if (candidate->size > LONGEST_FUNCTION || !spend(prover, candidate->size / 64) ||
	    !upm_vector_reserve(&prover->begins, candidate->size / 8 + 1))
		return false;
	memset(prover->begins.items, 0, candidate->size / 8 + 1);
	while (at < end) {
		uint64_t byte = at - candidate->entry;

		prover->begins.items[byte / 8] |= (uint8_t)(1u << byte % 8);
		if (!flow_at(&prover->view, at, &flow) || !spend(prover, flow.length) ||
		    !follow(prover, &prover->view, &past, &flow, at))
			return false;
		remember(&past, at);
		at += flow.length;
	}
	if (at != end || !add_part(prover, candidate->entry, end))
		return false;
	return !goes_on(&flow) || flow.kind == UPM_FLOW_CALL ||
	       flow.kind == UPM_FLOW_CALL_INDIRECT || note_target(prover, end);
}

/* A part elsewhere, up to where execution does not go on or another function begins. */
static bool decode_part(struct upm_prover *prover, uint64_t first)
{
	struct past past = {.count = 0};
	struct upm_flow flow = {0};
	uint64_t at = first;

	while (at - first < LONGEST_PART && (at == first || !is_function(prover, at))) {
		if (!flow_at(&prover->elsewhere, at, &flow) || !spend(prover, flow.length) ||
		    !follow(prover, &prover->elsewhere, &past, &flow, at))
			return false;
		remember(&past, at);
		at += flow.length;
		if (!goes_on(&flow))
			return add_part(prover, first, at);
	}
	return at - first < LONGEST_PART && add_part(prover, first, at);
}

static bool begins_instruction(const struct upm_prover *prover,
			       const struct upm_candidate *candidate, uint64_t address)
{
	uint64_t byte = address - candidate->entry;

	return byte >= candidate->size || prover->begins.items[byte / 8] >> byte % 8 & 1;
}

static bool stays_direct(struct upm_prover *prover, const struct upm_candidate *candidate)
{
	prover->targets.count = prover->parts.count = prover->loads.count = 0;
	if (candidate->size ? !decode_function(prover, candidate)
			    : !decode_part(prover, candidate->entry))
		return false;
	for (size_t i = 0; i < prover->targets.count; i++) {
		uint64_t target = prover->targets.items[i];

		if (!begins_instruction(prover, candidate, target))
			return false;
		if (target == candidate->entry || is_function(prover, target) ||
		    is_decoded(prover, target))
			continue;
		if (prover->parts.count >= MOST_PARTS || !decode_part(prover, target))
			return false;
	}
	return !is_jumped_over(prover);
}

bool upm_prove(struct upm_prover *prover, const struct upm_candidate *candidate)
{
	prover->exhausted = false;
	return !is_reached(prover->text, candidate) && !is_jumped_to(prover, candidate) &&
	       stays_direct(prover, candidate);
}
