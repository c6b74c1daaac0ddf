/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "place/text.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "binary/relocations.h"
#include "judge/flow.h"

enum {
	CHUNK = 48u << 10,	/* bytes of code that are looked through together */
	LEAST_SHARE = 2u << 20, /* bytes that are worth a thread */
	MOST_SHARES = 4,
	MOST_SEGMENTS = 256, /* each is gone through to find the one of an address */
	TAIL = UPM_INSN_MAX + sizeof(uint64_t) /* bytes that are not worth another round */
};

#define MOST_BYTES (UINT64_C(1) << 30)

static const char operation[] = "place probes";

static void measure(struct upm_text *text)
{
	uint64_t end = 0;

	text->base = UINT64_MAX;
	for (size_t i = 0; i < text->binary->segments.count; i++) {
		const struct upm_segment *segment = &text->binary->segments.items[i];

		if (!segment->executable || !segment->file_size)
			continue;
		if (segment->address < text->base)
			text->base = segment->address;
		if (segment->address + segment->file_size > end)
			end = segment->address + segment->file_size;
	}
	text->span = end > text->base ? end - text->base : 0;
}

static uint64_t bytes_in_file(const struct upm_binary *binary, const struct upm_segment *segment)
{
	uint64_t left;

	if (segment->offset >= binary->file_size)
		return 0;
	left = binary->file_size - segment->offset;
	return segment->file_size < left ? segment->file_size : left;
}

/*
 * Segments of honest files share no bytes but those of a page where one ends and the next begins.
 * Others could have each byte of a file looked through a thousand times.
 */
static bool is_too_much(const struct upm_text *text)
{
	const struct upm_binary *binary = text->binary;
	uint64_t bytes = 0;

	for (size_t i = 0; i < binary->segments.count; i++)
		bytes += bytes_in_file(binary, &binary->segments.items[i]);
	return binary->segments.count > MOST_SEGMENTS || bytes > MOST_BYTES ||
	       bytes / 2 > binary->file_size || text->span / 2 > binary->file_size;
}

int upm_text_open(struct upm_text *text, struct upm_binary *binary)
{
	size_t bytes;

	memset(text, 0, sizeof(*text));
	text->binary = binary;
	if (!upm_insn_rules_of_kernel(binary->machine, binary->bits, &text->rules) ||
	    binary->machine != EM_X86_64 || binary->bits != 64)
		return UPM_ERR_UNSUPPORTED;
	measure(text);
	if (!text->span)
		return UPM_ERR_UNSUPPORTED;
	if (is_too_much(text))
		return UPM_ERR_LIMIT;
	bytes = (size_t)(text->span / 8 + 1);
	text->watched = calloc(4, bytes);
	if (!text->watched)
		return UPM_ERR_MEMORY;
	text->reached = text->watched + bytes;
	text->starts = text->reached + bytes;
	text->functions = text->starts + bytes;
	return UPM_OK;
}

static void set(uint8_t *bits, uint64_t at)
{
	bits[at / 8] |= (uint8_t)(1u << at % 8);
}

void upm_text_watch(struct upm_text *text, uint64_t first, uint64_t last)
{
	for (uint64_t address = first; address <= last; address++)
		if (address - text->base < text->span)
			set(text->watched, address - text->base);
}

/* ---- what leads to watched places from afar */

/* A part of a segment, for one thread. */
struct share {
	const struct upm_segment *segment;
	uint64_t from, end; /* bytes of the segment */
};

struct shares {
	struct upm_text *text;
	struct share items[MOST_SHARES];
	int status[MOST_SHARES];
};

/* Several threads do so at once. */
static void set_shared(uint8_t *bits, uint64_t at)
{
	uint8_t bit = (uint8_t)(1u << at % 8);

	if (!(__atomic_load_n(&bits[at / 8], __ATOMIC_RELAXED) & bit))
		__atomic_or_fetch(&bits[at / 8], bit, __ATOMIC_RELAXED);
}

static void note_reached(struct upm_text *text, uint64_t at)
{
	if (at < text->span && text->watched[at / 8] >> at % 8 & 1)
		set_shared(text->reached, at);
}

static void note_references(struct upm_text *text, const uint8_t *code, size_t count,
			    uint64_t address)
{
	struct upm_far_place place;
	size_t at = 0;

	while (upm_far_reference(code, count, &at, &place)) {
		uint64_t to = address + (uint64_t)place.distance - text->base;

		note_reached(text, to);
		if (place.called && to < text->span)
			set_shared(text->functions, to);
	}
}

/*
 * Words that are addresses: in tables, and in the relocations that make such tables. A loader that
 * is told by single bits where they are (RELR) takes them at any even address, one that has whole
 * records anywhere; so no alignment is relied on. The last word is as long as the others.
 */
static void note_pointers(struct upm_text *text, const uint8_t *data, size_t count)
{
	for (size_t at = 0; at < count; at++) {
		uint64_t word;

		memcpy(&word, data + at, sizeof(word));
		note_reached(text, word - text->base);
	}
}

/* Behind what is looked through at once lie the bytes that its last word and instruction end in:
 * zeros behind the last ones of a file. */
static void look_through(struct upm_text *text, struct upm_code_window *window,
			 const struct share *share)
{
	uint8_t tail[TAIL + UPM_INSN_MAX];
	uint64_t at = share->from;

	while (at < share->end) {
		size_t available, count;
		const uint8_t *code = upm_code_window_at(window, share->segment->offset + at,
							 CHUNK + UPM_INSN_MAX, &available);

		if (!available)
			return;
		count = available > TAIL ? available - UPM_INSN_MAX : available;
		if (available <= TAIL) {
			memset(tail, 0, sizeof(tail));
			code = memcpy(tail, code, available);
		}
		if (count > share->end - at)
			count = (size_t)(share->end - at);
		if (share->segment->executable)
			note_references(text, code, count, share->segment->address + at);
		note_pointers(text, code, count);
		at += count;
	}
}

static void run_share(void *context, size_t index)
{
	struct shares *shares = context;
	struct upm_code_window window;

	shares->status[index] = upm_code_window_open(&window, shares->text->binary);
	if (shares->status[index])
		return;
	look_through(shares->text, &window, &shares->items[index]);
	upm_code_window_close(&window);
}

static int look_through_segment(struct upm_text *text, const struct upm_segment *segment)
{
	size_t count = upm_parallel_shares(segment->file_size, LEAST_SHARE, MOST_SHARES);
	uint64_t part = segment->file_size / count;
	struct shares shares = {.text = text};

	for (size_t i = 0; i < count; i++)
		shares.items[i] = (struct share){
			.segment = segment,
			.from = part * i,
			.end = i + 1 < count ? part * (i + 1) : segment->file_size,
		};
	upm_parallel(count, count, run_share, &shares);
	for (size_t i = 0; i < count; i++)
		if (shares.status[i])
			return upm_fail_memory(operation);
	return UPM_OK;
}

/* ---- symbols */

static void note_symbol(struct upm_text *text, const struct upm_symbol *symbol)
{
	uint64_t at = symbol->address - text->base;

	if (symbol->undefined || at >= text->span || symbol->type == STT_SECTION ||
	    symbol->type == STT_FILE || symbol->type == STT_TLS)
		return;
	set(text->starts, at);
	if (symbol->binding != STB_LOCAL && symbol->type == STT_FUNC)
		set(text->functions, at);
}

static int note_symbols(struct upm_text *text)
{
	struct upm_symbol_tables tables;
	int status = upm_binary_symbols(text->binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables);

	for (size_t i = 0; i < tables.count && !status; i++) {
		struct upm_symbol_scan scan;
		struct upm_symbol symbol;

		status = upm_symbol_scan_open(&scan, tables.items[i]);
		if (status)
			break;
		while (upm_symbol_scan_next(&scan, &symbol))
			note_symbol(text, &symbol);
		status = scan.status;
		upm_symbol_scan_close(&scan);
	}
	return status;
}

/* ---- relocations by symbol, whose value no word of the file has */

struct references {
	struct upm_text *text;
	struct upm_symbol_table *symbols;
};

static bool note_relocation(const struct upm_relocation *relocation, void *context)
{
	struct references *references = context;
	struct upm_symbol symbol;

	if (relocation->symbol >= upm_symbol_table_size(references->symbols))
		return true;
	upm_symbol_table_outline(references->symbols, relocation->symbol, &symbol);
	if (!symbol.undefined)
		note_reached(references->text,
			     symbol.address + relocation->addend - references->text->base);
	return true;
}

static int note_relocations(struct upm_text *text)
{
	struct references references = {.text = text};
	int status = upm_binary_dynamic_symbols(text->binary, &references.symbols);

	if (status || !references.symbols)
		return status;
	return upm_relocations_visit(text->binary, UPM_RELOCATION_SYMBOL, note_relocation,
				     &references);
}

int upm_text_survey(struct upm_text *text)
{
	int status = note_symbols(text);

	if (!status)
		status = note_relocations(text);

	for (size_t i = 0; i < text->binary->segments.count && !status; i++) {
		const struct upm_segment *segment = &text->binary->segments.items[i];

		if (segment->file_size && segment->offset < text->binary->file_size)
			status = look_through_segment(text, segment);
	}
	return status;
}

void upm_text_close(struct upm_text *text)
{
	free(text->watched);
	memset(text, 0, sizeof(*text));
}

/* ---- views */

int upm_text_view_open(struct upm_text_view *view, const struct upm_text *text)
{
	view->text = text;
	view->segment = NULL;
	return upm_code_window_open(&view->window, text->binary);
}

static bool find_segment(struct upm_text_view *view, uint64_t address)
{
	const struct upm_segment *last = view->segment;

	if (last && address - last->address < last->file_size)
		return true;
	view->segment = upm_binary_segment_of(view->text->binary, address);
	return view->segment && view->segment->executable;
}

const uint8_t *upm_text_at(struct upm_text_view *view, uint64_t address, size_t *available)
{
	const uint8_t *code;
	uint64_t at, left;

	if (!find_segment(view, address)) {
		view->segment = NULL;
		return NULL;
	}
	at = address - view->segment->address;
	left = view->segment->file_size - at;
	code = upm_code_window_at(&view->window, view->segment->offset + at, UPM_INSN_MAX,
				  available);
	if (*available > left)
		*available = (size_t)left;
	return *available ? code : NULL;
}

void upm_text_view_close(struct upm_text_view *view)
{
	upm_code_window_close(&view->window);
}
