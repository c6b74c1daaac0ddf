/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "look.h"

#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"

static volatile size_t sum; /* of all that is read, so that reading is not left out */

void look(const char *text)
{
	sum += strlen(text);
}

void look_at_bytes(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += ((const uint8_t *)bytes)[i];
}

static void look_at_probe(const struct upm_probe_set *set, size_t index)
{
	struct upm_probe probe = {.size = sizeof(probe)};

	fuzz_check(upm_probe_set_get(set, index, &probe) == UPM_OK);
	look(probe.path);
	look(probe.symbol);
	look(probe.version);
	look(probe.spec);
	look(probe.reason);
	look(probe.provider);
	look(probe.return_reason);
	for (uint32_t i = 0; i < probe.alias_count; i++)
		look(upm_probe_set_alias(set, index, i));
	for (uint32_t i = 0; i < probe.argument_count; i++) {
		struct upm_argument argument = {.size = sizeof(argument)};

		fuzz_check(upm_probe_set_argument(set, index, i, &argument) == UPM_OK);
		look(argument.reason);
		look(argument.text);
	}
}

void look_at_set(const struct upm_probe_set *set)
{
	for (size_t i = 0; i < upm_probe_set_size(set); i++)
		look_at_probe(set, i);
}

void look_at_file(int fd)
{
	static const char *const forms[] = {"%s:*", "uretprobe:%s:/./", "usdt:%s:*:*", "%s:f+1"};
	enum { FORMS = sizeof(forms) / sizeof(forms[0]) };
	struct upm_resolve_options options = {
		.size = sizeof(options),
		.flags = UPM_RESOLVE_NO_INDEX | UPM_RESOLVE_ALL_MATCHES,
	};
	char path[32], texts[FORMS][64];
	const char *specs[FORMS];
	struct upm_probe_set *set;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < FORMS; i++) {
		snprintf(texts[i], sizeof(texts[i]), forms[i], path);
		specs[i] = texts[i];
	}
	if (upm_resolve(specs, FORMS, &options, &set) == UPM_OK) {
		fuzz_check(upm_probe_set_place(set, UPM_OBSERVER_COUNT) == UPM_OK);
		look_at_set(set);
		upm_probe_set_free(set);
	}
	close(fd);
}
