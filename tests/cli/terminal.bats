#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The live table, on a pseudo terminal of 24 rows and 80 columns.

load helpers

setup() {
	start sleep 60
	SLEEPER=$!
	eventually is_running "$SLEEPER" sleep
}

# The lines of the output without what moves the cursor, colours, and the echo of the end of
# file that script(1) types.
plain() {
	sed 's/\x1b\[[0-9;]*[A-Za-z]//g; s/\r//g; s/\^D\x08*//g' <<<"$1"
}

terminal_is_as_before() {
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "a live table is drawn, then the final one; the terminal is as before" {
	run on_terminal "'$UPM' count -p $SLEEPER -d 700ms -i 0.2 'libc.so.6:*'"
	[ "$status" -eq 0 ]
	[[ $output == *"Ctrl-C ends"* ]]
	[[ $output == *$'\x1b[K'* ]]
	[[ $output == *"probes   "*" attached"* ]]
	terminal_is_as_before
	[[ $output != *$'\x1b[?'* ]]
}

counter_is_attached() {
	[ -s "$BATS_TEST_TMPDIR/pid" ] && holds_link "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "Ctrl-C on the terminal ends it with the final table" {
	on_terminal "sh -c 'echo \$\$ >$BATS_TEST_TMPDIR/pid
		exec $UPM count -p $SLEEPER libc.so.6:\\*'" >"$BATS_TEST_TMPDIR/screen" 3>&- &
	terminal=$!
	eventually counter_is_attached
	kill -INT "$(cat "$BATS_TEST_TMPDIR/pid")"
	wait "$terminal"
	grep -q 'probes   .* attached' "$BATS_TEST_TMPDIR/screen"
	terminal_is_as_before
}

@test "no line is wider than the window" {
	run on_terminal "'$UPM' count -d 300ms -i 0.1 'libc.so.6:*' -- sort /etc/passwd -o /dev/null"
	rows=$(plain "$output" | grep -E '^ *[0-9,]+ +[0-9,.]+  |HITS|Ctrl-C' | awk '{ print length }' |
		sort -rn | head -n 1)
	[ "$rows" -le 80 ]
}

@test "a narrow window shows the symbol and leaves out a file that is the same in all rows" {
	run on_terminal "stty cols 30; '$UPM' count libc.so.6:getppid -- perl -e 'getppid()'"
	[[ $(plain "$output") == *SYMBOL*"  getppid"* ]]
	[[ $output != *BINARY* ]]
	[[ $output != *libc.so.6* ]]
	run on_terminal "stty cols 30; '$UPM' count '$UPM:main' libc.so.6:getppid -- '$UPM' check"
	[[ $output != *BINARY* ]]
	run on_terminal "stty cols 30; '$UPM' count '$UPM:main' libc.so.6:malloc -- '$UPM' check"
	[[ $output == *BINARY* ]]
	run on_terminal "'$UPM' count libc.so.6:getppid -- perl -e 'getppid()'"
	[[ $output == *BINARY*libc.so.6* ]]
}

@test "in a very narrow window lines are cut, and never wrap" {
	for columns in 12 20 26; do
		run on_terminal "stty cols $columns; '$UPM' latency -i 0.1 libc.so.6:getppid -- \
			perl -e 'getppid() for 1 .. 9; sleep 1'"
		[[ $(plain "$output") == *CALLS* ]]
		[ "$(plain "$output" | grep -A 1 CALLS | awk '{ print length }' | sort -rn |
			head -n 1)" -le "$columns" ]
	done
}

@test "with a command, no live table unless asked for" {
	run on_terminal "'$UPM' count 'libc.so.6:getppid' -- sleep 1.5"
	[[ $output != *"Ctrl-C ends"* ]]
	run on_terminal "'$UPM' count -i 0.2 'libc.so.6:getppid' -- sleep 0.7"
	[[ $output == *"Ctrl-C ends"* ]]
}

@test "the title says how many are skipped, in narrow windows too" {
	run on_terminal "'$UPM' latency -p $SLEEPER -d 500ms -i 0.2 'libc.so.6:*'"
	[[ $(plain "$output") =~ "0 calls, 0 running, "[0-9,]+" probes, "[0-9]+" skipped, "[0-9.]+" "m?s"; Ctrl-C ends" ]]
	run on_terminal "stty cols 60; '$UPM' latency -p $SLEEPER -d 500ms -i 0.2 'libc.so.6:*'"
	[[ $(plain "$output") =~ "0 calls, 0 running, "[0-9,]+" probes, "[0-9]+" skipped, "[0-9.]+" "m?s ]]
	run on_terminal "stty cols 140; '$UPM' count -p $SLEEPER -d 500ms -i 0.2 'libc.so.6:*'"
	[[ $(plain "$output") =~ " skipped, 1 link (uprobe_multi), "[0-9.]+" "m?s"; Ctrl-C ends" ]]
}

@test "the last thing on the screen is the result, not what is skipped" {
	for subcommand in count latency; do
		run on_terminal "'$UPM' $subcommand 'libc.so.6:*' -- true"
		[[ $(plain "$output") == *"skipped "*":"*unprobeable*HITS*"time  "* ]] ||
			[[ $(plain "$output") == *"skipped "*":"*unprobeable*CALLS*"time  "* ]]
		[[ $output != *SYMBOL*unprobeable* ]]
	done
	run "$UPM" count 'libc.so.6:*' -- true
	[[ $output == *SYMBOL*unprobeable* ]]
}

@test "NO_COLOR and TERM=dumb are heeded" {
	run on_terminal "NO_COLOR=1 '$UPM' check"
	[[ $output != *$'\x1b['* ]]
	run on_terminal "'$UPM' check"
	[[ $output == *$'\x1b[32myes'* ]]
	run on_terminal "TERM=dumb '$UPM' count -p $SLEEPER -d 500ms -i 0.2 libc.so.6:getppid"
	[[ $output != *$'\x1b['* ]]
	[[ $output == *"hits     0"* ]]
}

@test "a terminal without live tables is told that it goes on, and how it ends" {
	run on_terminal "TERM=dumb '$UPM' count -p $SLEEPER -d 500ms libc.so.6:getppid"
	[[ $output == *"counting at 1 probe; Ctrl-C ends"* ]]
}

@test "JSON on a terminal is JSON alone" {
	run on_terminal "'$UPM' count --json -p $SLEEPER -d 300ms -i 0.1 libc.so.6:getppid 2>/dev/null"
	plain "$output" | jq -e '.attached == 1'
}
