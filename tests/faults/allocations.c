// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* malloc() and its kin of this process: glibc's, but for those that shall fail. */
#include "faults/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>

struct fault_page *faults;

void faults_begin(void)
{
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (faults == MAP_FAILED)
		abort();
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

bool faults_of_allocation(void)
{
	return false;
}

int64_t faults_blocks(void)
{
	return 0;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

/* Libraries shall find them, too. */
#define EXPORTED __attribute__((visibility("default")))

static _Atomic(int64_t) blocks;

bool faults_of_allocation(void)
{
	return true;
}

int64_t faults_blocks(void)
{
	return blocks;
}

/*
 * The loader's own blocks, kept with the stacks of threads that have ended for those to come: how
 * many there are depends on how many threads ran at once.
 */
static bool is_loader(const void *caller)
{
	struct dl_find_object loader;

	return _dl_find_object((void *)getauxval(AT_BASE), &loader) == 0 &&
	       caller >= loader.dlfo_map_start && caller < loader.dlfo_map_end;
}

static bool refused(void)
{
	uint64_t number;

	if (!faults || !faults->armed || faults->kind != FAULT_ALLOCATION)
		return false;
	number = ++faults->count;
	if (!faults->at || (faults->lasting ? number < faults->at : number != faults->at))
		return false;
	faults->fired = true;
	errno = ENOMEM;
	return true;
}

static void *counted(void *block, const void *caller)
{
	if (block && !is_loader(caller))
		blocks++;
	return block;
}

#define CALLER __builtin_return_address(0)

EXPORTED void *malloc(size_t size)
{
	return refused() ? NULL : counted(__libc_malloc(size), CALLER);
}

EXPORTED void *calloc(size_t count, size_t size)
{
	return refused() ? NULL : counted(__libc_calloc(count, size), CALLER);
}

EXPORTED void *realloc(void *block, size_t size)
{
	void *grown;

	if (refused())
		return NULL;
	grown = __libc_realloc(block, size);
	if (!block)
		return counted(grown, CALLER);
	if (!grown && size == 0)
		blocks--;
	return grown;
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
	return refused() ? NULL : counted(__libc_memalign(alignment, size), CALLER);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
	return refused() ? NULL : counted(__libc_memalign(alignment, size), CALLER);
}

EXPORTED int posix_memalign(void **block, size_t alignment, size_t size)
{
	void *got = refused() ? NULL : counted(__libc_memalign(alignment, size), CALLER);

	if (!got)
		return ENOMEM;
	*block = got;
	return 0;
}

EXPORTED void free(void *block)
{
	if (block && !is_loader(CALLER))
		blocks--;
	__libc_free(block);
}

#endif
