/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where the probes of functions are placed: each rule by a function that keeps it and one that
 * does not. */
#include "support.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "elf_image.h"
#include "place/block.h"
#include "place/place.h"
#include "place/shadow_stacks.h"
#include "resolve/probe_table.h"

#define ENTRY 512u /* of the function, from the beginning of the code */

/* A function f, with code that ends where it begins and code that begins where it ends. */
struct layout {
	const char *name;
	const char *before, *code, *behind; /* hexadecimal; NULL = none */
	int32_t symbol;	  /* a second function begins so many bytes behind f's entry; 0 = none */
	uint32_t pointer; /* likewise a word in the data points there */
	uint32_t shift;	  /* so many bytes behind a multiple of eight */
	uint32_t addend;  /* likewise a relocation gives f's value plus this */
	unsigned site;	  /* 0 = the entry */
	bool fixed;	  /* a program that is not moved, and may hold addresses in its code */
	bool local;	  /* the second function is nobody else's */
	bool sizeless;	  /* f's symbol has no size */
	bool throws;	  /* exceptions */
};

static const struct layout layouts[] = {
	/* What may be a site. */
	{.name = "push", .code = "48 89 f8 53 5b c3", .site = 3},
	{.name = "endbr64 and push", .code = "f3 0f 1e fa 53 5b c3", .site = 4},
	{.name = "push of r12", .code = "48 89 f8 41 54 41 5c c3", .site = 3},
	{.name = "branch", .code = "48 85 ff 74 01 90 c3", .site = 3},
	{.name = "far branch", .code = "48 85 ff 0f 84 00 00 00 00 c3", .site = 3},
	{.name = "jump", .code = "48 89 f8 eb 00 c3", .site = 3},
	{.name = "cheap already", .code = "53 48 89 f8 5b c3"},
	{.name = "cheap already, and again", .code = "53 55 5d 5b c3"},
	{.name = "nop only", .code = "48 89 f8 90 c3"},
	{.name = "nop5 only", .code = "48 89 f8 0f 1f 44 00 00 c3"},
	{.name = "behind a nop", .code = "48 89 f8 90 53 5b c3", .site = 4},
	{.name = "return", .code = "48 89 f8 c3 53 5b c3"},
	{.name = "behind the end", .code = "48 89 f8", .behind = "53 5b c3"},
	{.name = "end unknown", .code = "48 89 f8 53 5b c3", .sizeless = true, .site = 3},
	{.name = "end unknown, exceptions",
	 .code = "48 89 f8 53 5b c3",
	 .sizeless = true,
	 .throws = true},
	{.name = "exceptions", .code = "48 89 f8 53 5b c3", .throws = true, .site = 3},
	{.name = "push of memory", .code = "48 89 f8 ff 37 58 c3"},
	/* What may come before it. */
	{.name = "indirect call", .code = "48 89 f8 ff d0 53 5b c3"},
	{.name = "loop instruction", .code = "48 89 f8 e2 00 53 5b c3"},
	{.name = "loop over the site", .code = "48 89 f8 e2 02 53 5b c3"},
	{.name = "trap", .code = "48 89 f8 cc 53 5b c3"},
	{.name = "ud2", .code = "48 89 f8 0f 0b 53 5b c3"},
	{.name = "transaction", .code = "48 89 f8 c7 f8 00 00 00 00 53 5b c3"},
	{.name = "getuid", .code = "b8 66 00 00 00 0f 05 48 85 c0 74 00 c3", .site = 10},
	{.name = "read", .code = "b8 00 00 00 00 0f 05 48 85 c0 74 00 c3"},
	{.name = "any system call", .code = "48 89 f8 0f 05 48 85 c0 74 00 c3"},
	{.name = "another number", .code = "b8 66 00 00 00 31 c0 0f 05 48 85 c0 74 00 c3"},
	/* Jumps of the function. */
	{.name = "loop in between", .code = "48 89 f8 48 ff c8 75 fb c3"},
	{.name = "loop to the site", .code = "48 89 f8 74 fe c3"},
	{.name = "loop to the entry", .code = "48 ff cf 75 fb c3", .site = 3},
	{.name = "later loop", .code = "48 89 f8 53 5b 48 ff c8 75 fb c3", .site = 3},
	{.name = "late jump in between", .code = "48 89 f8 48 89 fe 53 5b 75 f9 c3"},
	{.name = "late far jump in between", .code = "48 89 f8 48 89 fe 53 5b e9 f6 ff ff ff"},
	{.name = "jump by a register", .code = "48 89 f8 53 5b ff e0"},
	{.name = "jump by a sum", .code = "48 63 04 87 48 01 f8 53 5b ff e0"},
	{.name = "jump by a pointer", .code = "48 89 f8 53 5b ff 67 08", .site = 3},
	{.name = "jump by a word on the stack", .code = "48 89 f8 53 5b ff 64 24 08"},
	{.name = "jump by a word on the stack, or by none",
	 .code = "48 89 f8 53 5b ff 64 24 08 c3"},
	{.name = "jump by a pointer, fixed", .code = "48 89 f8 53 5b ff 67 08", .fixed = true},
	{.name = "branch, fixed", .code = "48 85 ff 74 01 90 c3", .site = 3, .fixed = true},
	{.name = "jump by a word of the frame", .code = "48 89 f8 53 5b ff 65 f8"},
	{.name = "jump by a loaded register", .code = "48 8b 07 53 5b ff e0", .site = 3},
	{.name = "loaded from the stack", .code = "48 8b 04 24 53 5b ff e0"},
	{.name = "jump behind the load", .code = "48 89 f8 53 74 03 48 8b 07 5b ff e0"},
	{.name = "loaded before another jump", .code = "48 8b 07 53 eb 00 5b ff e0"},
	{.name = "jump into an instruction", .code = "48 89 f8 53 eb 01 b8 5b c3 90 90 c3"},
	/* Code that is none. */
	{.name = "no instruction", .code = "48 89 f8 53 5b 06 c3"},
	{.name = "cut off", .code = "48 89 f8 53 5b e9", .behind = "00 00 00 00 c3"},
	/* What others do. */
	{.name = "near jump from before", .before = "eb 03", .code = "48 89 f8 48 89 fe 53 5b c3"},
	{.name = "near jump to the entry",
	 .before = "eb 00",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .site = 6},
	{.name = "code before that does not end at the entry",
	 .before = "48 b8",
	 .code = "48 89 f8 48 89 fe 53 5b c3"},
	{.name = "near jump within an instruction before",
	 .before = "48 b8 90 90 90 90 eb 05 90 90",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .site = 6},
	{.name = "near jump at a symbol before",
	 .before = "48 b8 90 90 90 90 eb 05 90 90",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .symbol = -4},
	{.name = "near jump at a multiple of 16 behind",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .behind = "48 b8 90 90 90 90 90 eb f1 90"},
	{.name = "near jump from behind", .code = "48 89 f8 48 89 fe 53 5b c3", .behind = "eb f8"},
	{.name = "far jump", .code = "48 89 f8 48 89 fe 53 5b c3", .behind = "e9 f5 ff ff ff"},
	{.name = "far jump that begins in an instruction",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .behind = "b8 e9 f4 ff ff ff c3"},
	{.name = "far branch", .code = "48 89 f8 48 89 fe 53 5b c3", .behind = "0f 84 f4 ff ff ff"},
	{.name = "call", .code = "48 89 f8 48 89 fe 53 5b c3", .behind = "e8 f5 ff ff ff"},
	{.name = "its address",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .behind = "48 8d 05 f3 ff ff ff"},
	{.name = "far jump to the entry",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .behind = "e9 f2 ff ff ff",
	 .site = 6},
	{.name = "symbol", .code = "48 89 f8 48 89 fe 53 5b c3", .symbol = 3},
	{.name = "symbol of the site", .code = "48 89 f8 48 89 fe 53 5b c3", .symbol = 6},
	{.name = "later symbol", .code = "48 89 f8 48 89 fe 53 5b c3", .symbol = 7, .site = 6},
	{.name = "pointer", .code = "48 89 f8 48 89 fe 53 5b c3", .pointer = 3},
	{.name = "pointer to later code",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .pointer = 7,
	 .site = 6},
	{.name = "pointer at an odd multiple of four",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .pointer = 3,
	 .shift = 4},
	{.name = "pointer at an odd multiple of two",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .pointer = 6,
	 .shift = 2},
	{.name = "pointer at an odd address",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .pointer = 6,
	 .shift = 7},
	{.name = "symbol plus addend", .code = "48 89 f8 48 89 fe 53 5b c3", .addend = 3},
	{.name = "symbol plus addend, to later code",
	 .code = "48 89 f8 48 89 fe 53 5b c3",
	 .addend = 7,
	 .site = 6},
	/* Parts elsewhere. */
	{.name = "a part that jumps by a sum",
	 .code = "48 89 f8 53 0f 84 02 00 00 00 5b c3",
	 .behind = "48 01 f8 ff e0"},
	{.name = "a part that returns",
	 .code = "48 89 f8 53 0f 84 02 00 00 00 5b c3",
	 .behind = "5b c3",
	 .site = 3},
	{.name = "another function that jumps by a sum",
	 .code = "48 89 f8 53 0f 84 02 00 00 00 5b c3",
	 .behind = "48 01 f8 ff e0",
	 .symbol = 12,
	 .site = 3},
	{.name = "a local function that jumps by a sum",
	 .code = "48 89 f8 53 0f 84 02 00 00 00 5b c3",
	 .behind = "48 01 f8 ff e0",
	 .symbol = 12,
	 .local = true},
	{.name = "a function that is called and jumps by a sum",
	 .code = "48 89 f8 53 0f 84 02 00 00 00 5b c3",
	 .behind = "48 01 f8 ff e0 e8 f6 ff ff ff",
	 .site = 3},
	{.name = "falls into a part that jumps by a sum",
	 .code = "48 89 f8 53 5b",
	 .behind = "48 01 f8 ff e0"},
};

static void put_code(uint8_t *code, const struct layout *layout, size_t size)
{
	uint8_t bytes[64];
	size_t before = layout->before ? test_from_hex(layout->before, bytes) : 0;

	memset(code, 0x90, 2 * (size_t)ENTRY);
	memcpy(code + ENTRY - before, bytes, before);
	test_from_hex(layout->code, code + ENTRY);
	if (layout->behind)
		test_from_hex(layout->behind, code + ENTRY + size);
}

static void put_data(struct image *image, const struct layout *layout, uint64_t entry)
{
	uint64_t word = entry + layout->pointer;
	uint8_t data[2 * sizeof(word)] = {0};

	memcpy(data + layout->shift, &word, sizeof(word));
	if (layout->pointer)
		image_section(image, ".data", SHT_PROGBITS, SHF_ALLOC, data, sizeof(data));
}

/* The word itself is zero in the file. */
static void put_relocation(struct image *image, const struct layout *layout,
			   const struct image_symbol *f)
{
	Elf64_Rela record = {
		.r_offset = IMAGE_BASE,
		.r_info = ELF64_R_INFO(1, R_X86_64_64),
		.r_addend = layout->addend,
	};

	image_symbols(image, true, f, 1);
	image_section(image, ".rela.dyn", SHT_RELA, SHF_ALLOC, &record, sizeof(record));
}

static void write_file(const struct layout *layout, const char *path)
{
	struct image *image = image_new(64, false);
	uint8_t code[2 * ENTRY], bytes[64];
	size_t size = test_from_hex(layout->code, bytes);
	struct image_symbol symbols[3] = {
		{.name = "f", .size = size, .type = STT_FUNC, .binding = STB_GLOBAL, .section = 1},
		{.name = "g", .size = 1, .type = STT_FUNC, .binding = STB_GLOBAL, .section = 1},
	};
	size_t count = layout->symbol ? 2 : 1;
	uint64_t text;

	put_code(code, layout, size);
	image_section(image, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code, sizeof(code));
	text = IMAGE_BASE + image->sections[1].offset;
	symbols[0].value = text + ENTRY;
	symbols[1].value = text + ENTRY + (uint64_t)(int64_t)layout->symbol;
	symbols[1].binding = layout->local ? STB_LOCAL : STB_GLOBAL;
	if (layout->sizeless)
		symbols[0].size = 0;
	if (layout->throws)
		symbols[count++] = (struct image_symbol){.name = "__cxa_throw"};
	image_symbols(image, false, symbols, count);
	put_data(image, layout, text + ENTRY);
	if (layout->addend)
		put_relocation(image, layout, symbols);
	image_finish(image);
	if (layout->fixed)
		image->bytes[offsetof(Elf64_Ehdr, e_type)] = ET_EXEC;
	bytes_to_file(image->bytes, image->size, path);
	free(image);
}

static struct upm_probe_set *resolve_file(const char *path)
{
	struct upm_probe_set *set;
	char spec[64];
	const char *specs[] = {spec};

	snprintf(spec, sizeof(spec), "%s:f", path);
	assert_upm_ok(upm_resolve(specs, 1, NULL, &set));
	assert_int_equal(upm_probe_set_size(set), 1);
	return set;
}

static struct upm_probe_set *resolve(const struct layout *layout, const char *path)
{
	struct upm_probe_set *set;

	write_file(layout, path);
	set = resolve_file(path);
	unlink(path);
	return set;
}

/* Code that is the last of its file, whatever the length of what is left for the last look; and a
 * segment that claims more than its file has. */
static void ends_of_files(void **state)
{
	const struct layout layout = {.code = "48 89 f8 53 5b c3"};
	char path[] = "/tmp/upm-place-XXXXXX";
	struct upm_probe probe = {.size = sizeof(probe)};
	Elf64_Phdr segment;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	write_file(&layout, path);
	assert_int_equal(pread(fd, &segment, sizeof(segment), sizeof(Elf64_Ehdr)), sizeof(segment));
	for (unsigned more = 1; more < 48; more++) {
		uint64_t claimed = segment.p_filesz + more, size = claimed - (more > 24 ? 8 : 0);
		struct upm_probe_set *set;

		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		assert_int_equal(pwrite(fd, &claimed, sizeof(claimed),
					sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz)),
				 sizeof(claimed));
		set = resolve_file(path);
		assert_upm_ok(upm_probe_set_place(set, UPM_OBSERVER_COUNT));
		assert_upm_ok(upm_probe_set_get(set, 0, &probe));
		assert_int_equal(probe.site_offset - probe.offset, 3);
		upm_probe_set_free(set);
	}
	close(fd);
	unlink(path);
}

static struct upm_probe placed(const struct layout *layout, uint32_t observer)
{
	char path[] = "/tmp/upm-place-XXXXXX";
	struct upm_probe probe = {.size = sizeof(probe)};
	int fd = mkstemp(path);
	struct upm_probe_set *set;

	assert_true(fd >= 0);
	close(fd);
	set = resolve(layout, path);
	assert_upm_ok(upm_probe_set_place(set, observer));
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_int_equal(probe.verdict, UPM_VERDICT_OK);
	upm_probe_set_free(set);
	return probe;
}

static void expect_site(const struct layout *layout)
{
	struct upm_probe probe = placed(layout, UPM_OBSERVER_COUNT);

	if (probe.site_offset - probe.offset != layout->site)
		fail_msg("%s: at +%llu, wanted +%u", layout->name,
			 (unsigned long long)(probe.site_offset - probe.offset), layout->site);
	assert_int_equal(probe.site_cost, layout->site ? UPM_COST_EMULATED : probe.cost);
}

static void sites_of_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		expect_site(&layouts[i]);
}

/* A kernel that emulates a call may forget the shadow stack. */
static void calls(void **state)
{
	const struct layout layout = {.name = "direct call",
				      .code = "48 83 ec 08 e8 00 00 00 00 48 83 c4 08 c3",
				      .site = upm_has_shadow_stacks() ? 0 : 4};

	(void)state;
	expect_site(&layout);
}

/* The same on any machine: the call, and what comes behind it. */
static void calls_and_shadow_stacks(void **state)
{
	struct upm_insn_rules rules;
	uint8_t code[2 * UPM_INSN_MAX] = {0};

	(void)state;
	assert_true(upm_insn_rules_of_kernel(EM_X86_64, 64, &rules));
	test_from_hex("48 83 ec 08 e8 00 00 00 00 53 5b c3", code);
	assert_int_equal(upm_block_site(&rules, 0, true, code, sizeof(code), 12, 0x1000), 4);
	assert_int_equal(upm_block_site(&rules, 0, false, code, sizeof(code), 12, 0x1000), 0);
	assert_int_equal(upm_block_site(&rules, 0, true, code, sizeof(code), 4, 0x1000), 0);
}

struct need {
	const char *code;
	unsigned count, latency, trace, own; /* sites for these */
};

static void sites_by_need(void **state)
{
	static const struct need needs[] = {
		{"f3 0f 1e fa 53 5b c3", 4, 4, 4, 4},
		{"48 85 ff 74 01 90 c3", 3, 3, 3, 3},
		{"48 89 f8 53 5b c3", 3, 3, 3, 0},			 /* rax */
		{"89 d7 53 5b c3", 2, 2, 0, 0},				 /* rdi */
		{"48 83 ec 08 74 00 48 83 c4 08 c3", 4, 0, 4, 0},	 /* rsp */
		{"48 89 07 53 5b c3", 3, 3, 3, 0},			 /* memory */
		{"b8 66 00 00 00 0f 05 48 85 c0 74 00 c3", 10, 0, 0, 0}, /* the kernel */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct need *need = &needs[i];
		const unsigned wanted[] = {need->own, need->count, need->latency, need->trace};
		const struct layout layout = {.code = need->code};

		for (uint32_t kind = 0; kind < 4; kind++) {
			struct upm_probe probe = placed(&layout, kind);

			if (probe.site_offset - probe.offset != wanted[kind])
				fail_msg("%s for %u: at +%llu, wanted +%u", need->code, kind,
					 (unsigned long long)(probe.site_offset - probe.offset),
					 wanted[kind]);
		}
	}
}

/* Nobody who asks for an instruction gets another. */
static void places_that_were_asked_for(void **state)
{
	const struct layout layout = {.code = "48 89 f8 48 89 fe 53 5b c3"};
	static const struct {
		const char *pattern;
		unsigned site;
	} asked[] = {{"f", 6}, {"f+3", 0}, {"f+0", 6}};
	char path[] = "/tmp/upm-place-XXXXXX", spec[64];
	struct upm_probe probe = {.size = sizeof(probe)};
	const char *const specs[] = {spec};
	struct upm_probe_set *set;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_file(&layout, path);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		snprintf(spec, sizeof(spec), "%s:%s", path, asked[i].pattern);
		assert_upm_ok(upm_resolve(specs, 1, NULL, &set));
		assert_upm_ok(upm_probe_set_place(set, UPM_OBSERVER_COUNT));
		assert_upm_ok(upm_probe_set_get(set, 0, &probe));
		assert_int_equal(probe.verdict, UPM_VERDICT_OK);
		assert_int_equal(probe.site_offset - probe.offset, asked[i].site);
		upm_probe_set_free(set);
	}
	unlink(path);
}

static bool moves(struct upm_probe_set *set)
{
	struct upm_probe probe = {.size = sizeof(probe)};

	assert_upm_ok(upm_probe_set_place(set, UPM_OBSERVER_COUNT));
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	return probe.site_offset != probe.offset;
}

/* f's probe in a set of its own, changed to be what resolution seldom makes of such a function. */
static struct upm_probe_set *changed(const struct layout *layout, uint8_t kind, uint8_t flags)
{
	char path[] = "/tmp/upm-place-XXXXXX";
	int fd = mkstemp(path);
	struct upm_probe_set *set;

	assert_true(fd >= 0);
	close(fd);
	set = resolve(layout, path);
	set->table->probes.items[0].kind = kind;
	set->table->probes.items[0].flags |= flags;
	return set;
}

static bool moves_as(const struct layout *layout, uint8_t kind, uint8_t flags)
{
	struct upm_probe_set *set = changed(layout, kind, flags);
	bool moved = moves(set);

	upm_probe_set_free(set);
	return moved;
}

static void probes_that_stay(void **state)
{
	const struct layout whole = {.code = "48 89 f8 53 5b c3"};
	const struct layout short_one = {.code = "48 89 f8", .behind = "53 5b c3"};
	struct upm_probe_detail *detail;
	struct upm_probe_set *set;

	(void)state;
	assert_true(moves_as(&whole, UPM_KIND_UPROBE, 0));
	assert_false(moves_as(&whole, UPM_KIND_USDT, 0));
	assert_false(moves_as(&whole, UPM_KIND_UPROBE, UPM_PROBE_REPEATS));
	assert_false(moves_as(&whole, UPM_KIND_UPROBE, UPM_PROBE_UNVERIFIED));
	assert_false(moves_as(&whole, UPM_KIND_UPROBE, UPM_PROBE_IFUNC_RESOLVER));
	assert_true(moves_as(&short_one, UPM_KIND_UPROBE, UPM_PROBE_IFUNC_TARGET));
	set = changed(&whole, UPM_KIND_UPROBE, 0);
	detail = upm_probe_table_detail(set->table, &set->table->probes.items[0]);
	assert_non_null(detail);
	detail->ref_ctr_offset = 64;
	assert_false(moves(set));
	upm_probe_set_free(set);
}

static uint32_t needs_its_place(const void *context, const struct upm_probe_table *table,
				size_t index)
{
	(void)context, (void)table, (void)index;
	return UPM_NEEDS_PLACE;
}

static void programs_that_need_the_place(void **state)
{
	const struct layout layout = {.code = "48 89 f8 53 5b c3"};
	struct upm_probe_set *set = changed(&layout, UPM_KIND_UPROBE, 0);
	struct upm_sites *sites;

	(void)state;
	assert_int_equal(upm_place(set->table, needs_its_place, NULL, NULL, NULL, &sites), UPM_OK);
	assert_null(sites);
	upm_probe_set_free(set);
}

/* What a change of the set does to its sites, and what is no observer. */
static void sets(void **state)
{
	const struct layout layout = {.code = "48 89 f8 53 5b c3"};
	struct upm_probe probe = {.size = sizeof(probe)};
	char path[] = "/tmp/upm-place-XXXXXX";
	const char *const paths[] = {test_build_path("target/known")};
	struct upm_probe_set *set, *selected;
	const size_t twice[] = {0, 0};
	const uint64_t cookie = 7;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	set = resolve(&layout, path);
	assert_upm(upm_probe_set_place(NULL, UPM_OBSERVER_COUNT), UPM_ERR_INVALID);
	assert_upm(upm_probe_set_place(set, 9), UPM_ERR_INVALID);
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_int_equal(probe.site_offset, probe.offset);
	assert_int_equal(probe.site_cost, UPM_COST_STEPPED);
	assert_upm_ok(upm_probe_set_place(set, UPM_OBSERVER_COUNT));
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_int_equal(probe.site_offset, probe.offset + 3);
	assert_int_equal(probe.cost, UPM_COST_STEPPED);
	assert_int_equal(probe.site_cost, UPM_COST_EMULATED);
	assert_upm_ok(upm_probe_set_cookies(set, &cookie, 1));
	assert_upm_ok(upm_probe_set_select(set, twice, 2, &selected));
	assert_upm_ok(upm_probe_set_join(selected, set));
	for (size_t i = 0; i < 3; i++) {
		assert_upm_ok(upm_probe_set_get(selected, i, &probe));
		assert_int_equal(probe.site_offset, probe.offset + 3);
	}
	upm_probe_set_free(set);
	assert_upm_ok(
		upm_probe_set_add(selected, UPM_KIND_UPROBE, paths, &probe.offset, NULL, NULL, 1));
	assert_upm_ok(upm_probe_set_get(selected, 3, &probe));
	assert_int_equal(probe.site_offset, probe.offset);
	upm_probe_set_free(selected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites_of_count),
		cmocka_unit_test(ends_of_files),
		cmocka_unit_test(calls),
		cmocka_unit_test(calls_and_shadow_stacks),
		cmocka_unit_test(sites_by_need),
		cmocka_unit_test(places_that_were_asked_for),
		cmocka_unit_test(probes_that_stay),
		cmocka_unit_test(programs_that_need_the_place),
		cmocka_unit_test(sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
