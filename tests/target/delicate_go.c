// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the Go linker leaves in its programs: a section with this name. */
__attribute__((section(".go.buildinfo"), used)) static const char mark[32] = "\xff Go buildinf:";
