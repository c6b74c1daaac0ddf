/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <string.h>

#include "base/error.h"
#include "binary/elf_file.h"
#include "binary/symbol_table.h"

enum answer { NOT_ASKED, NO, THROWS, SWITCHES };

/* Names in a string table stand between NULs. */
static bool has_name(const char *strings, size_t size, const char *name)
{
	size_t length = strlen(name);
	const char *found = strings;

	while ((found = memmem(found, size - (size_t)(found - strings), name, length + 1))) {
		if (found == strings || found[-1] == '\0')
			return true;
		found += length;
	}
	return false;
}

/* What code that throws, catches or cleans up behind an exception refers to: in C++ and Rust. */
static bool refers_to_unwinder(const char *strings, size_t size)
{
	static const char *const names[] = {
		"__gxx_personality_v0",	  "__cxa_throw",    "rust_eh_personality",
		"_Unwind_RaiseException", "_Unwind_Resume",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (has_name(strings, size, names[i]))
			return true;
	return false;
}

static const char *const switchers[] = {
	"swapcontext", "makecontext", "setcontext", "jump_fcontext", "ontop_fcontext", "co_switch",
};

static bool is_switcher(const char *name)
{
	for (size_t i = 0; i < sizeof(switchers) / sizeof(switchers[0]); i++)
		if (strcmp(name, switchers[i]) == 0)
			return true;
	return false;
}

static bool names_switcher(const struct upm_symbol_table *table)
{
	for (size_t i = 0; i < sizeof(switchers) / sizeof(switchers[0]); i++)
		if (has_name(table->strings, table->strings_size, switchers[i]))
			return true;
	return false;
}

/* Code that goes on upon another stack: it calls what libraries define for that. */
static bool switches_stacks(const struct upm_elf *elf, struct upm_symbol_table *table)
{
	bool linked = elf->dynamic.size > 0;

	if (!names_switcher(table))
		return false;
	for (size_t i = 0; i < table->count; i++) {
		struct upm_symbol symbol;

		upm_symbol_table_peek(table, i, &symbol);
		if ((symbol.undefined || !linked) && is_switcher(symbol.name))
			return true;
	}
	return false;
}

/* The names that are linked dynamically; of a static program those of all symbols. Where they can
 * not be read it is not known whether a return probe does harm. */
static enum answer ask(const struct upm_elf *elf)
{
	struct upm_symbol_table *table = elf->own_count ? elf->tables[0] : NULL;
	struct upm_error_copy error;

	if (!table)
		return NO;
	upm_error_take(&error);
	if (upm_symbol_table_read_names(table)) {
		upm_error_put_back(&error);
		return NOT_ASKED;
	}
	if (switches_stacks(elf, table))
		return SWITCHES;
	return refers_to_unwinder(table->strings, table->strings_size) ? THROWS : NO;
}

static enum answer answer_for(const struct upm_binary *binary)
{
	struct upm_elf *elf = binary->elf;
	int answer = atomic_load_explicit(&elf->unwinds, memory_order_relaxed);

	if (answer == NOT_ASKED) {
		answer = ask(elf);
		atomic_store_explicit(&elf->unwinds, answer, memory_order_relaxed);
	}
	return (enum answer)answer;
}

bool upm_binary_unwinds(const struct upm_binary *binary)
{
	return answer_for(binary) != NO;
}

bool upm_binary_switches_stacks(const struct upm_binary *binary)
{
	return answer_for(binary) == SWITCHES;
}
