/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the kernel will say about a breakpoint on an instruction, and what a hit
 * will cost. One file per architecture answers; see insn_x86.c for the rules.
 */
#ifndef UPM_JUDGE_INSN_H
#define UPM_JUDGE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPM_INSN_MAX 16 /* bytes that a decoder wants to see */

/* What of this kernel the rules depend on. */
struct upm_insn_rules {
	uint16_t machine;    /* EM_… of the code */
	uint8_t bits;	     /* 64 or 32 */
	bool nops_emulated;  /* multi-byte nops cost one trap (kernels with the uprobe syscall) */
	bool nop5_optimised; /* nop5 becomes a call */
	bool nop5_red_zone_safe; /* … that steps over the red zone */
};

struct upm_insn {
	uint8_t length; /* bytes; 0 when it does not decode */
	bool probeable;
	bool harmful; /* not probeable although the kernel would take it: it runs it wrongly */
	bool endbr;   /* endbr64 or endbr32 */
	bool nop;     /* does nothing, in whatever length */
	bool nop5;    /* a nop of 5 bytes, which the kernel may turn into a call */
	bool repeats; /* a string instruction with rep: a hit for each repetition */
	uint8_t cost; /* enum upm_cost */
	const char *reason; /* why not probeable: a static string; NULL when it is */
};

/** Rules of the running kernel. @return false for an architecture that it does not run. */
bool upm_insn_rules_of_kernel(uint16_t machine, uint8_t bits, struct upm_insn_rules *rules);

/**
 * Judge the instruction at address.
 * @param code       its bytes
 * @param available  how many there are; fewer than UPM_INSN_MAX only at the end of a segment
 * @param address    virtual; only its place within a page matters
 */
void upm_insn_judge(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
		    uint64_t address, struct upm_insn *insn);

/** @return length of the instruction in bytes, or 0 when it does not decode. */
size_t upm_insn_length(const struct upm_insn_rules *rules, const uint8_t *code, size_t available);

#endif
