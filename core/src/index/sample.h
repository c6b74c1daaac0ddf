/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What little of a file is looked at before an answer about it is believed. */
#ifndef UPM_INDEX_SAMPLE_H
#define UPM_INDEX_SAMPLE_H

#include "binary/binary.h"

/**
 * A sum over the file's beginning and end, which have its headers, and some bytes at each of a few
 * hundred places in between. Another build of a program has its functions and symbols elsewhere,
 * and so other bytes at most of these.
 * @return false when the file can not be read there
 */
bool upm_index_sample(const struct upm_binary *binary, uint64_t *sum);

#endif
