/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/c_type.h"

#include <stdlib.h>
#include <string.h>

#include "uprobe_multi.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Of the LP64 data model, which all Linux systems on 64-bit processors have. The first word of
 * those with several is what upm_c_type_find() sorts to the front. */
static const struct upm_c_type types[] = {
	{"void", UPM_FORM_NONE, 0},
	{"char", UPM_FORM_CHARACTER, 1},
	{"char signed", UPM_FORM_SIGNED, 1},
	{"char unsigned", UPM_FORM_UNSIGNED, 1},
	{"short", UPM_FORM_SIGNED, 2},
	{"int short", UPM_FORM_SIGNED, 2},
	{"short unsigned", UPM_FORM_UNSIGNED, 2},
	{"int short unsigned", UPM_FORM_UNSIGNED, 2},
	{"int", UPM_FORM_SIGNED, 4},
	{"signed", UPM_FORM_SIGNED, 4},
	{"int signed", UPM_FORM_SIGNED, 4},
	{"unsigned", UPM_FORM_UNSIGNED, 4},
	{"int unsigned", UPM_FORM_UNSIGNED, 4},
	{"long", UPM_FORM_SIGNED, 8},
	{"int long", UPM_FORM_SIGNED, 8},
	{"long unsigned", UPM_FORM_UNSIGNED, 8},
	{"int long unsigned", UPM_FORM_UNSIGNED, 8},
	{"long long", UPM_FORM_SIGNED, 8},
	{"int long long", UPM_FORM_SIGNED, 8},
	{"long long unsigned", UPM_FORM_UNSIGNED, 8},
	{"int long long unsigned", UPM_FORM_UNSIGNED, 8},
	{"bool", UPM_FORM_BOOLEAN, 1},
	{"_Bool", UPM_FORM_BOOLEAN, 1},
	{"float", UPM_FORM_UNREADABLE, 4},
	{"double", UPM_FORM_UNREADABLE, 8},
	{"int8_t", UPM_FORM_SIGNED, 1},
	{"int16_t", UPM_FORM_SIGNED, 2},
	{"int32_t", UPM_FORM_SIGNED, 4},
	{"int64_t", UPM_FORM_SIGNED, 8},
	{"uint8_t", UPM_FORM_UNSIGNED, 1},
	{"uint16_t", UPM_FORM_UNSIGNED, 2},
	{"uint32_t", UPM_FORM_UNSIGNED, 4},
	{"uint64_t", UPM_FORM_UNSIGNED, 8},
	{"intptr_t", UPM_FORM_SIGNED, 8},
	{"uintptr_t", UPM_FORM_POINTER, 8},
	{"size_t", UPM_FORM_UNSIGNED, 8},
	{"ssize_t", UPM_FORM_SIGNED, 8},
	{"ptrdiff_t", UPM_FORM_SIGNED, 8},
	{"off_t", UPM_FORM_SIGNED, 8},
	{"off64_t", UPM_FORM_SIGNED, 8},
	{"time_t", UPM_FORM_SIGNED, 8},
	{"clock_t", UPM_FORM_SIGNED, 8},
	{"pid_t", UPM_FORM_SIGNED, 4},
	{"uid_t", UPM_FORM_UNSIGNED, 4},
	{"gid_t", UPM_FORM_UNSIGNED, 4},
	{"mode_t", UPM_FORM_UNSIGNED, 4},
	{"dev_t", UPM_FORM_UNSIGNED, 8},
	{"ino_t", UPM_FORM_UNSIGNED, 8},
	{"socklen_t", UPM_FORM_UNSIGNED, 4},
	{"wchar_t", UPM_FORM_SIGNED, 4},
};

enum { MOST_WORDS = 6, MOST_LETTERS = 64 };

static int compare_words(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* "unsigned long int" and "long unsigned" are one type: words in alphabetical order. */
static bool sort_words(const char *words, char sorted[MOST_LETTERS])
{
	char copy[MOST_LETTERS];
	const char *list[MOST_WORDS];
	size_t count = 0;
	char *rest = copy;
	const char *word;

	if (strlen(words) >= sizeof(copy))
		return false;
	strcpy(copy, words);
	while ((word = strsep(&rest, " "))) {
		if (count == MOST_WORDS)
			return false;
		list[count++] = word;
	}
	qsort(list, count, sizeof(*list), compare_words);
	*sorted = '\0';
	for (size_t i = 0; i < count; i++) {
		if (i)
			strcat(sorted, " ");
		strcat(sorted, list[i]);
	}
	return true;
}

const struct upm_c_type *upm_c_type_find(const char *words)
{
	char sorted[MOST_LETTERS];

	if (!sort_words(words, sorted))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, sorted) == 0)
			return &types[i];
	return NULL;
}

bool upm_c_type_has_word(const char *word)
{
	static const char *const others[] = {"const", "volatile", "struct", "union",   "enum",
					     "long",  "short",	  "signed", "unsigned"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(others[i], word) == 0)
			return true;
	return upm_c_type_find(word) != NULL;
}

bool upm_c_type_is_byte(const char *words)
{
	static const char *const bytes[] = {"char",   "signed char", "unsigned char",
					    "int8_t", "uint8_t",     "void"};

	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		if (strcmp(bytes[i], words) == 0)
			return true;
	return false;
}
