/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <stddef.h>
#include <string.h>

#include "observe/object.h"
#include "uprobe_multi.h"

static const struct {
	const char *name;
	struct upm_section section;
} forms[] = {
	{"uprobe", {.kind = UPM_KIND_UPROBE}},
	{"uprobe.s", {.kind = UPM_KIND_UPROBE, .sleepable = true}},
	{"uretprobe", {.kind = UPM_KIND_URETPROBE}},
	{"uretprobe.s", {.kind = UPM_KIND_URETPROBE, .sleepable = true}},
	{"uprobe.multi", {.kind = UPM_KIND_UPROBE, .multi = true}},
	{"uprobe.multi.s", {.kind = UPM_KIND_UPROBE, .multi = true, .sleepable = true}},
	{"uretprobe.multi", {.kind = UPM_KIND_URETPROBE, .multi = true}},
	{"uretprobe.multi.s", {.kind = UPM_KIND_URETPROBE, .multi = true, .sleepable = true}},
	{"uprobe.session", {.kind = UPM_KIND_UPROBE, .multi = true, .session = true}},
	{"uprobe.session.s",
	 {.kind = UPM_KIND_UPROBE, .multi = true, .session = true, .sleepable = true}},
	{"usdt", {.kind = UPM_KIND_USDT, .multi = true}},
	{"usdt.s", {.kind = UPM_KIND_USDT, .multi = true, .sleepable = true}},
};

bool upm_section_parse(const char *name, struct upm_section *section)
{
	size_t length = strcspn(name, "/");

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strlen(forms[i].name) != length || strncmp(name, forms[i].name, length) != 0)
			continue;
		*section = forms[i].section;
		section->place = name[length] ? name + length + 1 : "";
		return true;
	}
	return false;
}
