/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the loader bound is what the dynamic linker's own interface says. */
#include "support.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "binary/ifunc.h"
#include "binary/relocations.h"
#include "binary/symbols.h"

struct library {
	struct upm_binary *binary;
	uintptr_t bias;
};

static struct library open_libc(void)
{
	struct library libc;
	struct link_map *map;
	Dl_info info;

	assert_true(dladdr1((void *)(uintptr_t)dlsym(RTLD_DEFAULT, "getppid"), &info, (void **)&map,
			    RTLD_DL_LINKMAP));
	assert_upm_ok(upm_binary_open(info.dli_fname, &libc.binary));
	libc.bias = map->l_addr;
	return libc;
}

static uint64_t resolver_of(struct upm_binary *binary, const char *name)
{
	struct upm_symbol_tables tables;

	assert_upm_ok(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables));
	for (size_t i = 0; i < tables.count; i++) {
		for (size_t j = 0; j < upm_symbol_table_size(tables.items[i]); j++) {
			struct upm_symbol symbol;

			upm_symbol_table_get(tables.items[i], j, &symbol);
			if (strcmp(symbol.name, name) == 0 && symbol.type == STT_GNU_IFUNC)
				return symbol.address;
		}
	}
	return 0;
}

/* dlsym() runs the resolver, which depends on nothing but the CPU. */
static void agrees_with_dlsym(void **state)
{
	static const char *const names[] = {"strlen", "strcpy", "strchr", "memchr"};
	struct library libc = open_libc();
	struct upm_ifunc_resolver *resolver;
	void *itself = dlopen(libc.binary->path, RTLD_NOW | RTLD_NOLOAD);

	(void)state;
	assert_non_null(itself);
	assert_upm_ok(upm_ifunc_open(libc.binary, 0, &resolver));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t offset, target;

		assert_int_equal(
			upm_ifunc_target(resolver, resolver_of(libc.binary, names[i]), &offset),
			UPM_IFUNC_RESOLVED);
		assert_true(upm_binary_address_of(libc.binary, offset, &target));
		assert_int_equal(target + libc.bias, (uintptr_t)dlsym(itself, names[i]));
	}
	dlclose(itself);
	upm_ifunc_close(resolver);
	upm_binary_unref(libc.binary);
}

/* libc never calls gettimeofday() through a slot of its own; this program does. */
static void finds_the_vdso_by_our_import(void **state)
{
	struct library libc = open_libc();
	struct upm_ifunc_resolver *resolver;
	struct timeval now;
	uint64_t address = resolver_of(libc.binary, "gettimeofday"), offset;

	(void)state;
	assert_int_equal(gettimeofday(&now, NULL), 0);
	if (!address) {
		upm_binary_unref(libc.binary);
		skip_because("gettimeofday() of this libc is no indirect function");
	}
	assert_upm_ok(upm_ifunc_open(libc.binary, 0, &resolver));
	assert_int_equal(upm_ifunc_target(resolver, address, &offset), UPM_IFUNC_ELSEWHERE);
	assert_int_equal(upm_ifunc_target(resolver, address + 1, &offset), UPM_IFUNC_UNKNOWN);
	upm_ifunc_close(resolver);
	upm_binary_unref(libc.binary);
}

static void reads_another_process(void **state)
{
	struct library libc = open_libc();
	struct upm_ifunc_resolver *ours, *theirs;
	uint64_t address = resolver_of(libc.binary, "strlen"), one = 0, two = 1;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		for (;;)
			pause();
	assert_upm_ok(upm_ifunc_open(libc.binary, 0, &ours));
	assert_upm_ok(upm_ifunc_open(libc.binary, child, &theirs));
	assert_int_equal(upm_ifunc_target(ours, address, &one), UPM_IFUNC_RESOLVED);
	assert_int_equal(upm_ifunc_target(theirs, address, &two), UPM_IFUNC_RESOLVED);
	assert_int_equal(one, two);
	upm_ifunc_close(ours);
	upm_ifunc_close(theirs);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_upm_ok(upm_ifunc_open(libc.binary, child, &theirs));
	assert_null(theirs);
	upm_ifunc_close(NULL);
	upm_binary_unref(libc.binary);
}

/* ---- an indirect function of this program, whose slot lies */

static int chosen_one(int number)
{
	return number + 1;
}

static int (*choose(void))(int)
{
	return chosen_one;
}

int indirect(int number) __attribute__((ifunc("choose")));

struct slot_of {
	uint64_t resolver, slot;
};

static bool take_slot(const struct upm_relocation *relocation, void *context)
{
	struct slot_of *wanted = context;

	if (relocation->addend == wanted->resolver)
		wanted->slot = relocation->slot;
	return true;
}

/* The process can write to its slots. Others share the file: only where a function begins may a
 * probe be set on its word. */
static void a_slot_may_lie(void **state)
{
	struct slot_of wanted = {0};
	struct upm_ifunc_resolver *resolver;
	struct upm_binary *binary;
	struct link_map *map;
	uint64_t offset, address;
	uintptr_t *slot;
	Dl_info info;

	(void)state;
	assert_int_equal(indirect(1), 2);
	assert_true(dladdr1((void *)(uintptr_t)choose, &info, (void **)&map, RTLD_DL_LINKMAP));
	assert_upm_ok(upm_binary_open("/proc/self/exe", &binary));
	wanted.resolver = (uintptr_t)choose - map->l_addr;
	assert_upm_ok(upm_relocations_visit(binary, UPM_RELOCATION_INDIRECT, take_slot, &wanted));
	assert_true(wanted.slot != 0);
	slot = (uintptr_t *)(map->l_addr + wanted.slot);
	assert_int_equal(*slot, (uintptr_t)chosen_one);
	assert_int_equal(
		mprotect((void *)((uintptr_t)slot & ~4095ul), 4096, PROT_READ | PROT_WRITE), 0);
	for (unsigned aside = 0; aside < 3; aside++) {
		*slot = (uintptr_t)chosen_one + aside;
		assert_upm_ok(upm_ifunc_open(binary, 0, &resolver));
		assert_int_equal(upm_ifunc_target(resolver, wanted.resolver, &offset),
				 aside ? UPM_IFUNC_UNKNOWN : UPM_IFUNC_RESOLVED);
		if (!aside) {
			assert_true(upm_binary_address_of(binary, offset, &address));
			assert_int_equal(address + map->l_addr, (uintptr_t)chosen_one);
		}
		upm_ifunc_close(resolver);
	}
	*slot = (uintptr_t)chosen_one;
	upm_binary_unref(binary);
}

static void knows_when_a_file_is_not_mapped(void **state)
{
	struct upm_ifunc_resolver *resolver;
	struct upm_binary *binary;

	(void)state;
	assert_upm_ok(upm_binary_open("/bin/sh", &binary));
	assert_upm_ok(upm_ifunc_open(binary, 0, &resolver));
	assert_null(resolver);
	upm_binary_unref(binary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_dlsym),
		cmocka_unit_test(finds_the_vdso_by_our_import),
		cmocka_unit_test(reads_another_process),
		cmocka_unit_test(a_slot_may_lie),
		cmocka_unit_test(knows_when_a_file_is_not_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
