#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi pinned, and --pin of the observers. Each test has a BPF file system of its own, in
# a mount namespace that ends with the process that holds it.

load helpers

setup() {
	start unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && touch "$1" && exec sleep 600' \
		sh "$BATS_TEST_TMPDIR/mounted"
	HOLDER=$!
	eventually test -e "$BATS_TEST_TMPDIR/mounted"
}

# The command, in that namespace; its standard error stays apart.
upm() {
	run --separate-stderr nsenter --mount --target "$HOLDER" -- "$UPM" "$@"
}

call() {
	perl -e 'getppid() for 1 .. $ARGV[0]' "$1"
}

# The hits of the first probe of what is pinned.
pinned_hits() {
	upm pinned show "$1" --json
	jq '.probes[0].hits' <<<"$output"
}

@test "no BPF file system: how to mount one" {
	run --separate-stderr unshare --mount sh -c 'umount /sys/fs/bpf 2>/dev/null; exec "$@"' sh \
		"$UPM" pinned
	[ "$status" -eq 1 ]
	[[ $stderr == *"mount -t bpf"* ]]
}

@test "nothing is pinned" {
	upm pinned
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$stderr" = "nothing is pinned" ]
	upm pinned list --json
	[ "$(jq -c .pinned <<<"$output")" = "[]" ]
}

@test "a count goes on without its maker; removal leaves nothing" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	start perl -e 'while (1) { open my $go, "<", $ARGV[0]; my $times = <$go>;
		getppid() for 1 .. $times; open my $done, ">", $ARGV[1]; print $done $times }' \
		"$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/done"
	caller=$!
	eventually is_running "$caller" perl
	upm count --pin calls -p "$caller" libc.so.6:getppid libc.so.6:pthread_spin_lock
	[ "$status" -eq 0 ]
	[[ $output == "pinned as calls: counting at 1 probe until it is removed"* ]]
	[[ $output == *"uprobe-multi pinned show calls"*"uprobe-multi pinned remove calls"* ]]
	[[ $output == *"pthread_spin_lock in "*"lock prefix"* ]]
	libc_is_changed "$caller"
	for total in 300 1000; do
		rm -f "$BATS_TEST_TMPDIR/done"
		echo $((total == 300 ? 300 : 700)) >"$BATS_TEST_TMPDIR/go"
		eventually test -s "$BATS_TEST_TMPDIR/done"
		[ "$(pinned_hits calls)" -eq "$total" ]
	done
	upm pinned show calls
	[[ ${lines[0]} == *HITS*SYMBOL*BINARY* ]]
	[[ ${lines[1]} == *1,000*getppid*libc.so.6 ]]
	[[ $output == *"hits     1,000 in 1 function"*"1 attached, 1 skipped"* ]]
	upm pinned remove calls
	[ "$status" -eq 0 ]
	eventually libc_is_unchanged "$caller"
	upm pinned show calls
	[ "$status" -eq 1 ]
	[[ $stderr == *"/calls: nothing is pinned under this name"* ]]
}

@test "the list, as table and JSON" {
	upm count --pin one libc.so.6:abort
	upm latency --pin two libc.so.6:abort libc.so.6:quick_exit
	upm trace --pin three --ring 64K libc.so.6:abort
	upm pinned
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == NAME*KIND*ATTACHED*LINKS*AGE*OWNER*"PINNED BY" ]]
	[[ $output == *$'\none    count '*$'\nthree  trace '*$'\ntwo    latency '* ]]
	upm pinned --json
	jq -e '[.pinned[] | [.name, .kind, .attached]] ==
		[["one", "count", 1], ["three", "trace", 1], ["two", "latency", 2]] and
		all(.pinned[]; .links >= 1 and .creator == "uprobe-multi" and .created > 0)' \
		<<<"$output"
	upm pinned remove one nothing two
	[ "$status" -eq 1 ]
	[[ $stderr == *nothing* ]]
	upm pinned --json
	[ "$(jq -c '[.pinned[].name]' <<<"$output")" = '["three"]' ]
	upm pinned remove three
}

@test "a latency: table, histogram and JSON" {
	upm latency --pin times --split process libc.so.6:getppid
	[[ $output == "pinned as times: measuring at 1 probe"* ]]
	call 100
	upm pinned show times
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *CALLS*P50*PID*COMM*SYMBOL* ]]
	[[ $output == *"getppid, process "*" .. "*"calls    "* ]]
	upm pinned show times --json
	jq -e '.pinned == "times" and any(.probes[]; .calls == 100 and .pid > 0)' <<<"$output"
	upm pinned remove times
}

@test "a trace: its events, once" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	start perl -e 'open my $go, "<", $ARGV[0]; <$go>; getpgrp $_ for 1 .. 5' "$BATS_TEST_TMPDIR/go"
	caller=$!
	eventually is_running "$caller" perl
	upm trace --pin events -p "$caller" --args 'int getpgid(int pid)' libc.so.6:getpgid
	echo >"$BATS_TEST_TMPDIR/go"
	wait "$caller"
	upm pinned show events
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 5 ]
	[[ ${lines[4]} == *"  perl  getpgid(5) = "*" <"* ]]
	[[ $stderr == *"events   5 of 5 hits"* ]]
	upm pinned show events --json
	jq -e '.events == 0 and .hits == 5 and .unshown == 5' <<<"$output"
	upm pinned remove events
}

@test "a trace: show -c leaves the events behind it to the next" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	start perl -e 'open my $go, "<", $ARGV[0]; <$go>; getpgrp $_ for 1 .. 9' "$BATS_TEST_TMPDIR/go"
	caller=$!
	eventually is_running "$caller" perl
	upm trace --pin events -p "$caller" --args '(int pid)' libc.so.6:getpgid
	echo >"$BATS_TEST_TMPDIR/go"
	wait "$caller"
	upm pinned show events -c 2
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == *"getpgid(2)" ]]
	upm pinned show events -c 3 --json
	jq -es 'map(select(has("args")) | .args[0]) == [3, 4, 5]' <<<"$output"
	upm pinned show events
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[0]} == *"getpgid(6)" && ${lines[3]} == *"getpgid(9)" ]]
	[[ $stderr == *"unshown  5 events were shown before, or not yet"* ]]
	upm pinned remove events
}

@test "show goes on with -d, -i or -f" {
	start perl -e 'while (1) { getppid(); select undef, undef, undef, 0.001 }'
	caller=$!
	upm count --pin calls -p "$caller" libc.so.6:getppid
	upm pinned show calls -d 500ms
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *HITS*RATE/S*SYMBOL* ]]
	upm trace --pin events -p "$caller" libc.so.6:getppid
	start nsenter --mount --target "$HOLDER" -- "$UPM" pinned show events -f --json \
		-o "$BATS_TEST_TMPDIR/out"
	reader=$!
	eventually grep -q getppid "$BATS_TEST_TMPDIR/out"
	kill -INT "$reader"
	wait "$reader"
	tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -e '.events > 0 and .ended == "signal"'
	libc_is_changed "$caller"
	upm pinned remove calls events
	eventually libc_is_unchanged "$caller"
}

@test "a name that is taken, or that is none" {
	upm count --pin one libc.so.6:abort
	upm count --pin one libc.so.6:abort
	[ "$status" -eq 1 ]
	[[ $stderr == *one*exists* ]]
	upm count --pin one.two libc.so.6:abort
	[ "$status" -eq 1 ]
	[[ $stderr == *"without dots"* ]]
	upm count --pin 'zwölf Uhr' libc.so.6:abort
	[ "$status" -eq 0 ]
	upm pinned remove 'zwölf Uhr'
	[ "$status" -eq 0 ]
	upm pinned remove one
}

@test "what another user has made there is not trusted, nor removed" {
	mkdir "$BATS_TEST_TMPDIR/victim"
	touch "$BATS_TEST_TMPDIR/victim/precious"
	nsenter --mount --target "$HOLDER" -- setpriv --reuid 65534 --regid 65534 --clear-groups \
		sh -c 'mkdir -p /sys/fs/bpf/uprobe_multi/night &&
			ln -s "$1" /sys/fs/bpf/uprobe_multi/night/links' sh "$BATS_TEST_TMPDIR/victim"
	for subcommand in "list" "show night" "remove night"; do
		# shellcheck disable=SC2086
		upm pinned $subcommand
		[ "$status" -eq 1 ]
		[[ $stderr == *"/sys/fs/bpf/uprobe_multi: it belongs to user 65534"* ]]
	done
	upm pinned remove /sys/fs/bpf/uprobe_multi/night
	[ "$status" -eq 1 ]
	[[ $stderr == *"links is no directory"* ]]
	[ -e "$BATS_TEST_TMPDIR/victim/precious" ]
}

@test "nothing to attach: nothing is pinned" {
	upm count --pin one libc.so.6:pthread_spin_lock
	[ "$status" -eq 1 ]
	[[ $stderr == *"lock prefix"* ]]
	upm pinned
	[ "$stderr" = "nothing is pinned" ]
}
