/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The elements of the map __bpf_usdt_specs, which programs built with <bpf/usdt.bpf.h> read.
 * The header has had two layouts, which differ in the size of an element; the newer one (from
 * libbpf 1.7 on) knows index registers. What a layout can not express becomes an argument
 * for which bpf_usdt_arg() returns -EINVAL.
 *
 * The last four bytes of an element are padding in both. There we note whose it is.
 */
#ifndef UPM_USDT_LIBBPF_SPEC_H
#define UPM_USDT_LIBBPF_SPEC_H

#include "usdt/reading.h"

enum { UPM_LIBBPF_SPEC_OLD = 208, UPM_LIBBPF_SPEC_NEW = 304, UPM_LIBBPF_SPEC_MAX = 304 };

/** @return whether a map's elements of this size are of a layout known here. */
bool upm_libbpf_spec_known(uint32_t size);
/**
 * Fill in an element of the layout of this size.
 * @param spec    receives size bytes
 * @param cookie  what bpf_usdt_cookie() is to return
 */
void upm_libbpf_spec_write(void *spec, uint32_t size, const struct upm_usdt_position *position,
			   const struct upm_usdt_argument *arguments, size_t count,
			   uint64_t cookie);

/** @return whether nothing uses the element: never written, or left by upm_libbpf_spec_leave(). */
bool upm_libbpf_spec_free(const void *spec, uint32_t size);
/** Note that a link uses the element. */
void upm_libbpf_spec_take(void *spec, uint32_t size);
/** Note that none does any more; what a program still reads from it stays right. */
void upm_libbpf_spec_leave(void *spec, uint32_t size);

#endif
