/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/privilege.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "uprobe_multi.h"

static _Thread_local char hint[256];

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

static bool lacks_capabilities(void)
{
	struct upm_features features = {.size = sizeof(features)};
	bool bpf, perfmon;

	if (upm_check(&features))
		return false;
	bpf = features.cap_bpf != UPM_NO;
	perfmon = features.cap_perfmon != UPM_NO;
	if (bpf && perfmon)
		return false;
	snprintf(hint, sizeof(hint),
		 "this process lacks %s: run as root, or give the program both by "
		 "`setcap cap_bpf,cap_perfmon+ep`",
		 perfmon ? "CAP_BPF"
		 : bpf	 ? "CAP_PERFMON"
			 : "CAP_BPF and CAP_PERFMON");
	return true;
}

/* The kernel asks for capabilities in the first user namespace, which maps all ids to themselves.
 */
static bool in_user_namespace(void)
{
	unsigned long inside, outside, count;
	char text[128];

	if (!read_text("/proc/self/uid_map", text, sizeof(text)) ||
	    sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3 ||
	    (inside == 0 && outside == 0 && count == 4294967295UL))
		return false;
	snprintf(hint, sizeof(hint),
		 "capabilities of a user namespace do not count: run it outside of the rootless "
		 "container");
	return true;
}

static bool is_locked_down(void)
{
	char text[128];

	if (!read_text("/sys/kernel/security/lockdown", text, sizeof(text)) ||
	    !strstr(text, "[confidentiality]"))
		return false;
	snprintf(hint, sizeof(hint),
		 "the kernel is locked down (confidentiality): boot with lockdown=integrity or "
		 "none");
	return true;
}

static bool is_filtered(void)
{
	if (prctl(PR_GET_SECCOMP) == SECCOMP_MODE_DISABLED)
		return false;
	snprintf(hint, sizeof(hint),
		 "a seccomp filter is in force here: have it allow bpf(2) and perf_event_open(2) "
		 "(in a container, by its seccomp profile)");
	return true;
}

static void name_sysctls(void)
{
	char paranoid[16];

	if (!read_text("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid)))
		paranoid[0] = '\0';
	paranoid[strcspn(paranoid, "\n")] = '\0';
	snprintf(hint, sizeof(hint),
		 "perf events may need CAP_SYS_ADMIN here (kernel.perf_event_paranoid is %s): run "
		 "as "
		 "root, or use the multi backend; a security module may forbid it too",
		 *paranoid ? paranoid : "unknown");
}

const char *upm_privilege_hint(void)
{
	if (!lacks_capabilities() && !in_user_namespace() && !is_locked_down() && !is_filtered())
		name_sysctls();
	return hint;
}
