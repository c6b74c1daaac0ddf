#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi check

load helpers

@test "JSON has the keys of the design, answers are true, false or null" {
	run --separate-stderr "$UPM" check --json
	[ "$status" -eq 0 ]
	[ "$(jq -r .kernel <<<"$output")" = "$(uname -r)" ]
	jq -e '[.uprobe_multi, .session, .pid_filter, .perf_event, .uprobe_syscall, .path_fd]
		| all(. == null or type == "boolean")' <<<"$output"
	jq -e '.capabilities.bpf and .capabilities.perfmon' <<<"$output"
	jq -e '.backend == "uprobe_multi" or .backend == "perf_event"' <<<"$output"
}

@test "the table names the kernel and the backend" {
	run --separate-stderr "$UPM" check
	[ "$status" -eq 0 ]
	[[ $output == *"kernel $(uname -r)"* ]]
	[[ $output == *"backend"* ]]
	# What this kernel lacks, and what would help.
	if [[ $output == *"backend  perf_event"* ]]; then
		[[ $output == *"hint: "*"kernel/patches/linux-6.1"*"docs/kernel-support.md"* ]]
	fi
	if grep -q '^  session  *no' <<<"$output" && [[ $output == *"backend  uprobe_multi"* ]]; then
		[[ $output == *"hint: "*"sessions"* ]]
	fi
	[[ $output != *$'\x1b'* ]]
}

@test "without privilege: exit status 1 and a hint" {
	if ! command -v setpriv >/dev/null; then
		skip "setpriv is not installed"
	fi
	copy=$(mktemp /tmp/upm-check.XXXXXX)
	cp "$UPM" "$copy"
	chmod 755 "$copy"
	run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups \
		--bounding-set=-all "$copy" check
	rm "$copy"
	[ "$status" -eq 1 ]
	[[ $output == *"CAP_BPF"* ]]
}
