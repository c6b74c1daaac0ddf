/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where the arguments of a function are at its entry, and its result at its return. Integers and
 * pointers are given in registers, then on the stack; floating-point numbers have registers of
 * their own, which the kernel does not hand to programs.
 */
#ifndef UPM_TRACE_CONVENTION_H
#define UPM_TRACE_CONVENTION_H

#include "trace/signature.h"
#include "usdt/reading.h"

/** Fill in list->arguments and list->result; what can not be read stays without UPM_READ_VALID. */
void upm_convention_apply(const struct upm_usdt_position *position,
			  const struct upm_signature *signature, struct upm_trace_list *list);

#endif
