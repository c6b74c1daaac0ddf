/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The call sites of a table's USDT probes and their arguments. */
#include <elf.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/options.h"
#include "binary/symbols.h"
#include "resolve/probe_table.h"
#include "resolve/remembered.h"

const struct upm_usdt_site *upm_probe_table_site(const struct upm_probe_table *table,
						 const struct upm_probe_entry *probe)
{
	uint32_t site = upm_probe_detail(table, probe)->site;

	return site ? &table->sites.items[site - 1] : NULL;
}

/* Operands that name a variable are rare: no index for them. */
static bool find_variable(struct upm_binary *binary, const char *name, size_t length,
			  struct upm_symbol *symbol)
{
	struct upm_symbol_tables tables;

	if (!binary || upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables))
		return false;
	for (size_t t = 0; t < tables.count; t++) {
		size_t size = upm_symbol_table_size(tables.items[t]);

		for (size_t i = 0; i < size; i++) {
			upm_symbol_table_peek(tables.items[t], i, symbol);
			if (!symbol->undefined && strncmp(symbol->name, name, length) == 0 &&
			    !symbol->name[length])
				return true;
		}
	}
	return false;
}

static bool find_symbol(void *context, const char *name, size_t length, uint64_t *address)
{
	static const char suffix[] = "@tpoff";
	const size_t cut = sizeof(suffix) - 1;
	struct upm_binary *binary = context;
	struct upm_symbol symbol;
	bool of_thread = length > cut && strncasecmp(name + length - cut, suffix, cut) == 0;

	if (!find_variable(binary, name, of_thread ? length - cut : length, &symbol) ||
	    (symbol.type == STT_TLS) != of_thread)
		return false;
	/* x86: an executable's variables end where the thread pointer points. */
	*address = symbol.address - (of_thread ? binary->thread_area : 0);
	return true;
}

size_t upm_probe_table_arguments(const struct upm_probe_table *table,
				 const struct upm_probe_entry *probe,
				 struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX])
{
	const struct upm_usdt_site *site = upm_probe_table_site(table, probe);
	struct upm_binary *binary = upm_probe_binary(table, probe);
	struct upm_usdt_argument unwanted[UPM_USDT_ARGUMENTS_MAX];

	if (!site || !binary)
		return 0;
	if (site->parsed) {
		if (arguments)
			memcpy(arguments, site->parsed, site->parsed_count * sizeof(*site->parsed));
		return site->parsed_count;
	}
	return upm_usdt_arguments(binary->machine, site->arguments, arguments ? find_symbol : NULL,
				  binary, arguments ? arguments : unwanted);
}

static uint32_t public_place(const struct upm_usdt_argument *argument)
{
	switch (argument->place) {
	case UPM_USDT_NOWHERE:
		return UPM_ARGUMENT_UNREADABLE;
	case UPM_USDT_CONSTANT:
		return UPM_ARGUMENT_CONSTANT;
	case UPM_USDT_REGISTER:
		return UPM_ARGUMENT_REGISTER;
	default:
		return UPM_ARGUMENT_MEMORY;
	}
}

static struct upm_argument describe(const struct upm_usdt_argument *argument)
{
	struct upm_argument described = {
		.size = sizeof(described),
		.reason = argument->reason ? argument->reason : "",
		.place = public_place(argument),
		.width = argument->size,
		.is_signed = argument->is_signed,
		.is_float = argument->is_float,
	};
	size_t length = argument->text_length;

	if (length > sizeof(described.text) - 1)
		length = sizeof(described.text) - 1;
	memcpy(described.text, argument->text, length);
	return described;
}

int32_t upm_probe_set_argument(const struct upm_probe_set *set, size_t index, size_t argument,
			       struct upm_argument *out)
{
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
	struct upm_argument described;
	size_t count = 0;

	if (set && index < set->table->probes.count &&
	    upm_remembered_argument(set->table, index, argument, &described))
		return upm_options_write(out, &described, sizeof(described), "upm_argument");
	if (set && index < set->table->probes.count)
		count = upm_probe_table_arguments(set->table, &set->table->probes.items[index],
						  arguments);
	if (argument >= count)
		return upm_fail(UPM_ERR_INVALID, 0, "describe an argument", NULL, NULL,
				"argument %zu of probe %zu does not exist", argument, index);
	described = describe(&arguments[argument]);
	return upm_options_write(out, &described, sizeof(described), "upm_argument");
}
