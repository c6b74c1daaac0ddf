#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a user with few rights can do, and what an error says to one with too few.

load helpers

setup() {
	if ! command -v setpriv >/dev/null; then
		skip "setpriv is not installed"
	fi
	COPY=$(mktemp /tmp/upm-privilege.XXXXXX)
	cp "$UPM" "$COPY"
	chmod 755 "$COPY"
}

teardown() {
	end_started
	rm -f "${COPY-}"
}

# Run a command as nobody, with these capabilities, such as +bpf,+perfmon, or none (-all).
as_nobody() {
	local capabilities=$1

	shift
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$capabilities" \
		--ambient-caps="$capabilities" "$@"
}

@test "CAP_BPF and CAP_PERFMON are enough to count, measure and trace" {
	for command in count latency trace; do
		run --separate-stderr as_nobody +bpf,+perfmon "$COPY" $command --json libc.so.6:open64 -- \
			cat /etc/hostname /etc/hostname
		[ "$status" -eq 0 ]
		grep -q '"open64"' <<<"$output"
	done
}

@test "CAP_BPF and CAP_PERFMON: a process of one's own, and its children" {
	run --separate-stderr as_nobody +bpf,+perfmon "$COPY" count --json --children \
		libc.so.6:open64 -- sh -c 'cat /etc/hostname; cat /etc/hostname'
	[ "$status" -eq 0 ]
	[ "$(tail -n 1 <<<"$output" | jq .total)" -ge 2 ] ||
		[ "$(grep -v "$(cat /etc/hostname)" <<<"$output" | jq .total)" -ge 2 ]
}

@test "without a capability the error names it" {
	run as_nobody +perfmon "$COPY" count -d 0.1 libc.so.6:open64
	[ "$status" -eq 1 ]
	[[ $output == *"lacks CAP_BPF:"* ]]
	run as_nobody +bpf "$COPY" count -d 0.1 libc.so.6:open64
	[ "$status" -eq 1 ]
	[[ $output == *"lacks CAP_PERFMON:"* ]]
	run as_nobody -all "$COPY" count -d 0.1 libc.so.6:open64
	[ "$status" -eq 1 ]
	[[ $output == *"lacks CAP_BPF and CAP_PERFMON:"* ]]
}

@test "a process of somebody else: the error names CAP_SYS_PTRACE" {
	start sleep 60
	run as_nobody +bpf,+perfmon "$COPY" count -d 0.1 -p "$!" libc.so.6:open64
	[ "$status" -eq 1 ]
	[[ $output == *"CAP_SYS_PTRACE"* ]]
}

@test "root of a user namespace: the error says that its capabilities do not count" {
	run unshare -U -r "$COPY" count -d 0.1 libc.so.6:open64
	[ "$status" -eq 1 ]
	[[ $output == *"user namespace"* ]]
}

@test "perf events need more than these two: the error says so, or it works" {
	run as_nobody +bpf,+perfmon "$COPY" count --backend perf libc.so.6:open64 -- cat /etc/hostname
	[ "$status" -eq 0 ] || [[ $output == *"CAP_SYS_ADMIN"* ]]
}

# Run a command under a filter that answers EPERM to bpf(2) and perf_event_open(2).
filtered() {
	/usr/bin/python3 -c '
import ctypes, os, struct, sys
LOAD, EQUAL, RETURN, REFUSE, ALLOW = 0x20, 0x15, 0x06, 0x00050001, 0x7fff0000
bpf, perf = (321, 298) if os.uname().machine == "x86_64" else (280, 241)
code = b"".join(struct.pack("HBBI", *each) for each in (
    (LOAD, 0, 0, 0), (EQUAL, 1, 0, bpf), (EQUAL, 0, 1, perf), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)))
kept = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(kept))
library = ctypes.CDLL(None, use_errno=True)
if library.prctl(38, 1, 0, 0, 0) or library.prctl(22, 2, program):
    sys.exit("no filter: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
' "$@"
}

@test "a seccomp filter that forbids bpf(2): the error names it" {
	run filtered "$UPM" count -d 0.1 libc.so.6:open64
	[ "$status" -eq 1 ]
	[[ $output == *"seccomp filter"* ]]
	[[ $output != *"locked down"* ]]
}

@test "a kernel that is locked down: the error names it" {
	local say filter

	[ -d /sys/kernel/security ] || skip "this kernel has no /sys/kernel/security"

	# The file that the kernel would have, in a mount namespace of its own; the filter stands for the refusal.
	say="mount -t tmpfs none /sys/kernel/security && echo 'none integrity [confidentiality]' >/sys/kernel/security/lockdown"
	filter=$(declare -f filtered)
	run unshare -m bash -c "$say && $filter && filtered \"\$@\"" bash "$UPM" count -d 0.1 libc.so.6:open64
	[ "$status" -eq 1 ]
	[[ $output == *"locked down (confidentiality)"* ]]
}
