#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# How a run ends: Ctrl-C and its kin, kill -9, and what is left behind: nothing.

load helpers

# Count a sleeping process into the file out, until a signal.
start_count() {
	start sleep 60
	SLEEPER=$!
	eventually is_running "$SLEEPER" sleep
	start "$UPM" count "$@" -o "$BATS_TEST_TMPDIR/out" -p "$SLEEPER" 'libc.so.6:*'
	COUNTER=$!
	eventually holds_link "$COUNTER"
}

@test "SIGINT, SIGTERM and SIGHUP: the final table, exit status 0" {
	for signal in INT TERM HUP; do
		start_count
		libc_is_changed "$SLEEPER"
		kill -"$signal" "$COUNTER"
		wait "$COUNTER"
		grep -q '^hits ' "$BATS_TEST_TMPDIR/out"
		grep -q '^probes ' "$BATS_TEST_TMPDIR/out"
		libc_is_unchanged "$SLEEPER"
		kill -0 "$SLEEPER"
		end_started
	done
}

@test "SIGINT: JSON is whole" {
	start_count --json
	kill -INT "$COUNTER"
	wait "$COUNTER"
	jq -e '.ended == "signal" and .attached > 2000' "$BATS_TEST_TMPDIR/out"
}

@test "nohup stays in force" {
	start sleep 60
	sleeper=$!
	eventually is_running "$sleeper" sleep
	start nohup "$UPM" count --json -o "$BATS_TEST_TMPDIR/out" -p "$sleeper" libc.so.6:getppid
	counter=$!
	eventually holds_link "$counter"
	kill -HUP "$counter"
	kill -0 "$counter"
	kill -TERM "$counter"
	wait "$counter"
	jq -e '.ended == "signal"' "$BATS_TEST_TMPDIR/out"
}

@test "SIGINT with a command: it is not killed, and its state is told" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	start "$UPM" count --json -o "$BATS_TEST_TMPDIR/out" libc.so.6:getppid -- \
		perl -e 'open my $go, "<", $ARGV[0]; <$go>; open my $done, ">", $ARGV[1]' \
		"$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/done"
	counter=$!
	eventually holds_link "$counter"
	kill -INT "$counter"
	wait "$counter"
	jq -e '.ended == "signal" and .command.running' "$BATS_TEST_TMPDIR/out"
	echo >"$BATS_TEST_TMPDIR/go"
	eventually test -e "$BATS_TEST_TMPDIR/done"
}

@test "kill -9 while counting: no breakpoint is left, the process goes on" {
	start_count
	libc_is_changed "$SLEEPER"
	kill -KILL "$COUNTER"
	wait "$COUNTER" || true
	eventually libc_is_unchanged "$SLEEPER"
	kill -0 "$SLEEPER"
}

@test "kill -9 at any time while attaching: no breakpoint is left" {
	start sleep 60
	sleeper=$!
	eventually is_running "$sleeper" sleep
	for delay in 0.01 0.015 0.02 0.025 0.03 0.05 0.08; do
		start "$UPM" count -p "$sleeper" 'libc.so.6:*'
		counter=$!
		sleep "$delay"
		kill -KILL "$counter"
		wait "$counter" || true
		eventually libc_is_unchanged "$sleeper"
	done
	kill -0 "$sleeper"
}

@test "kill -9 at any time while detaching: no breakpoint is left" {
	for delay in 0.01 0.02 0.03 0.05; do
		start_count
		kill -INT "$COUNTER"
		sleep "$delay"
		kill -KILL "$COUNTER" 2>/dev/null || true # it may have been faster
		wait "$COUNTER" || true
		eventually libc_is_unchanged "$SLEEPER"
		kill -0 "$SLEEPER"
		end_started
	done
}

# Stop a counter between the fork of its command and its release. @return 1 when it was faster.
# The held command is a child in the counter's own session (field 6 of stat); links are made in
# children too, but each of these is a session leader.
catch_holding() {
	HELD=$(perl -e '
		my ($pid) = @ARGV;
		sub content { open my $file, "<", $_[0] or return ""; local $/; <$file> // "" }
		sub session { (split " ", content("/proc/$_[0]/stat") =~ s/.*\) //sr)[3] // "" }
		my $ours = session($pid);
		while (content("/proc/$pid/stat") =~ /\) [^Z]/) {
			for my $child (split " ", content("/proc/$pid/task/$pid/children")) {
				session($child) eq $ours or next;
				kill "STOP", $pid;
				print $child;
				exit(content("/proc/$child/comm") ne "uprobe-multi\n");
			}
		}
		exit 1' "$1")
}

kill_while_holding() {
	rm -f "$BATS_TEST_TMPDIR/touched"
	start "$UPM" count 'libc.so.6:*' -- touch "$BATS_TEST_TMPDIR/touched"
	local counter=$! caught=1

	eventually is_running "$counter" uprobe-multi
	catch_holding "$counter" && caught=0
	kill -KILL "$counter" 2>/dev/null || true
	wait "$counter" || true
	return $caught
}

# Each try leaves a shelter that takes its probes out: few tries, one after the other.
@test "kill -9 before the command is let go: it never runs" {
	[ -e "/proc/$$/task/$$/children" ] || skip "this kernel has no /proc/PID/task/TID/children"
	for ((try = 0; try < 10; try++)); do
		if kill_while_holding; then
			break
		fi
	done
	[ "$try" -lt 10 ]
	eventually test ! -e "/proc/$HELD"
	[ ! -e "$BATS_TEST_TMPDIR/touched" ]
}

# What timeout(1) does, and a terminal that is closed. Two alone may be taken for one by the kernel.
@test "a signal that comes twice at once asks once: the result is whole" {
	for signal in TERM HUP; do
		start_count --json
		perl -e 'for (1 .. 20) { kill @ARGV; select undef, undef, undef, 0.001 }' \
			"$signal" "$COUNTER"
		wait "$COUNTER"
		jq -e '.ended == "signal" and .attached > 2000' "$BATS_TEST_TMPDIR/out"
		end_started
	done
}

is_blocked_in_write() {
	[[ $(cat "/proc/$1/wchan") == *pipe_write* ]]
}

has_ended() {
	! kill -0 "$1" 2>/dev/null || [[ $(cat "/proc/$1/stat") == *") Z "* ]]
}

@test "a second signal, later, ends what can not end by itself" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	start sh -c 'exec sleep 600 <"$1"' sh "$BATS_TEST_TMPDIR/pipe"
	start perl -e 'while (1) { getppid() for 1 .. 100; select undef, undef, undef, 0.01 }'
	caller=$!
	eventually is_running "$caller" perl
	start "$UPM" trace -o "$BATS_TEST_TMPDIR/pipe" -p "$caller" libc.so.6:getppid
	tracer=$!
	eventually is_blocked_in_write "$tracer"
	kill -TERM "$tracer"
	sleep 1
	run has_ended "$tracer"
	[ "$status" -ne 0 ]
	kill -TERM "$tracer"
	eventually has_ended "$tracer"
	status=0
	wait "$tracer" || status=$?
	[ "$status" -eq 143 ]
}
