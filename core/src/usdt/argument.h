/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One argument of a USDT call site: where its value stands when the site is hit,
 * and how wide it is. The text form is SIZE@OPERAND, with an operand in the syntax of the
 * assembler; see argument_x86.c and argument_aarch64.c for the grammars.
 *
 * An argument that can not be read is no failure of the probe: it has a
 * reason, and the others of its site are read.
 */
#ifndef UPM_USDT_ARGUMENT_H
#define UPM_USDT_ARGUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPM_USDT_ARGUMENTS_MAX 12 /* of one site: what <sys/sdt.h> can express */

enum upm_usdt_place {
	UPM_USDT_NOWHERE,  /* can not be read: see reason */
	UPM_USDT_CONSTANT, /* value */
	UPM_USDT_REGISTER, /* the register at base */
	UPM_USDT_MEMORY,   /* *(base + value) */
	UPM_USDT_INDEXED,  /* *(base + index << scale + value) */
	UPM_USDT_ABSOLUTE, /* *(load bias + value), value is a virtual address of the ELF file:
			      sym(%rip) */
	UPM_USDT_FS,	   /* *(thread pointer + value), and + base where has_base */
};

struct upm_usdt_argument {
	enum upm_usdt_place place;
	uint8_t size; /* bytes: 1, 2, 4, 8 (16 and more only as NOWHERE) */
	bool is_signed;
	bool is_float;	    /* SIZE@f…, or an xmm register */
	bool has_base;	    /* of UPM_USDT_FS and UPM_USDT_INDEXED */
	bool biased;	    /* MEMORY, INDEXED: value is a virtual address of the ELF file, to which
			       the load bias is added: table(,%rax,8) */
	uint16_t base;	    /* byte offset of the register in struct pt_regs */
	uint16_t index;	    /* likewise */
	uint8_t scale;	    /* 0 … 3: the index is shifted left by it */
	int64_t value;	    /* constant, already cut to size and sign; displacement; or virtual
			       address */
	uint8_t high_byte;  /* 1: bits 8–15 of the register (%ah …) */
	const char *reason; /* with UPM_USDT_NOWHERE: why, a static string */
	const char *text;   /* this argument's own text: points into the list, not terminated */
	size_t text_length;
};

/**
 * Address of a symbol, for operands such as "counter+8(%rip)". A name may have a version
 * ("name@VERSION"). A name that ends in "@tpoff" (in whatever case) asks for the distance of a
 * thread-local variable from the thread pointer.
 * @return false when unknown
 */
typedef bool (*upm_usdt_symbol_fn)(void *context, const char *name, size_t length,
				   uint64_t *address);

/**
 * Take a site's argument list apart ("-4@%edi 8@16(%rsp)"); never fails as a whole.
 * An argument without SIZE@ is signed, and as wide as its register or else as an address.
 * Text behind an argument that makes no sense becomes an argument with a reason.
 * @param symbol   may be NULL
 * @param machine  EM_X86_64, EM_386 or EM_AARCH64; for others every argument has a reason
 * @return number of arguments, at most UPM_USDT_ARGUMENTS_MAX
 */
size_t upm_usdt_arguments(uint16_t machine, const char *list, upm_usdt_symbol_fn symbol,
			  void *context,
			  struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX]);

#endif
