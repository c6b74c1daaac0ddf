/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where a return probe would harm the program.
 *
 * The kernel makes a return probe by replacing the word at the stack pointer, on
 * entry, by the address of a trampoline, and puts the true one back when the
 * trampoline runs. That is only right where the word is a return address, where nobody keeps a
 * copy of it, and where nobody moves the stack it lies on:
 *
 *  - _start and its like have no return address there, but argc;
 *  - a .cold part is entered by a jump, in the middle of its function's frame;
 *  - setjmp and getcontext store the return address: a later longjmp jumps to
 *    the trampoline, for which the kernel then has no entry, and gets SIGILL;
 *  - the unwinder walks return addresses and stops at the trampoline:
 *    std::terminate instead of the catch block. That concerns every function that an
 *    exception may leave, and which these are only the program knows: so all
 *    functions of a file that refers to the unwinder, unless the user accepts them;
 *  - coroutines take turns on stacks of their own: the kernel keeps the return addresses of a
 * thread as one chain, and a function that is resumed gets that of another one. The program goes on
 * with wrong results. So all functions of a file that refers to swapcontext and its like;
 *  - Go copies stacks when they grow and checks the addresses on them.
 */
#ifndef UPM_RESOLVE_RETURN_SAFETY_H
#define UPM_RESOLVE_RETURN_SAFETY_H

#include "resolve/probe_table.h"

/**
 * What speaks against a return probe, or a session, at the place of a probe.
 * @param symbol   its name, upm_probe_symbol()
 * @param verdict  receives the verdict when something does
 * @return why it would harm, a static string; NULL when nothing speaks against it
 */
const char *upm_return_hazard(const struct upm_probe_table *table,
			      const struct upm_probe_entry *probe, const char *symbol,
			      uint8_t *verdict);

/** The part of it that the function's raw name tells; "" = unknown. */
const char *upm_return_hazard_of_name(const char *symbol);

#endif
