/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "share_target.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* A mount namespace of the test's own, with a BPF file system in the usual place. */
int share_mount_bpffs(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
}

/* Each test leaves nothing pinned, not even the directory of pins. */
int share_check_nothing_is_left(void **state)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct upm_pinned_list *list;
	bool left = access(UPM_PIN_DIRECTORY, F_OK) == 0;

	(void)state;
	if (!left || upm_pinned_list(NULL, &list))
		return left;
	for (size_t i = 0; upm_pinned_list_get(list, i, &pinned) == UPM_OK; i++) {
		print_message("%s is left\n", pinned.name);
		upm_observer_unpin(pinned.name);
	}
	upm_pinned_list_free(list);
	return 1;
}

/* ---- the kernel's objects behind an observer */

void look_behind(const struct upm_observer *observer, struct behind *behind)
{
	const struct upm_link *link = upm_observer_link(observer);
	struct bpf_link_info link_info = {0};
	struct bpf_prog_info program_info = {0};
	uint32_t size;
	int program;

	memset(behind, 0, sizeof(*behind));
	for (size_t i = 0; i < upm_link_kernel_links(link) && i < MOST_IDS; i++) {
		struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};

		assert_upm_ok(upm_link_kernel_get(link, i, &kernel_link));
		behind->links[behind->link_count++] = kernel_link.id;
		memset(&link_info, 0, sizeof(link_info));
		size = sizeof(link_info);
		assert_int_equal(bpf_obj_get_info_by_fd(kernel_link.fd, &link_info, &size), 0);
	}
	behind->program = link_info.prog_id;
	program = bpf_prog_get_fd_by_id(behind->program);
	assert_true(program >= 0);
	program_info.map_ids = (uint64_t)(uintptr_t)behind->maps;
	program_info.nr_map_ids = MOST_IDS;
	size = sizeof(program_info);
	assert_int_equal(bpf_obj_get_info_by_fd(program, &program_info, &size), 0);
	behind->map_count = program_info.nr_map_ids;
	assert_true(behind->link_count > 0 && behind->map_count > 1);
	close(program);
}

static bool is_there(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool any_left(const struct behind *behind)
{
	bool left = is_there(bpf_prog_get_fd_by_id(behind->program));

	for (size_t i = 0; i < behind->link_count; i++)
		left |= is_there(bpf_link_get_fd_by_id(behind->links[i]));
	for (uint32_t i = 0; i < behind->map_count; i++)
		left |= is_there(bpf_map_get_fd_by_id(behind->maps[i]));
	return left;
}

/* The kernel frees programs and maps after a grace period. */
void assert_gone(const struct behind *behind)
{
	for (int waited = 0; any_left(behind); waited++) {
		assert_true(waited < 1000);
		usleep(10000);
	}
}

/* ---- an owner that is killed */

/* A process that does something, says so, and sleeps. */
void owner_start(struct owner *owner, owner_fn work, const void *context)
{
	int pipes[2];
	char byte = 0;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	owner->pid = fork();
	if (owner->pid == 0) {
		work(context);
		if (write(pipes[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
}

void owner_kill(struct owner *owner)
{
	int status;

	assert_int_equal(kill(owner->pid, SIGKILL), 0);
	assert_int_equal(waitpid(owner->pid, &status, 0), owner->pid);
	assert_true(WIFSIGNALED(status));
}

void run_in_child(void (*work)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void share_must(int32_t status)
{
	if (!status)
		return;
	fprintf(stderr, "%s: %s: %s\n", upm_error_last()->operation, upm_error_last()->object,
		upm_error_last()->message);
	_exit(1);
}

struct upm_observer *share_start(const struct plan *plan)
{
	char spec[512];
	const char *specs[] = {spec};
	struct upm_attach_options options = options_for(&plan->pid);
	struct upm_trace_options trace = {.size = sizeof(trace),
					  .arguments = "int known(int first)"};
	struct upm_observer *observer;
	struct upm_probe_set *set;

	snprintf(spec, sizeof(spec), "uprobe:%s:%s", test_build_path("target/known"),
		 plan->pattern);
	options.flags = plan->flags;
	options.backend = plan->backend;
	options.probes_per_link = plan->probes_per_link;
	share_must(upm_resolve(specs, 1, NULL, &set));
	if (plan->kind == UPM_OBSERVER_LATENCY)
		share_must(upm_latency(set, NULL, &options, &observer));
	else if (plan->kind == UPM_OBSERVER_TRACE)
		share_must(upm_trace(set, &trace, &options, &observer));
	else
		share_must(upm_count(set, &options, &observer));
	upm_probe_set_free(set);
	return observer;
}

void observe_and_pin(const void *context)
{
	const struct plan *plan = context;

	share_must(upm_observer_pin(share_start(plan), plan->name));
}

struct upm_observer *count_pinned(const struct target *target, const char *name)
{
	const struct plan plan = {target->pid, 0, 0, "known_00[0-9]*", name, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer = share_start(&plan);

	assert_upm_ok(upm_observer_pin(observer, name));
	return observer;
}
