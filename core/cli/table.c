// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define NARROWEST 16	 /* of symbol and path together */
#define NARROW_WINDOW 50 /* below, the file is left out where it is the same in all rows */
#define ROOM_WANTED 24	 /* at most, for symbol and path, before columns yield */
#define MOST_PAD 40	 /* in a pipe */
#define GAP 2

struct layout {
	struct cli_widths widths;
	bool hidden[CLI_MOST_COLUMNS];
	size_t symbol_limit;
	size_t path_limit; /* 0 = never cut */
	bool one_path;	   /* the same in all rows */
	bool hides_path;
	size_t cut_at; /* columns of each line; 0 = all of them fit */
};

static void widen(size_t *width, size_t needed)
{
	if (*width < needed)
		*width = needed;
}

static const char *path_shown(const struct cli_table *table, const struct upm_probe *probe)
{
	return table->full_paths ? probe->path : cli_base_name(probe->path);
}

static bool get_probe(const struct cli_table *table, size_t row, struct upm_probe *probe)
{
	probe->size = sizeof(*probe);
	return upm_probe_set_get(table->set, table->probe(table->context, row), probe) == UPM_OK;
}

static void measure_cells(const struct cli_table *table, size_t row, struct cli_widths *widths)
{
	char buffer[CLI_NUMBER_SIZE];

	for (size_t i = 0; i < table->column_count; i++)
		widen(&widths->columns[i],
		      cli_text_width(table->cell(table->context, row, i, buffer)));
}

static void measure(struct cli_table *table, struct layout *layout)
{
	struct cli_widths *widths = &layout->widths;
	struct upm_probe probe;
	const char *path = NULL;

	layout->one_path = true;
	widen(&widths->symbol, strlen("SYMBOL"));
	widen(&widths->path, strlen("BINARY"));
	for (size_t i = 0; i < table->column_count; i++)
		widen(&widths->columns[i], strlen(table->columns[i].heading));
	for (size_t i = 0; i < table->row_count; i++) {
		measure_cells(table, table->rows[i], widths);
		if (!get_probe(table, table->rows[i], &probe))
			continue;
		if (path && strcmp(path, probe.path) != 0)
			layout->one_path = false;
		path = probe.path;
		widen(&widths->symbol, cli_text_width(cli_name_of(table->names, &probe)));
		widen(&widths->path, cli_text_width(path_shown(table, &probe)));
	}
	if (widths->symbol > CLI_MOST_LABEL)
		widths->symbol = CLI_MOST_LABEL;
}

static size_t columns_width(const struct cli_table *table, const struct layout *layout)
{
	size_t width = 0;

	for (size_t i = 0; i < table->column_count; i++)
		if (!layout->hidden[i])
			width += layout->widths.columns[i] + GAP;
	return width;
}

/* @return the column that yields next; column_count when none does. */
static size_t next_to_yield(const struct cli_table *table, const struct layout *layout)
{
	size_t found = table->column_count;

	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].yields && !layout->hidden[i] &&
		    (found == table->column_count ||
		     table->columns[i].yields < table->columns[found].yields))
			found = i;
	return found;
}

static void hide_columns(const struct cli_table *table, struct layout *layout, size_t columns)
{
	size_t wanted = layout->widths.symbol + GAP + layout->widths.path, next;

	if (wanted > ROOM_WANTED)
		wanted = ROOM_WANTED;
	while (columns_width(table, layout) + wanted > columns &&
	       (next = next_to_yield(table, layout)) < table->column_count)
		layout->hidden[next] = true;
}

/* In a pipe paths are not cut, and a few long names do not push all of them away. */
static void fit(const struct cli_table *table, struct layout *layout, size_t columns)
{
	struct cli_widths *widths = &layout->widths;
	size_t fixed;

	layout->symbol_limit = CLI_MOST_LABEL;
	if (!columns) {
		widths->symbol = widths->symbol < MOST_PAD ? widths->symbol : MOST_PAD;
		return;
	}
	hide_columns(table, layout, columns);
	layout->hides_path = layout->one_path && columns < NARROW_WINDOW;
	if (layout->hides_path)
		widths->path = 0;
	fixed = columns_width(table, layout) + (layout->hides_path ? 0 : GAP);
	layout->cut_at = columns < fixed + NARROWEST ? columns : 0;
	cli_text_share(columns > fixed + NARROWEST ? columns - fixed : NARROWEST, &widths->symbol,
		       &widths->path);
	layout->symbol_limit = widths->symbol;
	layout->path_limit = widths->path;
}

static void print_cell(FILE *out, const struct cli_column *column, const char *text, size_t width)
{
	if (!column->left)
		fprintf(out, "%*s", (int)(width - cli_text_width(text)), "");
	cli_text_put(out, text, 0, column->left ? width : 0);
	fprintf(out, "%*s", GAP, "");
}

static void put_heading(FILE *out, struct cli_table *table, const struct layout *layout, size_t row)
{
	(void)row;
	for (size_t i = 0; i < table->column_count; i++)
		if (!layout->hidden[i])
			print_cell(out, &table->columns[i], table->columns[i].heading,
				   layout->widths.columns[i]);
	if (layout->hides_path)
		fputs("SYMBOL", out);
	else
		fprintf(out, "%-*s  BINARY", (int)layout->widths.symbol, "SYMBOL");
}

static void put_row(FILE *out, struct cli_table *table, const struct layout *layout, size_t row)
{
	char buffer[CLI_NUMBER_SIZE];
	struct upm_probe probe;

	if (!get_probe(table, row, &probe))
		return;
	for (size_t i = 0; i < table->column_count; i++)
		if (!layout->hidden[i])
			print_cell(out, &table->columns[i],
				   table->cell(table->context, row, i, buffer),
				   layout->widths.columns[i]);
	cli_text_put(out, cli_name_of(table->names, &probe), layout->symbol_limit,
		     layout->hides_path ? 0 : layout->widths.symbol);
	if (!layout->hides_path) {
		fputs("  ", out);
		cli_text_put(out, path_shown(table, &probe), layout->path_limit, 0);
	}
}

/* Print a line, without what a very narrow window has no room for: wrapped, it would be two. */
static void print_line(FILE *out, struct cli_table *table, const struct layout *layout, size_t row,
		       void (*put)(FILE *out, struct cli_table *table, const struct layout *layout,
				   size_t row))
{
	char *line = NULL;
	size_t length;
	FILE *whole = layout->cut_at ? open_memstream(&line, &length) : NULL;

	put(whole ? whole : out, table, layout, row);
	if (whole && fclose(whole) == 0)
		cli_text_put_head(out, line, layout->cut_at);
	free(line);
}

void cli_table_print(FILE *out, struct cli_table *table, struct cli_widths *widths,
		     const struct cli_window *window, const char *line_start)
{
	struct layout layout = {0};

	if (widths)
		layout.widths = *widths;
	measure(table, &layout);
	if (widths)
		*widths = layout.widths;
	fit(table, &layout, window->columns);
	fprintf(out, "%s%s", line_start, cli_bold(window));
	print_line(out, table, &layout, 0, put_heading);
	fprintf(out, "%s\n", cli_plain(window));
	for (size_t i = 0; i < table->row_count; i++) {
		fputs(line_start, out);
		print_line(out, table, &layout, table->rows[i], put_row);
		fputc('\n', out);
	}
}
