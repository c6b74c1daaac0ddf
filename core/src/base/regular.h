/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Opening what others may have put there.
 *
 * Paths come from programs that are observed, and from whoever may write to their folders. To open
 * what is not a regular file can be an act: a watchdog starts, a tape rewinds, a named pipe's
 * writer wakes. So it is looked at first, by a descriptor that names it and opens nothing (O_PATH),
 * and that very object is opened, whatever its path leads to by then.
 */
#ifndef UPM_BASE_REGULAR_H
#define UPM_BASE_REGULAR_H

/**
 * Open what an O_PATH descriptor names, for reading.
 * @param named  closed or returned. A negative number is returned as it is
 * @return a descriptor to read from; or, of anything but a regular file, the one given, which
 * fstat(2) tells what it is and read(2) refuses; or -errno. EAGAIN: somebody has a lease on the
 * file
 */
int upm_regular_reopen(int named);

/** upm_regular_reopen() of a path. */
int upm_regular_open(const char *path);

#endif
