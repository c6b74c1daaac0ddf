/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Every question that is asked of the kernel, in one place: each found by
 * trying, once per process, each citing the commit that introduced the feature.
 */
#ifndef UPM_ATTACH_FEATURES_H
#define UPM_ATTACH_FEATURES_H

#include "uprobe_multi.h"

/** @return answers about the kernel (capability fields are not filled in); never NULL, thread-safe.
 */
const struct upm_features *upm_kernel_features(void);

#endif
