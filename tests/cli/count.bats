#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi count on processes that run already

load helpers

# Start a program that waits for a byte on a named pipe, calls getppid() 1,000 times and ends.
start_caller() {
	mkfifo "$BATS_TEST_TMPDIR/go"
	start perl -e 'open my $go, "<", $ARGV[0]; <$go>; getppid() for 1 .. 1000' "$BATS_TEST_TMPDIR/go"
	CALLER=$!
	eventually is_running "$CALLER" perl
}

let_caller_go() {
	echo >"$BATS_TEST_TMPDIR/go"
}

start_sleeper() {
	start sleep 60
	SLEEPER=$!
	eventually is_running "$SLEEPER" sleep
}

@test "JSON has the keys of the design" {
	start_sleeper
	run --separate-stderr "$UPM" count --json -d 200ms -p "$SLEEPER" 'libc.so.6:*'
	[ "$status" -eq 0 ]
	jq -e '.backend == "uprobe_multi" and .links == 1 and .attached > 2000' <<<"$output"
	jq -e '.attach_seconds > 0 and .detach_seconds > 0 and .interval_seconds >= 0.2' <<<"$output"
	jq -e '.ended == "duration" and (has("command") | not)' <<<"$output"
	jq -e '.attached == (.probes | length) and .total == ([.probes[].hits] | add)' <<<"$output"
	jq -e 'all(.probes[]; has("path") and has("symbol") and has("offset") and has("hits"))' \
		<<<"$output"
	jq -e '.skipped[] | select(.symbol == "pthread_spin_lock") |
		.verdict == "unprobeable" and (.reason | length) > 0 and .offset > 0' <<<"$output"
}

@test "hits are exact, and the end of the process ends the count" {
	start_caller
	start "$UPM" count --json -o "$BATS_TEST_TMPDIR/out" -p "$CALLER" libc.so.6:getppid
	counter=$!
	eventually holds_link "$counter"
	let_caller_go
	wait "$counter"
	[ "$(jq .total "$BATS_TEST_TMPDIR/out")" -eq 1000 ]
	[ "$(jq -r .ended "$BATS_TEST_TMPDIR/out")" = processes ]
}

@test "several processes: the count goes on until the last has ended" {
	start_caller
	start sleep 1
	first=$!
	start "$UPM" count --json -o "$BATS_TEST_TMPDIR/out" -p "$first,$CALLER" -p "$CALLER" \
		libc.so.6:getppid
	counter=$!
	eventually holds_link "$counter"
	wait "$first"
	kill -0 "$counter"
	let_caller_go
	wait "$counter"
	[ "$(jq .total "$BATS_TEST_TMPDIR/out")" -eq 1000 ]
}

# Start many processes that sleep, children of one, their ids in $MANY; that one ends them
# when it is told to end.
start_many() {
	start perl -e '
		my ($many, $file) = @ARGV;
		my @children;
		$SIG{CHLD} = "IGNORE";
		$SIG{TERM} = sub { kill "KILL", @children; exit };
		for (1 .. $many) {
			my $child = fork // die;
			if (!$child) { $SIG{TERM} = "DEFAULT"; sleep 60; exit }
			push @children, $child;
		}
		open my $out, ">", $file or die;
		print $out join ",", @children;
		close $out;
		sleep 1 while 1;
	' "$1" "$BATS_TEST_TMPDIR/many"
	PARENT=$!
	eventually test -s "$BATS_TEST_TMPDIR/many"
	MANY=$(cat "$BATS_TEST_TMPDIR/many")
}

@test "more processes than the soft limit of descriptors" {
	start_many 100
	run --separate-stderr prlimit --nofile=64:4096 "$UPM" count --json -d 300ms -p "$MANY" \
		libc.so.6:getppid
	[ "$status" -eq 0 ]
	jq -e '.ended == "duration"' <<<"$output"
}

@test "processes for which no descriptor is left: -d and their end are heeded" {
	start_many 45
	run --separate-stderr prlimit --nofile=64:64 "$UPM" count --json -d 300ms -p "$MANY" \
		libc.so.6:getppid
	[ "$status" -eq 0 ]
	jq -e '.ended == "duration"' <<<"$output"
	start prlimit --nofile=64:64 "$UPM" count --json -o "$BATS_TEST_TMPDIR/out" -p "$MANY" \
		libc.so.6:getppid
	counter=$!
	eventually holds_link "$counter"
	kill -TERM "$PARENT"
	wait "$counter"
	[ "$(jq -r .ended "$BATS_TEST_TMPDIR/out")" = processes ]
}

@test "the command has the limit of descriptors that it would have without us" {
	run --separate-stderr prlimit --nofile=64:4096 "$UPM" count --json \
		-o "$BATS_TEST_TMPDIR/out" libc.so.6:getppid -- sh -c 'ulimit -n'
	[ "$output" = 64 ]
}

@test "other processes do not count" {
	start_sleeper
	start "$UPM" count --json -o "$BATS_TEST_TMPDIR/out" -p "$SLEEPER" libc.so.6:getppid
	counter=$!
	eventually holds_link "$counter"
	perl -e 'getppid() for 1 .. 1000'
	kill -INT "$counter"
	wait "$counter"
	[ "$(jq .total "$BATS_TEST_TMPDIR/out")" -eq 0 ]
}

@test "a process that does not exist is named" {
	run --separate-stderr "$UPM" count -p 2147483646 'libc.so.6:getppid'
	[ "$status" -eq 1 ]
	[[ $stderr == uprobe-multi:*2147483646* ]]
}

@test "a file that no process of -p maps is told, others are not" {
	start_sleeper
	run --separate-stderr "$UPM" count -d 100ms -p "$SLEEPER" "$UPM:main" libc.so.6:getppid
	[ "$status" -eq 0 ]
	[[ $stderr == "remark: none of the processes maps $UPM (yet): its probes fire only once they load it" ]]
	run --separate-stderr "$UPM" count --json -d 100ms -p "$SLEEPER" "$UPM:main" \
		libc.so.6:getppid
	[ -z "$stderr" ]
	[ "$(jq -c .unmapped <<<"$output")" = "[\"$UPM\"]" ]
	run --separate-stderr "$UPM" list --json -p "$SLEEPER" "$UPM:main" libc.so.6:getppid
	[ "$(jq -c .unmapped <<<"$output")" = "[\"$UPM\"]" ]
	run --separate-stderr "$UPM" list -p "$SLEEPER" '*:*'
	[[ $stderr != *remark* ]]
	run --separate-stderr "$UPM" count --json "$UPM:main" libc.so.6:getppid -- true
	jq -e 'has("unmapped") | not' <<<"$output"
}

@test "a file is mapped when one of several processes maps it, whatever it is called" {
	start_sleeper
	ln "$UPM" "$BATS_TEST_TMPDIR/linked" || cp "$UPM" "$BATS_TEST_TMPDIR/linked"
	ln -s linked "$BATS_TEST_TMPDIR/pointed"
	start "$BATS_TEST_TMPDIR/linked" count -p "$SLEEPER" libc.so.6:getppid
	counter=$!
	eventually is_running "$counter" linked
	run --separate-stderr "$UPM" list --json -p "$SLEEPER" -p "$counter" \
		"$BATS_TEST_TMPDIR/pointed:main"
	[ "$(jq -c .unmapped <<<"$output")" = "[]" ]
}

@test "the final table has the hit functions, the summary and what was skipped" {
	run --separate-stderr "$UPM" count libc.so.6:getppid libc.so.6:pthread_spin_lock \
		libc.so.6:abort -- perl -e 'getppid() for 1 .. 12345'
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *HITS*RATE/S*SYMBOL*BINARY* ]]
	[[ ${lines[1]} == 12,345*getppid*libc.so.6 ]]
	[[ $output != *abort* ]]
	[[ $output == *"hits     12,345"* ]]
	[[ $output == *"2 attached, 1 skipped, 1 link (uprobe_multi)"* ]]
	[[ $output == *"attach "*"observed "*"detach "* ]]
	[[ $output == *"1 unprobeable"*"pthread_spin_lock in "*"lock"* ]]
	[[ $output != *$'\x1b'* ]]
}

# A process that calls without a pause is caught while attaching too, sooner or later.
counts_outside_the_window() {
	"$UPM" count -d 50ms -p "$1" 'libc.so.6:get*' | grep -q "^rates    are of the .* came while"
}

@test "hits that the rates leave out are told" {
	start perl -e 'getppid() while 1'
	caller=$!
	eventually counts_outside_the_window "$caller"
	run "$UPM" count libc.so.6:getppid -- perl -e 'getppid() for 1 .. 10'
	[[ $output != *"rates  "* ]]
}

@test "--all shows functions without hits, -n limits the rows" {
	run --separate-stderr "$UPM" count --all libc.so.6:getppid libc.so.6:abort -- true
	[[ $output == *abort* ]]
	run --separate-stderr "$UPM" count -n 3 'libc.so.6:*' -- perl -e 1
	[[ ${lines[0]} == *HITS* ]]
	[[ ${lines[4]} == "and "*" more; -n 0 shows all" ]]
}

@test "rows are sorted by hits" {
	run --separate-stderr "$UPM" count -n 0 'libc.so.6:*' -- sort /etc/passwd -o /dev/null
	[ "$status" -eq 0 ]
	hits=$(grep -E '^ *[0-9,]+ +[0-9,.]+  ' <<<"$output" | awk '{gsub(",", "", $1); print $1}')
	[ "$(wc -l <<<"$hits")" -gt 20 ]
	sort -rnc <<<"$hits"
}

@test "nothing to attach: the reasons, exit status 1" {
	run --separate-stderr "$UPM" count -d 1 libc.so.6:pthread_spin_lock libc.so.6:nowhere
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == uprobe-multi:* ]]
	[[ $stderr == *unprobeable*pthread_spin_lock*lock* ]]
	[[ $stderr == *no_match*nowhere* ]]
}

@test "nothing to attach, JSON: a document with the reasons, exit status 1" {
	run --separate-stderr "$UPM" count --json -d 1 libc.so.6:pthread_spin_lock
	[ "$status" -eq 1 ]
	jq -e '.attached == 0 and .total == 0 and .skipped[0].verdict == "unprobeable" and
		(.error | length) > 0' <<<"$output"
}

@test "--strict refuses a set with a probe that would be skipped, and names it" {
	run --separate-stderr "$UPM" count --strict -d 1 libc.so.6:getppid \
		libc.so.6:pthread_spin_lock
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == uprobe-multi:*pthread_spin_lock* ]]
	[[ $stderr == *"without --strict"* && $stderr != *UPM_* ]]
}

@test "a command that is another program than the one observed is remarked on" {
	printf '#!/bin/sh\n:\n' >"$BATS_TEST_TMPDIR/known"
	chmod +x "$BATS_TEST_TMPDIR/known"
	target=$UPM_BUILD/target/known
	for subcommand in count "latency --accept-unwinding" trace; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr "$UPM" $subcommand "$target:push_first" -- \
			"$BATS_TEST_TMPDIR/known"
		[ "$status" -eq 0 ]
		[[ $stderr == *"remark: nothing was hit: COMMAND began as $BATS_TEST_TMPDIR/known, a script that /bin/sh runs, not as $target"* ]]
	done
	run --separate-stderr "$UPM" count libc.so.6:abort -- true
	[[ $stderr != *remark* ]]
	run --separate-stderr "$UPM" count "$UPM:abort_nothing*" "$UPM:main" -- "$UPM" --version
	[[ $stderr != *remark* ]]
	run --separate-stderr "$UPM" count "$target:push_first" -- "$target" </dev/null
	[[ $stderr != *remark* ]]
}

@test "-o - is the standard output" {
	cd "$BATS_TEST_TMPDIR"
	run --separate-stderr "$UPM" count --json -o - libc.so.6:getppid -- perl -e 'getppid()'
	[ "$status" -eq 0 ]
	jq -e '.total == 1' <<<"$output"
	[ ! -e ./- ]
}

@test "the perf backend counts the same" {
	run --separate-stderr "$UPM" count --json --backend perf libc.so.6:getppid -- \
		perl -e 'getppid() for 1 .. 100'
	[ "$status" -eq 0 ]
	jq -e '.backend == "perf_event" and .total == 100' <<<"$output"
}

@test "return probes count returns" {
	run --separate-stderr "$UPM" count --json uretprobe:libc.so.6:getppid libc.so.6:getppid -- \
		perl -e 'getppid() for 1 .. 100'
	[ "$status" -eq 0 ]
	jq -e '.total == 200 and ([.probes[].kind] | sort) == ["uprobe", "uretprobe"]' <<<"$output"
}

@test "a full disk is an error although the count went well" {
	run --separate-stderr "$UPM" count -o /dev/full libc.so.6:getppid -- true
	[ "$status" -eq 1 ]
	[[ $stderr == *"write to /dev/full: No space left"* ]]
	run --separate-stderr "$UPM" count -o /no/such/directory/file libc.so.6:getppid -- \
		touch "$BATS_TEST_TMPDIR/touched"
	[ "$status" -eq 1 ]
	[[ $stderr == *"/no/such/directory/file"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/touched" ]
}
