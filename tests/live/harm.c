// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What the judge lets through does a program no harm: each piece of code leaves
 * the same registers and memory with a probe on its first instruction as without.
 *
 * Each runs in a process of its own. For the instructions that the judge refuses
 * as harmful the test prints what becomes of the program, so that one sees when a
 * kernel gets better at them; the judge may be wrong about no other.
 */
#include "support.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/perf_pmu.h"
#include "attach/sys.h"
#include "judge/insn.h"

#if defined(__x86_64__)

#define CODE_SPACING 64

struct piece {
	const char *name;
	const char *hex; /* the instruction, and what restores the stack; ret is appended */
	bool avx2;
};

static const struct piece pieces[] = {
	{"nop", "90", false},
	{"nop5", "0f 1f 44 00 00", false},
	{"nop5 with prefixes", "66 66 66 66 90", false},
	{"nop9", "66 0f 1f 84 00 00 00 00 00", false},
	{"pause", "f3 90", false},
	{"endbr64", "f3 0f 1e fa", false},
	{"push rbp", "55 5d", false},
	{"push rsp", "54 58", false},
	{"push r8", "41 50 58", false},
	{"rex push", "48 50 58", false},
	{"push of 16 bits", "66 50 66 58", false},
	{"push imm8", "6a 05 58", false},
	{"call", "e8 00 00 00 00 58", false},
	{"rex call", "48 e8 00 00 00 00 58", false},
	{"call through a register", "48 8d 05 02 00 00 00 ff d0 58", false},
	{"je", "74 02 ff c0 ff c1", false},
	{"jne", "75 02 ff c0 ff c1", false},
	{"jne rel32", "0f 85 02 00 00 00 ff c0 ff c1", false},
	{"bnd jmp", "f2 eb 02 ff c0 ff c1", false},
	{"loop", "e2 02 ff c0 ff c1", false},
	{"jrcxz", "e3 02 ff c0 ff c1", false},
	{"ret", "c3", false},
	{"rep ret", "f3 c3", false},
	{"ret imm16", "c2 00 00", false},
	{"lea rip", "48 8d 05 10 00 00 00", false},
	{"mov from rip", "48 8b 05 10 00 00 00", false},
	{"cmp with rip", "48 3b 05 10 00 00 00", false},
	{"xchg", "91", false},
	{"xchg r8, rax", "49 90", false},
	{"rep stosb", "f3 aa", false},
	{"pushf", "9c 58", false},
	{"enter", "c8 08 00 00 c9", false},
	{"fs load", "64 48 8b 04 25 00 00 00 00", false},
	{"movd", "66 0f 6e c0", false},
	{"pshufb", "66 0f 38 00 c1", false},
	{"cvtsi2sd", "f2 48 0f 2a c0", false},
	{"fld1", "d9 e8 dd 1e", false},
	{"syscall", "0f 05", false},
	{"vmovups", "c5 f8 10 c1", true},
	{"vmovups from rip", "c5 f8 10 05 10 00 00 00", true},
	{"vaddps with rip", "c5 f0 58 05 10 00 00 00", true},
	{"vmovmskps", "c5 f8 50 c1", true},
	{"vsqrtps", "c5 f8 51 c1", true},
	{"vpand", "c5 f1 db c2", true},
	{"vpaddb", "c5 f1 fc c2", true},
	{"vpinsrw", "c5 f1 c4 c2 01", true},
	{"vshufps", "c5 f0 c6 c2 1b", true},
	{"vpalignr", "c4 e3 71 0f c2 03", true},
	{"vpbroadcastd", "c4 e2 79 58 c1", true},
	{"vblendvps", "c4 e3 71 4a c2 10", true},
	{"shlx", "c4 e2 f1 f7 c2", true},
	{"andn with rip", "c4 e2 e8 f2 05 10 00 00 00", true},
	{"vzeroupper", "c5 f8 77", true},
	{"vpcmpeqb", "c5 f5 74 c1", true},
	{"vpshufd", "c5 f9 70 c1 01", true},
	{"vmovd", "c5 f9 7e c8", true},
	{"vpor", "c5 f1 eb c2", true},
	{"vpsubsb", "c5 f1 e8 c2", true},
	{"vpbroadcastb", "c4 e2 79 78 c1", true},
	{"vcmpps", "c5 f0 c2 c2 00 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90", true},
	{"vfnmadd132sd", "c4 e2 f1 9d c2", true},
};

struct machine {
	uint64_t rax, rcx, rdx, rsi, rdi, r8, flags;
	uint64_t vectors[3][4];
	uint8_t memory[64];
};

/* Load the registers, call the code, and store them. */
static void run(const void *code, struct machine *machine, bool avx)
{
	register const void *target __asm__("r12") = code;
	register struct machine *state __asm__("rbx") = machine;
	register long with_avx __asm__("r13") = avx;

	__asm__ volatile("sub $256, %%rsp\n\t"
			 "test %%r13, %%r13\n\t"
			 "jz 1f\n\t"
			 "vmovdqu 56(%%rbx), %%ymm0\n\t"
			 "vmovdqu 88(%%rbx), %%ymm1\n\t"
			 "vmovdqu 120(%%rbx), %%ymm2\n"
			 "1: mov (%%rbx), %%rax\n\t"
			 "mov 8(%%rbx), %%rcx\n\t"
			 "mov 16(%%rbx), %%rdx\n\t"
			 "mov 24(%%rbx), %%rsi\n\t"
			 "mov 32(%%rbx), %%rdi\n\t"
			 "mov 40(%%rbx), %%r8\n\t"
			 "pushq 48(%%rbx)\n\t"
			 "popfq\n\t"
			 "call *%%r12\n\t"
			 "pushfq\n\t"
			 "popq 48(%%rbx)\n\t"
			 "mov %%rax, (%%rbx)\n\t"
			 "mov %%rcx, 8(%%rbx)\n\t"
			 "mov %%rdx, 16(%%rbx)\n\t"
			 "mov %%rsi, 24(%%rbx)\n\t"
			 "mov %%rdi, 32(%%rbx)\n\t"
			 "mov %%r8, 40(%%rbx)\n\t"
			 "test %%r13, %%r13\n\t"
			 "jz 2f\n\t"
			 "vmovdqu %%ymm0, 56(%%rbx)\n\t"
			 "vmovdqu %%ymm1, 88(%%rbx)\n\t"
			 "vmovdqu %%ymm2, 120(%%rbx)\n"
			 "2: add $256, %%rsp"
			 : "+r"(target), "+r"(state), "+r"(with_avx)
			 :
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0",
			   "xmm1", "xmm2", "memory", "cc");
}

static void prepare(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->rax = 39; /* getpid */
	machine->rcx = 4;
	machine->rdx = 0x1122334455667788;
	machine->r8 = 0x8888;
	machine->flags = 0x202;
	machine->rsi = machine->rdi = (uintptr_t)machine->memory;
	for (size_t i = 0; i < sizeof(machine->vectors); i++)
		((uint8_t *)machine->vectors)[i] = i * 37;
}

/* ---- one piece in its own process */

enum outcome { SAME, CHANGED, DIED, NOT_ARMED };

struct site {
	const char *path;
	const uint8_t *code; /* the mapped file */
	int program;
	size_t number;
};

static bool arm_by_link(const struct site *site, uint64_t offset)
{
	const struct upm_multi_link request = {.program_fd = site->program,
					       .attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
					       .path = site->path,
					       .offsets = &offset,
					       .count = 1,
					       .pid = getpid()};

	return upm_sys_link_multi(&request) >= 0;
}

static bool arm_by_event(const struct site *site, uint64_t offset)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
				       .config1 = (uint64_t)(uintptr_t)site->path,
				       .config2 = offset};
	struct upm_perf_pmu pmu;

	if (upm_perf_pmu_read(&pmu))
		return false;
	attr.type = pmu.type;
	return upm_sys_perf_event_open(&attr, getpid(), -1) >= 0;
}

static bool arm(const struct site *site, uint64_t offset)
{
	return upm_kernel_features()->uprobe_multi == UPM_YES ? arm_by_link(site, offset)
							      : arm_by_event(site, offset);
}

static enum outcome compare_runs(const struct site *site)
{
	uint64_t offset = site->number * CODE_SPACING;
	const uint8_t *code = site->code + offset;
	bool avx = pieces[site->number].avx2;
	static struct machine machine, plain;
	uint8_t first = *(const volatile uint8_t *)code;

	prepare(&machine);
	run(code, &machine, avx);
	plain = machine;
	if (!arm(site, offset) || *(const volatile uint8_t *)code == first)
		return NOT_ARMED;
	for (int round = 0; round < 3; round++) { /* the first may optimise the site */
		prepare(&machine);
		run(code, &machine, avx);
		if (memcmp(&machine, &plain, sizeof(plain)) != 0)
			return CHANGED;
	}
	return SAME;
}

/* Without a core file, and without the handlers of cmocka. */
static void die_of_signals(void)
{
	static const int fatal[] = {SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGFPE};

	prctl(PR_SET_DUMPABLE, 0);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], SIG_DFL);
}

static enum outcome outcome_of(const struct site *site)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		die_of_signals();
		_exit(compare_runs(site));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : DIED;
}

static void look_at(const struct site *site, const struct upm_insn_rules *rules)
{
	static const char *const outcome_names[] = {
		"is as without a probe", "goes on with wrong data", "dies", "could not be probed"};
	const struct piece *piece = &pieces[site->number];
	enum outcome outcome;
	struct upm_insn insn;

	if (piece->avx2 && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
			     __builtin_cpu_supports("fma")))
		return;
	upm_insn_judge(rules, site->code + site->number * CODE_SPACING, UPM_INSN_MAX, 0, &insn);
	outcome = outcome_of(site);
	if (insn.harmful)
		print_message("%s: the program %s (%s)\n", piece->name, outcome_names[outcome],
			      insn.reason);
	else if (outcome != SAME || !insn.probeable)
		fail_msg("%s is judged %s, but the program %s", piece->name,
			 insn.probeable ? "probeable" : insn.reason, outcome_names[outcome]);
}

static void write_pieces(int fd)
{
	static const size_t count = sizeof(pieces) / sizeof(pieces[0]);
	uint8_t code[CODE_SPACING];

	for (size_t i = 0; i < count; i++) {
		memset(code, 0xc3, sizeof(code)); /* ret */
		test_from_hex(pieces[i].hex, code);
		assert_int_equal(write(fd, code, sizeof(code)), sizeof(code));
	}
}

static void what_is_judged_probeable_does_no_harm(void **state)
{
	char path[] = "/tmp/upm-harm-XXXXXX";
	struct site site = {.path = path};
	struct upm_insn_rules rules;
	int fd;

	(void)state;
	if (!upm_kernel_features()->backend)
		skip_because("this kernel has no uprobes, or does not let this user ask");
	assert_true(upm_insn_rules_of_kernel(EM_X86_64, 64, &rules));
	site.program = upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	assert_true(site.program >= 0);
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	write_pieces(fd);
	site.code = mmap(NULL, sizeof(pieces) / sizeof(pieces[0]) * CODE_SPACING,
			 PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(site.code, MAP_FAILED);
	close(fd);
	for (; site.number < sizeof(pieces) / sizeof(pieces[0]); site.number++)
		look_at(&site, &rules);
	unlink(path);
	close(site.program);
}

#else

static void what_is_judged_probeable_does_no_harm(void **state)
{
	(void)state;
	skip_because("the pieces of code are for x86-64");
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_judged_probeable_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
