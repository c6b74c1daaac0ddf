// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "folded.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct stack {
	const char *line;
	uint64_t count;
	char copy[];
};

static int compare(const void *left, const void *right)
{
	return strcmp(((const struct stack *)left)->line, ((const struct stack *)right)->line);
}

static struct stack *copy_of(const char *line)
{
	size_t size = strlen(line) + 1;
	struct stack *stack = malloc(sizeof(*stack) + size);

	if (!stack)
		return NULL;
	stack->line = memcpy(stack->copy, line, size);
	stack->count = 0;
	return stack;
}

int cli_folded_add(struct cli_folded *folded, const char *line)
{
	const struct stack wanted = {.line = line};
	struct stack **found = tfind(&wanted, &folded->tree, compare);
	struct stack *stack;

	if (!found) {
		stack = copy_of(line);
		found = stack ? tsearch(stack, &folded->tree, compare) : NULL;
		if (!found) {
			free(stack);
			return -1;
		}
	}
	(*found)->count++;
	return 0;
}

static void print_node(const void *node, VISIT visit, void *out)
{
	const struct stack *stack = *(struct stack *const *)node;

	if (visit == postorder || visit == leaf)
		fprintf(out, "%s %llu\n", stack->line, (unsigned long long)stack->count);
}

void cli_folded_print(FILE *out, const struct cli_folded *folded)
{
	twalk_r(folded->tree, print_node, out);
}

void cli_folded_free(struct cli_folded *folded)
{
	tdestroy(folded->tree, free);
	folded->tree = NULL;
}
