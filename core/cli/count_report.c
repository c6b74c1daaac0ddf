// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "clock.h"
#include "count.h"
#include "other_program.h"
#include "report.h"
#include "rows.h"
#include "text.h"

enum { COLUMN_HITS, COLUMN_RATE, COLUMNS };

/* What a table shows: hits, and the rate of some of them. */
struct figures {
	const struct cli_count *count;
	const uint64_t *rated; /* hits that the rate is taken from … */
	uint64_t rated_ns;     /* … and the time they came in; 0 = there is no rate */
};

static const char *cell_text(const void *context, size_t row, size_t column,
			     char buffer[CLI_NUMBER_SIZE])
{
	const struct figures *figures = context;

	if (column == COLUMN_HITS)
		return cli_text_number(buffer, figures->count->hits[row]);
	return cli_text_rate(buffer, figures->rated[row], figures->rated_ns);
}

static size_t probe_of(const void *context, size_t row)
{
	(void)context;
	return row;
}

static struct cli_table table_of(struct cli_count *count, const struct figures *figures,
				 const struct cli_rows *rows)
{
	return (struct cli_table){
		.columns =
			{[COLUMN_HITS] = {"HITS", 0, false}, [COLUMN_RATE] = {"RATE/S", 0, false}},
		.column_count = figures->rated_ns ? COLUMNS : COLUMN_RATE,
		.rows = rows->list,
		.row_count = rows->count,
		.cell = cell_text,
		.probe = probe_of,
		.context = figures,
		.set = count->base.set,
		.names = &count->base.names,
		.full_paths = count->base.full_paths,
	};
}

static void write_title(char *line, size_t size, const struct cli_count *count, uint64_t now)
{
	const struct cli_observation *base = &count->base;
	char total[CLI_NUMBER_SIZE], attached[CLI_NUMBER_SIZE], skipped[CLI_NUMBER_SIZE];
	char time[CLI_NUMBER_SIZE], links[CLI_NUMBER_SIZE], head[160], detail[96];

	snprintf(head, sizeof(head), "%s, %s, %s skipped",
		 cli_text_counted(total, count->total, "hit"),
		 cli_text_counted(attached, base->attached_count, "probe"),
		 cli_text_number(skipped, upm_link_skipped(base->link)));
	snprintf(detail, sizeof(detail), ", %s (%s)", cli_text_counted(links, base->links, "link"),
		 upm_backend_name(upm_link_backend(base->link)));
	cli_live_title(line, size, head, detail,
		       cli_text_duration(time, now - base->run.started_ns));
}

void cli_count_draw(struct cli_observation *observation)
{
	struct cli_count *count = (struct cli_count *)observation;
	uint64_t now = cli_now_ns(), before = observation->live.drawn_ns;
	struct figures figures = {count, count->new_hits,
				  now - (before ? before : observation->run.started_ns)};
	const struct cli_options *options = observation->run.options;
	struct cli_table table;
	struct cli_rows rows;
	char title[256];

	if (!cli_rows_select(&rows, options->sort == CLI_SORT_RATE ? count->new_hits : count->hits,
			     observation->attached, observation->attached_count, 1,
			     cli_rows_live_limit(options)))
		return;
	table = table_of(count, &figures, &rows);
	write_title(title, sizeof(title), count, now);
	cli_live_draw(&observation->live, title, &table);
	cli_rows_free(&rows);
}

static void print_table(struct cli_count *count, const struct cli_window *window)
{
	struct cli_observation *base = &count->base;
	const struct cli_options *options = base->run.options;
	struct figures figures = {count, count->window, base->observed_ns};
	struct cli_table table;
	struct cli_rows rows;

	if (!cli_rows_select(&rows, count->hits, base->attached, base->attached_count,
			     !options->all, cli_rows_final_limit(options, window)))
		return;
	table = table_of(count, &figures, &rows);
	if (rows.count)
		cli_table_print(base->out, &table, NULL, window, "");
	cli_rows_print_left(base->out, &rows);
	if (rows.count)
		fputc('\n', base->out);
	cli_rows_free(&rows);
}

/* Sum up, and count the functions that were hit. */
static uint64_t sum_up(const struct cli_count *count, const uint64_t *values, size_t *functions)
{
	const struct cli_observation *base = &count->base;
	uint64_t sum = 0;

	*functions = 0;
	for (size_t i = 0; i < base->attached_count; i++) {
		sum += values[base->attached[i]];
		*functions += values[base->attached[i]] != 0;
	}
	return sum;
}

int cli_count_print(struct cli_observation *observation)
{
	struct cli_count *count = (struct cli_count *)observation;
	struct cli_window window = cli_window_of(fileno(observation->out));
	size_t functions;
	uint64_t observed = sum_up(count, count->window, &functions);

	cli_print_begin(observation, &window);
	print_table(count, &window);
	sum_up(count, count->hits, &functions);
	cli_print_amount(observation, observation->out, "hits", count->total, observed, functions);
	cli_print_rates(observation, observation->out, count->total - observed, "hit");
	cli_print_end(observation, observation->out);
	if (!count->total)
		cli_remark_other_program(observation);
	return CLI_DONE;
}

static json_t *describe_hits(struct cli_count *count, size_t at)
{
	json_t *value = cli_json_probe(&count->base, at);

	if (value && json_object_set_new(value, "hits", cli_json_integer(count->hits[at])) < 0) {
		json_decref(value);
		return NULL;
	}
	return value;
}

int cli_count_json(struct cli_observation *observation)
{
	struct cli_count *count = (struct cli_count *)observation;
	struct cli_json json;

	cli_json_open(&json, observation->out);
	cli_json_observation(&json, observation);
	cli_json_member(&json, "total", cli_json_integer(count->total));
	cli_json_array(&json, "probes");
	for (size_t i = 0; i < observation->attached_count; i++)
		cli_json_element(&json, describe_hits(count, observation->attached[i]));
	cli_json_array_end(&json);
	return cli_json_close(&json);
}
