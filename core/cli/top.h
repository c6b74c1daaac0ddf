/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef UPM_CLI_TOP_H
#define UPM_CLI_TOP_H

#include <stddef.h>
#include <stdint.h>

/**
 * Select the positions with the highest values, highest first, in one pass: cheap for a few
 * out of very many. Equal values keep the order of `positions`.
 * @param values     indexed by position
 * @param positions  the candidates, ascending
 * @param lowest     values below it do not count
 * @param top        receives at most `wanted` positions
 * @return how many were found
 */
size_t cli_top(const uint64_t *values, const size_t *positions, size_t count, uint64_t lowest,
	       size_t *top, size_t wanted);

#endif
