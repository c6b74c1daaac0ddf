// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The kernel is the oracle: for every instruction that the judge is asked about,
 * its verdict must be what a multi link on the live kernel says.
 *
 * Instructions are written 16 bytes apart into a file that one process maps, and
 * are never executed. All that are judged good must attach as one link; each
 * that is judged bad must be refused alone, asked for by many threads, because
 * every refusal waits for a grace period of the kernel. For 32-bit rules the
 * file is itself a 32-bit program that sleeps.
 *
 * ORACLE=1000000 in the environment asks about at least so many, over the whole opcode space, and
 * about every program and library of the machine.
 */
#include "live_target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/shelter.h"
#include "attach/sys.h"
#include "judge/insn.h"
#include "oracle/encodings.h"

#define FIRST_OFFSET 4096 /* in the file, behind the ELF header of the 32-bit program */
#define THREADS 512
#define MOST_THREADS 2048 /* of long runs: the busier the machine, the longer a refusal waits */
#define STACK_BYTES (128 << 10)
#define SLICE (1 << 17) /* encodings in a file; a link takes no more than 1 << 20 */
#define MOST_REPORTED 200
#define SPARE_FILES 256
#define FEWEST_BINARIES 5

/* A file with the encodings and a process that maps it. */
struct oracle {
	char path[64];
	int32_t pid;
	int program;
	const struct upm_insn_rules *rules;
	const struct encodings *all;
	const uint32_t *alone; /* numbers of the encodings to ask for one by one */
	size_t alone_count;
	atomic_size_t next;
	int *answers; /* of each encoding: 0 or a negative errno */
};

static void write_file(struct oracle *oracle, const void *head, size_t head_size)
{
	size_t size = oracle->all->count * ENCODING_BYTES;
	int fd;

	strcpy(oracle->path, "/tmp/upm-oracle-XXXXXX");
	fd = mkostemp(oracle->path, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, head, head_size, 0), (ssize_t)head_size);
	assert_int_equal(pwrite(fd, oracle->all->items, size, FIRST_OFFSET), (ssize_t)size);
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
}

static int link_to(const struct oracle *oracle, const uint32_t *numbers, size_t count)
{
	uint64_t *offsets = malloc(count * sizeof(*offsets));
	struct upm_multi_link request = {
		.program_fd = oracle->program,
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.path = oracle->path,
		.offsets = offsets,
		.count = count,
		.pid = oracle->pid,
	};
	int fd;

	if (!offsets)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		offsets[i] = FIRST_OFFSET + (uint64_t)numbers[i] * ENCODING_BYTES;
	fd = upm_sys_link_multi(&request);
	free(offsets);
	return fd;
}

static void *ask_alone(void *argument)
{
	struct oracle *oracle = argument;
	size_t i;

	while ((i = atomic_fetch_add(&oracle->next, 1)) < oracle->alone_count) {
		uint32_t number = oracle->alone[i];
		int fd = link_to(oracle, &number, 1);

		oracle->answers[number] = fd < 0 ? fd : 0;
		if (fd >= 0)
			upm_shelter_close(fd);
	}
	return NULL;
}

/* @return how many a long run is to take, or 0 */
static size_t wanted(void)
{
	const char *text = getenv("ORACLE");

	return text ? strtoull(text, NULL, 10) : 0;
}

static void ask_each_alone(struct oracle *oracle, const uint32_t *numbers, size_t count)
{
	size_t started = 0, most = wanted() ? MOST_THREADS : THREADS;
	pthread_t threads[MOST_THREADS];
	pthread_attr_t small;

	oracle->alone = numbers;
	oracle->alone_count = count;
	atomic_store(&oracle->next, 0);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK_BYTES);
	while (started < most && started < count &&
	       pthread_create(&threads[started], &small, ask_alone, oracle) == 0)
		started++;
	pthread_attr_destroy(&small);
	assert_true(started || !count);
	while (started)
		pthread_join(threads[--started], NULL);
}

/* Ask for many at once; only when the kernel minds, for each alone. */
static void ask_together(struct oracle *oracle, const uint32_t *numbers, size_t count)
{
	int fd = link_to(oracle, numbers, count);

	if (fd < 0) {
		ask_each_alone(oracle, numbers, count);
		return;
	}
	upm_shelter_close(fd); /* a kill meanwhile would leave breakpoints behind */
	for (size_t i = 0; i < count; i++)
		oracle->answers[numbers[i]] = 0;
}

static bool asks_for_refusal(int answer)
{
	return answer == -UPM_ENOTSUPP || answer == -ENOEXEC || answer == -EINVAL;
}

/* Some encodings the judge refuses whatever this kernel thinks of them. */
static bool differs(const struct upm_insn *insn, int answer)
{
	if (insn->harmful)
		return answer != 0 && !strstr(insn->reason, "differently from");
	return insn->probeable ? answer != 0 : !asks_for_refusal(answer);
}

/* The kernel's tables of instructions gained VEX and EVEX ones of recent processors between 6.1 and
 * 6.12. An older kernel refuses those, and takes their bytes without such a prefix, which no
 * processor runs. The engine finds out when it attaches, and names each that was refused. */
static bool tables_are_older(void)
{
	struct utsname kernel;
	unsigned major, minor;

	assert_int_equal(uname(&kernel), 0);
	assert_int_equal(sscanf(kernel.release, "%u.%u", &major, &minor), 2);
	return major < 6 || (major == 6 && minor < 12);
}

static bool is_for_older_tables(const struct upm_insn *insn, int answer)
{
	if (!tables_are_older())
		return false;
	if (answer)
		return answer == -ENOEXEC;
	return insn->reason && strstr(insn->reason, "with a VEX or EVEX prefix only");
}

static void report(const uint8_t *bytes, const struct upm_insn *insn, int answer)
{
	char hex[ENCODING_BYTES * 3 + 1] = "";

	for (size_t i = 0; i < ENCODING_BYTES; i++)
		sprintf(hex + i * 3, "%02x ", bytes[i]);
	print_error("%s judged %s, the kernel says %d\n", hex,
		    insn->reason ? insn->reason : "probeable", answer);
}

struct tally {
	size_t accepted, refused, unknown, harmful, newer, different;
};

static void compare(const struct oracle *oracle, const struct upm_insn *insns, struct tally *tally)
{
	for (size_t i = 0; i < oracle->all->count; i++) {
		int answer = oracle->answers[i];

		tally->accepted += answer == 0;
		tally->refused += answer != 0;
		tally->unknown += answer == -ENOEXEC;
		tally->harmful += answer == 0 && insns[i].harmful;
		if (!differs(&insns[i], answer))
			continue;
		if (is_for_older_tables(&insns[i], answer))
			tally->newer++;
		else if (tally->different++ < MOST_REPORTED)
			report(oracle->all->items[i], &insns[i], answer);
	}
}

static void ask(struct oracle *oracle, struct tally *tally)
{
	size_t count = oracle->all->count, good = 0, bad = 0;
	struct upm_insn *insns = calloc(count, sizeof(*insns));
	uint32_t *good_ones = calloc(count, sizeof(*good_ones));
	uint32_t *bad_ones = calloc(count, sizeof(*bad_ones));

	oracle->answers = calloc(count, sizeof(*oracle->answers));
	assert_true(insns && good_ones && bad_ones && oracle->answers);
	for (size_t i = 0; i < count; i++) {
		upm_insn_judge(oracle->rules, oracle->all->items[i], ENCODING_BYTES, 0, &insns[i]);
		if (insns[i].probeable)
			good_ones[good++] = i;
		else
			bad_ones[bad++] = i;
	}
	ask_together(oracle, good_ones, good);
	ask_each_alone(oracle, bad_ones, bad);
	compare(oracle, insns, tally);
	free(insns);
	free(good_ones);
	free(bad_ones);
	free(oracle->answers);
}

/*
 * A kernel that "leaked" probes of some killed process keeps their instructions, and answers by
 * them when a new file gets the memory of that inode: docs/security.md. So where there are
 * differences, empty files take such memory, and it is asked once more.
 */
static void ask_again(const struct encodings *part, struct tally *tally,
		      void (*ask_about)(const struct encodings *part, struct tally *tally))
{
	int fds[SPARE_FILES];
	char path[64];

	print_message("%zu differ; asked again in another file\n", tally->different);
	for (size_t i = 0; i < SPARE_FILES; i++) {
		strcpy(path, "/tmp/upm-oracle-XXXXXX");
		fds[i] = mkostemp(path, O_CLOEXEC);
		assert_true(fds[i] >= 0);
		unlink(path);
	}
	*tally = (struct tally){0};
	ask_about(part, tally);
	for (size_t i = 0; i < SPARE_FILES; i++)
		close(fds[i]);
}

static void add(struct tally *sum, const struct tally *tally)
{
	sum->accepted += tally->accepted;
	sum->refused += tally->refused;
	sum->unknown += tally->unknown;
	sum->harmful += tally->harmful;
	sum->newer += tally->newer;
	sum->different += tally->different;
}

/* Part of the encodings at a time, in a file of its own. */
static void consult(const struct encodings *all, unsigned bits,
		    void (*ask_about)(const struct encodings *part, struct tally *tally))
{
	struct tally tally = {0};

	for (size_t start = 0; start < all->count; start += SLICE) {
		struct encodings part = {
			.items = all->items + start,
			.count = all->count - start < SLICE ? all->count - start : SLICE,
		};

		struct tally of_part = {0};

		ask_about(&part, &of_part);
		if (of_part.different)
			ask_again(&part, &of_part, ask_about);
		add(&tally, &of_part);
		if (part.count == SLICE)
			print_message("%zu of %zu asked\n", start + part.count, all->count);
	}
	print_message("%zu distinct %u-bit instructions: the kernel accepts %zu (%zu of them are "
		      "harmful) and refuses %zu (%zu of them it can not decode); %zu are newer "
		      "than its tables; %zu differ\n",
		      all->count, bits, tally.accepted, tally.harmful, tally.refused, tally.unknown,
		      tally.newer, tally.different);
	assert_int_equal(tally.different, 0);
	assert_true(tally.accepted && tally.refused);
	assert_true(tally.newer <= all->count / 100);
}

static void open_program(struct oracle *oracle)
{
	if (upm_kernel_features()->uprobe_multi != UPM_YES)
		skip_because("this kernel has no uprobe multi link, or does not let this user ask");
	oracle->program = upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	assert_true(oracle->program >= 0);
}

static void ask_64(const struct encodings *all, struct tally *tally)
{
	struct upm_insn_rules rules;
	struct oracle oracle = {.pid = getpid(), .rules = &rules, .all = all};
	size_t size = FIRST_OFFSET + all->count * ENCODING_BYTES;
	void *mapped;
	int fd;

	if (!upm_insn_rules_of_kernel(EM_X86_64, 64, &rules))
		skip_because("this machine does not run x86-64 code");
	open_program(&oracle);
	write_file(&oracle, "", 1);
	fd = open(oracle.path, O_RDONLY | O_CLOEXEC);
	mapped = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	ask(&oracle, tally);
	munmap(mapped, size);
	unlink(oracle.path);
	close(oracle.program);
}

/* ---- 32-bit code: a program without a libc whose text the encodings are */

struct sleeper {
	Elf32_Ehdr header;
	Elf32_Phdr text;
	uint8_t code[16];
};

static struct sleeper make_sleeper(size_t size)
{
	static const uint32_t base = 0x08048000;
	struct sleeper sleeper = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = EM_386,
			   .e_version = EV_CURRENT,
			   .e_entry = base + offsetof(struct sleeper, code),
			   .e_phoff = offsetof(struct sleeper, text),
			   .e_ehsize = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 1},
		.text = {.p_type = PT_LOAD,
			 .p_vaddr = base,
			 .p_filesz = size,
			 .p_memsz = size,
			 .p_flags = PF_R | PF_X,
			 .p_align = 4096},
		/* again: mov $29 (pause), %eax; int $0x80; jmp again */
		.code = {0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7},
	};

	return sleeper;
}

/* @return its pid once it runs the program, or -1 when the kernel does not run it. */
static int32_t start_program(const char *path)
{
	char *const arguments[] = {(char *)path, NULL};
	char *const environment[] = {NULL};
	int failed[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(failed, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execve(path, arguments, environment);
		_exit(write(failed[1], "x", 1) == 1 ? 0 : 1);
	}
	close(failed[1]);
	if (read(failed[0], &byte, 1) == 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(failed[0]);
	return pid;
}

static void ask_32(const struct encodings *all, struct tally *tally)
{
	struct upm_insn_rules rules;
	struct oracle oracle = {.rules = &rules, .all = all};
	struct sleeper sleeper = make_sleeper(FIRST_OFFSET + all->count * ENCODING_BYTES);

	if (!upm_insn_rules_of_kernel(EM_386, 32, &rules))
		skip_because("this kernel does not run 32-bit programs");
	open_program(&oracle);
	write_file(&oracle, &sleeper, sizeof(sleeper));
	oracle.pid = start_program(oracle.path);
	assert_true(oracle.pid > 0);
	ask(&oracle, tally);
	kill(oracle.pid, SIGKILL);
	waitpid(oracle.pid, NULL, 0);
	unlink(oracle.path);
	close(oracle.program);
}

/* ---- tests */

/* Each refusal costs the kernel a grace period: where everything is emulated, fewer are asked for.
 */
static void thin_out(struct encodings *all)
{
	encodings_keep_distinct(all);
	encodings_thin_out(all, all->count / scaled(all->count));
}

static void agrees_on_real_binaries(void **state)
{
	struct encodings all = {0};
	size_t binaries = encodings_add_binaries(&all, wanted() > 0);

	(void)state;
	print_message("first instructions of every function of %zu binaries\n", binaries);
	if (binaries < FEWEST_BINARIES)
		skip_because("fewer than five large binaries are installed");
	consult(&all, 64, ask_64);
	free(all.items);
}

static void agrees_on_generated_64_bit_code(void **state)
{
	struct encodings all = {0};

	(void)state;
	encodings_add_generated(&all);
	if (wanted())
		encodings_add_wide(&all, wanted());
	thin_out(&all);
	consult(&all, 64, ask_64);
	free(all.items);
}

static void agrees_on_generated_32_bit_code(void **state)
{
	struct encodings all = {0};

	(void)state;
	encodings_add_generated(&all);
	thin_out(&all);
	consult(&all, 32, ask_32);
	free(all.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_on_real_binaries),
		cmocka_unit_test(agrees_on_generated_64_bit_code),
		cmocka_unit_test(agrees_on_generated_32_bit_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
