/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Processes to be probed. They end with this program, whatever ends it. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void map_and_wait(const char *path, int ready)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) < 0 ||
	    mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) ==
		    MAP_FAILED)
		_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

pid_t start_mapper(const char *path)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		need_errno(-errno, "pipe");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		map_and_wait(path, ready[1]);
	}
	need_errno(pid < 0 ? -errno : 0, "fork");
	close(ready[1]);
	need_errno(read(ready[0], &byte, 1) == 1 ? 0 : -EIO, "map the file in a child");
	close(ready[0]);
	return pid;
}

pid_t start_program(char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(argv[0], argv);
		_exit(127);
	}
	need_errno(pid < 0 ? -errno : 0, "fork");
	return pid;
}

pid_t start_talker(void (*run)(void *), void *context, FILE **commands, FILE **answers)
{
	int to[2], from[2];
	pid_t pid;

	need_errno(pipe2(to, O_CLOEXEC), "make a pipe");
	need_errno(pipe2(from, O_CLOEXEC), "make a pipe");
	pid = need_errno(fork(), "fork");
	if (pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		close(to[1]);
		close(from[0]);
		run(context);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	*commands = fdopen(to[1], "w");
	*answers = fdopen(from[0], "r");
	need_errno(*commands && *answers ? 0 : -ENOMEM, "make a pipe");
	return pid;
}

void stop_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
