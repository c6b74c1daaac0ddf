#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Where the output goes, and what happens when it can not go there.

load helpers

# The number of a thread that can not be there.
nobody() {
	cat /proc/sys/kernel/pid_max
}

@test "standard error is closed: what is said there is not written into the result" {
	"$UPM" trace --json --tid "$(nobody)" -o "$BATS_TEST_TMPDIR/out" libc.so.6:getppid -- true 2>&-
	jq -e '.attached == 1' "$BATS_TEST_TMPDIR/out"
}

@test "standard output is closed: that is said, exit status 1" {
	for arguments in "list libc.so.6:getppid" "count -d 10ms libc.so.6:getppid" check --help; do
		status=0
		# shellcheck disable=SC2086 # several arguments
		"$UPM" $arguments >&- 2>"$BATS_TEST_TMPDIR/error" || status=$?
		[ "$status" -eq 1 ]
		grep -q "write to the standard output: " "$BATS_TEST_TMPDIR/error"
	done
}

@test "descriptors that are closed are closed for the command too" {
	# shellcheck disable=SC2016 # the command's
	"$UPM" count --json -o "$BATS_TEST_TMPDIR/out" libc.so.6:getppid -- \
		sh -c '[ ! -h /proc/$$/fd/0 ] && [ ! -h /proc/$$/fd/2 ]' <&- 2>&-
	jq -e '.command.exit_status == 0' "$BATS_TEST_TMPDIR/out"
}
