/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/process_filter.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/privilege.h"
#include "base/descriptors.h"
#include "base/error.h"
#include "base/pid_namespace.h"
#include "observe/embedded.h"
#include "observe/libbpf_log.h"
#include "upm_observe.h"

#define BTF_BYTES (8 << 20) /* more than a kernel's has */

static const char operation[] = "follow processes";

int upm_pid_namespace_of_self(struct upm_pid_namespace *space)
{
	struct stat found;

	if (stat("/proc/self/ns/pid", &found))
		return upm_fail(UPM_ERR_SYSTEM, errno, operation, "/proc/self/ns/pid",
				"mount proc at /proc", "can not tell the PID namespace");
	space->device = found.st_dev;
	space->inode = found.st_ino;
	space->initial = found.st_ino == UPM_PID_NAMESPACE_INITIAL;
	return UPM_OK;
}

/* Children may live in namespaces below this one: see children.bpf.c. */
bool upm_process_filter_namespaced(const struct upm_scope *scope,
				   const struct upm_pid_namespace *space)
{
	return !space->initial && !scope->children;
}

int upm_process_filter_configure(bool selects, const struct upm_scope *scope,
				 struct upm_filter_config *config)
{
	struct upm_pid_namespace space = {.initial = true};
	int status = selects ? upm_pid_namespace_of_self(&space) : UPM_OK;

	*config = (struct upm_filter_config){
		.selects = selects,
		.namespaced = upm_process_filter_namespaced(scope, &space),
		.namespace_device = space.device,
		.namespace_inode = space.inode,
	};
	return status;
}

static bool must_adopt(const struct upm_scope *scope, const struct upm_pid_namespace *space)
{
	return !space->initial && scope->children;
}

/* ---- the tracepoint programs */

static int configure(struct bpf_object *object, const struct upm_scope *scope,
		     const struct upm_pid_namespace *space, int map_fd)
{
	const struct upm_children_config config = {
		.follow_forks = scope->children,
		.namespaced = upm_process_filter_namespaced(scope, space),
		.namespace_inode = (uint32_t)space->inode,
	};
	struct bpf_map *constants = bpf_object__find_map_by_name(object, ".rodata");
	struct bpf_map *set = bpf_object__find_map_by_name(object, "upm_scope");
	struct bpf_map *wanted = bpf_object__find_map_by_name(object, "upm_wanted");
	struct bpf_program *fork = bpf_object__find_program_by_name(object, "follow_fork");
	struct bpf_program *adopt = bpf_object__find_program_by_name(object, "adopt");

	if (!constants || !set || !wanted || !fork || !adopt)
		return -EINVAL;
	bpf_program__set_autoload(fork, scope->children);
	bpf_program__set_autoload(adopt, must_adopt(scope, space));
	bpf_map__set_max_entries(wanted, (uint32_t)scope->processes.count);
	if (bpf_map__set_initial_value(constants, &config, sizeof(config)))
		return -errno;
	return bpf_map__reuse_fd(set, map_fd) ? -errno : 0;
}

static int open_tracepoint(struct bpf_object *object, const char *program, const char *tracepoint)
{
	int fd = bpf_program__fd(bpf_object__find_program_by_name(object, program));
	int result = fd < 0 ? fd : bpf_raw_tracepoint_open(tracepoint, fd);

	return result < 0 && result != fd ? -errno : result;
}

static int run_iterator(struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	char nothing[64];
	int failure = 0;

	if (fd < 0)
		return -errno;
	while (read(fd, nothing, sizeof(nothing)) < 0 && !failure)
		if (errno != EINTR && errno != EAGAIN)
			failure = -errno;
	close(fd);
	return failure;
}

static int wanted_fd(const struct upm_process_filter *filter)
{
	return bpf_object__find_map_fd_by_name(filter->object, "upm_wanted");
}

/* With the tracepoints in place, so that no fork falls between. */
static int adopt_all(const struct upm_process_filter *filter, const struct upm_scope *scope)
{
	const uint32_t not_found = 0;
	struct bpf_link *link;
	int failure;

	for (size_t i = 0; i < scope->processes.count; i++)
		if (bpf_map_update_elem(wanted_fd(filter), &scope->processes.items[i], &not_found,
					BPF_ANY))
			return -errno;
	link = bpf_program__attach_iter(bpf_object__find_program_by_name(filter->object, "adopt"),
					NULL);
	if (!link)
		return -errno;
	failure = run_iterator(link);
	bpf_link__destroy(link);
	return failure;
}

static int start(struct upm_process_filter *filter, const struct upm_scope *scope,
		 const struct upm_pid_namespace *space, int map_fd)
{
	struct upm_embedded image = upm_embedded_children();
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = image.name);
	int failure;

	filter->object = bpf_object__open_mem(image.bytes, image.size, &options);
	if (!filter->object)
		return -errno;
	failure = configure(filter->object, scope, space, map_fd);
	if (!failure && bpf_object__load(filter->object))
		failure = -errno;
	if (failure)
		return failure;
	filter->exit_fd = open_tracepoint(filter->object, "follow_exit", "sched_process_exit");
	if (filter->exit_fd < 0)
		return filter->exit_fd;
	if (!scope->children)
		return 0;
	filter->fork_fd = open_tracepoint(filter->object, "follow_fork", "sched_process_fork");
	if (filter->fork_fd < 0)
		return filter->fork_fd;
	filter->lost_fd =
		fcntl(bpf_object__find_map_fd_by_name(filter->object, ".bss"), F_DUPFD_CLOEXEC, 0);
	if (filter->lost_fd < 0)
		return -errno;
	return must_adopt(scope, space) ? adopt_all(filter, scope) : 0;
}

/* What the caller can help, as opposed to what the kernel has not. */
static const char *remedy(int sys_errno)
{
	switch (sys_errno) {
	case EMFILE:
		return "raise the limit of open files (ulimit -n), or observe fewer processes";
	case ENFILE:
		return "raise the system's limit of open files (sysctl fs.file-max)";
	case EPERM:
	case EACCES:
		return upm_privilege_hint();
	case ENOMEM:
		return "free memory";
	default:
		return NULL;
	}
}

/* libbpf says ESRCH of a kernel without BTF, and also when it had no memory to read it. The
 * program's own bytes are refused by libelf only for want of memory. */
static bool lacked_memory(int sys_errno)
{
	struct btf *kernel;
	void *room;

	if (sys_errno == LIBBPF_ERRNO__LIBELF)
		return true;
	if (sys_errno != ESRCH)
		return false;
	kernel = btf__load_vmlinux_btf();
	if (kernel) {
		btf__free(kernel);
		return true;
	}
	room = malloc(BTF_BYTES);
	free(room);
	return !room;
}

/* Without forks to follow, the watch for ended processes only guards against ids that are
 * used again: a kernel without BTF can do without. */
static int start_tracepoints(struct upm_process_filter *filter, const struct upm_scope *scope,
			     const struct upm_pid_namespace *space, int map_fd)
{
	struct upm_libbpf_log log;
	const char *hint;
	int failure;

	upm_libbpf_log_begin(&log);
	failure = -start(filter, scope, space, map_fd);
	if (lacked_memory(failure))
		failure = ENOMEM;
	upm_libbpf_log_end();
	hint = remedy(failure);
	if (!failure || (!scope->children && !hint))
		return UPM_OK;
	if (hint)
		return upm_fail(upm_status_of_errno(failure), failure, operation,
				"the tracepoints of fork and exit", hint, "can not be used");
	return upm_fail(UPM_ERR_UNSUPPORTED, failure, operation, "sched_process_fork",
			"use a kernel with CONFIG_DEBUG_INFO_BTF, or observe without children",
			"forks can not be followed (%s)", upm_libbpf_log_verdict(&log));
}

/* ---- the set */

/* The filter by namespace sees only processes whose own namespace it is. */
static int check_namespace(int32_t process, const struct upm_pid_namespace *space)
{
	char path[64], object[32];
	struct stat found = {0};

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", process);
	if (space->initial || stat(path, &found) || found.st_ino == space->inode)
		return UPM_OK;
	snprintf(object, sizeof(object), "process %d", process);
	return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, object,
			"run in the initial PID namespace",
			"it lives in a PID namespace below this one");
}

static int add(int map_fd, int32_t process, const struct upm_pid_namespace *space)
{
	const uint32_t key = (uint32_t)process;
	const uint8_t present = 1;
	int status = check_namespace(process, space);

	if (status)
		return status;
	if (bpf_map_update_elem(map_fd, &key, &present, BPF_ANY))
		return upm_fail(upm_status_of_errno(errno), errno, operation, NULL, NULL,
				"can not add process %d to the set", process);
	return UPM_OK;
}

static int fill(const struct upm_scope *scope, int map_fd, const struct upm_pid_namespace *space)
{
	int status = UPM_OK;

	for (size_t i = 0; i < scope->processes.count && !status; i++)
		status = add(map_fd, scope->processes.items[i], space);
	return status;
}

#define ENDED (-1) /* instead of a descriptor */

/* EINVAL and ENOENT say that the id is by now that of a thread. */
static int open_process(int32_t process, int *pidfd)
{
	int result = (int)syscall(SYS_pidfd_open, process, 0);
	char object[32];

	*pidfd = result >= 0 ? result : ENDED;
	if (result >= 0 || errno == ESRCH || errno == EINVAL || errno == ENOENT)
		return UPM_OK;
	snprintf(object, sizeof(object), "process %d", process);
	return upm_fail(upm_status_of_errno(errno), errno, operation, object, remedy(errno),
			"can not tell when it ends");
}

static bool has_ended(int pidfd)
{
	struct pollfd ask = {.fd = pidfd, .events = POLLIN};

	return pidfd == ENDED || poll(&ask, 1, 0) > 0;
}

/* A process that ended before its end could be seen must not lend its id to another one. */
static int remove_ended(const struct upm_process_filter *filter, const struct upm_scope *scope,
			int map_fd, const int *pidfds, bool adopted)
{
	size_t ended = 0;

	for (size_t i = 0; i < scope->processes.count; i++) {
		const uint32_t process = (uint32_t)scope->processes.items[i];
		uint32_t key = process;

		if (adopted)
			bpf_map_lookup_elem(wanted_fd(filter), &process, &key);
		if (has_ended(pidfds[i])) {
			bpf_map_delete_elem(map_fd, &key);
			ended++;
		} else if (!key) {
			return upm_fail(UPM_ERR_SYSTEM, 0, operation, NULL,
					"run in the initial PID namespace",
					"process %u runs, but the kernel's list of tasks lacks it",
					process);
		}
	}
	if (ended < scope->processes.count)
		return UPM_OK;
	return upm_fail(UPM_ERR_NOT_FOUND, ESRCH, operation, NULL,
			"give the id of a process that runs", "every process to observe has ended");
}

static int follow(struct upm_process_filter *filter, const struct upm_scope *scope, int map_fd,
		  const int *pidfds)
{
	struct upm_pid_namespace space = {0};
	int status = upm_pid_namespace_of_self(&space);

	if (!status && !must_adopt(scope, &space))
		status = fill(scope, map_fd, &space);
	if (!status)
		status = start_tracepoints(filter, scope, &space, map_fd);
	if (!status)
		status = remove_ended(filter, scope, map_fd, pidfds, must_adopt(scope, &space));
	return status;
}

static int open_with_pidfds(struct upm_process_filter *filter, const struct upm_scope *scope,
			    int map_fd, int *pidfds)
{
	struct rlimit limit;
	int status = UPM_OK;
	size_t opened = 0;

	upm_descriptors_reserve(scope->processes.count, &limit);
	for (; opened < scope->processes.count && !status; opened++)
		status = open_process(scope->processes.items[opened], &pidfds[opened]);
	if (!status)
		status = follow(filter, scope, map_fd, pidfds);
	while (opened--)
		if (pidfds[opened] != ENDED)
			close(pidfds[opened]);
	return status;
}

int upm_process_filter_open(struct upm_process_filter *filter, const struct upm_scope *scope,
			    int map_fd)
{
	int *pidfds = calloc(scope->processes.count + 1, sizeof(*pidfds));
	int status;

	*filter = (struct upm_process_filter){.fork_fd = -1, .exit_fd = -1, .lost_fd = -1};
	status = pidfds ? open_with_pidfds(filter, scope, map_fd, pidfds)
			: upm_fail_memory(operation);
	free(pidfds);
	return status;
}

uint64_t upm_process_filter_lost(const struct upm_process_filter *filter)
{
	const uint32_t key = 0;
	uint64_t lost = 0;

	if (filter->lost_fd < 0 || bpf_map_lookup_elem(filter->lost_fd, &key, &lost))
		return 0;
	return lost;
}

void upm_process_filter_close(struct upm_process_filter *filter)
{
	if (filter->fork_fd >= 0)
		close(filter->fork_fd);
	if (filter->exit_fd >= 0)
		close(filter->exit_fd);
	if (filter->lost_fd >= 0)
		close(filter->lost_fd);
	bpf_object__close(filter->object);
	*filter = (struct upm_process_filter){.fork_fd = -1, .exit_fd = -1, .lost_fd = -1};
}
