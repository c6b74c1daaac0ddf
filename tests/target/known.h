/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The parts of the shared test target: what tests/target/known can be told to call. */
#ifndef UPM_TARGET_KNOWN_H
#define UPM_TARGET_KNOWN_H

#ifdef __cplusplus
extern "C" {
#endif

#define KNOWN_FUNCTIONS 1000

extern void (*const known_table[KNOWN_FUNCTIONS])(void);  /* in the program */
extern void (*const shared_table[KNOWN_FUNCTIONS])(void); /* in libknown.so */

/* A function of unusual shape, under the name that its symbol has. */
struct shape {
	const char *symbol;
	void (*call)(void);
};

extern const struct shape shapes[];	/* ends with symbol NULL */
extern const struct shape cxx_shapes[]; /* likewise, from C++ */

/* Functions that two files have under one name, "twice": which is which. */
void call_twice_of_a(void);
void call_twice_of_b(void);

/* libversions.so: versioned@VERS_1 and versioned@@VERS_2. */
int versioned(void);	      /* the default: 2 */
int versioned_old_call(void); /* calls versioned@VERS_1: 1 */

#ifdef __cplusplus
}
#endif

#endif
