/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Elements of a program's USDT maps that one link uses.
 *
 * A program built with <bpf/usdt.bpf.h> finds its arguments in an array, at a number that is
 * the cookie of its probe. Several links may use one array: two attaches of one program,
 * programs of one object, links of other loaders. So a link claims elements that nobody uses.
 * libbpf numbers its own from 0 on and never tells which it has given back, so we claim
 * from the end down, and take as free what was never written or what one of our links
 * has left (libbpf_spec.h has the mark). Claims within a process are made one after another; two
 * processes that attach programs of one map at the same moment must agree themselves.
 *
 * What a link has claimed it leaves when it ends, unless it is pinned. Elements of a process
 * that was killed stay claimed as long as their map lives, which as a rule is no longer
 * than the process.
 *
 * Where programs can not read a cookie, they find the number in a hash, by the address of
 * the breakpoint: for that, the processes must be known beforehand, and have the file mapped.
 */
#ifndef UPM_ATTACH_USDT_CLAIM_H
#define UPM_ATTACH_USDT_CLAIM_H

#include <sys/types.h>

#include "attach/usdt_maps.h"
#include "base/intern.h"
#include "base/vector.h"

struct upm_usdt_claim {
	struct upm_usdt_maps maps;
	pid_t owner;		  /* a process; a copy of it by fork(2) only forgets the claim */
	UPM_VECTOR(uint32_t) ids; /* in specs */
	UPM_VECTOR(uint64_t) addresses; /* in ips */
};

/**
 * Write as many of the specs as there is room for.
 * @param claim  its ids receive the numbers of the first so many
 * @return UPM_OK; UPM_ERR_MEMORY; UPM_ERR_SYSTEM
 */
int upm_usdt_claim_specs(struct upm_usdt_claim *claim, const struct upm_intern *specs);
/** Enter the spec of an address. @return 0, or errno: EEXIST, E2BIG when the hash is full, … */
int upm_usdt_claim_address(struct upm_usdt_claim *claim, uint64_t address, uint32_t id);
/** Let go of everything, in the process that claimed it, and free the claim; NULL is passed over.
 */
void upm_usdt_claim_end(struct upm_usdt_claim *claim);
/** Free the claim; what it claimed stays claimed. */
void upm_usdt_claim_keep(struct upm_usdt_claim *claim);

#endif
