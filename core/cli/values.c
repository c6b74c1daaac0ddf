// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report.h"

void *cli_value_grow(struct argp_state *state, void *array, size_t count, size_t size)
{
	void *grown = reallocarray(array, count, size);

	if (!grown)
		argp_failure(state, CLI_FAILED, ENOMEM, "read the arguments");
	return grown;
}

uint64_t cli_value_time(struct argp_state *state, const char *option, const char *text)
{
	static const struct {
		const char *suffix;
		double seconds;
	} units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}};
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].suffix) == 0 && value * units[i].seconds >= 1e-3 &&
		    value * units[i].seconds <= 1e9)
			return (uint64_t)(value * units[i].seconds * (double)CLI_SECOND_NS);
	argp_error(state,
		   "%s %s: not a time from 1ms to 1e9 seconds, such as 2, 0.5, 200ms, 5m "
		   "or 1h",
		   option, text);
	return 0;
}

uint64_t cli_value_number(struct argp_state *state, const char *option, const char *meaning,
			  const char *text, uint64_t lowest, uint64_t highest)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || value < lowest || value > highest)
		argp_error(state, "%s %s: not %s", option, text, meaning);
	return value;
}

uint32_t cli_value_size(struct argp_state *state, const char *option, const char *text)
{
	static const char suffixes[] = "KMG";
	char *end;
	unsigned long value;
	const char *suffix;

	errno = 0;
	value = strtoul(text, &end, 10);
	suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
	if (suffix && !errno && value < 1UL << 32) {
		value <<= 10 * (suffix - suffixes + 1);
		end++;
	}
	if (!isdigit((unsigned char)*text) || *end || errno || !value || value > UINT32_MAX)
		argp_error(state, "%s %s: not a size such as 4096, 64K or 16M, below 4G", option,
			   text);
	return (uint32_t)value;
}

void cli_value_ids(struct argp_state *state, const char *option, const char *noun, const char *text,
		   int32_t **ids, size_t *count)
{
	const char *at = text;

	do {
		char *end;
		long id;

		errno = 0;
		id = strtol(at, &end, 10);
		if (end == at || errno || id <= 0 || id > INT_MAX || (*end && *end != ','))
			argp_error(state, "%s %s: not a list of %s numbers such as 12,34", option,
				   text, noun);
		*ids = cli_value_grow(state, *ids, *count + 1, sizeof(**ids));
		(*ids)[(*count)++] = (int32_t)id;
		at = *end ? end + 1 : end;
	} while (*at);
}
