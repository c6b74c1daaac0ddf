#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# tests/run counts whatever a test program does.

load build

setup() {
	SAMPLE_PROGRAM=$UPM_BUILD/tests/packaging/sample
}

# run_sample HOW: what the runner says of the sample that ends so.
run_sample() {
	SAMPLE=$1 run "$TOP/tests/run" "$SAMPLE_PROGRAM"
	echo "$output"
	last=${lines[${#lines[@]} - 1]}
}

@test "tests that pass" {
	run_sample pass
	[ "$status" -eq 0 ]
	[ "$last" = "3 passed, 0 failed, 0 skipped" ]
}

@test "a failure is named with its reason" {
	run_sample fail
	[ "$status" -ne 0 ]
	[ "$last" = "2 passed, 1 failed, 0 skipped" ]
	[[ $output == *"FAIL tests/packaging/sample: ends"*"0x1 != 0x2"* ]]
}

@test "a skip is named with its reason and is no failure" {
	run_sample skip
	[ "$status" -eq 0 ]
	[ "$last" = "2 passed, 0 failed, 1 skipped" ]
	[[ $output == *"SKIP tests/packaging/sample: ends # the sample was told to"* ]]
}

@test "a fault inside a test is its failure" {
	run_sample fault
	[ "$status" -ne 0 ]
	[ "$last" = "2 passed, 1 failed, 0 skipped" ]
}

@test "a program that dies has failed" {
	run_sample die
	[ "$status" -ne 0 ]
	[ "$last" = "1 passed, 1 failed, 0 skipped" ]
	[[ $output == *"died of signal 9 after 1 tests"* ]]
}

@test "a program that ends before its plan is done has failed, even with status 0" {
	run_sample stop
	[ "$status" -ne 0 ]
	[ "$last" = "1 passed, 1 failed, 0 skipped" ]
	[[ $output == *"ended after 1 of 3 tests"* ]]
}

@test "a program that hangs is ended and has failed" {
	UPM_TEST_TIMEOUT=1 run_sample hang
	[ "$status" -ne 0 ]
	[ "$last" = "1 passed, 1 failed, 0 skipped" ]
	[[ $output == *"did not end within 1 seconds"* ]]
}

@test "a program that runs no test has failed, and so has one that is missing" {
	run "$TOP/tests/run" /bin/true /nonexistent/program
	[ "$status" -ne 0 ]
	[[ $output == *"0 passed, 2 failed, 0 skipped" ]]
}

@test "no program at all is a failure" {
	run "$TOP/tests/run"
	[ "$status" -ne 0 ]
	[[ $output == *"0 passed, 1 failed, 0 skipped" ]]
}

@test "results of several programs are added up" {
	# Lines of this file that begin with @test would be taken for its own tests.
	printf '@%s\n' 'test "good" { true; }' 'test "bad" { false; }' \
		'test "left out" { skip "for a reason"; }' >"$BATS_TEST_TMPDIR/inner.bats"
	SAMPLE=pass run "$TOP/tests/run" "$SAMPLE_PROGRAM" "$BATS_TEST_TMPDIR/inner.bats"
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"inner.bats: left out # for a reason"* ]]
	[[ $output == *"4 passed, 1 failed, 1 skipped" ]]
}

@test "who ends the run ends the test that runs" {
	printf '#!/bin/sh\necho $$ >"%s/pid"\nexec sleep 300\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/sleeps"
	chmod +x "$BATS_TEST_TMPDIR/sleeps"
	tests/run "$BATS_TEST_TMPDIR/sleeps" 3>&- &
	runner=$!
	while [ ! -s "$BATS_TEST_TMPDIR/pid" ]; do
		sleep 0.1
	done
	kill -TERM $runner
	status=0
	wait $runner || status=$?
	[ "$status" -eq 130 ]
	[ ! -e "/proc/$(cat "$BATS_TEST_TMPDIR/pid")" ]
}
