// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "report.h"
#include "signals.h"

#define NOT_EXECUTED 127
#define DEFAULT_PATH "/bin:/usr/bin"
/* As many interpreters of interpreters as the kernel follows. */
#define MOST_INTERPRETERS 5

static bool is_executable(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* @return the file that name stands for on PATH, as execvp(3) takes it; NULL = none. */
static char *search_path(const char *name)
{
	const char *directory = getenv("PATH");

	if (!directory)
		directory = DEFAULT_PATH;
	for (;;) {
		size_t length = strcspn(directory, ":");
		char *path;

		if (asprintf(&path, "%.*s%s%s", (int)length, directory, length ? "/" : "", name) <
		    0)
			return NULL;
		if (is_executable(path))
			return path;
		free(path);
		if (!directory[length])
			return NULL;
		directory += length + 1;
	}
}

/* @return the interpreter that a script names in its first line; NULL = it is no script. */
static char *interpreter_of(const char *path)
{
	char line[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	char *name;

	if (fd < 0)
		return NULL;
	length = pread(fd, line, sizeof(line) - 1, 0);
	close(fd);
	if (length < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t\r\n")] = '\0';
	return *name ? strdup(name) : NULL;
}

static char *follow_interpreters(const char *path)
{
	char *program = strdup(path);

	for (int i = 0; program && i < MOST_INTERPRETERS; i++) {
		char *interpreter = interpreter_of(program);

		if (!interpreter)
			break;
		free(program);
		program = interpreter;
	}
	return program;
}

static int fail_not_executable(const char *path, int reason)
{
	const char *hint = "check the path";

	if (is_directory(path))
		hint = "it is a directory: name a program in it";
	else if (reason == EACCES)
		hint = "make it executable (chmod +x), or name its interpreter, such as: -- sh "
		       "FILE";
	return cli_fail("run", path, strerror(reason), hint);
}

int cli_launch_find(struct cli_launch *launch, char *const *argv)
{
	*launch =
		(struct cli_launch){.argv = argv, .pidfd = -1, .release_fd = -1, .failure_fd = -1};
	errno = 0;
	launch->path = strchr(argv[0], '/') ? strdup(argv[0]) : search_path(argv[0]);
	if (!launch->path)
		return cli_fail("run", argv[0], "no such command on PATH",
				"name it with its path, such as ./program");
	if (!is_executable(launch->path))
		return fail_not_executable(argv[0], errno ? errno : EACCES);
	launch->program = follow_interpreters(launch->path);
	if (!launch->program)
		return cli_fail("run", argv[0], strerror(ENOMEM), "");
	return 0;
}

/* The child: wait for the word, then become the command. Only async-signal-safe calls. */
static _Noreturn void become(const struct cli_launch *launch, int released, int failure)
{
	ssize_t got;
	char word;

	cli_signals_restore();
	cli_descriptors_restore();
	do
		got = read(released, &word, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1) {
		int reason;

		execv(launch->path, launch->argv);
		reason = errno;
		(void)!write(failure, &reason, sizeof(reason));
	}
	_exit(NOT_EXECUTED);
}

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

static int fork_held(struct cli_launch *launch, int word[2], int failure[2])
{
	launch->pid = fork();
	if (launch->pid < 0)
		return -1;
	if (launch->pid == 0) {
		close(word[1]);
		close(failure[0]);
		become(launch, word[0], failure[1]);
	}
	launch->pidfd = (int)syscall(SYS_pidfd_open, launch->pid, 0);
	return launch->pidfd < 0 ? -1 : 0;
}

int cli_launch_hold(struct cli_launch *launch)
{
	int word[2] = {-1, -1}, failure[2] = {-1, -1};

	if (pipe2(word, O_CLOEXEC) < 0 || pipe2(failure, O_CLOEXEC) < 0 ||
	    fork_held(launch, word, failure) < 0) {
		int reason = errno;

		close_pair(word);
		close_pair(failure);
		if (launch->pid < 0)
			launch->pid = 0;
		return cli_fail("run", launch->argv[0], strerror(reason), "");
	}
	close(word[0]);
	close(failure[1]);
	launch->release_fd = word[1];
	launch->failure_fd = failure[0];
	return 0;
}

int cli_launch_release(struct cli_launch *launch)
{
	int reason = 0;
	ssize_t got;

	if (write(launch->release_fd, "", 1) != 1)
		return cli_fail("run", launch->argv[0], "it was ended before it could begin", "");
	close(launch->release_fd);
	launch->release_fd = -1;
	do
		got = read(launch->failure_fd, &reason, sizeof(reason));
	while (got < 0 && errno == EINTR);
	if (got == sizeof(reason))
		return cli_fail("run", launch->path, strerror(reason),
				reason == ENOEXEC ? "name its interpreter, such as: -- sh FILE"
						  : "");
	return 0;
}

bool cli_launch_reap(struct cli_launch *launch, int milliseconds)
{
	struct pollfd end = {.fd = launch->pidfd, .events = POLLIN};

	if (!launch->pid || launch->ended)
		return launch->ended;
	if (poll(&end, 1, milliseconds) == 1)
		launch->ended = waitpid(launch->pid, &launch->status, WNOHANG) == launch->pid;
	return launch->ended;
}

void cli_launch_free(struct cli_launch *launch)
{
	bool held = launch->release_fd >= 0;

	if (held)
		close(launch->release_fd);
	if (held && launch->pid && !launch->ended)
		waitpid(launch->pid, &launch->status, 0);
	if (launch->failure_fd >= 0)
		close(launch->failure_fd);
	if (launch->pidfd >= 0)
		close(launch->pidfd);
	free(launch->path);
	free(launch->program);
}
