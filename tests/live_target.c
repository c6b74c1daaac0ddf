/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "live_target.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/sys.h"
#include "text.h"

static void run_target(const char *const *command, int input, int output)
{
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	execv(command[0], (char *const *)command);
	_exit(127);
}

void target_start_command(struct target *target, const char *const *command)
{
	int commands[2], answers[2];

	assert_int_equal(pipe2(commands, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	target->pid = fork();
	assert_true(target->pid >= 0);
	if (target->pid == 0)
		run_target(command, commands[0], answers[1]);
	close(commands[0]);
	close(answers[1]);
	target->commands = fdopen(commands[1], "w");
	target->answers = fdopen(answers[0], "r");
	assert_non_null(target->commands);
	assert_non_null(target->answers);
}

void target_start_program(struct target *target, const char *path)
{
	const char *const command[] = {path, NULL};

	target_start_command(target, command);
	assert_memory_equal(target_answer(target), "ready ", 6);
}

void target_start(struct target *target)
{
	target_start_program(target, test_build_path("target/known"));
}

void target_send(struct target *target, const char *command)
{
	assert_true(fprintf(target->commands, "%s\n", command) > 0);
	assert_int_equal(fflush(target->commands), 0);
}

const char *target_answer(struct target *target)
{
	assert_non_null(fgets(target->answer, sizeof(target->answer), target->answers));
	target->answer[strcspn(target->answer, "\n")] = '\0';
	return target->answer;
}

void target_expect(struct target *target, const char *command, const char *answer)
{
	target_send(target, command);
	assert_string_equal(target_answer(target), answer);
}

void target_stop(struct target *target)
{
	int status;

	fclose(target->commands);
	fclose(target->answers);
	assert_int_equal(waitpid(target->pid, &status, 0), target->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct upm_probe_set *resolve_known(const char *kind, const char *pattern)
{
	struct upm_probe_set *set;
	char spec[PATH_MAX + 64];
	const char *specs[] = {spec};

	snprintf(spec, sizeof(spec), "%s:%s:%s", kind, test_build_path("target/known"), pattern);
	assert_upm_ok(upm_resolve(specs, 1, NULL, &set));
	return set;
}

bool has_multi(void)
{
	return upm_kernel_features()->uprobe_multi == UPM_YES;
}

bool has_sessions(void)
{
	return upm_kernel_features()->session == UPM_YES;
}

static unsigned long scale(void)
{
	const char *text = getenv("UPM_TEST_SCALE");
	unsigned long value = text ? strtoul(text, NULL, 10) : 1;

	assert_true(value == 1 || value == 10 || value == 100);
	return value;
}

size_t many_count(void)
{
	return KNOWN_COUNT / scale();
}

struct upm_probe_set *resolve_many(const char *kind)
{
	return resolve_known(kind, scale() == 1	   ? "known_[0-9]*"
				   : scale() == 10 ? "known_00[0-9]*"
						   : "known_000[0-9]*");
}

unsigned long scaled(unsigned long times)
{
	return times > scale() ? times / scale() : 1;
}

void target_call_many(struct target *target, unsigned long times)
{
	char command[128], answer[128];

	snprintf(command, sizeof(command), "call times=%lu functions=%zu", times, many_count());
	snprintf(answer, sizeof(answer), "call total=%zu", (size_t)times * many_count());
	target_expect(target, command, answer);
}

struct upm_attach_options options_for(const int32_t *pid)
{
	return (struct upm_attach_options){
		.size = sizeof(struct upm_attach_options),
		.pids = pid,
		.pid_count = 1,
	};
}

void assert_hits(const struct upm_observer *observer, size_t probes, uint64_t each)
{
	uint64_t *hits = calloc(probes, sizeof(*hits));

	assert_non_null(hits);
	assert_upm_ok(upm_observer_hits(observer, hits, probes));
	for (size_t i = 0; i < probes; i++)
		assert_int_equal(hits[i], each);
	free(hits);
}

uint64_t total_hits(const struct upm_observer *observer, size_t probes)
{
	uint64_t *hits = calloc(probes, sizeof(*hits)), total = 0;

	assert_non_null(hits);
	assert_upm_ok(upm_observer_hits(observer, hits, probes));
	for (size_t i = 0; i < probes; i++)
		total += hits[i];
	free(hits);
	return total;
}

size_t descriptors_open(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

void wait_for_descriptors(size_t count)
{
	while (descriptors_open() > count)
		usleep(20000);
	assert_int_equal(descriptors_open(), count);
}

bool text_is_clean(pid_t pid)
{
	return text_differences(pid, TARGET_FILES) == 0;
}

bool text_becomes_clean(pid_t pid)
{
	return text_settles(pid, TARGET_FILES) == 0;
}

void assert_clean(pid_t pid)
{
	assert_true(has_multi() ? text_is_clean(pid) : text_becomes_clean(pid));
}

int load_nop(uint32_t attach_type)
{
	int fd = upm_sys_program_load_nop(attach_type);

	assert_true(fd >= 0);
	return fd;
}
