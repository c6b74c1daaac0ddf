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

void stop_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
