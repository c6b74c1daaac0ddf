#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi latency

load helpers

# Start a program that waits for a byte on a named pipe, calls getppid() 1,000 times, and
# waits for another byte.
start_caller() {
	mkfifo "$BATS_TEST_TMPDIR/$1" "$BATS_TEST_TMPDIR/$1.end"
	start perl -e 'open my $go, "<", $ARGV[0]; <$go>; getppid() for 1 .. 1000;
		open my $end, "<", $ARGV[1]; <$end>' "$BATS_TEST_TMPDIR/$1" "$BATS_TEST_TMPDIR/$1.end"
	CALLER=$!
	eventually is_running "$CALLER" perl
}

# Is the process in openat(2), as one is that opens a named pipe without a writer?
is_opening() {
	[[ $(cat "/proc/$1/syscall") == "257 "* ]]
}

@test "JSON has the keys of count, and of each probe its times and histogram" {
	run --separate-stderr "$UPM" latency --json libc.so.6:getppid libc.so.6:pthread_spin_lock \
		libc.so.6:abort -- perl -e 'getppid() for 1 .. 1000'
	[ "$status" -eq 0 ]
	jq -e '.backend == "uprobe_multi" and .links >= 1 and .attached == 2 and .total == 1000' \
		<<<"$output"
	jq -e '.attach_seconds > 0 and .detach_seconds > 0 and .interval_seconds > 0' <<<"$output"
	jq -e '.ended == "command" and .command.exit_status == 0 and .lost == 0' <<<"$output"
	jq -e '.skipped[0].symbol == "pthread_spin_lock"' <<<"$output"
	jq -e '[.probes[].symbol] | sort == ["abort", "getppid"]' <<<"$output"
	jq -e '.probes[] | select(.symbol == "getppid") | .calls == 1000 and .entries == 1000 and
		.unreturned == 0 and ([.histogram[][2]] | add) == 1000 and
		0 < .min_ns and .min_ns <= .p50_ns and .p50_ns <= .p90_ns and
		.p90_ns <= .p99_ns and .p99_ns <= .max_ns and .max_ns <= .sum_ns and
		.sum_ns >= 1000 * .min_ns and
		all(.histogram[]; .[0] < .[1] and .[2] > 0)' <<<"$output"
	jq -e '.probes[] | select(.symbol == "abort") | .calls == 0 and .max_ns == 0 and
		.histogram == []' <<<"$output"
}

@test "a sleep lasts as long as it was told to, at least" {
	run --separate-stderr "$UPM" latency --json libc.so.6:clock_nanosleep -- sleep 0.3
	[ "$status" -eq 0 ]
	jq -e '.probes[0] | .calls == 1 and .min_ns >= 300000000 and .min_ns == .max_ns and
		.p50_ns == .max_ns and .sum_ns == .max_ns' <<<"$output"
	jq -e '.probes[0].max_ns / 1e9 <= .interval_seconds' <<<"$output"
}

@test "a call that never returns is told" {
	run --separate-stderr "$UPM" latency libc.so.6:exit libc.so.6:getppid -- perl -e 'getppid()'
	[ "$status" -eq 0 ]
	[[ $output == *"running  1 call began and had no return yet, or never will: exit 1"* ]]
	run --separate-stderr "$UPM" latency --json libc.so.6:exit -- true
	jq -e '.unreturned == 1 and (.probes[0] | .entries == 1 and .calls == 0)' <<<"$output"
}

@test "the final table is sorted by total time, then histograms, then the summary" {
	run --separate-stderr "$UPM" latency libc.so.6:getppid libc.so.6:clock_nanosleep \
		libc.so.6:abort -- perl -e 'getppid() for 1 .. 100; select undef, undef, undef, 0'
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *CALLS*RATE/S*P50*P90*P99*MAX*TOTAL*SYMBOL*BINARY* ]]
	[[ ${lines[1]} == *100*getppid*libc.so.6 ]]
	[[ $output != *abort* ]]
	[[ $output == *$'\n\ngetppid: 100 calls\n'*" .. "*p50*p99* ]]
	[[ $output == *"calls    100 ("*"/s) in 1 function"* ]]
	[[ $output == *"attach "*"observed "*"detach "* ]]
	[[ $output != *$'\x1b'* ]]
}

# The number in column $2 of the rows of table $1, without separators.
column_of() {
	grep -E '^ *[0-9,]+ .* libc.so.6$' <<<"$1" | awk -v at="$2" '{gsub(",", "", $at); print $at}'
}

@test "--sort calls, -n, --all and --histogram" {
	run --separate-stderr "$UPM" latency --sort calls --histogram none 'libc.so.6:str*' \
		libc.so.6:malloc libc.so.6:free -- sort /etc/passwd -o /dev/null
	[ "$status" -eq 0 ]
	column_of "$output" 1 | sort -rnc
	[[ $output != *" .. "* ]]
	run --separate-stderr "$UPM" latency -n 2 --histogram 1 'libc.so.6:str*' libc.so.6:malloc \
		-- sort /etc/passwd -o /dev/null
	[ "$(column_of "$output" 1 | wc -l)" -eq 2 ]
	[ "$(grep -c ' calls\?$' <<<"$output")" -eq 1 ]
	[[ $output == *"and "*" more; -n 0 shows all"* ]]
	run --separate-stderr "$UPM" latency --all libc.so.6:abort -- true
	[[ ${lines[1]} == *0*-*-*-*abort* ]]
}

@test "histograms of bars where the locale has them, else of #" {
	local line="'$UPM' latency libc.so.6:getppid -- perl -e 'getppid() for 1 .. 100'"

	run bash -c "LC_ALL=C.UTF-8 $line"
	[[ $output == *█* ]]
	run bash -c "LC_ALL=C $line"
	[[ $output != *█* ]]
	[[ $output == *"##"* ]]
}

@test "no line of tables and histograms is wider than a narrow window" {
	for columns in 60 80; do
		run on_terminal "stty cols $columns; LC_ALL=C '$UPM' latency -i 0.1 \
			'libc.so.6:str*' -- sort /etc/passwd -o /dev/null"
		widest=$(sed 's/\x1b\[[0-9;]*[A-Za-z]//g; s/\r//g' <<<"$output" |
			grep -E ' \.\. |CALLS|Ctrl-C|libc.so.6$' | grep -v skipped |
			awk '{ print length }' | sort -rn | head -n 1)
		[ "$widest" -gt 30 ]
		[ "$widest" -le "$columns" ]
	done
	[[ $output == *CALLS*P50*P99*SYMBOL* ]]
}

@test "a live table on a terminal" {
	start sleep 60
	sleeper=$!
	eventually is_running "$sleeper" sleep
	run on_terminal "'$UPM' latency -p $sleeper -d 700ms -i 0.2 'libc.so.6:str*'"
	[ "$status" -eq 0 ]
	[[ $output == *"0 calls, 0 running, "*" probes, "*"; Ctrl-C ends"* ]]
	[[ $output == *$'\x1b[K'* ]]
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "--split process: a row for each, with its name" {
	start_caller first
	first=$CALLER
	start_caller second
	second=$CALLER
	start "$UPM" latency --json --split process -o "$BATS_TEST_TMPDIR/out" -p "$first,$second" \
		libc.so.6:getppid
	observer=$!
	eventually holds_link "$observer"
	echo >"$BATS_TEST_TMPDIR/first"
	echo >"$BATS_TEST_TMPDIR/second"
	eventually is_opening "$first"
	eventually is_opening "$second"
	kill -INT "$observer"
	wait "$observer"
	jq -e --argjson first "$first" --argjson second "$second" '.total == 2000 and
		([.probes[].pid] | sort) == ([$first, $second] | sort) and
		all(.probes[]; .calls == 1000 and .comm == "perl" and (has("tid") | not))' \
		"$BATS_TEST_TMPDIR/out"
}

@test "--split thread: the threads of one process" {
	run --separate-stderr "$UPM" latency --json --split thread --children libc.so.6:getppid -- \
		perl -e 'fork; getppid() for 1 .. 100; wait'
	[ "$status" -eq 0 ]
	jq -e '(.probes | length) == 2 and all(.probes[]; .calls == 100 and .pid == .tid)' \
		<<<"$output"
	run --separate-stderr "$UPM" latency --split process --children libc.so.6:getppid -- \
		perl -e 'fork; getppid() for 1 .. 100; wait'
	[[ ${lines[0]} == *PID*COMM*SYMBOL* ]]
	[[ $output == *"getppid, process "* ]]
}

@test "--split: a command that ended at once has its name" {
	for by in process thread; do
		run --separate-stderr "$UPM" latency --json --split $by libc.so.6:getppid -- \
			perl -e 'getppid() for 1 .. 5'
		jq -e '.total == 5 and [.probes[].comm] == ["perl"]' <<<"$output"
	done
	run --separate-stderr "$UPM" latency --split process libc.so.6:getppid -- \
		perl -e 'getppid() for 1 .. 5'
	grep -qE '^getppid, process [0-9]+ perl: 5 calls$' <<<"$output"
}

@test "Ctrl-C ends it with the final table, kill -9 leaves nothing" {
	start sleep 60
	sleeper=$!
	eventually is_running "$sleeper" sleep
	start "$UPM" latency -o "$BATS_TEST_TMPDIR/out" -p "$sleeper" 'libc.so.6:str*'
	observer=$!
	eventually libc_is_changed "$sleeper"
	eventually holds_link "$observer"
	kill -INT "$observer"
	wait "$observer"
	grep -q '^calls    0' "$BATS_TEST_TMPDIR/out"
	libc_is_unchanged "$sleeper"
	start "$UPM" latency -p "$sleeper" 'libc.so.6:str*'
	observer=$!
	eventually libc_is_changed "$sleeper"
	kill -KILL "$observer"
	wait "$observer" || true
	eventually libc_is_unchanged "$sleeper"
	kill -0 "$sleeper"
}

@test "functions of which a return probe would crash the program are skipped" {
	run --separate-stderr "$UPM" latency --json libc.so.6:setjmp libc.so.6:getppid -- true
	[ "$status" -eq 0 ]
	jq -e '.skipped[] | select(.symbol == "setjmp") | .verdict == "return_unsafe"' <<<"$output"
	run --separate-stderr "$UPM" latency "usdt:$UPM_BUILD/target/usdt-gcc-O2:forms:many" -- true
	[ "$status" -eq 1 ]
	[[ $stderr == *"1 not_entry"*"forms:many in "*"nothing returns from it"* ]]
	run --separate-stderr "$UPM" latency --json "usdt:$UPM_BUILD/target/usdt-gcc-O2:forms:many" \
		libc.so.6:getppid -- true
	jq -e '.skipped | length == 1 and .[0].verdict == "not_entry"' <<<"$output"
}

@test "with nothing attached each probe has its own verdict, and the way out is named" {
	run --separate-stderr "$UPM" latency libc.so.6:setjmp libc.so.6:no_such_function \
		libc.so.6:malloc+4 "$UPM_BUILD/target/timed:catcher" -- true
	[ "$status" -eq 1 ]
	[[ $stderr != *refused* ]]
	[[ $stderr == *"2 return_unsafe"*"setjmp in "*"stores its return address"* ]]
	[[ $stderr == *"catcher"*" in "*"exceptions"*"(--accept-unwinding takes"* ]]
	[[ $stderr == *"1 no_match"* ]]
	[[ $stderr == *"1 not_entry"* ]]
	run --separate-stderr "$UPM" latency libc.so.6:setjmp -- true
	[[ $stderr == *"1 return_unsafe"* && $stderr != *--accept-unwinding* ]]
	run --separate-stderr "$UPM" trace --returns --json libc.so.6:setjmp -- true
	jq -e '.skipped[0] | .verdict == "return_unsafe" and (.reason | contains("longjmp"))' \
		<<<"$output"
	run --separate-stderr "$UPM" trace --args 'int catcher()' \
		"$UPM_BUILD/target/timed:catcher" -- true
	[[ $stderr == *"1 return_unsafe"*"--accept-unwinding"* ]]
}

@test "of many that are skipped for their return, JSON is said to have all" {
	run --separate-stderr "$UPM" latency "$UPM_BUILD/target/timed:*" -- true
	[ "$status" -eq 1 ]
	[[ $stderr == *"(--json shows all)"* && $stderr != *" list "* ]]
}

@test "the perf backend measures too" {
	run --separate-stderr "$UPM" latency --json --backend perf libc.so.6:getppid -- \
		perl -e 'getppid() for 1 .. 100'
	[ "$status" -eq 0 ]
	jq -e '.backend == "perf_event" and .total == 100 and .probes[0].min_ns > 0' <<<"$output"
}
