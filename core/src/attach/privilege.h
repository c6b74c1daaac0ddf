/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What stands between this process and its probes, when the kernel only says EPERM. */
#ifndef UPM_ATTACH_PRIVILEGE_H
#define UPM_ATTACH_PRIVILEGE_H

/**
 * Look at capabilities, user namespace, lockdown, seccomp and sysctls, in the order in which the
 * kernel asks for them.
 * @return one line that names the first that stands in the way and what to do; valid until the
 *         next call on this thread
 */
const char *upm_privilege_hint(void);

#endif
