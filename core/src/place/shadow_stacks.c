/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "place/shadow_stacks.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static bool shadow_stacks = true;
static pthread_once_t shadow_stacks_once = PTHREAD_ONCE_INIT;

/* The kernel lists the flag where both it and the processor know them. */
static void ask(void)
{
	char text[8192];
	int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *flags;

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return;
	text[length] = '\0';
	flags = strstr(text, "\nflags");
	if (flags && strchr(flags + 1, '\n'))
		shadow_stacks = strstr(flags, " user_shstk") != NULL;
}

bool upm_has_shadow_stacks(void)
{
	pthread_once(&shadow_stacks_once, ask);
	return shadow_stacks;
}
