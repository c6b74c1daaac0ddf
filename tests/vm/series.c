/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The multi link of kernel/patches/linux-6.1, by bare system calls: what a program and what the
 * owner of a link are told, and what the series does better than upstream. Such a kernel
 * is known by the flags in fdinfo, which upstream does not show.
 */
#include "live_target.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/sys.h"

struct seen {
	uint64_t cookie, address, hits;
};

__attribute__((noinline)) static int first(int value)
{
	__asm__ volatile("" : "+r"(value));
	return value + 1;
}

__attribute__((noinline)) static int second(int value)
{
	__asm__ volatile("" : "+r"(value));
	return value + 2;
}

static const char own_path[] = "/proc/self/exe";

/* Functions lie in one segment of this file. */
static uint64_t offset_of(const void *function)
{
	uint64_t start, end, offset, found = 0, address = (uintptr_t)function;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 &&
		    address >= start && address < end)
			found = address - start + offset;
	fclose(maps);
	assert_true(found > 0);
	return found;
}

#define INSN(op, dst, src, off_, imm_)                                                             \
	{                                                                                          \
		.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_)     \
	}
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define MOVE(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define STORE(dst, src, offset) INSN(BPF_STX | BPF_DW | BPF_MEM, dst, src, offset, 0)

/* A program that leaves what it was told in the only element of a map. */
static int load_teller(int map)
{
	const struct bpf_insn insns[] = {
		MOVE(BPF_REG_6, BPF_REG_1),
		CALL(BPF_FUNC_get_attach_cookie),
		MOVE(BPF_REG_7, BPF_REG_0),
		MOVE(BPF_REG_1, BPF_REG_6),
		CALL(BPF_FUNC_get_func_ip),
		MOVE(BPF_REG_8, BPF_REG_0),
		INSN(BPF_ST | BPF_W | BPF_MEM, BPF_REG_10, 0, -4, 0),
		MOVE(BPF_REG_2, BPF_REG_10),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		CALL(BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 4, 0),
		STORE(BPF_REG_0, BPF_REG_7, 0),
		STORE(BPF_REG_0, BPF_REG_8, 8),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1),
		INSN(BPF_STX | BPF_DW | BPF_ATOMIC, BPF_REG_0, BPF_REG_1, 16, BPF_ADD),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return upm_sys_program_load(BPF_PROG_TYPE_KPROBE, UPM_BPF_TRACE_UPROBE_MULTI, insns,
				    sizeof(insns) / sizeof(insns[0]));
}

struct teller {
	int map, program, link;
};

static struct teller attach(const uint64_t *offsets, const uint64_t *cookies, size_t count,
			    uint32_t flags, pid_t pid)
{
	struct teller teller = {
		.map = upm_sys_map_create(UPM_BPF_MAP_TYPE_ARRAY, 4, sizeof(struct seen), 1, 0)};
	struct upm_multi_link request = {
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.path = own_path,
		.offsets = offsets,
		.cookies = cookies,
		.count = count,
		.flags = flags,
		.pid = pid,
	};

	assert_true(teller.map >= 0);
	teller.program = load_teller(teller.map);
	assert_true(teller.program >= 0);
	request.program_fd = teller.program;
	teller.link = upm_sys_link_multi(&request);
	return teller;
}

static struct seen read_seen(const struct teller *teller)
{
	struct seen seen = {0};
	uint32_t key = 0;
	union bpf_attr attr = {
		.map_fd = (uint32_t)teller->map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&seen,
	};

	assert_int_equal(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)), 0);
	return seen;
}

static void end(struct teller *teller)
{
	if (teller->link >= 0)
		close(teller->link);
	close(teller->program);
	close(teller->map);
}

static bool fdinfo_has(int fd, const char *wanted)
{
	char path[64], line[4200];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		found |= strncmp(line, wanted, strlen(wanted)) == 0;
	fclose(file);
	return found;
}

static bool has_series(void)
{
	const uint64_t offset = offset_of(first);
	struct teller teller = attach(&offset, NULL, 1, 0, getpid());
	bool found = teller.link >= 0 && fdinfo_has(teller.link, "flags:\t0x");

	end(&teller);
	return found;
}

#define skip_without_series()                                                                      \
	do {                                                                                       \
		if (!has_series())                                                                 \
			skip_because("this kernel's links are not those of our series");           \
	} while (0)

static void check_told(const struct teller *teller, uint64_t cookie, const void *address,
		       uint64_t hits)
{
	struct seen seen = read_seen(teller);

	assert_int_equal(seen.cookie, cookie);
	assert_int_equal(seen.address, (uintptr_t)address);
	assert_int_equal(seen.hits, hits);
}

static void what_a_program_is_told(void **state)
{
	const uint64_t offsets[] = {offset_of(first), offset_of(second)};
	const uint64_t cookies[] = {0xfeedfacecafe, UINT64_MAX};

	(void)state;
	skip_without_series();
	for (uint32_t flags = 0; flags <= UPM_BPF_F_UPROBE_MULTI_RETURN; flags++) {
		struct teller teller = attach(offsets, cookies, 2, flags, 0);

		assert_true(teller.link >= 0);
		assert_int_equal(first(1), 2);
		check_told(&teller, cookies[0], first, 1);
		assert_int_equal(second(1), 3);
		check_told(&teller, cookies[1], second, 2);
		end(&teller);
	}
}

static void what_an_owner_is_told(void **state)
{
	const uint64_t offsets[] = {offset_of(first), offset_of(second)}, cookies[] = {7, 8};
	uint64_t told[3] = {99, 99, 99};
	char path[4096], real[4096];
	struct upm_bpf_link_info info = {0};
	struct teller teller;

	(void)state;
	skip_without_series();
	teller = attach(offsets, cookies, 2, UPM_BPF_F_UPROBE_MULTI_RETURN, getpid());
	assert_true(teller.link >= 0);
	assert_non_null(realpath(own_path, real));

	assert_int_equal(upm_sys_object_info(teller.link, &info, sizeof(info)), 0);
	assert_int_equal(info.type, UPM_BPF_LINK_UPROBE_MULTI);
	assert_int_equal(info.multi.count, 2);
	assert_int_equal(info.multi.path_size, strlen(real) + 1);
	assert_int_equal(info.multi.flags, UPM_BPF_F_UPROBE_MULTI_RETURN);
	assert_int_equal(info.multi.pid, getpid());

	info.multi.path = (uintptr_t)path;
	info.multi.path_size = sizeof(path);
	info.multi.offsets = (uintptr_t)told;
	info.multi.count = 1;
	assert_int_equal(upm_sys_object_info(teller.link, &info, sizeof(info)), -ENOSPC);
	assert_string_equal(path, real);
	assert_int_equal(told[0], offsets[0]);
	assert_int_equal(told[1], 99);

	info.multi.count = 3;
	info.multi.path_size = sizeof(path);
	info.multi.cookies = (uintptr_t)told;
	info.multi.offsets = 0;
	assert_int_equal(upm_sys_object_info(teller.link, &info, sizeof(info)), 0);
	assert_int_equal(info.multi.count, 2);
	assert_memory_equal(told, cookies, sizeof(cookies));
	assert_int_equal(told[2], 99);

	info.multi.path_size = 0;
	assert_int_equal(upm_sys_object_info(teller.link, &info, sizeof(info)), -EINVAL);
	info.multi.path_size = 2;
	assert_int_equal(upm_sys_object_info(teller.link, &info, sizeof(info)), -ENAMETOOLONG);

	assert_true(fdinfo_has(teller.link, "uprobe_cnt:\t2\n"));
	assert_true(fdinfo_has(teller.link, "flags:\t0x1\n"));
	snprintf(path, sizeof(path), "8\t 0x%lx\t 0x0\n", offsets[1]);
	assert_true(fdinfo_has(teller.link, path));
	end(&teller);
}

struct child {
	pid_t pid;
	int go[2];
};

static void *call_when_told(void *argument)
{
	struct child *child = argument;
	char byte;

	while (read(child->go[0], &byte, 1) == 1)
		first(1);
	_exit(0);
}

/* A process of one thread, which is not its leader, or of the leader alone. */
static struct child start_child(bool without_leader)
{
	struct child child;
	pthread_t thread;

	assert_int_equal(pipe(child.go), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid)
		return child;
	close(child.go[1]);
	if (!without_leader)
		call_when_told(&child);
	pthread_create(&thread, NULL, call_when_told, &child);
	pthread_exit(NULL);
}

static void wait_for_leader_to_exit(pid_t pid)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (state != 'Z') {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
		usleep(1000);
	}
}

static void check_child(bool without_leader)
{
	const uint64_t offset = offset_of(first);
	struct child child = start_child(without_leader), other = start_child(false);
	struct teller teller;
	int status;

	if (without_leader)
		wait_for_leader_to_exit(child.pid);
	teller = attach(&offset, NULL, 1, 0, child.pid);
	assert_true(teller.link >= 0);
	assert_int_equal(write(child.go[1], "...", 3), 3);
	assert_int_equal(write(other.go[1], "....", 4), 4);
	first(1);
	close(child.go[1]);
	close(other.go[1]);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	assert_int_equal(status, 0);
	assert_int_equal(waitpid(other.pid, &status, 0), other.pid);
	assert_int_equal(status, 0);
	assert_int_equal(read_seen(&teller).hits, 3);
	end(&teller);
	close(child.go[0]);
	close(other.go[0]);
}

static void one_process(void **state)
{
	(void)state;
	skip_without_series();
	check_child(false);
}

static void a_process_whose_leader_has_exited(void **state)
{
	(void)state;
	skip_without_series();
	check_child(true);
}

static void *tell_thread(void *tid)
{
	*(pid_t *)tid = (pid_t)syscall(SYS_gettid);
	while (*(volatile pid_t *)tid)
		usleep(1000);
	return NULL;
}

static void pids_that_are_none(void **state)
{
	const uint64_t offset = offset_of(first);
	volatile pid_t tid = 0;
	struct teller teller;
	pthread_t thread;

	(void)state;
	skip_without_series();
	teller = attach(&offset, NULL, 1, 0, -1);
	assert_int_equal(teller.link, -EINVAL);
	end(&teller);
	assert_int_equal(pthread_create(&thread, NULL, tell_thread, (void *)&tid), 0);
	while (!tid)
		usleep(1000);
	teller = attach(&offset, NULL, 1, 0, tid);
	assert_int_equal(teller.link, -ESRCH);
	end(&teller);
	tid = 0;
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static int open_perf_uprobe(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .config2 = offset_of(first)};
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int fd;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%u", &attr.type), 1);
	fclose(file);
	attr.config1 = (uintptr_t)own_path;
	fd = upm_sys_perf_event_open(&attr, getpid(), -1);
	assert_true(fd >= 0);
	return fd;
}

static void not_by_a_perf_event(void **state)
{
	const uint64_t offset = offset_of(first);
	struct teller teller;
	int event;

	(void)state;
	skip_without_series();
	teller = attach(&offset, NULL, 1, 0, getpid());
	event = open_perf_uprobe();
	assert_int_equal(ioctl(event, PERF_EVENT_IOC_SET_BPF, teller.program), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(upm_sys_link_perf(teller.program, event, 1), -EINVAL);
	first(1);
	assert_int_equal(read_seen(&teller).hits, 1);
	close(event);
	end(&teller);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_program_is_told),
		cmocka_unit_test(what_an_owner_is_told),
		cmocka_unit_test(one_process),
		cmocka_unit_test(a_process_whose_leader_has_exited),
		cmocka_unit_test(pids_that_are_none),
		cmocka_unit_test(not_by_a_perf_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
