// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The target of the tests that nothing is harmed: code that does with its stack and its
 * instructions what probes could spoil. It prints "ready PID", then obeys its standard input line
 * by line. The answer to each is "COMMAND NUMBER", always the same number.
 *
 *   redzone      leaf functions that keep their variables below the stack pointer
 *   signals      handlers on a stack of their own
 *   jumps        longjmp() across frames, siglongjmp() out of a handler
 *   exceptions   thrown through several frames; in the variant in C++
 *   coroutines   three stacks that take turns; in the variant that has them
 *   jit          code made at run time that calls back
 *   dlopen FILE  load a library, call its shared_0000(), and let go of it
 *   fork         a child that does several of these
 *   sandbox      forbid all system calls but reading, writing, and ending
 *   exec FILE    become another program
 */
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delicate.h"

#define ROUNDS 200

/* ---- below the stack pointer */

uint64_t redzone_leaf(uint64_t seed);
SHAPE uint64_t redzone_leaf(uint64_t seed)
{
	volatile uint64_t below[14];
	uint64_t sum = 0;

	for (int i = 0; i < 14; i++)
		below[i] = seed + (uint64_t)i * i;
	__asm__ volatile("nopl 0(%%rax,%%rax,1)" ::: "memory");
	for (int i = 0; i < 14; i++)
		sum = sum * 31 + below[i];
	return sum;
}

static uint64_t use_redzone(void)
{
	uint64_t sum = 1;

	for (uint64_t i = 0; i < ROUNDS; i++)
		sum = mix(sum, redzone_leaf(i));
	return sum;
}

/* ---- a stack for signals */

static volatile uint64_t handled;
static sigjmp_buf out_of_handler;

uint64_t in_handler(uint64_t value);
SHAPE uint64_t in_handler(uint64_t value)
{
	return redzone_leaf(value) + 1;
}

void on_signal(int number);
SHAPE void on_signal(int number)
{
	handled = mix(handled, in_handler((uint64_t)number + handled));
}

void on_signal_leave(int number);
SHAPE void on_signal_leave(int number)
{
	handled = mix(handled, in_handler((uint64_t)number));
	siglongjmp(out_of_handler, 1);
}

static void handle(int number, void (*handler)(int))
{
	static char alternate[64 << 10];
	const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

	if (sigaltstack(&stack, NULL) || sigaction(number, &action, NULL))
		exit(1);
}

uint64_t raise_within(uint64_t value);
SHAPE uint64_t raise_within(uint64_t value)
{
	raise(SIGUSR1);
	return value + 1;
}

static uint64_t use_signals(void)
{
	uint64_t sum = 2;

	handled = 0;
	handle(SIGUSR1, on_signal);
	for (uint64_t i = 0; i < ROUNDS; i++)
		sum = mix(sum, raise_within(i));
	return mix(sum, handled);
}

/* ---- jumps */

static jmp_buf landing;

uint64_t deeper(uint64_t depth);
SHAPE uint64_t deeper(uint64_t depth)
{
	if (depth > 0)
		return deeper(depth - 1) + 1;
	if (handled != UINT64_MAX)
		longjmp(landing, 1);
	return 0;
}

uint64_t jump_out(uint64_t depth);
SHAPE uint64_t jump_out(uint64_t depth)
{
	volatile uint64_t sum = depth;

	if (setjmp(landing) == 0)
		sum += deeper(depth);
	else
		sum += 1000;
	return sum;
}

uint64_t leave_handler(uint64_t value);
SHAPE uint64_t leave_handler(uint64_t value)
{
	if (sigsetjmp(out_of_handler, 1) == 0)
		raise(SIGUSR2);
	return value + handled;
}

static uint64_t use_jumps(void)
{
	uint64_t sum = 3;

	handled = 0;
	handle(SIGUSR2, on_signal_leave);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		sum = mix(sum, jump_out(i % 30));
		sum = mix(sum, leave_handler(i));
	}
	return sum;
}

static uint64_t use_exceptions(void)
{
	uint64_t sum = 4;

	if (!catch_from)
		exit(1);
	for (int i = 0; i < ROUNDS; i++)
		sum = mix(sum, (uint64_t)catch_from(i % 20));
	return sum;
}

/* ---- code made at run time */

uint64_t called_back(uint64_t value);
SHAPE uint64_t called_back(uint64_t value)
{
	return redzone_leaf(value) ^ value;
}

#if defined(__x86_64__)
static uint64_t use_jit(void)
{
	/* push %rbx; movabs $called_back,%rax; call *%rax; inc %rax; pop %rbx; ret */
	uint8_t code[] = {0x53, 0x48, 0xb8, 0,	  0,	0,    0,    0,	  0,
			  0,	0,    0xff, 0xd0, 0x48, 0xff, 0xc0, 0x5b, 0xc3};
	uint64_t (*made)(uint64_t), sum = 6, address = (uintptr_t)called_back;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		exit(1);
	memcpy(code + 3, &address, sizeof(address));
	memcpy(page, code, sizeof(code));
	*(void **)&made = page;
	for (uint64_t i = 0; i < ROUNDS; i++)
		sum = mix(sum, made(i));
	munmap(page, 4096);
	return sum;
}
#else
static uint64_t use_jit(void)
{
	return called_back(6);
}
#endif

/* ---- the rest */

static uint64_t use_library(const char *path)
{
	uint64_t sum = 0;

	for (int i = 0; i < 3; i++) {
		void *library = dlopen(path, RTLD_NOW);
		void (*function)(void) = NULL;

		if (library)
			*(void **)&function = dlsym(library, "shared_0000");
		if (!function)
			exit(1);
		function();
		sum += !dlclose(library);
	}
	return sum;
}

static uint64_t do_all(void)
{
	return use_redzone() + use_signals() + use_jumps() + use_jit();
}

static uint64_t use_fork(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit((int)(do_all() & 0x7f));
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(1);
	return (uint64_t)status;
}

static uint64_t enter_sandbox(void)
{
	static const int allowed[] = {SYS_read, SYS_write, SYS_exit_group, SYS_rt_sigreturn};
	struct sock_filter code[4 + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog program = {.len = 7, .filter = code};

	for (int i = 0; i < 4; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], (uint8_t)(4 - i), 0);
	code[5] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[6] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		exit(1);
	return 0;
}

static const struct {
	const char *name;
	uint64_t (*use)(void);
} commands[] = {
	{"redzone", use_redzone},
	{"signals", use_signals},
	{"jumps", use_jumps},
	{"exceptions", use_exceptions},
	{"coroutines", use_coroutines},
	{"jit", use_jit},
	{"fork", use_fork},
	{"sandbox", enter_sandbox},
};

static uint64_t obey(const char *command, const char *argument)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].use && strcmp(command, commands[i].name) == 0)
			return commands[i].use();
	if (strcmp(command, "dlopen") == 0)
		return use_library(argument);
	if (strcmp(command, "exec") == 0)
		execl(argument, argument, (char *)NULL);
	exit(1);
}

int main(void)
{
	char line[4096], answer[128];

	setvbuf(stdin, NULL, _IONBF, 0);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char command[16] = "", argument[4000] = "";
		int length;

		sscanf(line, "%15s %3999s", command, argument);
		length = snprintf(answer, sizeof(answer), "%s %llu\n", command,
				  (unsigned long long)obey(command, argument));
		if (write(STDOUT_FILENO, answer, (size_t)length) != length)
			return 1;
	}
	return 0;
}
