/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a loaded BPF program can be attached as. */
#ifndef UPM_ATTACH_PROGRAM_H
#define UPM_ATTACH_PROGRAM_H

#include "attach/bpf_uapi.h"

enum upm_program_kind {
	UPM_PROGRAM_PLAIN,   /* loaded without an attach type: perf events */
	UPM_PROGRAM_MULTI,   /* multi links */
	UPM_PROGRAM_SESSION, /* multi links, entry and return */
};

/** @return UPM_OK; UPM_ERR_PROGRAM for what is no program for uprobes; UPM_ERR_PERMISSION */
int upm_program_kind_of(int program_fd, enum upm_program_kind *kind);
/** @return attach type of the multi link for a program of this kind. */
enum upm_bpf_attach_type upm_program_attach_type(enum upm_program_kind kind);

#endif
