#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi attach: BPF objects that are attached, held, pinned

load helpers

setup() {
	OBJECT=$UPM_BUILD/tests/bpf/two.bpf.o
	start sleep 60
	SLEEPER=$!
	eventually is_running "$SLEEPER" sleep
}

@test "programs go where their sections say, and the others are named with the reason" {
	run --separate-stderr "$UPM" attach --json -d 100ms -p "$SLEEPER" "$OBJECT"
	[ "$status" -eq 0 ]
	jq -e '.attached == 1 and (.programs | length) == 2' <<<"$output"
	jq -e '.programs[] | select(.program == "named") |
		.attached == 1 and .backend == "uprobe_multi" and (.links | length) == 1 and
		.links[0].id > 0 and .links[0].probes == 1' <<<"$output"
	jq -e '.programs[] | select(.program == "given") |
		.attached == 0 and (.error | contains("SPEC"))' <<<"$output"
}

@test "a section's name can not command the terminal" {
	perl -pe 's/(libc\.so\.6:get)ppid/$1\x1bc**/g' "$OBJECT" >"$BATS_TEST_TMPDIR/object"
	run "$UPM" attach "$BATS_TEST_TMPDIR/object"
	[[ $output == *'named (uprobe.multi/libc.so.6:get\x1bc**)'* ]]
	[[ $output != *$'\x1b'* ]]
}

@test "with specs all programs go to all of them, with the kind of each" {
	run --separate-stderr "$UPM" attach --json -d 100ms -p "$SLEEPER" "$OBJECT" \
		libc.so.6:getppid libc.so.6:pthread_spin_lock libc.so.6:getuid
	[ "$status" -eq 0 ]
	jq -e '.attached == 4' <<<"$output"
	jq -e '[.programs[].links[0].kind] | sort == ["uprobe", "uretprobe"]' <<<"$output"
	jq -e 'all(.programs[]; .skipped[0].symbol == "pthread_spin_lock" and
		.skipped[0].verdict == "unprobeable")' <<<"$output"
}

@test "--program takes one; an unknown one is refused by name" {
	run --separate-stderr "$UPM" attach --json -d 100ms --program named "$OBJECT"
	[ "$status" -eq 0 ]
	jq -e '[.programs[].program] == ["named"]' <<<"$output"
	run --separate-stderr "$UPM" attach --program nobody "$OBJECT"
	[ "$status" -eq 1 ]
	[[ $stderr == *"nobody"* ]]
}

@test "the text says what is attached, through which link, and what is skipped" {
	run --separate-stderr "$UPM" attach -d 100ms -p "$SLEEPER" "$OBJECT" \
		libc.so.6:getppid libc.so.6:pthread_spin_lock
	[ "$status" -eq 0 ]
	[[ $output == *"named (uprobe.multi/libc.so.6:getppid): 1 probe attached in "* ]]
	[[ $output == *"  link "*": 1 uprobe in "*"libc.so.6"* ]]
	[[ $output == *"pthread_spin_lock"* ]]
	[[ $stderr == *"Ctrl-C detaches"* ]]
}

@test "it holds until Ctrl-C and then leaves nothing" {
	start "$UPM" attach -o "$BATS_TEST_TMPDIR/out" -p "$SLEEPER" "$OBJECT" 'libc.so.6:*'
	holder=$!
	eventually grep -q attached "$BATS_TEST_TMPDIR/out"
	libc_is_changed "$SLEEPER"
	kill -INT "$holder"
	wait "$holder"
	eventually libc_is_unchanged "$SLEEPER"
}

@test "with a command it ends when the command ends" {
	run --separate-stderr "$UPM" attach "$OBJECT" -- sh -c 'exit 3'
	[ "$status" -eq 0 ]
	[[ $stderr == *"ended with exit status 3"* ]]
}

@test "nothing to attach: exit status 1 and the reasons" {
	run --separate-stderr "$UPM" attach -d 1 "$OBJECT" libc.so.6:pthread_spin_lock
	[ "$status" -eq 1 ]
	[[ $output == *"unprobeable"* ]]
	[[ $stderr == uprobe-multi:* ]]
}

@test "what is no BPF object is refused by name" {
	run --separate-stderr "$UPM" attach /no/such/object.bpf.o
	[ "$status" -eq 1 ]
	[[ $stderr == uprobe-multi:*/no/such/object.bpf.o* ]]
	run --separate-stderr "$UPM" attach /etc/passwd
	[ "$status" -eq 1 ]
	[[ $stderr == uprobe-multi:*/etc/passwd* ]]
}

@test "--pin keeps the probes when the command has gone, until the pins are removed" {
	mount=$BATS_TEST_TMPDIR/bpf
	mkdir "$mount"
	mount -t bpf bpf "$mount"
	run --separate-stderr "$UPM" attach --json --pin "$mount/held" -p "$SLEEPER" "$OBJECT"
	changed=no
	libc_is_changed "$SLEEPER" && changed=yes
	pins=$(find "$mount/held/named" -type f | wc -l)
	rm -r "$mount/held" || true
	umount "$mount"
	[ "$status" -eq 0 ]
	[ "$changed" = yes ]
	[ "$pins" -ge 1 ]
	jq -e --arg pin "$mount/held/named" '.programs[] | select(.program == "named") | .pin == $pin' \
		<<<"$output"
	eventually libc_is_unchanged "$SLEEPER"
}

@test "--pin outside a bpffs fails and leaves nothing" {
	run --separate-stderr "$UPM" attach --pin "$BATS_TEST_TMPDIR/held" -p "$SLEEPER" "$OBJECT"
	[ "$status" -eq 1 ]
	[[ $stderr == uprobe-multi:*"$BATS_TEST_TMPDIR/held"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/held" ]
	eventually libc_is_unchanged "$SLEEPER"
}

@test "a file that no process of -p maps is told once" {
	start sleep 60
	sleeper=$!
	eventually is_running "$sleeper" sleep
	run --separate-stderr "$UPM" attach -d 100ms -p "$sleeper" "$UPM_BUILD/tests/bpf/two.bpf.o" \
		"$UPM:main"
	[ "$status" -eq 0 ]
	[ "$(grep -c "remark: none of the processes maps $UPM" <<<"$stderr")" -eq 1 ]
	run --separate-stderr "$UPM" attach --json -d 100ms -p "$sleeper" \
		"$UPM_BUILD/tests/bpf/two.bpf.o" "$UPM:main"
	[ "$(jq -c .unmapped <<<"$output")" = "[\"$UPM\"]" ]
}
