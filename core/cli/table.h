/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A table of functions: columns of figures, then the symbol, then the file. */
#ifndef UPM_CLI_TABLE_H
#define UPM_CLI_TABLE_H

#include "names.h"
#include "terminal.h"
#include "text.h"

/** Most columns before the symbol. */
#define CLI_MOST_COLUMNS 10

struct cli_column {
	const char *heading;
	uint8_t yields; /**< narrow windows do without it, the lowest first; 0 = never */
	bool left;	/**< aligned left */
};

struct cli_table {
	struct cli_column columns[CLI_MOST_COLUMNS];
	size_t column_count;
	const size_t *rows; /**< numbers of the rows to show, in order */
	size_t row_count;
	/** @return the text of a cell, which may be in the buffer. */
	const char *(*cell)(const void *context, size_t row, size_t column,
			    char buffer[CLI_NUMBER_SIZE]);
	/** @return position of a row's probe in the set. */
	size_t (*probe)(const void *context, size_t row);
	const void *context;
	const struct upm_probe_set *set;
	struct cli_names *names;
	bool full_paths;
};

/** Widths in columns, as wide as was ever needed. */
struct cli_widths {
	size_t columns[CLI_MOST_COLUMNS];
	size_t symbol;
	size_t path;
};

/**
 * Print heading and rows.
 * @param widths      grow with the table; NULL = its own
 * @param line_start  printed before each line
 */
void cli_table_print(FILE *out, struct cli_table *table, struct cli_widths *widths,
		     const struct cli_window *window, const char *line_start);

#endif
