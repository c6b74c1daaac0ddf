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
 *    std::terminate instead of the catch block;
 *  - Go copies stacks when they grow and checks the addresses on them.
 */
#ifndef UPM_RESOLVE_RETURN_SAFETY_H
#define UPM_RESOLVE_RETURN_SAFETY_H

#include <stdint.h>

/**
 * @param symbol   raw name of the function, "" when unknown
 * @param verdict  receives the return verdict when there is something against it
 * @return why a return probe on this function would harm, a static string; NULL when nothing speaks
 * against it
 */
const char *upm_return_hazard(const char *symbol, uint8_t *verdict);

#endif
