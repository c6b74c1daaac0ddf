/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Files seen from other processes: mapped, replaced, deleted, in another mount namespace. */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "locate/locate.h"
#include "locate/locator.h"
#include "locate/process.h"

static char directory[] = "/tmp/upm-locate-XXXXXX";
static char library[128]; /* a copy of a real shared library, in directory */

/* A child that has done its part and waits to be ended. */
struct child {
	pid_t pid;
	int ready;
};

static void tell_ready(int fd)
{
	if (write(fd, "r", 1) != 1)
		_exit(3);
}

static struct child start(void (*part)(int ready))
{
	struct child child;
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		part(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	child.ready = ends[0];
	assert_int_equal(read(child.ready, &byte, 1), 1);
	return child;
}

static void end(struct child *child)
{
	close(child->ready);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

static void copy_file(const char *from, const char *to)
{
	char buffer[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t got;

	assert_true(in >= 0 && out >= 0);
	while ((got = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, (size_t)got), got);
	close(in);
	close(out);
}

static void make_library(void)
{
	Dl_info info;

	assert_true(dladdr((void *)(uintptr_t)dlsym(RTLD_DEFAULT, "lzma_crc32"), &info));
	snprintf(library, sizeof(library), "%s/libcopied.so.7", directory);
	copy_file(info.dli_fname, library);
}

static struct upm_locations locate(int32_t pid, const char *program, const char *name)
{
	struct upm_locations locations;
	struct upm_locator *locator;

	assert_upm_ok(upm_locator_open(&pid, pid ? 1 : 0, program, &locator));
	assert_upm_ok(upm_locate(locator, name, &locations));
	upm_locator_close(locator);
	return locations;
}

static const struct upm_location *find_path(const struct upm_locations *locations, const char *path)
{
	for (size_t i = 0; i < locations->list.count; i++) {
		if (strcmp(locations->list.items[i].path, path) == 0)
			return &locations->list.items[i];
	}
	return NULL;
}

/* The only location, usable, with this inode. */
static void expect_inode(struct upm_locations locations, ino_t inode, const char *remark)
{
	const struct upm_location *location = locations.list.items;

	assert_int_equal(locations.list.count, 1);
	assert_int_equal(location->verdict, UPM_VERDICT_OK);
	assert_non_null(location->binary);
	assert_int_equal(location->binary->inode, inode);
	if (remark)
		assert_non_null(strstr(location->reason, remark));
	else
		assert_null(location->reason);
	upm_locations_clear(&locations);
}

static void expect_nothing(struct upm_locations locations, int32_t verdict, const char *reason)
{
	assert_int_equal(locations.list.count, 1);
	assert_int_equal(locations.list.items[0].verdict, verdict);
	assert_null(locations.list.items[0].binary);
	if (!strstr(locations.list.items[0].reason, reason))
		fail_msg("\"%s\" lacks \"%s\"", locations.list.items[0].reason, reason);
	upm_locations_clear(&locations);
}

static ino_t inode_of(const char *path)
{
	struct stat facts;

	assert_int_equal(stat(path, &facts), 0);
	return facts.st_ino;
}

static void load(const char *path)
{
	static void *handle;

	handle = dlopen(path, RTLD_NOW);
	if (!handle)
		_exit(2);
}

static void map_library(int ready)
{
	load(library);
	tell_ready(ready);
}

static void finds_what_a_process_maps(void **state)
{
	struct child child;
	struct upm_locations all;
	ino_t inode;

	(void)state;
	make_library();
	inode = inode_of(library);
	child = start(map_library);
	expect_inode(locate(child.pid, NULL, "libcopied.so.7"), inode, NULL);
	expect_inode(locate(child.pid, NULL, "libcop*"), inode, NULL);
	expect_inode(locate(child.pid, NULL, library), inode, NULL);
	all = locate(child.pid, NULL, "*");
	assert_non_null(find_path(&all, library));
	assert_int_equal(find_path(&all, library)->pid, child.pid);
	assert_true(all.list.count >= 3);
	upm_locations_clear(&all);
	end(&child);
}

static void finds_by_soname(void **state)
{
	struct upm_locations found;
	struct child child;

	(void)state;
	make_library();
	child = start(map_library);
	/* liblzma itself is mapped too; the copy has its soname but another file name. */
	found = locate(child.pid, NULL, "liblzma.so.*");
	assert_non_null(find_path(&found, library));
	assert_int_equal(found.list.count, 2);
	upm_locations_clear(&found);
	end(&child);
}

static void reaches_deleted_and_replaced_files(void **state)
{
	struct child child;
	ino_t inode;

	(void)state;
	make_library();
	inode = inode_of(library);
	child = start(map_library);
	assert_int_equal(unlink(library), 0);
	expect_inode(locate(child.pid, NULL, library), inode, "deleted or replaced");
	expect_inode(locate(child.pid, NULL, "libcopied.so.7"), inode, "deleted or replaced");
	make_library();
	assert_true(inode_of(library) != inode);
	expect_inode(locate(child.pid, NULL, library), inode, "deleted or replaced");
	expect_inode(locate(0, NULL, library), inode_of(library), NULL);
	end(&child);
	assert_int_equal(unlink(library), 0);
	expect_nothing(locate(0, NULL, library), UPM_VERDICT_UNREADABLE, "No such file");
}

/* A root of its own: a tmpfs with the library in /lib, and symlinks that try to get out. */
static void live_in_a_container(int ready)
{
	char root[160], path[256];

	snprintf(root, sizeof(root), "%s/root", directory);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    (mkdir(root, 0755) && errno != EEXIST) || mount("none", root, "tmpfs", 0, NULL))
		_exit(4);
	snprintf(path, sizeof(path), "%s/lib", root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/lib/libinner.so", root);
	copy_file(library, path);
	snprintf(path, sizeof(path), "%s/lib/absolute.so", root);
	if (symlink("/lib/libinner.so", path))
		_exit(5);
	snprintf(path, sizeof(path), "%s/lib/escape.so", root);
	if (symlink("../../../../../../etc/hostname", path) || chroot(root) || chdir("/"))
		_exit(6);
	load("/lib/libinner.so");
	tell_ready(ready);
}

static void sees_what_a_container_sees(void **state)
{
	struct upm_locations found;
	struct child child;
	ino_t inode;
	int fd;

	(void)state;
	make_library();
	child = start(live_in_a_container);
	found = locate(child.pid, NULL, "/lib/libinner.so");
	assert_int_equal(found.list.count, 1);
	assert_int_equal(found.list.items[0].verdict, UPM_VERDICT_OK);
	assert_int_equal(found.list.items[0].pid, child.pid);
	inode = found.list.items[0].binary->inode;
	upm_locations_clear(&found);
	expect_inode(locate(child.pid, NULL, "/lib/absolute.so"), inode, "sees it");
	expect_inode(locate(child.pid, NULL, "/lib/*.so"), inode, "sees it");
	expect_inode(locate(child.pid, NULL, "libinner.so"), inode, "sees it");
	expect_nothing(locate(child.pid, NULL, "/lib/escape.so"), UPM_VERDICT_UNREADABLE,
		       "No such file");
	expect_nothing(locate(child.pid, NULL, "/etc/passwd"), UPM_VERDICT_UNREADABLE, "sees it");
	expect_nothing(locate(0, NULL, "/lib/libinner.so"), UPM_VERDICT_UNREADABLE, "No such file");
	fd = upm_process_open_path(child.pid, "/lib/../../lib/absolute.so");
	assert_true(fd >= 0);
	close(fd);
	end(&child);
}

static void *__attribute__((noreturn)) stay(void *argument)
{
	tell_ready(*(int *)argument);
	for (;;)
		pause();
}

/* The leader exits, another thread lives on. */
static void lose_the_leader(int ready)
{
	static int fd;
	pthread_t thread;

	fd = ready;
	load(library);
	if (pthread_create(&thread, NULL, stay, &fd))
		_exit(2);
	syscall(SYS_exit, 0);
}

static void works_without_a_leader(void **state)
{
	struct upm_mappings mappings;
	struct child child;
	int32_t group;
	ino_t inode;
	bool alive;

	(void)state;
	make_library();
	inode = inode_of(library);
	child = start(lose_the_leader);
	do
		assert_upm_ok(upm_process_leader_alive(child.pid, &alive));
	while (alive);
	assert_upm_ok(upm_process_mappings(child.pid, &mappings));
	assert_true(mappings.list.count > 10);
	upm_mappings_clear(&mappings);
	expect_inode(locate(child.pid, NULL, "libcopied.so.7"), inode_of(library), NULL);
	expect_inode(locate(child.pid, NULL, library), inode_of(library), NULL);
	assert_true(upm_process_living_thread(child.pid) != child.pid);
	assert_upm_ok(upm_process_group(upm_process_living_thread(child.pid), &group));
	assert_int_equal(group, child.pid);
	assert_int_equal(unlink(library), 0);
	expect_inode(locate(child.pid, NULL, library), inode, "deleted or replaced");
	end(&child);
}

/* Two processes that map the library. */
static void start_two(struct child children[2], int32_t pids[2])
{
	make_library();
	for (int i = 0; i < 2; i++) {
		children[i] = start(map_library);
		pids[i] = children[i].pid;
	}
}

static void one_file_is_opened_once(void **state)
{
	struct child children[2];
	struct upm_locations first, second;
	struct upm_locator *locator;
	int32_t pids[2];

	(void)state;
	start_two(children, pids);
	assert_upm_ok(upm_locator_open(pids, 2, NULL, &locator));
	assert_upm_ok(upm_locate(locator, "libcopied.so.7", &first));
	assert_upm_ok(upm_locate(locator, library, &second));
	assert_int_equal(first.list.count, 1);
	assert_int_equal(second.list.count, 1);
	assert_ptr_equal(first.list.items[0].binary, second.list.items[0].binary);
	upm_locator_close(locator);
	upm_locations_clear(&first);
	upm_locations_clear(&second);
	for (int i = 0; i < 2; i++)
		end(&children[i]);
}

/* What a process, or this one with 0, maps from a file: the first of it. */
static struct upm_mapping mapping_of(struct upm_mappings *mappings, int32_t pid, const char *path)
{
	assert_upm_ok(upm_process_mappings(pid ? pid : getpid(), mappings));
	for (size_t i = 0; i < mappings->list.count; i++)
		if (strcmp(mappings->list.items[i].path, path) == 0)
			return mappings->list.items[i];
	fail_msg("%s is not mapped", path);
	return (struct upm_mapping){0};
}

static void *map_file(void *address, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map;

	assert_true(fd >= 0);
	map = mmap(address, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | (address ? MAP_FIXED : 0),
		   fd, 0);
	assert_true(map != MAP_FAILED);
	close(fd);
	return map;
}

/* Another file is mapped where the first one was when the mappings were read. */
static void opens_what_was_mapped(void **state)
{
	struct upm_mappings mappings;
	struct upm_mapping mapping;
	struct stat facts;
	char other[160];
	void *map;
	int fd;

	(void)state;
	make_library();
	snprintf(other, sizeof(other), "%s/libother.so", directory);
	copy_file(library, other);
	map = map_file(NULL, library);
	mapping = mapping_of(&mappings, 0, library);
	map_file(map, other);
	fd = upm_process_open_mapping(getpid(), &mapping);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &facts), 0);
	assert_int_equal(facts.st_ino, inode_of(library));
	close(fd);
	assert_int_equal(unlink(library), 0);
	assert_upm(upm_process_open_mapping(getpid(), &mapping), UPM_ERR_NOT_FOUND);
	assert_int_equal(munmap(map, 4096), 0);
	upm_mappings_clear(&mappings);
}

/* Two processes whose mappings look alike, as those of two containers on a btrfs may: what is
 * known of the one says nothing of the other. */
static void tells_processes_apart(void **state)
{
	struct upm_locations found = {0};
	struct upm_mappings mappings[2];
	struct upm_locator *locator;
	struct child children[2];
	int32_t pids[2];

	(void)state;
	start_two(children, pids);
	assert_upm_ok(upm_locator_open(pids, 2, NULL, &locator));
	for (int i = 0; i < 2; i++) {
		struct upm_mapping mapping = mapping_of(&mappings[i], pids[i], library);

		if (i) {
			assert_int_equal(unlink(library), 0);
			mapping.start = mapping.end; /* it is not there any more */
		}
		assert_upm_ok(upm_locations_add_mapping(locator, &locator->targets.items[i],
							&mapping, &found));
		upm_mappings_clear(&mappings[i]);
	}
	assert_int_equal(found.list.count, 2);
	assert_int_equal(found.list.items[0].verdict, UPM_VERDICT_OK);
	assert_int_equal(found.list.items[1].verdict, UPM_VERDICT_REPLACED);
	upm_locations_clear(&found);
	upm_locator_close(locator);
	for (int i = 0; i < 2; i++)
		end(&children[i]);
}

static void wait_only(int ready)
{
	tell_ready(ready);
}

static void names_the_process_that_is_not_there(void **state)
{
	struct child child = start(wait_only);
	struct upm_locator *locator;
	struct upm_mappings mappings;
	struct upm_locations none;
	char name[32];
	int32_t tgid;

	(void)state;
	assert_upm_ok(upm_locator_open(&child.pid, 1, NULL, &locator));
	end(&child);
	assert_upm_ok(upm_locate(locator, "*", &none));
	expect_nothing(none, UPM_VERDICT_NO_MATCH, "has ended");
	upm_locator_close(locator);
	snprintf(name, sizeof(name), "process %d", child.pid);
	assert_upm(upm_locator_open(&child.pid, 1, NULL, &locator), UPM_ERR_NOT_FOUND);
	assert_string_equal(upm_error_last()->object, name);
	assert_upm(upm_process_group(child.pid, &tgid), UPM_ERR_NOT_FOUND);
	assert_upm(upm_process_mappings(child.pid, &mappings), UPM_ERR_NOT_FOUND);
	assert_upm(upm_locator_open((int32_t[]){-5}, 1, NULL, &locator), UPM_ERR_NOT_FOUND);
}

static void odd_names(int ready)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/a\nb (deleted)", directory);
	copy_file(library, path);
	load(path);
	tell_ready(ready);
}

static void reads_odd_names(void **state)
{
	struct upm_locations all;
	struct child child;
	char path[192];

	(void)state;
	make_library();
	child = start(odd_names);
	snprintf(path, sizeof(path), "%s/a\nb", directory);
	all = locate(child.pid, NULL, "*");
	assert_non_null(find_path(&all, path));
	assert_int_equal(find_path(&all, path)->verdict, UPM_VERDICT_OK);
	upm_locations_clear(&all);
	end(&child);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_process_maps),
		cmocka_unit_test(finds_by_soname),
		cmocka_unit_test(reaches_deleted_and_replaced_files),
		cmocka_unit_test(sees_what_a_container_sees),
		cmocka_unit_test(works_without_a_leader),
		cmocka_unit_test(one_file_is_opened_once),
		cmocka_unit_test(opens_what_was_mapped),
		cmocka_unit_test(tells_processes_apart),
		cmocka_unit_test(names_the_process_that_is_not_there),
		cmocka_unit_test(reads_odd_names),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
