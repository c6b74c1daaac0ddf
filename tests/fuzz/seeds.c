/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * seeds DIRECTORY TARGET...
 *
 * Writes the inputs that fuzzing begins with: DIRECTORY/TARGET/seed-N. What fuzzing has
 * added to a corpus stays there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "elf_image.h"
#include "index/record.h"
#include "share/record.h"
#include "upm_trace.h"

static const char *directory;
static unsigned number;

static void write_seed(const void *bytes, size_t size)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/seed-%u", directory, number++);
	bytes_to_file(bytes, size, path);
}

static size_t add_note(const struct image *image, uint8_t *at, const char *strings, size_t size)
{
	size_t word = image->bits / 8, text = 3 * word + size;

	memset(at, 0, 20 + text + 3);
	image_put(image, at, sizeof("stapsdt"), 4);
	image_put(image, at + 4, text, 4);
	image_put(image, at + 8, 3, 4);
	memcpy(at + 12, "stapsdt", sizeof("stapsdt"));
	image_put(image, at + 20, IMAGE_BASE + 0x40, word);
	image_put(image, at + 20 + word, IMAGE_BASE + 0x400, word);
	image_put(image, at + 20 + 2 * word, IMAGE_BASE + 0x80, word);
	memcpy(at + 20 + 3 * word, strings, size);
	return 20 + ((text + 3) & ~(size_t)3);
}

static size_t add_notes(const struct image *image, uint8_t *at)
{
	static const char first[] = "app\0start\0-4@%edi 8@16(%rsp)", second[] = "app\0stop\0";
	size_t size = add_note(image, at, first, sizeof(first));

	return size + add_note(image, at + size, second, sizeof(second));
}

static void seed_usdt_notes(void)
{
	for (unsigned flags = 0; flags < 16; flags++) {
		struct image order = {.bits = flags & 1 ? 64 : 32, .big = flags & 2};
		uint8_t bytes[512] = {(uint8_t)flags};

		write_seed(bytes, 1 + add_notes(&order, bytes + 1));
	}
}

static void seed_text(const char *text)
{
	write_seed(text, strlen(text));
}

#define SEED_EACH(texts) seed_texts(texts, sizeof(texts) / sizeof((texts)[0]))
static void seed_texts(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		seed_text(texts[i]);
}

/* The first letter of a list chooses the machine: its code modulo 4, 4 = without symbols. */
static void seed_usdt_arguments(void)
{
	static const char *const lists[] = {
		"@-4@%edi 8@%rax -1@%ah 2@%r13w %rdi 8f@%xmm0 16@(%rsp)",
		"@-4@$-1 8@$0xffffffffffffffff 1@$010 8@$8+16",
		"@8@-8+16(%rsp) 4@(%rax,%rcx,8) 4@table(,%rax,4) 8@16(%rip)",
		"@-4@glob(%rip) 8@a.b$c+8(%rip) 8@8+_ZN3foo3barE(%rip) 8@v@V_1",
		"@8@%fs:0 -4@%fs:-4(%rax) -4@%fs:tls@tpoff+4 8@%gs:0 8@g@GOTPCREL(%rip)",
		"A4@8(%esp) 8@%eax 4@glob 4@(%ebx,%ecx,4) 4@glob@GOTOFF(%ebx)",
		"B8@x0 -4@w1 8@sp 8@xzr -4@#10 4f@s0",
		"B8@[x0] 8@[sp, #-4] 8@[x1, x2, lsl 3] 8@[x0, #:lo12:glob+4] 8@glob",
		"D-4@glob(%rip)",
		"C-4@%r2",
	};

	SEED_EACH(lists);
}

static void seed_spec(void)
{
	static const char *const specs[] = {
		"libc.so.6:malloc\nmalloc",
		"uprobe:/usr/bin/app:*init*@V_1\nre_init",
		"uretprobe:/bin/a\\:b:name@@V_2+0x10\nname",
		"*:/^std::.*(push|pop)$/\n_ZNSt6vectorIiSaIiEE9push_backEOi",
		"app:ns::name(int)\n_ZN2ns4nameEi",
		"app:[a-z]?\\*\nab",
		"app:0x1234\n",
		"usdt:libjvm.so:hotspot:gc__*\ngc__begin",
		"app:<alloc::vec::Vec<T>>::push\n_RNvC6_123foo3bar",
	};

	SEED_EACH(specs);
}

static void seed_trace(void)
{
	static const char *const texts[] = {
		("int openat(int fd, const char *path, unsigned flags, ...);\n"
		 "fd == -100 && path ^= \"/etc/\" && arg2 & 0x40 && result >= 0"),
		"(void data[n], size_t n, char id[16])\nn > 4096 && duration_ns < 10",
		"double f(double x, struct stat *st, int (*compare)(const void *, char **))\n",
		"getenv(char *name)\nname != \"a\\\"b\\n\"",
	};

	SEED_EACH(texts);
}

static struct image *make_elf(unsigned kind)
{
	static const struct image_symbol symbols[] = {
		{"one", IMAGE_BASE + 0x400, 8, STT_FUNC, STB_GLOBAL, 1},
		{"two@@V_2", IMAGE_BASE + 0x408, 8, STT_FUNC, STB_GLOBAL, 1},
		{"three@V_3", 0, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
	};
	static const uint8_t id[20] = {9};
	struct image *image = image_new(kind & 1 ? 64 : 32, kind & 2);
	uint8_t dynamic[32 * 16] = {0}, notes[512];
	size_t table = image_symbols(image, true, symbols, 3), word = image->bits / 8;
	uint64_t values[][2] = {
		{DT_SYMTAB, IMAGE_BASE + image->sections[table].offset},
		{DT_STRTAB, IMAGE_BASE + image->sections[table + 1].offset},
		{DT_STRSZ, image->sections[table + 1].size},
		{DT_NEEDED, 1},
		{DT_SONAME, 1},
	};

	image_symbols(image, false, symbols, 3);
	image_note(image, "GNU", NT_GNU_BUILD_ID, id, sizeof(id));
	image_section(image, ".stapsdt.base", SHT_PROGBITS, SHF_ALLOC, "", 1);
	image_section(image, ".note.stapsdt", SHT_NOTE, 0, notes, add_notes(image, notes));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		image_put(image, dynamic + 2 * word * i, values[i][0], word);
		image_put(image, dynamic + 2 * word * i + word, values[i][1], word);
	}
	image->dynamic = image_append(image, dynamic, sizeof(dynamic));
	image->dynamic_size = sizeof(dynamic);
	image->without_sections = kind & 4;
	image_finish(image);
	return image;
}

static void seed_elf(void)
{
	for (unsigned kind = 0; kind < 8; kind++) {
		struct image *image = make_elf(kind);

		write_seed(image->bytes, image->size);
		free(image);
	}
}

/* An image that the target packs, and the head of a packed one. */
static void seed_debugdata(void)
{
	for (unsigned kind = 0; kind < 4; kind++) {
		struct image *image = make_elf(kind);

		memmove(image->bytes + 1, image->bytes, image->size);
		image->bytes[0] = 1;
		write_seed(image->bytes, image->size + 1);
		free(image);
	}
	write_seed("\0\xfd"
		   "7zXZ\0\0\0\xff\x12\xd9\x41",
		   13);
}

/* Two entries in the newer format, alone and behind an empty cache in the older one. */
static void seed_ldso_cache(void)
{
	static const char strings[] = "liba.so.1\0/lib/liba.so.1\0libb.so.2\0/lib/libb.so.2";
	enum { OLD = 16, HEADER = 48, ENTRY = 24, NAMES = HEADER + 2 * ENTRY };
	struct image order = {0};
	uint8_t bytes[OLD + NAMES + sizeof(strings)] = {0}, *cache = bytes + OLD;

	memcpy(bytes, "ld.so-1.7.0", sizeof("ld.so-1.7.0"));
	memcpy(cache, "glibc-ld.so.cache1.1", 20);
	image_put(&order, cache + 20, 2, 4);
	image_put(&order, cache + 24, sizeof(strings), 4);
	for (size_t i = 0; i < 2; i++) {
		uint8_t *entry = cache + HEADER + i * ENTRY;

		image_put(&order, entry, 0x303, 4);
		image_put(&order, entry + 4, NAMES + 25 * i, 4);
		image_put(&order, entry + 8, NAMES + 25 * i + 10, 4);
	}
	memcpy(cache + NAMES, strings, sizeof(strings));
	write_seed(cache, NAMES + sizeof(strings));
	write_seed(bytes, sizeof(bytes));
}

static size_t append(uint8_t *bytes, size_t at, const void *from, size_t size)
{
	memcpy(bytes + at, from, size);
	return at + size;
}

static size_t append_number(uint8_t *bytes, size_t at, uint64_t value)
{
	return append(bytes, at, &value, sizeof(value));
}

/* Two probes, one with an alias and an argument, the other skipped. */
static void seed_share(void)
{
	static const char strings[] = "\0/bin/app\0one\0app:*\0uno\0too bad";
	struct upm_share_header header = {
		.kind = 1, .probes = 2, .attached = 1, .kernel_links = 1, .backend = 1};
	struct upm_share_probe probe = {
		.path = 1, .symbol = 2, .spec = 3, .aliases = 1, .arguments = 1};
	struct upm_share_argument argument = {.width = 4, .text = "4@%eax"};
	struct upm_share_link link = {.path = 1, .probes = 1};
	struct upm_share_skip skip = {.index = 1, .verdict = 18, .reason = 5};
	const uint32_t alias = 4;
	uint8_t bytes[1024];
	size_t size = append(bytes, 0, &header, sizeof(header));

	size = append_number(bytes, size, 6);
	size = append(bytes, size, strings, sizeof(strings));
	size = append_number(bytes, size, 2);
	size = append(bytes, size, &probe, sizeof(probe));
	size = append(bytes, size, &alias, sizeof(alias));
	size = append(bytes, size, &argument, sizeof(argument));
	probe.aliases = probe.arguments = 0;
	size = append(bytes, size, &probe, sizeof(probe));
	size = append_number(bytes, size, 1);
	size = append(bytes, size, &link, sizeof(link));
	size = append_number(bytes, size, 1);
	size = append(bytes, size, &skip, sizeof(skip));
	size = append_number(bytes, size, 3);
	size = append(bytes, size, "own", 3);
	write_seed(bytes, size);
}

static void seed_pattern(void)
{
	static const char *const texts[] = {
		"1^(a+)+$\na",
		"1(x|xx)*y\nx",
		"1^_ZN.*(push|pop)_back$\npush_back",
		"1(?i)[[:alpha:]]+\nab",
		"1(.*)(.*)(.*)\\1\nabc",
		"0*a*a*a*a*b\na",
		"0[a-z]?\\*\nab",
		"0std::*::push*\nstd::x",
		"0name@@V_2+0x10\nname",
	};

	SEED_EACH(texts);
}

static void seed_maps(void)
{
	seed_text("555555554000-555555556000 r-xp 00001000 fe:00 1835166    /usr/bin/cat\n"
		  "7ffff7fc9000-7ffff7fcb000 r-xp 00000000 00:00 0          [vdso]\n"
		  "7ffff7000000-7ffff7001000 rw-p 00000000 00:00 0 \n"
		  "7f0000000000-7f0000001000 r--s 00000000 00:1a 99         /tmp/a\\012b "
		  "(deleted)\n");
	seed_text("ffffffffffffffff-0 rwxp ffffffffffffffff ffffffff:ffffffff 18446744073709551615 "
		  "/\n"
		  "1-2 r 3 4:5 6 (deleted)\n");
}

static void seed_jit(void)
{
	seed_text("7f0000001000 40 LazyCompile:~work app.js:3:14\n7f0000001020 8 inner\n");
	seed_text("\xff\n1 ffffffffffffffff all\nffffffffffffff00 ffff end\n2 3 not whole yet");
}

/* See struct input in events.c. */
static void seed_events(void)
{
	for (unsigned kind = 0; kind < 4; kind++) {
		uint8_t bytes[36 + 72 + 512] = {0};
		uint32_t words[] = {4, 2, 16, kind & 2 ? 4 : 0, 72, 72 + 32, 32, 72 + 32 + 64};
		struct upm_trace_record record = {
			.comm = "somebody", .argument_count = 4, .texts = kind & 1 ? 5 : 0};

		bytes[0] = kind == 3;
		bytes[1] = kind & 1;
		words[3] = kind == 3 ? 0 : words[3];
		record.stack_bytes = (int32_t)(8 * words[3]);
		memcpy(bytes + 4, words, sizeof(words));
		memcpy(bytes + 36, &record, sizeof(record));
		memset(bytes + 36 + sizeof(record), 7, 64);
		write_seed(bytes, sizeof(bytes));
	}
}

/* Two probes, one with an alias, the other skipped with a reason. */
static void seed_index(void)
{
	const struct upm_probe_entry probes[] = {
		{.offset = 0x400, .name = 1, .detail = 1, .cost = 2},
		{.offset = 0x408, .name = 3, .detail = 2, .verdict = 1, .cost = 3},
	};
	const struct upm_index_detail details[] = {{.alias_count = 1}, {.reason = 1}};
	const uint32_t alias = 2;
	uint8_t bytes[512] = {2, 2, 1};
	size_t size = append(bytes, 3, probes, sizeof(probes));

	size = append(bytes, size, details, sizeof(details));
	size = append(bytes, size, &alias, sizeof(alias));
	size = append(bytes, size, "too bad", 8);
	write_seed(bytes, size);
}

/* endbr64; push %rbp; mov; test; jne; call; a jump table; loop; leave; ret. */
static void seed_code(void)
{
	static const char *const codes[] = {
		"\x20\xf3\x0f\x1e\xfa\x55\x48\x89\xe5\x48\x85\xff\x75\x06\xe8\x01\x02\x03\x04\x5d"
		"\xc3",
		"\x08\x48\x89\xf8\x53\x5b\xff\xe0\x0f\x84\xf0\xff\xff\xff\xe2\xfe\xc9\xc3\x90\x90"
		"\xcc",
		"\x04\x62\xf1\x7c\x48\x10\x05\xc5\xf8\x77\xf0\x48\xff\x07\x64\x8b\x04\x25\xeb\xfe"
		"\x0f\x0b",
		"\x10\x48\x63\x04\x87\x48\x01\xf8\x3e\xff\xe0\x0f\x1f\x44\xff\x48\x8d\x05\xf3\xff"
		"\xff\xff",
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		write_seed(codes[i], 22);
}

static const struct {
	const char *name;
	void (*seed)(void);
} targets[] = {
	{"pattern", seed_pattern},
	{"maps", seed_maps},
	{"jit", seed_jit},
	{"events", seed_events},
	{"index", seed_index},
	{"code", seed_code},
	{"resolve", seed_elf},
	{"debugdata", seed_debugdata},
	{"usdt_notes", seed_usdt_notes},
	{"usdt_arguments", seed_usdt_arguments},
	{"spec", seed_spec},
	{"trace", seed_trace},
	{"elf", seed_elf},
	{"ldso_cache", seed_ldso_cache},
	{"share", seed_share},
};

static void seed_target(const char *parent, const char *name)
{
	static char path[2048];

	snprintf(path, sizeof(path), "%s/%s", parent, name);
	mkdir(parent, 0755);
	mkdir(path, 0755);
	directory = path;
	number = 0;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		if (strcmp(targets[i].name, name) == 0)
			targets[i].seed();
	}
	if (!number) {
		fprintf(stderr, "seeds: there is no fuzz target '%s'\n", name);
		exit(1);
	}
}

int main(int count, char **arguments)
{
	for (int i = 2; i < count; i++)
		seed_target(arguments[1], arguments[i]);
	return 0;
}
