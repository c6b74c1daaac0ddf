/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What lies at addresses of processes: compared with the loader's word, and with the resolver's. */
#include "live_target.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than the symbolizer takes a process for what it was. */
#define A_WHILE_US 100000

static struct upm_symbolizer *symbolizer;

static int make(void **state)
{
	(void)state;
	return upm_symbolizer_new(&symbolizer);
}

static int clean(void **state)
{
	(void)state;
	upm_symbolizer_free(symbolizer);
	return 0;
}

static struct upm_place find(pid_t pid, uint64_t address, int after_call)
{
	struct upm_place place = {.size = sizeof(place)};

	assert_upm_ok(upm_symbolizer_find(symbolizer, pid, address, after_call, &place));
	return place;
}

static void assert_place(const struct upm_place *place, const char *file, const char *symbol,
			 uint64_t offset)
{
	const char *slash = strrchr(place->path, '/');

	assert_string_equal(slash ? slash + 1 : place->path, file);
	assert_string_equal(place->symbol, symbol);
	assert_int_equal(place->offset, offset);
}

/* ---- this process: the loader knows */

static void assert_like_the_loader(void *address)
{
	struct upm_place place = find(getpid(), (uintptr_t)address, 0);
	Dl_info info;

	assert_int_not_equal(dladdr(address, &info), 0);
	if (!info.dli_saddr) {
		assert_string_equal(place.symbol, "");
		return;
	}
	assert_int_equal(place.offset, (uintptr_t)address - (uintptr_t)info.dli_saddr);
	/* Which of several names of a function is shown, may differ. */
	if (strcmp(place.symbol, info.dli_sname) != 0)
		assert_ptr_equal(dlsym(RTLD_DEFAULT, place.symbol),
				 dlsym(RTLD_DEFAULT, info.dli_sname));
}

static void functions_of_this_process(void **state)
{
	static const char *const names[] = {"malloc",		"open",		  "qsort",
					    "fprintf",		"pthread_create", "elf_begin",
					    "bpf_object__open", "pcre2_match_8"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *function = dlsym(RTLD_DEFAULT, names[i]);

		if (!function)
			continue;
		assert_like_the_loader(function);
		assert_like_the_loader(function + 1);
		assert_like_the_loader(function + 9);
	}
	assert_non_null(dlsym(RTLD_DEFAULT, "malloc"));
}

static void addresses_of_nothing(void **state)
{
	struct upm_place place = {.size = sizeof(place)};
	int on_the_stack = 0;

	(void)state;
	place = find(getpid(), 0, 0);
	assert_place(&place, "", "", 0);
	place = find(getpid(), 1, 1);
	assert_place(&place, "", "", 0);
	place = find(getpid(), UINT64_MAX, 1);
	assert_place(&place, "", "", 0);
	place = find(getpid(), (uintptr_t)&on_the_stack, 0);
	assert_place(&place, "", "", 0);
	assert_upm(upm_symbolizer_find(symbolizer, 0, 1, 0, &place), UPM_ERR_INVALID);
	assert_upm(upm_symbolizer_find(NULL, 1, 1, 0, &place), UPM_ERR_INVALID);
	assert_upm(upm_symbolizer_find(symbolizer, 1, 1, 0, NULL), UPM_ERR_INVALID);
	assert_upm(upm_symbolizer_new(NULL), UPM_ERR_INVALID);
	upm_symbolizer_free(NULL);
}

static void the_vdso(void **state)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOLOAD | RTLD_NOW);
	char *function = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
	struct upm_place place;

	(void)state;
	if (!vdso || !function)
		skip_because("no vDSO with __vdso_clock_gettime");
	place = find(getpid(), (uintptr_t)function + 2, 0);
	assert_string_equal(place.path, "[vdso]");
	assert_int_equal(place.offset, 2);
	assert_non_null(strstr(place.symbol, "clock_gettime"));
	if (vdso)
		dlclose(vdso);
}

/* ---- the test target: the resolver knows */

/* @return 0 where the process does not map the file, or not yet */
static uint64_t find_base(pid_t pid, const char *file)
{
	char path[64], line[512];
	uint64_t start = 0, offset;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (!start && fgets(line, sizeof(line), maps))
		if (strstr(line, file) && sscanf(line, "%lx-%*x %*s %lx", &start, &offset) == 2)
			start -= offset;
	fclose(maps);
	return start;
}

static uint64_t base_of(pid_t pid, const char *file)
{
	uint64_t base = find_base(pid, file);

	assert_true(base != 0);
	return base;
}

/* Names of the target are each of one function; the file's first segment begins at address 0. */
static void assert_functions(pid_t pid, const char *file)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0[0-9]*");
	uint64_t base = base_of(pid, file);

	assert_int_equal(upm_probe_set_size(set), KNOWN_COUNT);
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};
		struct upm_place place;
		uint64_t address;

		assert_upm_ok(upm_probe_set_get(set, i, &probe));
		address = base + probe.address;
		place = find(pid, address, 0);
		assert_place(&place, file, probe.symbol, 0);
		assert_int_equal(place.file_offset, probe.offset);
		place = find(pid, address + probe.symbol_size - 1, 0);
		assert_place(&place, file, probe.symbol, probe.symbol_size - 1);
		/* A call that is a function's last instruction returns behind it. */
		place = find(pid, address + probe.symbol_size, 1);
		assert_place(&place, file, probe.symbol, probe.symbol_size);
	}
	upm_probe_set_free(set);
}

static void functions_of_another_process(void **state)
{
	struct target target;

	(void)state;
	target_start(&target);
	assert_functions(target.pid, "known");
	target_stop(&target);
}

/* ---- processes that change */

static void an_ended_process(void **state)
{
	struct target target;
	uint64_t base, in_libc;
	struct upm_place place;

	(void)state;
	target_start(&target);
	base = base_of(target.pid, "known");
	in_libc = base_of(target.pid, "libc.so.6") + (uintptr_t)getppid -
		  base_of(getpid(), "libc.so.6");
	place = find(target.pid, base, 0);
	assert_string_equal(place.symbol, "");
	assert_functions(target.pid, "known");
	{
		struct upm_probe_set *set = resolve_known("uprobe", "known_0007");
		struct upm_probe probe = {.size = sizeof(probe)};

		assert_upm_ok(upm_probe_set_get(set, 0, &probe));
		target_stop(&target);
		usleep(A_WHILE_US);
		place = find(target.pid, base + probe.address, 0);
		assert_place(&place, "known", "known_0007", 0);
		upm_probe_set_free(set);
	}
	/* In a file that nobody had asked about. */
	place = find(target.pid, in_libc, 0);
	assert_place(&place, "libc.so.6", "getppid", 0);
	/* One that was never seen alive. */
	place = find(0x3fffffff, base, 0);
	assert_place(&place, "", "", 0);
}

static void a_deleted_file(void **state)
{
	char directory[] = "/tmp/upm-symbols-XXXXXX", command[1024], path[64];
	struct target target;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(command, sizeof(command), "cd %s && cp known libknown.so libversions.so %s",
		 test_build_path("target"), directory);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/known", directory);
	target_start_program(&target, path);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	assert_functions(target.pid, "known");
	target_stop(&target);
}

static void another_mount_namespace(void **state)
{
	char script[1024];
	const char *const command[] = {"/usr/bin/unshare", "-m", "/bin/sh", "-c", script, NULL};
	struct target target;

	(void)state;
	snprintf(script, sizeof(script),
		 "mount -t tmpfs none /mnt && cd %s && cp known libknown.so libversions.so /mnt && "
		 "exec /mnt/known",
		 test_build_path("target"));
	target_start_command(&target, command);
	assert_memory_equal(target_answer(&target), "ready", 5);
	assert_int_equal(access("/mnt/known", F_OK), -1);
	assert_functions(target.pid, "known");
	target_stop(&target);
}

/* The same process, before and after execve(2): a shell, then the target. */
static void an_exec(void **state)
{
	const char *const command[] = {"/bin/bash", "-c", "read line; echo so; exec \"$0\"",
				       test_build_path("target/known"), NULL};
	struct upm_place place;
	struct target target;
	uint64_t base;

	(void)state;
	target_start_command(&target, command);
	while (!(base = find_base(target.pid, "/bash")))
		usleep(1000);
	do {
		place = find(target.pid, base + 0x40000, 0);
		usleep(1000);
	} while (!strstr(place.path, "/bash"));
	target_expect(&target, "go", "so");
	assert_memory_equal(target_answer(&target), "ready", 5);
	usleep(A_WHILE_US);
	assert_functions(target.pid, "known");
	target_stop(&target);
}

static void a_library_that_is_loaded_later(void **state)
{
	char path[512];
	struct upm_place place;
	void *library;
	char *function;

	(void)state;
	find(getpid(), 1, 0);
	snprintf(path, sizeof(path), "%s", test_build_path("target/libversions.so"));
	library = dlopen(path, RTLD_NOW);
	assert_non_null(library);
	function = dlvsym(library, "versioned", "VERS_2");
	assert_non_null(function);
	/* A reading that found nothing is not repeated at once. */
	for (int waited = 0; !*(place = find(getpid(), (uintptr_t)function, 0)).path; waited++) {
		assert_true(waited < 1000);
		usleep(1000);
	}
	assert_string_equal(strrchr(place.path, '/'), "/libversions.so");
	assert_int_equal(place.offset, 0);
	assert_true(*place.symbol != '\0');
	dlclose(library);
}

/* ---- what is no file of functions */

static void a_file_that_is_no_program(void **state)
{
	char path[] = "/tmp/upm-text-XXXXXX";
	struct upm_place place;
	int fd = mkstemp(path);
	char *memory;

	(void)state;
	assert_int_equal(ftruncate(fd, 8192), 0);
	memory = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_true(memory != MAP_FAILED);
	place = find(getpid(), (uintptr_t)memory + 4099, 0);
	assert_string_equal(place.path, path);
	assert_string_equal(place.symbol, "");
	assert_int_equal(place.offset, 4099);
	assert_int_equal(place.file_offset, 4099);
	munmap(memory, 8192);
	unlink(path);
	close(fd);
}

static void append(const char *path, const char *format, uint64_t address)
{
	FILE *file = fopen(path, "ae");

	assert_non_null(file);
	fprintf(file, format, address);
	fclose(file);
}

static struct upm_place find_jit(uint64_t address, const char *symbol)
{
	struct upm_place place = find(getpid(), address, 0);

	for (int waited = 0; strcmp(place.symbol, symbol) != 0; waited++) {
		assert_true(waited < 1000);
		usleep(1000);
		place = find(getpid(), address, 0);
	}
	return place;
}

static void functions_made_at_run_time(void **state)
{
	uint64_t code = (uintptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[64], other[80];
	struct upm_place place;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	snprintf(other, sizeof(other), "%s.other", path);
	unlink(path);
	/* Neither by a symbolic link, nor of somebody else. */
	append(other, "%lx 10 planted\n", code);
	assert_int_equal(symlink(other, path), 0);
	usleep(A_WHILE_US);
	assert_string_equal(find(getpid(), code, 0).symbol, "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	usleep(A_WHILE_US);
	assert_string_equal(find(getpid(), code, 0).symbol, "");
	assert_int_equal(unlink(path), 0);
	append(path, "%lx 10 LazyCompile:*one app.js:1\n", code);
	append(path, "%lx 20 half a li", code + 0x100);
	place = find_jit(code + 0xf, "LazyCompile:*one app.js:1");
	assert_string_equal(place.path, path);
	assert_int_equal(place.offset, 0xf);
	assert_string_equal(find(getpid(), code + 0x10, 0).symbol, "");
	append(path, "ne\n%lx 8 one again\n", code);
	find_jit(code + 0x11f, "half a line");
	find_jit(code, "one again");
	assert_string_equal(find(getpid(), code + 8, 0).symbol, "LazyCompile:*one app.js:1");
	unlink(path);
	munmap((void *)code, 4096);
}

/* ---- bounds */

static void many_processes(void **state)
{
	struct upm_place place;

	(void)state;
	for (pid_t pid = 0x20000000; pid < 0x20000000 + 3000; pid++)
		find(pid, 0x1000, 0);
	place = find(getpid(), (uintptr_t)dlsym(RTLD_DEFAULT, "malloc"), 0);
	assert_true(*place.symbol != '\0');
}

/* A copy of a library of ours, mapped. */
static char *map_copy(const char *path)
{
	char command[1200], *memory;
	int fd;

	snprintf(command, sizeof(command), "cp '%s' %s", test_build_path("target/libversions.so"),
		 path);
	assert_int_equal(system(command), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_true(memory != MAP_FAILED);
	close(fd);
	return memory;
}

static void more_files_than_descriptors(void **state)
{
	enum { FILES = 64, DESCRIPTORS = 32 };
	char folder[] = "/tmp/upm-copies-XXXXXX", path[64], *copies[FILES];
	struct rlimit before, few;
	struct upm_place place;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = DESCRIPTORS;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		copies[i] = map_copy(path);
		for (int waited = 0;
		     !*(place = find(getpid(), (uintptr_t)copies[i] + 0x1100, 0)).path; waited++) {
			assert_true(waited < 30000);
			usleep(1000);
		}
		assert_string_equal(place.path, path);
		assert_true(*place.symbol != '\0');
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(munmap(copies[i], 4 * 4096), 0);
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
}

/* ---- stacks of a trace */

static struct upm_place frame_of(pid_t pid, const struct upm_event *event, const char *text,
				 uint32_t index)
{
	uint64_t address;

	assert_true(index < event->stack_count);
	memcpy(&address, text + event->stack_offset + index * sizeof(address), sizeof(address));
	return find(pid, address, index > 0);
}

/* The last of the chain has no frame, so who called it is only known to some. */
static void a_known_call_chain(void **state)
{
	struct upm_trace_options trace = {.size = sizeof(trace), .flags = UPM_TRACE_STACKS};
	char spec[512];
	const char *const specs[] = {spec};
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct upm_probe_set *set;
	struct upm_event event;
	struct upm_place place;
	struct target target;
	const char *text;
	uint32_t index = 1;

	(void)state;
	target_start_program(&target, test_build_path("target/traced"));
	snprintf(spec, sizeof(spec), "%s:chain_third", test_build_path("target/traced"));
	assert_upm_ok(upm_resolve(specs, 1, NULL, &set));
	options = options_for(&target.pid);
	assert_upm_ok(upm_trace(set, &trace, &options, &observer));
	target_expect(&target, "chain", "chain done");
	assert_upm_ok(upm_trace_next(observer, &event, &text, 1000));
	place = frame_of(target.pid, &event, text, 0);
	assert_place(&place, "traced", "chain_third", 0);
	place = frame_of(target.pid, &event, text, index);
	if (strcmp(place.symbol, "chain_second") == 0)
		place = frame_of(target.pid, &event, text, ++index);
	assert_string_equal(place.symbol, "chain_first");
	assert_true(place.offset > 0);
	target_stop(&target);
	usleep(A_WHILE_US);
	place = frame_of(target.pid, &event, text, index);
	assert_string_equal(place.symbol, "chain_first");
	upm_observer_free(observer);
	upm_probe_set_free(set);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(functions_of_this_process),
		TEST(addresses_of_nothing),
		TEST(the_vdso),
		TEST(functions_of_another_process),
		TEST(an_ended_process),
		TEST(a_deleted_file),
		TEST(another_mount_namespace),
		TEST(an_exec),
		TEST(a_library_that_is_loaded_later),
		TEST(a_file_that_is_no_program),
		TEST(functions_made_at_run_time),
		TEST(many_processes),
		TEST(more_files_than_descriptors),
		TEST(a_known_call_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
