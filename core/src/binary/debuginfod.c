/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Debug files from the servers of DEBUGINFOD_URLS. The client library is loaded
 * when it is first needed, so that nobody who does not ask needs it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "binary/symbol_table.h"

#define FETCH "fetch the debug file"
#define SONAME "libdebuginfod.so.1"

/* Of its interface we use this much, so that building needs no header of it. */
struct debuginfod_client;
typedef int (*progress_fn)(struct debuginfod_client *client, long done, long total);

struct client_library {
	void *handle;
	struct debuginfod_client *(*begin)(void);
	void (*end)(struct debuginfod_client *);
	int (*find)(struct debuginfod_client *, const unsigned char *, int, char **);
	void (*set_progress)(struct debuginfod_client *, progress_fn);
};

struct fetch {
	const struct client_library *library;
	upm_progress_fn progress;
	void *context;
	bool cancelled;
};

static bool find_functions(struct client_library *library)
{
	const struct {
		const char *name;
		void **function;
	} wanted[] = {{"debuginfod_begin", (void **)&library->begin},
		      {"debuginfod_end", (void **)&library->end},
		      {"debuginfod_find_debuginfo", (void **)&library->find},
		      {"debuginfod_set_progressfn", (void **)&library->set_progress}};

	library->handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library->handle && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		*wanted[i].function = dlsym(library->handle, wanted[i].name);
		if (!*wanted[i].function)
			return false;
	}
	return library->handle != NULL;
}

/* The client's progress function has no context of its own. */
static _Thread_local struct fetch *current;

static int forward_progress(struct debuginfod_client *client, long done, long total)
{
	(void)client;
	if (current->progress("debuginfo", done > 0 ? (uint64_t)done : 0,
			      total > 0 ? (uint64_t)total : 0, current->context))
		current->cancelled = true;
	return current->cancelled;
}

static int fetch_file(struct upm_binary *binary, struct fetch *fetch, char **path)
{
	struct debuginfod_client *client = fetch->library->begin();
	int fd;

	if (!client)
		return -ENOMEM;
	current = fetch;
	if (fetch->progress)
		fetch->library->set_progress(client, forward_progress);
	fd = fetch->library->find(client, binary->build_id, (int)binary->build_id_size, path);
	current = NULL;
	fetch->library->end(client);
	return fd;
}

static int add_file(struct upm_binary *binary, int fd, const char *path)
{
	struct upm_binary *file;
	int status = upm_binary_open_fd(fd, path, &file);

	if (status)
		return status;
	if (file->bits != binary->bits) {
		upm_binary_unref(file);
		return UPM_OK;
	}
	upm_binary_unref(binary->elf->debug_files[1]);
	binary->elf->debug_files[1] = file;
	return upm_symbols_add(binary->elf, file->elf);
}

/* A server that does not know the build-id is no error, and one that does not answer neither: the
 * binary's own symbols still serve. */
int upm_debuginfod_load(struct upm_binary *binary, upm_progress_fn progress, void *context)
{
	const char *servers = getenv("DEBUGINFOD_URLS");
	struct client_library library;
	struct fetch fetch = {.library = &library, .progress = progress, .context = context};
	char *path = NULL;
	int fd, status = UPM_OK;

	if (!servers || !*servers || !binary->build_id_size)
		return UPM_OK;
	if (!find_functions(&library))
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, FETCH, SONAME,
				"install the debuginfod client library (libdebuginfod1)",
				"DEBUGINFOD_URLS is set but the library can not be loaded");
	fd = fetch_file(binary, &fetch, &path);
	if (fetch.cancelled) {
		if (fd >= 0)
			close(fd);
		status = upm_fail(UPM_ERR_CANCELLED, 0, FETCH, binary->path, NULL,
				  "the caller asked to stop");
	} else if (fd >= 0) {
		status = add_file(binary, fd, path);
	}
	free(path);
	return status;
}
