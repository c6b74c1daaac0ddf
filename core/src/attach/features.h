/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Every question that is asked of the kernel, in one place: each found by
 * trying, once per process (again while something is short), each citing the commit that introduced
 * the feature.
 */
#ifndef UPM_ATTACH_FEATURES_H
#define UPM_ATTACH_FEATURES_H

#include "uprobe_multi.h"

/**
 * @return answers about the kernel; never NULL, thread-safe. Capability fields are
 *         not filled in, nor link_info and fdinfo: these need a link, whose
 *         end costs a grace period, and only upm_check() asks for them.
 */
const struct upm_features *upm_kernel_features(void);

/** @return errno of a question that failed because something was short, when this thread last
 *          asked; 0 = the answers stand. */
int upm_kernel_doubt(void);

#endif
