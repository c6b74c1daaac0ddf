/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "usdt_real.h"

#include <bpf/bpf.h>
#include <glob.h>
#include <string.h>

#define SITE_SIZE 512
#define SITES 4096 /* in one file, at most */

bool real_path(const char *pattern, char path[PATH_MAX])
{
	bool exists;
	glob_t found;

	exists = glob(pattern, 0, NULL, &found) == 0 && realpath(found.gl_pathv[0], path);
	globfree(&found);
	return exists;
}

/* ---- listing */

/* Call sites as text, to be sorted and compared. */
struct sites {
	char lines[SITES][SITE_SIZE];
	size_t count;
};

static char *add_site(struct sites *sites)
{
	assert_in_range(sites->count, 0, SITES - 1);
	return sites->lines[sites->count++];
}

static int compare_sites(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void sort_sites(struct sites *sites)
{
	qsort(sites->lines, sites->count, SITE_SIZE, compare_sites);
}

static void list_by_readelf(struct sites *sites, const char *path)
{
	char command[PATH_MAX + 32], line[SITE_SIZE], provider[128] = "", name[128] = "";
	unsigned long address = 0;
	FILE *output;

	sites->count = 0;
	snprintf(command, sizeof(command), "LC_ALL=C readelf -n '%s'", path);
	output = popen(command, "re");
	assert_non_null(output);
	while (fgets(line, sizeof(line), output)) {
		static const char arguments[] = "    Arguments: ";

		line[strcspn(line, "\n")] = '\0';
		sscanf(line, " Provider: %127s", provider);
		sscanf(line, " Name: %127s", name);
		sscanf(line, " Location: %lx,", &address);
		if (strncmp(line, arguments, strlen(arguments)) == 0)
			snprintf(add_site(sites), SITE_SIZE, "%s:%s at %#lx: %s", provider, name,
				 address, line + strlen(arguments));
	}
	assert_int_equal(pclose(output), 0);
}

static size_t describe_site(const struct upm_probe_set *set, size_t index, char *line)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	size_t length;

	assert_upm_ok(upm_probe_set_get(set, index, &probe));
	length = (size_t)snprintf(line, SITE_SIZE, "%s:%s at %#lx: ", probe.provider, probe.symbol,
				  (unsigned long)probe.address);
	for (uint32_t i = 0; i < probe.argument_count; i++) {
		struct upm_argument argument = {.size = sizeof(argument)};

		assert_upm_ok(upm_probe_set_argument(set, index, i, &argument));
		assert_string_equal(argument.reason, "");
		assert_int_not_equal(argument.place, UPM_ARGUMENT_UNREADABLE);
		length += (size_t)snprintf(line + length, SITE_SIZE - length, "%s%s", i ? " " : "",
					   argument.text);
		assert_in_range(length, 1, SITE_SIZE - 1);
	}
	return probe.argument_count;
}

size_t assert_lists_notes(const struct upm_probe_set *set, const char *path)
{
	static struct sites wanted, found;
	size_t arguments = 0;

	list_by_readelf(&wanted, path);
	found.count = 0;
	for (size_t i = 0; i < upm_probe_set_size(set); i++)
		arguments += describe_site(set, i, add_site(&found));
	sort_sites(&wanted);
	sort_sites(&found);
	assert_int_not_equal(wanted.count, 0);
	assert_int_equal(found.count, wanted.count);
	for (size_t i = 0; i < found.count; i++)
		assert_string_equal(found.lines[i], wanted.lines[i]);
	return arguments;
}

/* ---- counting */

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

uint64_t real_hits(const struct upm_observer *observer, const struct upm_probe_set *set,
		   const char *provider, const char *name)
{
	size_t count = upm_probe_set_size(set);
	uint64_t *hits = calloc(count, sizeof(*hits)), total = 0;

	assert_non_null(hits);
	assert_upm_ok(upm_observer_hits(observer, hits, count));
	for (size_t i = 0; i < count; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		assert_upm_ok(upm_probe_set_get(set, i, &probe));
		if (begins(probe.provider, provider) && begins(probe.symbol, name))
			total += hits[i];
	}
	free(hits);
	return total;
}

/* ---- strings */

struct upm_link *texts_attach(const struct upm_probe_set *set, int32_t pid,
			      struct upm_object **object)
{
	struct upm_attach_options options = options_for(&pid);
	struct upm_program program = {.size = sizeof(program)};
	struct upm_link *link;

	assert_upm_ok(upm_object_open(test_build_path("tests/bpf/usdt_text.bpf.o"), object));
	assert_upm_ok(upm_object_program(*object, 0, &program));
	options.flags = UPM_ATTACH_COOKIE_IS_INDEX | UPM_ATTACH_STRICT;
	assert_upm_ok(upm_attach(program.fd, set, &options, &link));
	return link;
}

bool texts_next(const struct upm_object *object, struct usdt_text *text)
{
	int fd = upm_object_map_fd(object, "texts");

	assert_true(fd >= 0);
	return bpf_map_lookup_and_delete_elem(fd, NULL, text) == 0;
}
