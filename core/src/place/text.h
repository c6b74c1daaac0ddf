/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The code of one file by virtual address, and what is known of each of its bytes: whether
 * something begins there, and whether anything leads there.
 */
#ifndef UPM_PLACE_TEXT_H
#define UPM_PLACE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "binary/symbols.h"
#include "judge/insn.h"

struct upm_text {
	struct upm_binary *binary;
	struct upm_insn_rules rules;
	uint64_t base, span; /* of all executable segments together */
	/* A bit for each byte: */
	uint8_t *watched;   /* places that nothing may lead to */
	uint8_t *reached;   /* of these, those that something may lead to from afar */
	uint8_t *starts;    /* where symbols begin */
	uint8_t *functions; /* that others call, or may call by name */
};

/** @return UPM_OK; not recorded: UPM_ERR_UNSUPPORTED for code that is not followed, UPM_ERR_LIMIT
 * for a file that asks for too much work, UPM_ERR_MEMORY */
int upm_text_open(struct upm_text *text, struct upm_binary *binary);
/** Watch the bytes from first to last. */
void upm_text_watch(struct upm_text *text, uint64_t first, uint64_t last);
/** Read all of the code and all symbols, to find what is reached and where symbols begin. */
int upm_text_survey(struct upm_text *text);
void upm_text_close(struct upm_text *text);

static inline bool upm_text_has(const struct upm_text *text, const uint8_t *bits, uint64_t address)
{
	uint64_t at = address - text->base;

	return at < text->span && bits[at / 8] >> at % 8 & 1;
}

/* A way to look at the code; each thread has its own. */
struct upm_text_view {
	const struct upm_text *text;
	const struct upm_segment *segment; /* of the last look */
	struct upm_code_window window;
};

int upm_text_view_open(struct upm_text_view *view, const struct upm_text *text);
/** @return the bytes at an address; at least UPM_INSN_MAX unless *available says otherwise; NULL
 * where there is no code */
const uint8_t *upm_text_at(struct upm_text_view *view, uint64_t address, size_t *available);
void upm_text_view_close(struct upm_text_view *view);

#endif
