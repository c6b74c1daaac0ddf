#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi count … -- COMMAND

load helpers

@test "probes are armed before the first instruction" {
	loader=$(readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	entry=$(readelf -hW "$loader" | sed -n 's/.*Entry point address: *//p')
	run --separate-stderr "$UPM" count --json libc.so.6:__libc_start_main "$loader:$entry" -- true
	[ "$status" -eq 0 ]
	jq -e '[.probes[].hits] == [1, 1]' <<<"$output"
}

@test "hits of the command are exact" {
	run --separate-stderr "$UPM" count --json libc.so.6:getppid -- \
		perl -e 'getppid() for 1 .. 54321'
	[ "$status" -eq 0 ]
	[ "$(jq .total <<<"$output")" -eq 54321 ]
	[ "$(jq -r .ended <<<"$output")" = command ]
}

@test "its exit status is reported and is not ours" {
	run --separate-stderr "$UPM" count --json libc.so.6:getppid -- sh -c 'exit 7'
	[ "$status" -eq 0 ]
	jq -e '.command.exit_status == 7 and .command.pid > 1' <<<"$output"
	run --separate-stderr "$UPM" count libc.so.6:getppid -- sh -c 'exit 7'
	[[ $output == *"ended with exit status 7"* ]]
}

@test "the signal that ended it is reported" {
	run --separate-stderr "$UPM" count --json libc.so.6:getppid -- sh -c 'kill -KILL $$'
	[ "$status" -eq 0 ]
	[ "$(jq .command.signal <<<"$output")" -eq 9 ]
	run --separate-stderr "$UPM" count libc.so.6:getppid -- sh -c 'kill -KILL $$'
	[[ $output == *"ended by signal 9"* ]]
}

@test "a command that can not be run is a clear error" {
	run --separate-stderr "$UPM" count libc.so.6:getppid -- no-such-command
	[ "$status" -eq 1 ]
	[[ $stderr == "uprobe-multi: run no-such-command: no such command on PATH"* ]]
	run --separate-stderr "$UPM" count libc.so.6:getppid -- /etc/passwd
	[ "$status" -eq 1 ]
	[[ $stderr == "uprobe-multi: run /etc/passwd: Permission denied"*"make it executable"* ]]
	run --separate-stderr "$UPM" count libc.so.6:getppid -- /etc
	[[ $stderr == *"it is a directory"* ]]
	echo >"$BATS_TEST_TMPDIR/no_program"
	chmod +x "$BATS_TEST_TMPDIR/no_program"
	run --separate-stderr "$UPM" count libc.so.6:getppid -- "$BATS_TEST_TMPDIR/no_program"
	[ "$status" -eq 1 ]
	[[ $stderr == *"name its interpreter"* ]]
	run --separate-stderr "$UPM" count libc.so.6:getppid -- ./no/such/file
	[ "$status" -eq 1 ]
	[[ $stderr == *"./no/such/file: No such file or directory"* ]]
}

@test "an exec that fails is reported with the kernel's reason" {
	echo "not a program" >"$BATS_TEST_TMPDIR/bad"
	chmod +x "$BATS_TEST_TMPDIR/bad"
	run --separate-stderr "$UPM" count libc.so.6:getppid -- "$BATS_TEST_TMPDIR/bad"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == *"$BATS_TEST_TMPDIR/bad: Exec format error"* ]]
}

@test "the command is not run when nothing can be attached" {
	run --separate-stderr "$UPM" count libc.so.6:nowhere -- touch "$BATS_TEST_TMPDIR/touched"
	[ "$status" -eq 1 ]
	[ ! -e "$BATS_TEST_TMPDIR/touched" ]
}

@test "a library that only the command loads is found, and * is all it needs" {
	run --separate-stderr "$UPM" count --json '*:*' -- sort /etc/passwd -o /dev/null
	[ "$status" -eq 0 ]
	jq -e '[.probes[] | select(.path | endswith("libc.so.6"))] | length > 2000' <<<"$output"
	jq -e '[.probes[] | select(.path | contains("ld-linux"))] | length > 0' <<<"$output"
	jq -e '.total > 0' <<<"$output"
}

@test "a script is observed through its interpreter" {
	printf '#!/usr/bin/perl\ngetppid() for 1 .. 10;\n' >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	run --separate-stderr "$UPM" count --json libc.so.6:getppid -- "$BATS_TEST_TMPDIR/script"
	[ "$status" -eq 0 ]
	[ "$(jq .total <<<"$output")" -eq 10 ]
}

@test "children count only with --children" {
	line='perl -e "getppid() for 1 .. 1000"; true'
	run --separate-stderr "$UPM" count --json libc.so.6:getppid -- sh -c "$line"
	without=$(jq .total <<<"$output")
	run --separate-stderr "$UPM" count --json --children libc.so.6:getppid -- sh -c "$line"
	[ "$status" -eq 0 ]
	[ $(($(jq .total <<<"$output") - without)) -eq 1000 ]
}

@test "the command has its input, output, signals and descriptors as without us" {
	run --separate-stderr bash -c "echo word | '$UPM' count -o /dev/null libc.so.6:getppid -- cat"
	[ "$output" = word ]
	alone=$(grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status)
	run --separate-stderr "$UPM" count -o /dev/null libc.so.6:getppid -- \
		grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status
	[ "$output" = "$alone" ]
	alone=$(ls /proc/self/fd | wc -l)
	run --separate-stderr bash -c "'$UPM' count -o /dev/null libc.so.6:getppid -- \
		ls /proc/self/fd | wc -l"
	[ "$output" -eq "$alone" ]
}

@test "when the time is over the command goes on" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	start "$UPM" count --json -d 200ms -o "$BATS_TEST_TMPDIR/out" libc.so.6:getppid -- \
		perl -e 'open my $go, "<", $ARGV[0]; <$go>; open my $done, ">", $ARGV[1]' \
		"$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/done"
	wait $!
	jq -e '.ended == "duration" and .command.running' "$BATS_TEST_TMPDIR/out"
	kill -0 "$(jq .command.pid "$BATS_TEST_TMPDIR/out")"
	echo >"$BATS_TEST_TMPDIR/go"
	eventually test -e "$BATS_TEST_TMPDIR/done"
}
