/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A ring buffer has one reader: two would each take events from the other. Whoever reads first
 * holds a lock on the directory of the pins until it closes the observer.
 */
#ifndef UPM_SHARE_EVENTS_H
#define UPM_SHARE_EVENTS_H

#include "observe/observer.h"

/** Prepare an observer whose events have one reader. @return UPM_OK or UPM_ERR_SYSTEM */
int upm_share_events_open(struct upm_observer *observer);
/**
 * Make this process the reader of an observer's events; once is enough, further calls cost little.
 * After fork() the child is another process.
 * @return UPM_OK; UPM_ERR_STATE when another process is, named in the error; UPM_ERR_SYSTEM
 */
int upm_share_claim_events(struct upm_observer *observer);

#endif
