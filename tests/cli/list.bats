#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# uprobe-multi list

load helpers

@test "a table with a heading, and a summary on standard error" {
	run --separate-stderr "$UPM" list 'libc.so.6:getpp*'
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *OFFSET*KIND*COST*VERDICT*SYMBOL*BINARY* ]]
	[[ ${lines[1]} == *0x*uprobe*ok*getppid@*libc.so.6 ]]
	[[ $stderr == *"1 probe can be attached"* ]]
}

@test "JSON has the keys of the design for every probe" {
	run --separate-stderr "$UPM" list --json 'libc.so.6:*'
	[ "$status" -eq 0 ]
	[ "$(jq '.probes | length' <<<"$output")" -gt 2000 ]
	jq -e 'all(.probes[]; has("path") and has("symbol") and has("offset") and has("kind")
		and has("cost") and has("verdict") and has("reason"))' <<<"$output"
	jq -e 'all(.probes[]; (.offset | type) == "number" and (.aliases | type) == "array")' \
		<<<"$output"
}

@test "a return probe has its kind" {
	run --separate-stderr "$UPM" list --json 'uretprobe:libc.so.6:getppid'
	[ "$(jq -r '.probes[0].kind' <<<"$output")" = uretprobe ]
}

@test "--verdict shows only these, with the reason" {
	run --separate-stderr "$UPM" list --verdict unprobeable 'libc.so.6:*'
	[[ $output == *pthread_spin_lock* ]]
	[[ $output == *lock* ]]
	[[ $output != *getppid* ]]
}

@test "a spec without a match is a row with its reason, exit status 1" {
	run --separate-stderr "$UPM" list 'libc.so.6:no_such_function'
	[ "$status" -eq 1 ]
	[[ $output == *no_match*no_such_function* ]]
	[[ $stderr == *"1 can not"* ]]
}

@test "one good spec is enough for exit status 0" {
	run --separate-stderr "$UPM" list --json 'libc.so.6:no_such_function' libc.so.6:getppid
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.probes[].verdict] | join(" ")' <<<"$output")" = "no_match ok" ]
}

@test "a file that is no ELF is a row too" {
	run --separate-stderr "$UPM" list --json '/etc/passwd:*'
	[ "$status" -eq 1 ]
	[ "$(jq -r '.probes[0].verdict' <<<"$output")" = unreadable ]
	[ -n "$(jq -r '.probes[0].reason' <<<"$output")" ]
}

@test "a spec that does not parse fails with a hint" {
	run --separate-stderr "$UPM" list 'libc.so.6'
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == uprobe-multi:* ]]
}

@test "a process that does not exist is named" {
	run --separate-stderr "$UPM" list -p 2147483646 'libc.so.6:getppid'
	[ "$status" -eq 1 ]
	[[ $stderr == uprobe-multi:*2147483646* ]]
}

@test "with -p, * is all that the process maps" {
	start sleep 60
	pid=$!
	eventually is_running "$pid" sleep
	run --separate-stderr "$UPM" list --json -p "$pid" '*:*'
	[ "$status" -eq 0 ]
	[ "$(jq '[.probes[].path | select(endswith("libc.so.6"))] | length' <<<"$output")" -gt 2000 ]
}

@test "with COMMAND its libraries are meant, and it is not run" {
	run --separate-stderr "$UPM" list --json 'libc.so.6:getppid' -- \
		touch "$BATS_TEST_TMPDIR/touched"
	[ "$status" -eq 0 ]
	[ ! -e "$BATS_TEST_TMPDIR/touched" ]
}

@test "C++ names are readable in tables, raw with --no-demangle, both in JSON on request" {
	cat >"$BATS_TEST_TMPDIR/x.cc" <<-'END'
		namespace shop { __attribute__((noinline)) int price(long) { return 7; } }
		int main() { return shop::price(1); }
	END
	command -v g++ >/dev/null || skip "no compiler here"
	g++ -O0 -o "$BATS_TEST_TMPDIR/x" "$BATS_TEST_TMPDIR/x.cc"
	run --separate-stderr "$UPM" list "$BATS_TEST_TMPDIR/x:shop::price*"
	[[ $output == *"shop::price(long)"* ]]
	run --separate-stderr "$UPM" list --no-demangle "$BATS_TEST_TMPDIR/x:shop::price*"
	[[ $output == *"_ZN4shop5priceEl"* ]]
	run --separate-stderr "$UPM" list --json --demangle "$BATS_TEST_TMPDIR/x:shop::price*"
	[ "$(jq -r '.probes[0] | .symbol + " " + .demangled' <<<"$output")" = \
		"_ZN4shop5priceEl shop::price(long)" ]
}

@test "control characters in names never reach the terminal, and JSON stays valid" {
	cat >"$BATS_TEST_TMPDIR/evil.c" <<-'END'
		int evil(void) __asm__("\"evil_\033[31m_\377\"");
		int evil(void) { return 1; }
		int main(void) { return evil(); }
	END
	command -v gcc >/dev/null || skip "no compiler here"
	gcc -O0 -o "$BATS_TEST_TMPDIR/evil" "$BATS_TEST_TMPDIR/evil.c"
	run --separate-stderr "$UPM" list "$BATS_TEST_TMPDIR/evil:evil_*"
	[[ $output == *'evil_\x1b[31m_\xff'* ]]
	[[ $output != *$'\x1b'* ]]
	run --separate-stderr "$UPM" list --json "$BATS_TEST_TMPDIR/evil:evil_*"
	[ "$(jq -r '.probes[0].symbol' <<<"$output")" = $'evil_\x1b[31m_\\xff' ]
}

@test "-o writes to a file; a full one is an error" {
	run --separate-stderr "$UPM" list --json -o "$BATS_TEST_TMPDIR/out" libc.so.6:getppid
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(jq '.probes | length' "$BATS_TEST_TMPDIR/out")" -eq 1 ]
	run --separate-stderr "$UPM" list --json -o /dev/full 'libc.so.6:*'
	[ "$status" -eq 1 ]
	[[ $stderr == *"write to /dev/full"* ]]
}

@test "a reader that has had enough is no error message" {
	run bash -c "'$UPM' list 'libc.so.6:*' 2>'$BATS_TEST_TMPDIR/errors' | head -n 1"
	[ "$status" -eq 0 ]
	run cat "$BATS_TEST_TMPDIR/errors"
	[[ $output != *write* ]]
}

# Does the process catch SIGINT (bit 2 of the mask)?
catches_int() {
	grep -qsE '^SigCgt:.*[2367abef]$' "/proc/$1/status"
}

@test "Ctrl-C among the files of one spec: a failure, and no list" {
	start "$UPM" list --no-index -o "$BATS_TEST_TMPDIR/out" '/usr/lib/*/lib*.so*:*' 2>"$BATS_TEST_TMPDIR/errors"
	lister=$!
	eventually catches_int "$lister"
	kill -INT "$lister"
	run wait "$lister"
	[ "$status" -ne 0 ]
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
}

@test "a very long pattern does not make a very wide table, and is whole in JSON" {
	long=$(printf 'x%.0s' {1..3000})
	run --separate-stderr "$UPM" list "libc.so.6:$long" libc.so.6:getppid
	[ "$status" -eq 0 ]
	label=$(grep -oE 'x+[.]{3}x+ ' <<<"$output" | head -n 1)
	[ "${#label}" -eq 121 ]
	run --separate-stderr "$UPM" list --json "libc.so.6:$long" libc.so.6:getppid
	[[ $output == *"$long"* ]]
	run --separate-stderr "$UPM" count "libc.so.6:$long" libc.so.6:getppid -- true
	[ "$(grep -cE '^ {4}x{59}[.]{3}x{58}([^x]|$)' <<<"$output")" -eq 1 ]
}
