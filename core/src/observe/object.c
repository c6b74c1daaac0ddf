/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * BPF objects of the caller's own. libbpf opens and loads them, and is told by us what
 * the sections of multi links mean, which version 1.1 does not know. On a kernel
 * without multi links their programs are loaded as plain ones, for perf events. A session
 * on a kernel without sessions is not loaded: the rest of the object can be used, and who
 * attaches the session is told why it can not be.
 */
#include "observe/object.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/bpf_uapi.h"
#include "attach/features.h"
#include "attach/privilege.h"
#include "base/error.h"
#include "base/options.h"
#include "base/vector.h"
#include "binary/elf_file.h"
#include "observe/libbpf_log.h"
#include "uprobe_multi.h"

/* Fifteen times the call sites of the program with the most that we know (a Java virtual
 * machine, 532), in 2.4 MB. Addresses are entered once for each process. */
enum { USDT_SPECS = 8192, USDT_ADDRESSES = 4 * USDT_SPECS };

struct object_program {
	struct bpf_program *program;
	struct upm_section section;
	char *spec; /* "KIND:BINARY:PATTERN", or "" */
};

struct upm_object {
	struct bpf_object *object;
	char *path;
	UPM_VECTOR(struct object_program) programs;
};

static const char open_operation[] = "open a BPF object";
static const char attach_operation[] = "attach a BPF object";

/* ---- open and load */

struct content {
	void *bytes;
	size_t size;
};

/* @return 0 or an errno */
static int read_all(int fd, struct content *content)
{
	struct stat status;

	if (fstat(fd, &status))
		return errno;
	if (!S_ISREG(status.st_mode))
		return EISDIR;
	content->size = (size_t)status.st_size;
	content->bytes = malloc(content->size + 1);
	if (!content->bytes)
		return ENOMEM;
	content->size = upm_read_fully(fd, content->bytes, content->size, 0);
	return 0;
}

/* libbpf names maps of constants by the object: its file's name up to the first dot. */
static void name_of(const char *path, char name[BPF_OBJ_NAME_LEN])
{
	const char *slash = strrchr(path, '/');

	snprintf(name, BPF_OBJ_NAME_LEN, "%s", slash ? slash + 1 : path);
	name[strcspn(name, ".")] = '\0';
}

/* libbpf 1.1 forgets to close a file when libelf has no memory for it, so it gets bytes.
 * @return 0 or an errno */
static int open_object(struct upm_object *object)
{
	char name[BPF_OBJ_NAME_LEN];
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name);
	int fd = open(object->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct content content = {NULL, 0};
	int failure;

	if (fd < 0)
		return errno;
	failure = read_all(fd, &content);
	close(fd);
	name_of(object->path, name);
	if (!failure) {
		object->object = bpf_object__open_mem(content.bytes, content.size, &options);
		failure = object->object ? 0 : errno;
	}
	free(content.bytes);
	return failure;
}

static int read_object(struct upm_object *object)
{
	struct upm_libbpf_log log;
	int failure;

	upm_libbpf_log_begin(&log);
	failure = open_object(object);
	upm_libbpf_log_end();
	if (!failure)
		return UPM_OK;
	/* libelf's want of memory reaches libbpf's callers as a damaged file. */
	if (strstr(log.tail, "out of memory"))
		return upm_fail_memory(open_operation);
	if (failure == ENOENT || failure == EACCES || failure == EISDIR ||
	    upm_errno_is_scarcity(failure))
		return upm_fail(upm_status_of_errno(failure), failure, open_operation, object->path,
				"name an object file that clang -target bpf made",
				"can not open it");
	return upm_fail(UPM_ERR_FORMAT, failure, open_operation, object->path,
			"name an object file that clang -target bpf made", "%s",
			upm_libbpf_log_verdict(&log));
}

static bool is_beyond_kernel(const struct upm_section *section)
{
	return section->session && upm_kernel_features()->session == UPM_NO;
}

static enum upm_bpf_attach_type attach_type(const struct upm_section *section)
{
	if (!section->multi || upm_kernel_features()->uprobe_multi == UPM_NO)
		return UPM_BPF_ATTACH_PLAIN;
	return section->session ? UPM_BPF_TRACE_UPROBE_SESSION : UPM_BPF_TRACE_UPROBE_MULTI;
}

static char *spec_of(const struct upm_section *section)
{
	char *spec;

	if (!*section->place)
		return strdup("");
	if (asprintf(&spec, "%s:%s", upm_kind_name(section->kind), section->place) < 0)
		return NULL;
	return spec;
}

static int add_program(struct upm_object *object, struct bpf_program *program)
{
	struct object_program ours = {.program = program};
	uint32_t flags = bpf_program__flags(program);

	if (!upm_section_parse(bpf_program__section_name(program), &ours.section))
		return UPM_OK;
	if (is_beyond_kernel(&ours.section))
		bpf_program__set_autoload(program, false);
	bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
	bpf_program__set_expected_attach_type(program, (int)attach_type(&ours.section));
	if (ours.section.sleepable)
		bpf_program__set_flags(program, flags | UPM_BPF_F_SLEEPABLE);
	ours.spec = spec_of(&ours.section);
	if (ours.spec && upm_vector_push(&object->programs, ours))
		return UPM_OK;
	free(ours.spec);
	return upm_fail_memory(open_operation);
}

static int add_programs(struct upm_object *object)
{
	struct bpf_program *program;
	int status;

	bpf_object__for_each_program(program, object->object)
	{
		status = add_program(object, program);
		if (status)
			return status;
	}
	return UPM_OK;
}

static void widen(const struct upm_object *object, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object->object, name);

	if (map && bpf_map__max_entries(map) < entries)
		bpf_map__set_max_entries(map, entries);
}

/* <bpf/usdt.bpf.h> makes its maps for 256 call sites, of which one program alone can have more. */
static void widen_usdt_maps(const struct upm_object *object)
{
	const struct upm_features *features = upm_kernel_features();

	widen(object, "__bpf_usdt_specs", USDT_SPECS);
	if (features->uprobe_multi != UPM_YES && features->perf_cookie != UPM_YES)
		widen(object, "__bpf_usdt_ip_to_spec_id", USDT_ADDRESSES);
}

static int load(struct upm_object *object)
{
	struct upm_libbpf_log log;
	int failure;

	upm_libbpf_log_begin(&log);
	failure = bpf_object__load(object->object) ? errno : 0;
	upm_libbpf_log_end();
	if (!failure)
		return UPM_OK;
	if (upm_libbpf_log_is_mistaken(&log))
		return upm_fail_mistaken("load a BPF object", object->path);
	if (upm_errno_is_scarcity(failure))
		return upm_fail(upm_status_of_errno(failure), failure, "load a BPF object",
				object->path, NULL, "the kernel did not load it");
	if (failure == EPERM && upm_kernel_features()->uprobe_multi == UPM_UNKNOWN)
		return upm_fail(UPM_ERR_PERMISSION, failure, "load a BPF object", object->path,
				upm_privilege_hint(), "this user may not load BPF programs");
	return upm_fail(UPM_ERR_PROGRAM, failure, "load a BPF object", object->path,
			"correct the program; `bpftool prog load` shows the whole log", "%s",
			upm_libbpf_log_verdict(&log));
}

static int give_up(struct upm_object *object, int status)
{
	struct upm_error_copy error;

	upm_error_take(&error);
	upm_object_free(object);
	upm_error_put_back(&error);
	return status;
}

int32_t upm_object_open(const char *path, struct upm_object **out)
{
	struct upm_object *object;
	int status;

	if (!path || !out)
		return upm_fail(UPM_ERR_INVALID, 0, open_operation, path, NULL, "%s is NULL",
				path ? "out" : "path");
	object = calloc(1, sizeof(*object));
	if (!object)
		return upm_fail_memory(open_operation);
	object->path = strdup(path);
	status = object->path ? read_object(object) : upm_fail_memory(open_operation);
	if (!status)
		status = add_programs(object);
	if (!status) {
		widen_usdt_maps(object);
		status = load(object);
	}
	if (status)
		return give_up(object, status);
	*out = object;
	return UPM_OK;
}

/* ---- look at it */

size_t upm_object_programs(const struct upm_object *object)
{
	return object ? object->programs.count : 0;
}

int32_t upm_object_program(const struct upm_object *object, size_t index,
			   struct upm_program *program)
{
	const struct object_program *ours;
	struct upm_program found = {.size = sizeof(found)};

	if (index >= upm_object_programs(object))
		return upm_fail(UPM_ERR_INVALID, 0, "describe a program", NULL, NULL,
				"number %zu is out of range: there are %zu", index,
				upm_object_programs(object));
	ours = &object->programs.items[index];
	found.name = bpf_program__name(ours->program);
	found.section = bpf_program__section_name(ours->program);
	found.spec = ours->spec;
	found.fd = is_beyond_kernel(&ours->section) ? -1 : bpf_program__fd(ours->program);
	found.kind = ours->section.kind;
	found.session = ours->section.session;
	found.sleepable = ours->section.sleepable;
	return upm_options_write(program, &found, sizeof(found), "struct upm_program");
}

int32_t upm_object_map_fd(const struct upm_object *object, const char *name)
{
	int fd;

	if (!object || !name)
		return upm_fail(UPM_ERR_INVALID, 0, "find a map", name, NULL, "%s is NULL",
				object ? "name" : "object");
	fd = bpf_object__find_map_fd_by_name(object->object, name);
	if (fd >= 0)
		return fd;
	return upm_fail(UPM_ERR_NOT_FOUND, 0, "find a map", name, NULL,
			"%s has no map of this name", object->path);
}

/* ---- attach */

static int find_program(const struct upm_object *object, const char *name,
			const struct object_program **found)
{
	size_t count = upm_object_programs(object);

	for (size_t i = 0; i < count; i++) {
		*found = &object->programs.items[i];
		if (name ? strcmp(bpf_program__name((*found)->program), name) == 0 : count == 1)
			return UPM_OK;
	}
	if (name)
		return upm_fail(UPM_ERR_NOT_FOUND, 0, attach_operation, name, NULL,
				"%s has no program of this name for user-space probes",
				object->path);
	return upm_fail(UPM_ERR_NOT_FOUND, 0, attach_operation, object->path,
			count ? "name one of them"
			      : "give a program a section such as uprobe.multi",
			"it has %zu programs for user-space probes", count);
}

static int check_loaded(const struct object_program *program)
{
	if (!is_beyond_kernel(&program->section))
		return UPM_OK;
	return upm_fail(UPM_ERR_UNSUPPORTED, 0, attach_operation,
			bpf_program__name(program->program),
			"use one uprobe.multi and one uretprobe.multi program instead",
			"this kernel has no session links (6.13)");
}

/* Whether a spec begins with the name of a kind and a colon. */
static int kind_of(const char *spec, uint32_t *kind)
{
	for (*kind = UPM_KIND_UPROBE; *kind <= UPM_KIND_USDT; (*kind)++) {
		const char *name = upm_kind_name(*kind);

		if (strncmp(spec, name, strlen(name)) == 0 && spec[strlen(name)] == ':')
			return 1;
	}
	return 0;
}

/* The spec with the kind of the section in front; NULL with the error recorded. */
static char *complete(const struct object_program *program, const char *spec)
{
	const char *wanted = upm_kind_name(program->section.kind);
	uint32_t kind;
	char *text;

	if (!spec) {
		upm_fail(UPM_ERR_INVALID, 0, attach_operation, NULL, NULL, "a spec is NULL");
		return NULL;
	}
	if (kind_of(spec, &kind) && kind != program->section.kind) {
		upm_fail(UPM_ERR_SPEC, 0, attach_operation, spec,
			 "leave the kind out, or name a program for it",
			 "the program's section is for %ss", wanted);
		return NULL;
	}
	if (asprintf(&text, "%s%s%s", kind_of(spec, &kind) ? "" : wanted,
		     kind_of(spec, &kind) ? "" : ":", spec) >= 0)
		return text;
	upm_fail_memory(attach_operation);
	return NULL;
}

static void free_specs(char **specs, size_t count)
{
	for (size_t i = 0; specs && i < count; i++)
		free(specs[i]);
	free(specs);
}

static char **complete_all(const struct object_program *program, const char *const *specs,
			   size_t count)
{
	char **texts = calloc(count + 1, sizeof(*texts));

	if (!texts)
		upm_fail_memory(attach_operation);
	for (size_t i = 0; texts && i < count; i++) {
		texts[i] = complete(program, specs[i]);
		if (!texts[i]) {
			free_specs(texts, count);
			return NULL;
		}
	}
	return texts;
}

static int resolve(const struct object_program *program, const char *const *specs, size_t count,
		   const struct upm_attach_options *options, struct upm_probe_set **set)
{
	struct upm_resolve_options how = {
		.size = sizeof(how),
		.pids = options->pids,
		.pid_count = options->pid_count,
		.progress = options->progress,
		.progress_context = options->progress_context,
	};
	char **texts = complete_all(program, specs, count);
	int status;

	if (!texts)
		return upm_error_last()->code;
	status = upm_resolve((const char *const *)texts, count, &how, set);
	free_specs(texts, count);
	return status;
}

int32_t upm_object_attach(struct upm_object *object, const char *program, const char *const *specs,
			  size_t count, const struct upm_attach_options *options,
			  struct upm_link **out)
{
	struct upm_attach_options ours;
	const struct object_program *found = NULL;
	struct upm_probe_set *set = NULL;
	const char *own;
	int status;

	if (!object || !out)
		return upm_fail(UPM_ERR_INVALID, 0, attach_operation, NULL, NULL, "%s is NULL",
				object ? "out" : "object");
	status = upm_options_read(&ours, sizeof(ours), options, "struct upm_attach_options");
	if (!status)
		status = find_program(object, program, &found);
	if (!status && found)
		status = check_loaded(found);
	if (status || !found)
		return status;
	own = found->spec;
	if (!specs && !*own)
		return upm_fail(UPM_ERR_INVALID, 0, attach_operation,
				bpf_program__name(found->program),
				"give specs, or add /BINARY:PATTERN to the section's name",
				"its section names nothing to probe");
	status = resolve(found, specs ? specs : &own, specs ? count : 1, &ours, &set);
	if (status)
		return status;
	status = upm_attach(bpf_program__fd(found->program), set, &ours, out);
	upm_probe_set_free(set);
	return status;
}

void upm_object_free(struct upm_object *object)
{
	if (!object)
		return;
	for (size_t i = 0; i < object->programs.count; i++)
		free(object->programs.items[i].spec);
	upm_vector_clear(&object->programs);
	bpf_object__close(object->object);
	free(object->path);
	free(object);
}
