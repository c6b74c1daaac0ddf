/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From a pattern to attached probes, against the floor: one BPF_LINK_CREATE a file
 * with offsets that are known, good and sorted. Both take turns, in one process, on the
 * same files, so that whatever slows the machine down slows both.
 */
#include "floor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach/sys.h"
#include "base/vector.h"

#define SETTLE_US 50000 /* the kernel frees what was detached before */
#define REST_S 62	/* after which the index takes a file that has changed */

/* One file's share. */
struct known_file {
	char *path;
	UPM_VECTOR(uint64_t) offsets;
	int link;
};

struct known {
	int program;
	UPM_VECTOR(struct known_file) files;
	size_t count;
};

static void need_memory(bool there)
{
	need_errno(there ? 0 : -1, "have memory");
}

/* Probes of one file follow each other. */
static struct known_file *file_of(struct known *known, const char *path)
{
	struct known_file *last =
		known->files.count ? &known->files.items[known->files.count - 1] : NULL;

	if (last && strcmp(last->path, path) == 0)
		return last;
	need_memory(upm_vector_push(&known->files, ((struct known_file){.path = strdup(path)})));
	return &known->files.items[known->files.count - 1];
}

static int ascending(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static struct upm_link *attach_spec(int program, const struct attach_case *attach_case)
{
	const struct upm_resolve_options options = {.size = sizeof(options),
						    .flags = attach_case->flags};
	struct upm_probe_set *set;
	struct upm_link *link;

	NEED(upm_resolve(&attach_case->spec, 1, &options, &set));
	NEED(upm_attach(program, set, NULL, &link));
	upm_probe_set_free(set);
	return link;
}

/* What the engine attaches is what the raw call gets: the kernel accepts it all. */
static void learn(struct known *known, const struct attach_case *attach_case)
{
	struct upm_link *link = attach_spec(known->program, attach_case);

	known->count = upm_link_attached(link);
	for (size_t i = 0; i < known->count; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};
		struct known_file *file;

		NEED(upm_link_attached_get(link, i, &probe));
		file = file_of(known, probe.path);
		need_memory(upm_vector_push(&file->offsets, probe.offset));
	}
	for (size_t i = 0; i < known->files.count; i++)
		qsort(known->files.items[i].offsets.items, known->files.items[i].offsets.count,
		      sizeof(uint64_t), ascending);
	upm_link_free(link);
}

static void forget(struct known *known)
{
	for (size_t i = 0; i < known->files.count; i++) {
		free(known->files.items[i].path);
		upm_vector_clear(&known->files.items[i].offsets);
	}
	upm_vector_clear(&known->files);
	close(known->program);
}

/* ---- one of each */

struct times {
	uint64_t attach, detach;
};

static void link_file(const struct known *known, struct known_file *file)
{
	struct upm_multi_link request = {
		.program_fd = known->program,
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.path = file->path,
		.offsets = file->offsets.items,
		.count = file->offsets.count,
	};

	file->link = need_errno(upm_sys_link_multi(&request), "BPF_LINK_CREATE");
}

static struct times time_floor(const struct known *known)
{
	uint64_t start = now_ns(), attached, end;

	for (size_t i = 0; i < known->files.count; i++)
		link_file(known, &known->files.items[i]);
	attached = now_ns();
	for (size_t i = 0; i < known->files.count; i++)
		close(known->files.items[i].link);
	end = now_ns();
	return (struct times){attached - start, end - attached};
}

static struct times time_engine(const struct known *known, const struct attach_case *attach_case)
{
	uint64_t start = now_ns(), attached, end;
	struct upm_link *link = attach_spec(known->program, attach_case);

	attached = now_ns();
	upm_link_free(link);
	end = now_ns();
	return (struct times){attached - start, end - attached};
}

/* Each of a pair goes first in every other round. */
static void time_pair(const struct known *known, const struct attach_case *attach_case,
		      bool ours_first)
{
	for (int turn = 0; turn < 2; turn++) {
		bool ours = (turn == 0) == ours_first;
		struct times times;

		usleep(SETTLE_US);
		times = ours ? time_engine(known, attach_case) : time_floor(known);
		samples_add(ours ? &attach_case->attach->ours : &attach_case->attach->base,
			    times.attach);
		if (attach_case->detach)
			samples_add(ours ? &attach_case->detach->ours : &attach_case->detach->base,
				    times.detach);
	}
}

void compare_with_floor(const struct attach_case *attach_case)
{
	struct known known = {
		.program = need_errno(upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI),
				      "load a program"),
	};

	learn(&known, attach_case);
	time_floor(&known);
	for (int round = 0; round < attach_case->rounds; round++)
		time_pair(&known, attach_case, round % 2);
	attach_case->attach->probes = known.count;
	attach_case->attach->base_name = "BPF_LINK_CREATE, offsets known";
	attach_case->attach->ours_name = "resolve a pattern and attach";
	report_comparison(attach_case->attach);
	if (attach_case->detach) {
		attach_case->detach->probes = known.count;
		attach_case->detach->base_name = "close, one after another";
		attach_case->detach->ours_name = "upm_link_free()";
		report_comparison(attach_case->detach);
	}
	forget(&known);
}

void wait_until_at_rest(const char *path)
{
	struct stat status;

	need_errno(stat(path, &status), path);
	while (time(NULL) - status.st_ctim.tv_sec < REST_S)
		sleep(1);
}
