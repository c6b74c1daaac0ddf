#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi trace

load helpers

OPEN='int open(char *path, int flags)'

# Start a program that waits for a byte on a named pipe, calls getppid() so often and ends.
start_caller() {
	mkfifo "$BATS_TEST_TMPDIR/go"
	start perl -e 'open my $go, "<", $ARGV[0]; <$go>; getppid() for 1 .. $ARGV[1]' \
		"$BATS_TEST_TMPDIR/go" "$1"
	CALLER=$!
	eventually is_running "$CALLER" perl
}

# The caller calls and ends while the tracer of this id, which has attached, is stopped.
call_while_stopped() {
	eventually holds_link "$1"
	kill -STOP "$1"
	echo >"$BATS_TEST_TMPDIR/go"
	wait "$CALLER"
	kill -CONT "$1"
}

# Events and summary of JSON lines in a file.
events_of() {
	jq -c 'select(has("time_ns"))' "$1"
}

summary_of() {
	tail -n 1 "$1" | jq -c .
}

@test "one line an event: time, process, name, arguments, result, duration" {
	echo >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr "$UPM" trace -o "$BATS_TEST_TMPDIR/out" --args "$OPEN" \
		libc.so.6:open64 -- cat "$BATS_TEST_TMPDIR/file" /nowhere/at/all
	[ "$status" -eq 0 ]
	mapfile -t events <"$BATS_TEST_TMPDIR/out"
	[ "${#events[@]}" -eq 2 ]
	line='^ +[0-9]+\.[0-9]{6}  [0-9]+ +cat  open64\('
	[[ ${events[0]} =~ $line\"$BATS_TEST_TMPDIR/file\",\ 0\)\ =\ [0-9]+\ \<[0-9.]+\ [num]?s\>$ ]]
	[[ ${events[1]} =~ $line\"/nowhere/at/all\",\ 0\)\ =\ -1\ \<[0-9.]+\ [num]?s\>$ ]]
	[[ $stderr == *"events   2 of 2 hits"*"1 attached"*"ended with exit status 1"* ]]
}

@test "JSON: an object a line, the last one is the summary" {
	run --separate-stderr "$UPM" trace --json -o "$BATS_TEST_TMPDIR/out" --args "$OPEN" \
		libc.so.6:open64 libc.so.6:pthread_spin_lock -- cat /etc/passwd /nowhere/at/all
	[ "$status" -eq 0 ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 3 ]
	jq -e . "$BATS_TEST_TMPDIR/out"
	events_of "$BATS_TEST_TMPDIR/out" | jq -es 'all(.[]; .comm == "cat" and .kind == "call" and
		.symbol == "open64" and .pid == .tid and .cpu >= 0 and .duration_ns > 0 and
		(.path | endswith("libc.so.6"))) and
		(map(.args) == [["/etc/passwd", 0], ["/nowhere/at/all", 0]]) and
		(map(.result >= 0) == [true, false]) and .[1].result == -1'
	summary_of "$BATS_TEST_TMPDIR/out" | jq -e '.events == 2 and .lost == 0 and .hits == 2 and
		.attached == 1 and .skipped[0].symbol == "pthread_spin_lock" and
		.command.exit_status == 1 and .probes[0].events == 2'
}

# The paths that strace saw a run open, decoded, without those that the dynamic loader opens for
# itself: it does so by system calls of its own, not through libc.
paths_by_strace() {
	perl -ne '
		/^openat\([^,]+, "((?:\\x[0-9a-f]{2})*)", / or next;
		(my $path = $1) =~ s/\\x(..)/chr hex $1/ge;
		print "$path\n" unless $path =~ m{/ld\.so\.cache$|/lib[^/]*\.so\.[0-9.]+$};
	' "$1" | sort
}

compare_with_strace() {
	LC_ALL=C strace -e trace=open,openat -xx -s 4096 -o "$BATS_TEST_TMPDIR/strace" -- "$@" \
		>/dev/null 2>&1 || true
	LC_ALL=C "$UPM" trace --json -o "$BATS_TEST_TMPDIR/out" \
		--args '(char *path, int flags)' libc.so.6:open64 \
		--args '(int directory, char *path, int flags)' libc.so.6:openat64 -- "$@" \
		>/dev/null 2>&1
	events_of "$BATS_TEST_TMPDIR/out" |
		jq -r '.args[if .symbol == "open64" then 0 else 1 end]' |
		sort >"$BATS_TEST_TMPDIR/ours"
	paths_by_strace "$BATS_TEST_TMPDIR/strace" >"$BATS_TEST_TMPDIR/theirs"
	diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
}

# In the C locale these programs open nothing but what they are told to, by open64() and
# openat64(), which the names open and openat stand for too.
@test "the paths of real programs are those that strace shows, as often" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/deeper"
	for name in plain 'with blank' 'quo"te' 'back\slash' 'tüte' deeper/one; do
		echo "$name" >"$BATS_TEST_TMPDIR/tree/$name"
	done
	compare_with_strace cat "$BATS_TEST_TMPDIR"/tree/* "$BATS_TEST_TMPDIR"/tree/p* /nowhere
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ours")" -eq 8 ]
	compare_with_strace tar --numeric-owner -cf "$BATS_TEST_TMPDIR/all.tar" \
		-C "$BATS_TEST_TMPDIR" tree
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ours")" -ge 7 ]
}

@test "arguments: the first registers, signatures by spec, texts, buffers, what can not be read" {
	run --separate-stderr "$UPM" trace libc.so.6:getppid -- perl -e 'getppid()'
	[[ $output == *"  perl  getppid("*", "*", "*", "*", "*", "*")" ]]
	run --separate-stderr "$UPM" trace --args '(int fd, char data[n], size_t n)' \
		libc.so.6:write --args '(char *name)' libc.so.6:getenv -o "$BATS_TEST_TMPDIR/out" \
		-- perl -e 'syswrite STDOUT, "a\t\"b\"\n\001" . "2\\"; $ENV{HOME}'
	grep -F 'write(1, "a\t\"b\"\n\0012\\", 9)' "$BATS_TEST_TMPDIR/out"
	grep -F 'getenv("PERL' "$BATS_TEST_TMPDIR/out"
	run --separate-stderr "$UPM" trace --text 4 --args '(int fd, char data[n], size_t n)' \
		libc.so.6:write -o "$BATS_TEST_TMPDIR/out" -- perl -e 'syswrite STDOUT, "abcdefgh"'
	grep -F 'write(1, "abcd"..., 8)' "$BATS_TEST_TMPDIR/out"
	run --separate-stderr "$UPM" trace --args '(char *nothing)' libc.so.6:getpgid -- \
		perl -e 'getpgrp 1'
	[[ $output == *"getpgid(0x1 <unreadable>)" ]]
	run --separate-stderr "$UPM" trace --json --args '(char *nothing)' libc.so.6:getpgid -- \
		perl -e 'getpgrp 1'
	jq -e '.args == [null] and .unreadable == [0] and .pointers == [1]' <<<"${lines[0]}"
}

@test "NULL is no failure, and of floating point the type is shown" {
	run --separate-stderr "$UPM" trace --args 'double getpgid(char *nothing, double d, float f)' \
		libc.so.6:getpgid -- perl -e 'getpgrp 0'
	[[ $output == *"getpgid(NULL, <double>, <float>) = <double> <"* ]]
	run --separate-stderr "$UPM" trace --json --args '(char *nothing)' libc.so.6:getpgid -- \
		perl -e 'getpgrp 0'
	jq -e '.args == [null] and .unreadable == [0] and .pointers == [0]' <<<"${lines[0]}"
}

@test "a signature behind the only specs is for them; one for nothing is refused" {
	run --separate-stderr "$UPM" trace libc.so.6:getpgid --args '(int pid)' -- perl -e 'getpgrp 1'
	[[ $output == *"  getpgid(1)" ]]
	run --separate-stderr "$UPM" trace --args '(int)' libc.so.6:getpgid --args '(char *)' -- true
	[ "$status" -eq 2 ]
	[[ $stderr == *"no SPEC follows"* ]]
	run --separate-stderr "$UPM" trace --args '(int pid' libc.so.6:getpgid -- true
	[ "$status" -eq 1 ]
	[[ $stderr == *"(int pid"* ]]
}

@test "--returns, or the type of a result: one event a call" {
	run --separate-stderr "$UPM" trace --returns libc.so.6:getppid -- perl -e 'getppid()'
	[[ $output =~ getppid\(.*\)\ =\ [0-9]+\ \<[0-9.]+\ [num]s\>$ ]]
	run --separate-stderr "$UPM" trace --args 'int getppid()' libc.so.6:getppid -- \
		perl -e 'getppid()'
	[[ $output =~ getppid\(\)\ =\ [0-9]+\ \<[0-9.]+\ [num]s\>$ ]]
	run --separate-stderr "$UPM" trace --args 'void getppid()' libc.so.6:getppid -- \
		perl -e 'getppid()'
	[[ $output == *"  getppid()" ]]
	run --separate-stderr "$UPM" trace uretprobe:libc.so.6:getppid -- perl -e 'getppid()'
	[[ $output =~ getppid\ \(return\)\ =\ [0-9]+$ ]]
}

@test "calls without a return are told by function" {
	run --separate-stderr "$UPM" trace --returns libc.so.6:exit libc.so.6:getppid -- \
		perl -e 'getppid()'
	[[ $stderr == *"running  1 call began and had no return yet, or never will: exit 1"* ]]
}

@test "calls that found no room in the table are told apart from events that the ring lost" {
	echo deep 20000 >"$BATS_TEST_TMPDIR/commands"
	run --separate-stderr "$UPM" trace --returns -o "$BATS_TEST_TMPDIR/out" \
		"$UPM_BUILD/target/traced:deep" -- "$UPM_BUILD/target/traced" <"$BATS_TEST_TMPDIR/commands"
	[[ $stderr =~ lost\ +[0-9,]+\ calls,\ the\ table\ of\ running\ calls\ had\ no\ room:\ deep ]]
	[[ $stderr != *"the buffer was full"* && $stderr != *"--ring"* ]]
	run --separate-stderr "$UPM" trace --json --returns -o "$BATS_TEST_TMPDIR/out" \
		"$UPM_BUILD/target/traced:deep" -- "$UPM_BUILD/target/traced" <"$BATS_TEST_TMPDIR/commands"
	summary_of "$BATS_TEST_TMPDIR/out" | jq -e '.hits == 20000 and .lost > 0 and
		.refused == .lost and .probes[0].refused == .lost and .events == 64'
}

@test "USDT probes show their arguments" {
	forms=$UPM_BUILD/target/usdt-gcc-O2
	echo fire | "$UPM" trace -o "$BATS_TEST_TMPDIR/out" "usdt:$forms:forms:many" -- "$forms"
	grep -E '  forms:many\((-?[0-9]+, ){11}-?[0-9]+\)$' "$BATS_TEST_TMPDIR/out"
	echo fire | "$UPM" trace --json -o "$BATS_TEST_TMPDIR/out" "usdt:$forms:forms:none" -- "$forms"
	head -n 1 "$BATS_TEST_TMPDIR/out" | jq -e '.kind == "usdt" and .provider == "forms" and
		.symbol == "none" and .args == []'
}

@test "filters: by argument, name, sample and rate; what they keep out is told" {
	run --separate-stderr "$UPM" trace --json --args '(int pid)' libc.so.6:getpgid \
		--filter 'pid >= 90' -- perl -e 'getpgrp $_ for 1 .. 99'
	[ "$(jq -c 'select(has("args")) | .args[0]' <<<"$output" | tr '\n' ' ')" = \
		"90 91 92 93 94 95 96 97 98 99 " ]
	jq -e '.events == 10 and .filtered == 89 and .hits == 99 and .lost == 0' <<<"${lines[-1]}"
	run --separate-stderr "$UPM" trace --comm nobody libc.so.6:getppid -- perl -e 'getppid()'
	[ -z "$output" ]
	[[ $stderr == *"events   0 of 1 hit"*"filtered 1 hit"* ]]
	run --separate-stderr "$UPM" trace --json --sample 10 libc.so.6:getppid -- taskset 1 \
		perl -e 'getppid() for 1 .. 1000'
	jq -e '.events == 100 and .filtered == 900' <<<"${lines[-1]}"
	run --separate-stderr "$UPM" trace --json --rate 5 libc.so.6:getppid -- \
		perl -e 'getppid() for 1 .. 100'
	jq -e '.events >= 5 and .events < 100 and .events + .filtered == 100' <<<"${lines[-1]}"
	run --separate-stderr "$UPM" trace --filter 'pid >' libc.so.6:getppid -- true
	[ "$status" -eq 1 ]
	[[ $stderr == *"pid >"* ]]
}

@test "a thread that is not there and a name that is too long are remarked on" {
	run --separate-stderr "$UPM" trace --tid 4194304,$$ libc.so.6:getppid -- true
	[ "$status" -eq 0 ]
	[[ $stderr == *"remark: there is no thread 4194304: "* ]]
	[[ $stderr != *"no thread $$:"* ]]
	ln -s "$(command -v perl)" "$BATS_TEST_TMPDIR/name-of-sixteen-bytes"
	run --separate-stderr "$UPM" trace --comm name-of-sixteen-bytes libc.so.6:getppid -- \
		"$BATS_TEST_TMPDIR/name-of-sixteen-bytes" -e 'getppid()'
	[[ $stderr == *'is cut to "name-of-sixteen"'* ]]
	[[ $output == *"  name-of-sixteen  getppid("* ]]
}

@test "-c ends after so many events; the others are told" {
	run --separate-stderr "$UPM" trace -c 3 libc.so.6:getppid -- \
		perl -e 'getppid() for 1 .. 1000; sleep 1'
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ $stderr == *"events   3 of "* ]]
	[[ $stderr == *"unshown  "*" were recorded and not shown"* ]]
}

@test "one event that is not shown is told as one" {
	start_caller 2
	start "$UPM" trace -c 1 -p "$CALLER" libc.so.6:getppid 2>"$BATS_TEST_TMPDIR/errors"
	tracer=$!
	call_while_stopped "$tracer"
	wait "$tracer"
	grep "^unshown  1 event was recorded and not shown" "$BATS_TEST_TMPDIR/errors"
}

@test "--time wall, and JSON of the same" {
	run --separate-stderr "$UPM" trace --time wall libc.so.6:getppid -- perl -e 'getppid()'
	[[ $output =~ ^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}\ \  ]]
	before=$(date +%s)
	run --separate-stderr "$UPM" trace --json --time wall libc.so.6:getppid -- perl -e 'getppid()'
	after=$(date +%s)
	jq -e --argjson before "$before" --argjson after "$after" \
		'.time_ns / 1e9 | . >= $before and . <= $after + 1' <<<"${lines[0]}"
}

@test "in a time namespace, times are those of its clock" {
	unshare --time --monotonic 100000 true 2>"$BATS_TEST_TMPDIR/reason" ||
		skip "no time namespaces here: $(<"$BATS_TEST_TMPDIR/reason")"
	run --separate-stderr unshare --time --monotonic 100000 "$UPM" trace --json libc.so.6:getppid \
		-- perl -e 'getppid()'
	jq -se '.[0].time_ns - .[-1].start_ns | . >= 0 and . < 60e9' <<<"$output"
}

@test "a stopped consumer: events and lost are the hits, exactly" {
	start_caller 20000
	start "$UPM" trace --json --ring 64K -o "$BATS_TEST_TMPDIR/out" -p "$CALLER" \
		libc.so.6:getppid 2>"$BATS_TEST_TMPDIR/errors"
	tracer=$!
	call_while_stopped "$tracer"
	wait "$tracer"
	summary_of "$BATS_TEST_TMPDIR/out" | jq -e '.hits == 20000 and .lost > 0 and
		.events + .lost == 20000 and .unshown == 0 and .probes[0].lost == .lost'
	[ "$(events_of "$BATS_TEST_TMPDIR/out" | wc -l)" -eq \
		"$(summary_of "$BATS_TEST_TMPDIR/out" | jq .events)" ]
}

@test "lost events are told by function, while running and at the end" {
	start_caller 20000
	start "$UPM" trace --ring 64K -o "$BATS_TEST_TMPDIR/out" -p "$CALLER,$$" \
		libc.so.6:getppid 2>"$BATS_TEST_TMPDIR/errors"
	tracer=$!
	call_while_stopped "$tracer"
	eventually grep -q "events lost so far, the buffer was full: getppid " \
		"$BATS_TEST_TMPDIR/errors"
	kill -INT "$tracer"
	wait "$tracer"
	grep -q "^lost     .* events, the buffer was full: getppid .*--ring" \
		"$BATS_TEST_TMPDIR/errors"
}

@test "Ctrl-C: what is in the ring is shown, then the summary" {
	start perl -e 'while (1) { getppid(); select undef, undef, undef, 0.001 }'
	caller=$!
	start "$UPM" trace --json -o "$BATS_TEST_TMPDIR/out" -p "$caller" libc.so.6:getppid
	tracer=$!
	eventually grep -q getppid "$BATS_TEST_TMPDIR/out"
	kill -INT "$tracer"
	wait "$tracer"
	summary_of "$BATS_TEST_TMPDIR/out" | jq -e '.ended == "signal" and .events > 0 and
		.events == .hits and .unshown == 0'
	[ "$(events_of "$BATS_TEST_TMPDIR/out" | wc -l)" -eq \
		"$(summary_of "$BATS_TEST_TMPDIR/out" | jq .events)" ]
	kill -0 "$caller"
}

@test "kill -9: no breakpoint is left" {
	start sleep 60
	sleeper=$!
	eventually is_running "$sleeper" sleep
	start "$UPM" trace -o /dev/null -p "$sleeper" 'libc.so.6:str*'
	tracer=$!
	eventually libc_is_changed "$sleeper"
	kill -KILL "$tracer"
	wait "$tracer" || true
	eventually libc_is_unchanged "$sleeper"
	kill -0 "$sleeper"
}

@test "a reader that goes away ends the trace, with events and without" {
	start perl -e 'while (1) { getppid(); select undef, undef, undef, 0.001 }'
	caller=$!
	run --separate-stderr bash -c "'$UPM' trace -p $caller libc.so.6:getppid | head -n 2"
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr != *"write to"* ]]
	run --separate-stderr bash -c "'$UPM' trace -p $caller libc.so.6:abort | true"
	[[ $stderr == *"events   0 of 0 hits"* ]]
	libc_is_unchanged "$caller"
}

@test "--stacks: frames below the event, the function first" {
	run --separate-stderr "$UPM" trace --stacks libc.so.6:getppid -- perl -e 'getppid()'
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *"  getppid("* ]]
	[[ ${lines[1]} =~ ^\ +libc\.so\.6:getppid ]]
	run --separate-stderr "$UPM" trace --json --stacks=1 libc.so.6:getppid -- perl -e 'getppid()'
	jq -e '.stack | length >= 1 and .[0].symbol == "getppid" and .[0].address > 0' \
		<<<"${lines[0]}"
}

# Trace chain_third(), which chain_second() calls, which chain_first() calls, into the file out,
# while a program of the tests calls it three times, and goes on.
trace_chain() {
	local program tracer

	mkfifo "$BATS_TEST_TMPDIR/commands"
	exec 8<>"$BATS_TEST_TMPDIR/commands"
	"$UPM_BUILD/target/traced" <&8 >"$BATS_TEST_TMPDIR/answers" 3>&- &
	program=$!
	STARTED+=("$program")
	start "$UPM" trace "$@" -o "$BATS_TEST_TMPDIR/out" -p "$program" \
		"$UPM_BUILD/target/traced:chain_third"
	tracer=$!
	eventually holds_link "$tracer"
	printf 'chain\nchain\nchain\n' >&8
	eventually has_answered 3
	kill -INT "$tracer"
	wait "$tracer"
}

has_answered() {
	[ "$(grep -c 'chain done' "$BATS_TEST_TMPDIR/answers")" -eq "$1" ]
}

@test "frames have the names of functions, below the event and collapsed" {
	trace_chain --stacks
	[ "$(grep -c '  traced  chain_third(' "$BATS_TEST_TMPDIR/out")" -eq 3 ]
	grep -A 4 -m 1 '  traced  chain_third(' "$BATS_TEST_TMPDIR/out" | tail -n +2 |
		sed 's/+0x[0-9a-f]*$//; s/^ *//' >"$BATS_TEST_TMPDIR/frames"
	diff - "$BATS_TEST_TMPDIR/frames" <<-END
		traced:chain_third
		traced:chain_second
		traced:chain_first
		traced:main
	END
	end_started
	rm "$BATS_TEST_TMPDIR/commands"
	trace_chain --folded
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 1 ]
	grep -E '^traced;([^;]+;)*main;chain_first;chain_second;chain_third 3$' "$BATS_TEST_TMPDIR/out"
}

@test "--folded: what flame-graph tools read" {
	run --separate-stderr "$UPM" trace --folded libc.so.6:getppid libc.so.6:malloc -- \
		perl -e 'getppid() for 1 .. 1000'
	[ "$status" -eq 0 ]
	for line in "${lines[@]}"; do
		[[ $line =~ ^perl(\;[^\;]+)*\;(getppid|malloc)\ [0-9]+$ ]]
	done
	[ "$(sort -u <<<"$output" | wc -l)" -eq "${#lines[@]}" ]
	[ "$(grep ';getppid ' <<<"$output" | awk '{ sum += $NF } END { print sum }')" -eq 1000 ]
	[[ $stderr == *"events   "* ]]
}

@test "--folded: a name can neither command a terminal nor break a line" {
	cp "$(command -v perl)" "$BATS_TEST_TMPDIR/a;"$'\x1b\x7f\xc2\x9b\xff\xc3\xa9'
	run --separate-stderr "$UPM" trace --folded libc.so.6:getppid -- \
		"$BATS_TEST_TMPDIR/a;"* -e 'getppid()'
	[[ $output == 'a::::\xff'$'\xc3\xa9;'*';getppid 1' ]]
}

@test "a full disk is named, whenever the writing failed" {
	run --separate-stderr "$UPM" trace -o /dev/full libc.so.6:getppid -- \
		perl -e 'getppid(); sleep 1; getppid()'
	[ "$status" -eq 1 ]
	[[ $stderr == *"write to /dev/full: No space left"* ]]
}

@test "the perf backend traces too" {
	run --separate-stderr "$UPM" trace --json --backend perf --args '(int pid)' \
		libc.so.6:getpgid -- perl -e 'getpgrp 77'
	[ "$status" -eq 0 ]
	jq -e '.args == [77] and .symbol == "getpgid"' <<<"${lines[0]}"
	jq -e '.backend == "perf_event" and .events == 1' <<<"${lines[-1]}"
}

@test "columns are aligned on a terminal" {
	run on_terminal "'$UPM' trace libc.so.6:getppid -- perl -e 'getppid() for 1 .. 3' 2>/dev/null"
	[ "$(sed 's/\r//g' <<<"$output" | grep -o '^.*  perl  getppid(' |
		awk '{ print index($0, "getppid") }' | sort -u | wc -l)" -eq 1 ]
}
