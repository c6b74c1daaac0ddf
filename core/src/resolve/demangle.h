/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Readable forms of C++ and Rust names, by libiberty. */
#ifndef UPM_RESOLVE_DEMANGLE_H
#define UPM_RESOLVE_DEMANGLE_H

#include <stdbool.h>

/** @return whether a name looks like a mangled C++ or Rust one; costs nothing. */
static inline bool upm_is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/**
 * @param parameters  whether a C++ function's parameter list is wanted
 * @return the readable name, for free(); NULL when the name is not mangled
 */
char *upm_demangle_name(const char *name, bool parameters);

#endif
