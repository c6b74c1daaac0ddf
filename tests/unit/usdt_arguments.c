/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* USDT arguments: tables of text and what it means, and text that means nothing. */
#include "support.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "usdt/argument.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	uint64_t address;
} symbols[] = {
	{"glob", 0x4010},
	{"counter.0", 0x4020},
	{"_ZN3foo3barE", 0x4030},
	{"a$b", 0x4040},
	{"versioned@V_1", 0x4050},
	{"_ZN4core3fmt17h0123E.llvm.42", 0x4060},
	{"\xc3\xa9t\xc3\xa9", 0x4070},
	{"in_thread@tpoff", (uint64_t)-16},
	{"in_thread@TPOFF", (uint64_t)-16},
	{"paged", 0x12345},
};

static bool find_symbol(void *context, const char *name, size_t length, uint64_t *address)
{
	(void)context;
	for (size_t i = 0; i < COUNT(symbols); i++) {
		if (strlen(symbols[i].name) == length &&
		    memcmp(symbols[i].name, name, length) == 0) {
			*address = symbols[i].address;
			return true;
		}
	}
	return false;
}

static size_t describe_place(const struct upm_usdt_argument *argument, char *text, size_t size)
{
	long long value = argument->value;

	switch (argument->place) {
	case UPM_USDT_NOWHERE:
		return (size_t)snprintf(text, size, "- %s", argument->reason);
	case UPM_USDT_CONSTANT:
		return (size_t)snprintf(text, size, "= %lld", value);
	case UPM_USDT_REGISTER:
		return (size_t)snprintf(text, size, "r%u%s", argument->base,
					argument->high_byte ? " high" : "");
	case UPM_USDT_MEMORY:
		return (size_t)snprintf(text, size, "*(r%u%+lld)%s", argument->base, value,
					argument->biased ? " biased" : "");
	case UPM_USDT_INDEXED:
		return (size_t)snprintf(text, size, "*(%s%.0u+r%u<<%u%+lld)%s",
					argument->has_base ? "r" : "",
					argument->has_base ? argument->base : 0u, argument->index,
					argument->scale, value, argument->biased ? " biased" : "");
	case UPM_USDT_ABSOLUTE:
		return (size_t)snprintf(text, size, "*(0x%llx)", value);
	case UPM_USDT_FS:
		return (size_t)snprintf(text, size, "*(fs%+lld%s%.0u)", value,
					argument->has_base ? "+r" : "",
					argument->has_base ? argument->base : 0u);
	}
	return (size_t)snprintf(text, size, "?");
}

/* "s4 r80": signed, 4 bytes, in the register at 80. */
static const char *describe(const struct upm_usdt_argument *argument)
{
	static char text[256];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s%c%u ", argument->is_float ? "f" : "",
				     argument->is_signed ? 's' : 'u', argument->size);

	describe_place(argument, text + at, sizeof(text) - at);
	return text;
}

struct expected {
	const char *text, *meaning;
};

static void check_table(uint16_t machine, const struct expected *table, size_t count)
{
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		size_t got =
			upm_usdt_arguments(machine, table[i].text, find_symbol, NULL, arguments);
		const char *meaning = got == 1 ? describe(arguments) : "not one argument";

		if (strcmp(meaning, table[i].meaning) == 0)
			continue;
		print_error("'%s': '%s', not '%s'\n", table[i].text, meaning, table[i].meaning);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

#define NOT_UNDERSTOOD "- the operand is not understood"
#define NO_SYMBOL "- the address of the symbol is not known"
#define RELOCATED "- the operand is relative to a table of the linker"
#define VECTOR "- a probe can not read vector and floating-point registers"
#define TOO_WIDE "- the value is wider than the register that holds it"
#define NO_REGISTER "- the register is not among those that a probe sees"
#define NARROW "- a register of the address has not the width of an address"
#define SEGMENT "- the operand lies in a segment that a probe can not read"
#define FIXED "- the operand is a number without $: a fixed address"
#define SYMBOL_ADDRESS "- the operand is the address of a symbol, not a number"
#define UNKNOWN_SIZE "- a value of this size can not be read"

static void x86_constants(void **state)
{
	static const struct expected table[] = {
		{"-4@$0", "s4 = 0"},
		{"-4@$-1", "s4 = -1"},
		{"4@$-1", "u4 = 4294967295"},
		{"-4@$4294967295", "s4 = -1"},
		{"8@$-1", "u8 = -1"},
		{"8@$0xffffffffffffffff", "u8 = -1"},
		{"-8@$-9223372036854775808", "s8 = -9223372036854775808"},
		{"8@$18446744073709551615", "u8 = -1"},
		{"1@$255", "u1 = 255"},
		{"-1@$255", "s1 = -1"},
		{"-2@$0x1F", "s2 = 31"},
		{"2@$65537", "u2 = 1"},
		{"-4@$010", "s4 = 8"},
		{"-4@$8+16-4", "s4 = 20"},
		{"-4@$--4", "s4 = 4"},
		{"$7", "s8 = 7"},
		{"8f@$1", "fu8 = 1"},
		{"-4@$", "s4 " NOT_UNDERSTOOD},
		{"-4@$08", "s4 " NOT_UNDERSTOOD},
		{"-4@$0x", "s4 " NOT_UNDERSTOOD},
		{"-4@$1f", "s4 " NOT_UNDERSTOOD},
		{"-4@$1(%rip)", "s4 " NOT_UNDERSTOOD},
		{"8@$18446744073709551616", "u8 " NOT_UNDERSTOOD},
		{"8@$glob", "u8 " SYMBOL_ADDRESS},
		{"8@$glob+4", "u8 " SYMBOL_ADDRESS},
	};

	(void)state;
	check_table(EM_X86_64, table, COUNT(table));
}

static void x86_registers(void **state)
{
	static const struct expected table[] = {
		{"8@%rax", "u8 r80"},
		{"-4@%eax", "s4 r80"},
		{"2@%ax", "u2 r80"},
		{"-1@%al", "s1 r80"},
		{"-1@%ah", "s1 r80 high"},
		{"1@%bh", "u1 r40 high"},
		{"1@%ch", "u1 r88 high"},
		{"1@%dh", "u1 r96 high"},
		{"8@%rbx", "u8 r40"},
		{"8@%rcx", "u8 r88"},
		{"8@%rdx", "u8 r96"},
		{"8@%rsi", "u8 r104"},
		{"8@%rdi", "u8 r112"},
		{"8@%rbp", "u8 r32"},
		{"8@%rsp", "u8 r152"},
		{"1@%sil", "u1 r104"},
		{"1@%dil", "u1 r112"},
		{"1@%bpl", "u1 r32"},
		{"1@%spl", "u1 r152"},
		{"8@%r8", "u8 r72"},
		{"4@%r9d", "u4 r64"},
		{"2@%r10w", "u2 r56"},
		{"1@%r11b", "u1 r48"},
		{"8@%r12", "u8 r24"},
		{"-8@%r13", "s8 r16"},
		{"-4@%r14d", "s4 r8"},
		{"-1@%r15b", "s1 r0"},
		{"8@%rip", "u8 r128"},
		{"%rdi", "s8 r112"},
		{"%edi", "s4 r112"},
		{"-1@%rax", "s1 r80"},
		{"-4@%ax", "s4 r80"},
		{"8@%eax", "u8 r80"},
		{"2@%ah", "u2 " TOO_WIDE},
		{"8@%xmm0", "fu8 " VECTOR},
		{"4f@%xmm15", "fu4 " VECTOR},
		{"-8f@%ymm3", "fs8 " VECTOR},
		{"8f@%rax", "fu8 r80"},
		{"8@%st", "u8 " NO_REGISTER},
		{"8@%r16", "u8 " NO_REGISTER},
		{"8@%raxx", "u8 " NO_REGISTER},
		{"8@%", "u8 " NO_REGISTER},
		{"8@%rax,", "u8 " NOT_UNDERSTOOD},
		{"8@%rax+1", "u8 " NOT_UNDERSTOOD},
		{"8@rax", "u8 " NO_SYMBOL},
	};

	(void)state;
	check_table(EM_X86_64, table, COUNT(table));
}

static void x86_memory(void **state)
{
	static const struct expected table[] = {
		{"8@(%rsp)", "u8 *(r152+0)"},
		{"-4@-20(%rbp)", "s4 *(r32-20)"},
		{"8@0x10(%rsp)", "u8 *(r152+16)"},
		{"8@+16(%rsp)", "u8 *(r152+16)"},
		{"8@8+16(%rsp)", "u8 *(r152+24)"},
		{"8@-8+16(%rsp)", "u8 *(r152+8)"},
		{"8@8-16(%rsp)", "u8 *(r152-8)"},
		{"8@8+-16(%rsp)", "u8 *(r152-8)"},
		{"8@ 8 ( %rsp )", "not one argument"},
		{"8@8( %rsp )", "u8 *(r152+8)"},
		{"8@(%rax,%rcx)", "u8 *(r80+r88<<0+0)"},
		{"8@(%rax, %rcx, 8)", "u8 *(r80+r88<<3+0)"},
		{"1@-1(%r8,%r15,2)", "u1 *(r72+r0<<1-1)"},
		{"4@(,%rax,4)", "u4 *(+r80<<2+0)"},
		{"4@64(,%rax,1)", "u4 *(+r80<<0+64)"},
		{"8@(%r15,%r15,8)", "u8 *(r+r0<<3+0)"},
		{"16(%rdi)", "s8 *(r112+16)"},
		{"8f@8(%rsp)", "fu8 *(r152+8)"},
		{"-4f@8(%rsp)", "fs4 *(r152+8)"},
		{"8@-9223372036854775808(%rsp)", "u8 *(r152-9223372036854775808)"},
		{"16@(%rsp)", "u16 " UNKNOWN_SIZE},
		{"16f@(%rsp)", "fu16 " UNKNOWN_SIZE},
		{"32@(%rsp)", "u32 " UNKNOWN_SIZE},
		{"3@(%rsp)", "u3 " UNKNOWN_SIZE},
		{"0@(%rsp)", "u0 " UNKNOWN_SIZE},
		{"-256@(%rsp)", "s0 " UNKNOWN_SIZE},
		{"99999999999999999999@(%rsp)", "u0 " UNKNOWN_SIZE},
		{"8@(%eax)", "u8 " NARROW},
		{"8@(%rax,%ecx)", "u8 " NARROW},
		{"8@(%bx,%si)", "u8 " NARROW},
		{"8@(%rax,%rip)", "u8 " NOT_UNDERSTOOD},
		{"8@(%rax,%rcx,3)", "u8 " NOT_UNDERSTOOD},
		{"8@(%rax,%rcx,16)", "u8 " NOT_UNDERSTOOD},
		{"8@(%rax,%rcx,)", "u8 " NOT_UNDERSTOOD},
		{"8@(%rax,)", "u8 " NOT_UNDERSTOOD},
		{"8@()", "u8 " NOT_UNDERSTOOD},
		{"8@(,)", "u8 " NOT_UNDERSTOOD},
		{"8@(%rax", "u8 " NOT_UNDERSTOOD},
		{"8@8(%rax))", "u8 " NOT_UNDERSTOOD},
		{"8@8(%rax)(%rax)", "u8 " NOT_UNDERSTOOD},
		{"8@(%xmm1)", "fu8 " VECTOR},
		{"8@8(rax)", "u8 " NOT_UNDERSTOOD},
		{"8@4198416", "u8 " FIXED},
		{"8@", "u8 " NOT_UNDERSTOOD},
		{"@%rax", "s0 " NOT_UNDERSTOOD},
		{"-@%rax", "s0 " NOT_UNDERSTOOD},
		{"-4", "s0 " FIXED},
	};

	(void)state;
	check_table(EM_X86_64, table, COUNT(table));
}

static void x86_symbols(void **state)
{
	static const struct expected table[] = {
		{"-4@glob(%rip)", "s4 *(0x4010)"},
		{"8@glob+8(%rip)", "u8 *(0x4018)"},
		{"8@8+glob(%rip)", "u8 *(0x4018)"},
		{"8@-8+glob(%rip)", "u8 *(0x4008)"},
		{"8@glob-8(%rip)", "u8 *(0x4008)"},
		{"8@glob+8+8(%rip)", "u8 *(0x4020)"},
		{"8@glob", "u8 *(0x4010)"},
		{"8@glob+4", "u8 *(0x4014)"},
		{"glob(%rip)", "s8 *(0x4010)"},
		{"1@counter.0(%rip)", "u1 *(0x4020)"},
		{"1@_ZN3foo3barE(%rip)", "u1 *(0x4030)"},
		{"1@a$b(%rip)", "u1 *(0x4040)"},
		{"1@versioned@V_1(%rip)", "u1 *(0x4050)"},
		{"1@_ZN4core3fmt17h0123E.llvm.42(%rip)", "u1 *(0x4060)"},
		{"1@\xc3\xa9t\xc3\xa9(%rip)", "u1 *(0x4070)"},
		{"8f@.LC0(%rip)", "fu8 " NO_SYMBOL},
		{"8@glo(%rip)", "u8 " NO_SYMBOL},
		{"8@16(%rip)", "u8 *(r128+16)"},
		{"8@(%rip)", "u8 *(r128+0)"},
		{"8@glob(,%rax,8)", "u8 *(+r80<<3+16400) biased"},
		{"8@glob+8(%rdx,%rax)", "u8 *(r96+r80<<0+16408) biased"},
		{"8@glob(%rax)", "u8 *(r80+16400) biased"},
		{"8@glob@GOTPCREL(%rip)", "u8 " RELOCATED},
		{"8@glob@gotpcrel+4(%rip)", "u8 " RELOCATED},
		{"8@glob@PLT(%rip)", "u8 " RELOCATED},
		{"8@glob@GOTOFF(%rbx)", "u8 *(0x4010)"},
		{"8@glob@GOTOFF+8(%rbx,%rax,8)", "u8 *(+r80<<3+16408) biased"},
		{"8@glob@GOTOFF(%rbx,%rax)", "u8 " RELOCATED},
		{"8@glob@GOTOFF(,%rax,8)", "u8 " RELOCATED},
		{"8@glob@GOTOFF(%rip)", "u8 " RELOCATED},
		{"8@glob@GOTOFF", "u8 " RELOCATED},
		{"8@in_thread@gottpoff(%rip)", "u8 " RELOCATED},
		{"8@in_thread@tpoff(%rax)", "u8 " RELOCATED},
		{"8@in_thread@dtpoff(%rax)", "u8 " RELOCATED},
		{"8@glob-glob(%rip)", "u8 " NOT_UNDERSTOOD},
		{"8@-glob(%rip)", "u8 " NOT_UNDERSTOOD},
		{"8@glob+counter.0(%rip)", "u8 " NOT_UNDERSTOOD},
		{"8@glob+(%rip)", "u8 " NOT_UNDERSTOOD},
		{"8@@GOT(%rip)", "u8 " NOT_UNDERSTOOD},
		{"8@1f(%rip)", "u8 " NOT_UNDERSTOOD},
		{"8@glob(%rip,%rax)", "u8 " NOT_UNDERSTOOD},
	};

	(void)state;
	check_table(EM_X86_64, table, COUNT(table));
}

static void x86_segments(void **state)
{
	static const struct expected table[] = {
		{"8@%fs:0", "u8 *(fs+0)"},
		{"8@%fs:-8", "u8 *(fs-8)"},
		{"8@%fs:0x28", "u8 *(fs+40)"},
		{"8@%fs:(%rax)", "u8 *(fs+0+r80)"},
		{"-4@%fs:-4(%rax)", "s4 *(fs-4+r80)"},
		{"-4@%fs:in_thread@tpoff", "s4 *(fs-16)"},
		{"-4@%fs:in_thread@TPOFF", "s4 *(fs-16)"},
		{"-4@%fs:in_thread@tpoff+4", "s4 *(fs-12)"},
		{"-4@%fs:4+in_thread@tpoff(%rax)", "s4 *(fs-12+r80)"},
		{"-4@%fs:other@tpoff", "s4 " NO_SYMBOL},
		{"-4@%fs:glob", "s4 " RELOCATED},
		{"-4@%fs:in_thread@dtpoff", "s4 " RELOCATED},
		{"-4@%fs:(%rip)", "s4 " NOT_UNDERSTOOD},
		{"-4@%fs:", "s4 " NOT_UNDERSTOOD},
		{"-4@%fs:(%rax,%rcx,4)", "s4 - a variable of the thread with an index register"},
		{"8@%gs:0", "u8 " SEGMENT},
		{"8@%gs:40(%rax)", "u8 " SEGMENT},
		{"8@%ds:(%rax)", "u8 " SEGMENT},
		{"8@%fs", "u8 " NO_REGISTER},
	};

	(void)state;
	check_table(EM_X86_64, table, COUNT(table));
}

static void x86_of_32_bits(void **state)
{
	static const struct expected table[] = {
		{"-4@%eax", "s4 r80"},
		{"-4@%ax", "s4 r80"},
		{"4@8(%esp)", "u4 *(r152+8)"},
		{"8@8(%ebp)", "u8 *(r32+8)"},
		{"4@glob", "u4 *(0x4010)"},
		{"4@glob+4", "u4 *(0x4014)"},
		{"4@(%ebx,%ecx,4)", "u4 *(r40+r88<<2+0)"},
		{"4@glob@GOTOFF(%ebx)", "u4 *(0x4010)"},
		{"4@glob@GOT(%ebx)", "u4 " RELOCATED},
		{"$-1", "s4 = -1"},
		{"(%esp)", "s4 *(r152+0)"},
		{"8@%eax", "u8 " TOO_WIDE},
		{"4@%gs:in_thread@ntpoff", "u4 " SEGMENT},
		{"4@%fs:0", "u4 " SEGMENT},
		{"4@(%rsp)", "u4 " NO_REGISTER},
		{"8@%r8", "u8 " NO_REGISTER},
	};

	(void)state;
	check_table(EM_386, table, COUNT(table));
}

static void aarch64(void **state)
{
	static const struct expected table[] = {
		{"8@x0", "u8 r0"},
		{"-4@w1", "s4 r8"},
		{"-4@x19", "s4 r152"},
		{"8@x30", "u8 r240"},
		{"8@lr", "u8 r240"},
		{"8@fp", "u8 r232"},
		{"8@sp", "u8 r248"},
		{"8@xzr", "u8 = 0"},
		{"-4@wzr", "s4 = 0"},
		{"x3", "s8 r24"},
		{"w3", "s4 r24"},
		{"8@w3", "u8 r24"},
		{"-4@10", "s4 = 10"},
		{"-4@#10", "s4 = 10"},
		{"-4@-1", "s4 = -1"},
		{"4@#-1", "u4 = 4294967295"},
		{"8@0x20", "u8 = 32"},
		{"8@[x0]", "u8 *(r0+0)"},
		{"8@[x0, 8]", "u8 *(r0+8)"},
		{"8@[x0,8]", "u8 *(r0+8)"},
		{"8@[x0, #8]", "u8 *(r0+8)"},
		{"8@[ sp , #-4 ]", "u8 *(r248-4)"},
		{"-4@[sp, 16]", "s4 *(r248+16)"},
		{"-4@[sp, 8+16]", "s4 *(r248+24)"},
		{"[x29, 16]", "s8 *(r232+16)"},
		{"8@[x1, x2]", "u8 *(r8+r16<<0+0)"},
		{"8@[x1, x2, lsl 3]", "u8 *(r8+r16<<3+0)"},
		{"8@[x1, x2, lsl #3]", "u8 *(r8+r16<<3+0)"},
		{"8@[x1, x2, sxtx]", "u8 *(r8+r16<<0+0)"},
		{"8@[x1, x2, sxtx 2]", "u8 *(r8+r16<<2+0)"},
		{"8@[x1, xzr, lsl 2]", "u8 *(r8+0)"},
		{"8@[x0, #:lo12:paged]", "u8 *(r0+837)"},
		{"8@[x0, :lo12:paged+4]", "u8 *(r0+841)"},
		{"8@glob", "u8 *(0x4010)"},
		{"8@glob+8", "u8 *(0x4018)"},
		{"8f@d0", "fu8 " VECTOR},
		{"4f@s31", "fu4 " VECTOR},
		{"8@v7", "fu8 " VECTOR},
		{"16f@q0", "fu16 " UNKNOWN_SIZE},
		{"4f@w0", "fu4 r0"},
		{"8@[x1, w2, sxtw 3]", "u8 - the index is a part of a register"},
		{"8@[x1, w2, uxtw]", "u8 - the index is a part of a register"},
		{"8@[x1, 8]!", "u8 - the operand changes its base register"},
		{"8@[x1], 8", "not one argument"},
		{"8@[x1],8", "u8 - the operand changes its base register"},
		{"8@[xzr]", "u8 - the zero register is no address"},
		{"8@[x0, :got_lo12:paged]", "u8 " NOT_UNDERSTOOD},
		{"8@[x0, :lo12:8]", "u8 " RELOCATED},
		{"8@[x0, paged]", "u8 " RELOCATED},
		{"8@[x0, :lo12:other]", "u8 " NO_SYMBOL},
		{"8@[w0]", "u8 " NOT_UNDERSTOOD},
		{"8@[x31]", "u8 " NOT_UNDERSTOOD},
		{"8@[x1, x2, lsl 4]", "u8 " NOT_UNDERSTOOD},
		{"8@[x1, x2, ror 1]", "u8 " NOT_UNDERSTOOD},
		{"8@[x1, sp]", "u8 " RELOCATED},
		{"8@[x0", "u8 " NOT_UNDERSTOOD},
		{"8@[]", "u8 " NOT_UNDERSTOOD},
		{"8@[x0,]", "u8 " NOT_UNDERSTOOD},
		{"8@[x0]x", "u8 " NOT_UNDERSTOOD},
		{"8@x31", "u8 " NO_SYMBOL},
		{"8@x01", "u8 " NO_SYMBOL},
		{"8@", "u8 " NOT_UNDERSTOOD},
		{"8@#glob", "u8 " SYMBOL_ADDRESS},
		{"8@glob]", "u8 " NOT_UNDERSTOOD},
	};

	(void)state;
	check_table(EM_AARCH64, table, COUNT(table));
}

static void other_machines(void **state)
{
	static const struct expected table[] = {
		{"-4@%r2", "s4 - arguments of programs for this machine can not be read"},
		{"8@112(%r1)", "u8 - arguments of programs for this machine can not be read"},
	};

	(void)state;
	check_table(EM_S390, table, COUNT(table));
}

struct split {
	const char *list;
	const char *parts[UPM_USDT_ARGUMENTS_MAX + 1];
};

static void splits_lists(void **state)
{
	static const struct split table[] = {
		{"", {NULL}},
		{"  \t ", {NULL}},
		{"-4@%edi 8@16(%rsp)", {"-4@%edi", "8@16(%rsp)"}},
		{" -4@%edi   8@%rax  ", {"-4@%edi", "8@%rax"}},
		{"8@[x0, 8] -4@[x1, x2, lsl 3] 4@w0", {"8@[x0, 8]", "-4@[x1, x2, lsl 3]", "4@w0"}},
		{"8@(%rax 4@%edi 4@%esi", {"8@(%rax", "4@%edi", "4@%esi"}},
		{"8@(%rax, nonsense 4f@%xmm0", {"8@(%rax, nonsense", "4f@%xmm0"}},
		{"%rdi %rsi", {"%rdi", "%rsi"}},
		{"8@%rax) 8@%rbx", {"8@%rax)", "8@%rbx"}},
		{"what is this", {"what", "is", "this"}},
		{"1@$1 1@$2 1@$3 1@$4 1@$5 1@$6 1@$7 1@$8 1@$9 1@$10 1@$11 1@$12 1@$13 1@$14",
		 {"1@$1", "1@$2", "1@$3", "1@$4", "1@$5", "1@$6", "1@$7", "1@$8", "1@$9", "1@$10",
		  "1@$11", "1@$12"}},
	};
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		size_t count = upm_usdt_arguments(EM_X86_64, table[i].list, NULL, NULL, arguments),
		       j = 0;

		for (; table[i].parts[j]; j++) {
			assert_true(j < count);
			assert_int_equal(arguments[j].text_length, strlen(table[i].parts[j]));
			assert_memory_equal(arguments[j].text, table[i].parts[j],
					    arguments[j].text_length);
		}
		assert_int_equal(j, count);
	}
}

static void one_bad_argument_spares_the_others(void **state)
{
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];

	(void)state;
	assert_int_equal(
		upm_usdt_arguments(EM_X86_64, "8@%rdi 8@%fish -4@8(%rsp)", NULL, NULL, arguments),
		3);
	assert_int_equal(arguments[0].place, UPM_USDT_REGISTER);
	assert_int_equal(arguments[1].place, UPM_USDT_NOWHERE);
	assert_non_null(arguments[1].reason);
	assert_int_equal(arguments[2].place, UPM_USDT_MEMORY);
}

/* What must hold whatever the text is. */
static void check_sane(const struct upm_usdt_argument *argument, const char *list, size_t length)
{
	assert_true(argument->text >= list);
	assert_true(argument->text + argument->text_length <= list + length);
	assert_true(argument->text_length > 0);
	if (argument->place == UPM_USDT_NOWHERE) {
		assert_true(argument->reason && *argument->reason);
		return;
	}
	assert_null(argument->reason);
	assert_true(argument->size == 1 || argument->size == 2 || argument->size == 4 ||
		    argument->size == 8);
	assert_true(argument->base <= 256 && argument->base % 8 == 0);
	assert_true(argument->index <= 256 && argument->index % 8 == 0);
	assert_true(argument->scale <= 3);
}

static void check_any_text(const char *list, size_t length)
{
	static const uint16_t machines[] = {EM_X86_64, EM_386, EM_AARCH64, EM_PPC64};
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];

	for (size_t i = 0; i < COUNT(machines); i++) {
		size_t count = upm_usdt_arguments(machines[i], list, i % 2 ? NULL : find_symbol,
						  NULL, arguments);

		assert_true(count <= UPM_USDT_ARGUMENTS_MAX);
		for (size_t j = 0; j < count; j++)
			check_sane(&arguments[j], list, length);
	}
}

static void survives_random_text(void **state)
{
	static const char *const pieces[] = {
		"-4@",	"8@",  "4f@", "16@",  "%",   "rax",   "eax",
		"xmm0", "(",   ")",   ",",    "8",   "-",     "+",
		"0x",	"$",   "fs:", "glob", "@",   "tpoff", " ",
		"[",	"]",   "x0",  "w1",   "lsl", "#",     ":",
		"lo12", "rip", "!",   "\t",   "sp",  "\xff",  "12345678901234567890",
		"\n"};
	char list[256];

	(void)state;
	srand(5);
	for (int round = 0; round < 200000; round++) {
		size_t length = 0;
		char *exact;

		for (int left = rand() % 24; left > 0; left--)
			length += (size_t)snprintf(list + length, sizeof(list) - length, "%s",
						   pieces[(size_t)rand() % COUNT(pieces)]);
		assert_true(length < sizeof(list));
		if (length && rand() % 4 == 0)
			list[(size_t)rand() % length] = (char)(1 + rand() % 255);
		exact = malloc(length + 1); /* exact, for the address sanitizer */
		assert_non_null(exact);
		memcpy(exact, list, length + 1);
		exact[length] = '\0';
		check_any_text(exact, length);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86_constants),
		cmocka_unit_test(x86_registers),
		cmocka_unit_test(x86_memory),
		cmocka_unit_test(x86_symbols),
		cmocka_unit_test(x86_segments),
		cmocka_unit_test(x86_of_32_bits),
		cmocka_unit_test(aarch64),
		cmocka_unit_test(other_machines),
		cmocka_unit_test(splits_lists),
		cmocka_unit_test(one_bad_argument_spares_the_others),
		cmocka_unit_test(survives_random_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
