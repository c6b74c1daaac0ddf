#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# USDT probes through the command.

load helpers

setup() {
	forms=$UPM_BUILD/target/usdt-gcc-O2
}

@test "list shows provider, name, arguments and semaphore" {
	run --separate-stderr "$UPM" list "usdt:$forms:forms:*"
	[ "$status" -eq 0 ]
	[[ $output == *usdt*forms:many*"args: "*@*"semaphore 0x"* ]]
	[[ $output == *forms:none* ]]
	[[ $stderr == *"2 probes can be attached"* ]]
}

@test "JSON has arguments with their types and places" {
	run --separate-stderr "$UPM" list --json "usdt:$forms:forms:many"
	[ "$status" -eq 0 ]
	jq -e '.probes | length == 1' <<<"$output"
	jq -e '.probes[0] | .provider == "forms" and .symbol == "many" and .semaphore > 0' \
		<<<"$output"
	jq -e '.probes[0].arguments | length == 12' <<<"$output"
	jq -e 'all(.probes[0].arguments[]; .type == "signed" and .width == 4 and .reason == "")' \
		<<<"$output"
}

@test "hits in a running program are exact" {
	mkfifo "$BATS_TEST_TMPDIR/commands"
	exec 8<>"$BATS_TEST_TMPDIR/commands"
	"$forms" <&8 >"$BATS_TEST_TMPDIR/answers" 3>&- &
	STARTED+=($!)
	local program=$!
	"$UPM" count --json -p "$program" "usdt:$forms:forms:*" >"$BATS_TEST_TMPDIR/json" 3>&- &
	STARTED+=($!)
	local counter=$!
	eventually holds_link "$counter"
	for _ in 1 2 3 4 5 6 7; do
		echo fire >&8
	done
	eventually grep -q 'fired 7' "$BATS_TEST_TMPDIR/answers"
	kill -INT "$counter"
	wait "$counter"
	jq -e '.backend == "uprobe_multi" and .links == 1 and .attached == 2' "$BATS_TEST_TMPDIR/json"
	jq -e 'all(.probes[]; .hits == 7)' "$BATS_TEST_TMPDIR/json"
}

@test "a probe that does not exist: the providers that do" {
	run --separate-stderr "$UPM" list "usdt:$forms:form:many"
	[ "$status" -eq 1 ]
	[[ $output == *"no USDT probe is 'form:many'"*"its providers: "*forms* ]]
}

@test "a spec without provider: how to write it" {
	run --separate-stderr "$UPM" list "usdt:$forms:many"
	[ "$status" -eq 1 ]
	[[ $stderr == *"usdt:BINARY:PROVIDER:NAME"* ]]
}
