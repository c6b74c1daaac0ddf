// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "options.h"
#include "output_json.h"
#include "report.h"
#include "terminal.h"

/* One row of the report; offset says where the answer is in struct upm_features. */
struct question {
	const char *key;
	const char *meaning;
	const char *since;
	size_t offset;
};

#define FEATURE(name, meaning, since)                                                              \
	{                                                                                          \
#name, meaning, since, offsetof(struct upm_features, name)                         \
	}

static const struct question questions[] = {
	FEATURE(uprobe_multi, "one link for many probes", "Linux 6.6"),
	FEATURE(session, "entry and return seen by one program", "Linux 6.13"),
	FEATURE(pid_filter, "-p limits a link to a whole process", "Linux 6.10"),
	FEATURE(link_info, "the kernel lists a link's probes", "Linux 6.8"),
	FEATURE(fdinfo, "/proc shows a link's probes", "Linux 6.17"),
	FEATURE(path_fd, "links by descriptor in place of path", "Linux 7.2"),
	FEATURE(paths, "one link for probes in many files", "ours: kernel/patches/paths"),
	FEATURE(perf_event, "one perf event for each probe", "Linux 4.17"),
	FEATURE(perf_cookie, "perf events carry cookies", "Linux 5.15"),
	FEATURE(uprobe_syscall, "a probe on a nop5 costs no trap", "Linux 6.18"),
	FEATURE(nop5_red_zone_safe, "and may stand inside a function", "after Linux 6.18"),
	FEATURE(ringbuf, "BPF ring buffers", "Linux 5.8"),
	FEATURE(mmapable_array, "BPF maps read without system calls", "Linux 5.5"),
};

#define CAPABILITY(name, key, meaning)                                                             \
	{                                                                                          \
		key, meaning, "", offsetof(struct upm_features, name)                              \
	}

static const struct question capabilities[] = {
	CAPABILITY(cap_bpf, "bpf", "load BPF programs"),
	CAPABILITY(cap_perfmon, "perfmon", "attach them to user space"),
	CAPABILITY(cap_sys_admin, "sys_admin", "both of them, and pins of others"),
	CAPABILITY(cap_sys_ptrace, "sys_ptrace", "see into processes of others"),
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t answer_of(const struct upm_features *features, const struct question *question)
{
	uint32_t answer;

	memcpy(&answer, (const char *)features + question->offset, sizeof(answer));
	return answer;
}

static void print_answer(FILE *out, const struct cli_window *window, uint32_t answer)
{
	if (answer == UPM_YES)
		fprintf(out, "%s%-7s%s", cli_green(window), "yes", cli_plain(window));
	else
		fprintf(out, "%-7s", answer == UPM_NO ? "no" : "unknown");
}

static void print_questions(FILE *out, const struct cli_window *window, const char *prefix,
			    const struct question *list, size_t count,
			    const struct upm_features *features)
{
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "  %s%-*s  ", prefix, (int)(20 - strlen(prefix)), list[i].key);
		print_answer(out, window, answer_of(features, &list[i]));
		if (*list[i].since)
			fprintf(out, "  %-37s%s\n", list[i].meaning, list[i].since);
		else
			fprintf(out, "  %s\n", list[i].meaning);
	}
}

/* What to do about what is missing, most urgent first. */
static void print_hints(FILE *out, const struct upm_features *features)
{
	if (features->cap_bpf == UPM_NO)
		fputs("hint: run as root, or give the capabilities CAP_BPF and CAP_PERFMON\n", out);
	else if (features->cap_perfmon == UPM_NO)
		fputs("hint: CAP_PERFMON is missing: give it, or run as root\n", out);
	else if (!features->backend)
		fputs("hint: look for kernel lockdown, a seccomp filter of a container, or a "
		      "kernel without CONFIG_UPROBE_EVENTS and CONFIG_BPF_EVENTS\n",
		      out);
	else if (features->uprobe_multi == UPM_NO)
		fputs("hint: probes go through perf events, one each: 50,000 take 20 s to attach "
		      "and over an hour to let go; the multi link takes 0.1 s for both: kernels "
		      "from 6.6 on have it (on Debian 12: apt-get install "
		      "linux-image-6.12-amd64), and kernel/patches/linux-6.1 adds it to 6.1 "
		      "(docs/kernel-support.md)\n",
		      out);
	if (features->uprobe_multi == UPM_YES && features->session == UPM_NO)
		fputs("hint: this kernel has no sessions (6.13 has): latencies and traced returns "
		      "take two links for one, and programs in uprobe.session sections are "
		      "refused\n",
		      out);
	if (features->uprobe_multi == UPM_YES && features->pid_filter == UPM_NO)
		fputs("hint: this kernel's -p filter is per thread (by process from 6.10, 6.9.5 "
		      "and 6.6.35 on): our observers filter by themselves, programs of your own "
		      "with -p are refused\n",
		      out);
	if (features->cap_sys_ptrace == UPM_NO)
		fputs("hint: without CAP_SYS_PTRACE, -p works for your own processes only\n", out);
}

static void print_table(FILE *out, const struct upm_features *features)
{
	struct cli_window window = cli_window_of(fileno(out));
	struct utsname system;

	uname(&system);
	fprintf(out, "%skernel %s, %s%s\n", cli_bold(&window), system.release, system.machine,
		cli_plain(&window));
	print_questions(out, &window, "", questions, LENGTH(questions), features);
	fprintf(out, "%scapabilities%s\n", cli_bold(&window), cli_plain(&window));
	print_questions(out, &window, "cap_", capabilities, LENGTH(capabilities), features);
	fprintf(out, "%sbackend%s  %s%s%s\n", cli_bold(&window), cli_plain(&window),
		features->backend ? cli_green(&window) : cli_red(&window),
		features->backend ? upm_backend_name(features->backend)
				  : "none: probes can not be attached",
		cli_plain(&window));
	print_hints(out, features);
}

static json_t *describe_capabilities(const struct upm_features *features)
{
	json_t *value = json_object();

	for (size_t i = 0; i < LENGTH(capabilities); i++)
		json_object_set_new(value, capabilities[i].key,
				    cli_json_answer(answer_of(features, &capabilities[i])));
	return value;
}

static int print_json(FILE *out, const struct upm_features *features)
{
	struct utsname system;
	struct cli_json json;

	uname(&system);
	cli_json_open(&json, out);
	cli_json_member(&json, "version", json_string(upm_version()));
	cli_json_member(&json, "kernel", cli_json_text(system.release));
	cli_json_member(&json, "machine", cli_json_text(system.machine));
	for (size_t i = 0; i < LENGTH(questions); i++)
		cli_json_member(&json, questions[i].key,
				cli_json_answer(answer_of(features, &questions[i])));
	cli_json_member(&json, "capabilities", describe_capabilities(features));
	cli_json_member(&json, "backend",
			features->backend ? json_string(upm_backend_name(features->backend))
					  : json_null());
	return cli_json_close(&json);
}

int cli_check(const struct cli_options *options)
{
	struct upm_features features = {.size = sizeof(features)};
	FILE *out = cli_output_open(options->output);
	int status = CLI_DONE, written;

	if (!out)
		return CLI_FAILED;
	if (upm_check(&features) < 0)
		status = cli_fail_library();
	else if (options->json)
		status = print_json(out, &features);
	else
		print_table(out, &features);
	written = cli_output_close(out, options->output);
	if (!status && !features.backend)
		status = CLI_FAILED;
	return status ? status : written;
}
