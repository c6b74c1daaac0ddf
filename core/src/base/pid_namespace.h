/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef UPM_BASE_PID_NAMESPACE_H
#define UPM_BASE_PID_NAMESPACE_H

/** Inode of the machine's own PID namespace below /proc/PID/ns: include/linux/proc_ns.h fixes it.
 */
#define UPM_PID_NAMESPACE_INITIAL 0xEFFFFFFCU

#endif
