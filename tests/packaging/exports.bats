#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What the header declares, what the version script lists and what the shared object
# exports is the same.

load build

declared() {
	"$CC" -E -P "$HEADER" | grep -o 'upm_[a-z_]*(' | tr -d '(' | sort
}

listed() {
	grep -o 'upm_[a-z_]*;' "$MAP" | tr -d ';' | sort
}

exported() {
	nm -D --defined-only "$UPM_BUILD/libuprobe_multi.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

@test "the version script lists what the header declares" {
	diff <(declared) <(listed)
}

@test "the shared object exports what the header declares and nothing else" {
	diff <(declared) <(exported)
}

@test "every export has the version of the ABI" {
	run bash -c "nm -D --defined-only '$UPM_BUILD/libuprobe_multi.so' | grep ' T ' | grep -v '@@UPROBE_MULTI_'"
	[ -z "$output" ]
}

@test "soname and file name carry core/VERSION" {
	version=$(cat "$TOP/core/VERSION")
	readelf -d "$UPM_BUILD/libuprobe_multi.so.$version" | grep -F "[libuprobe_multi.so.${version%%.*}]"
}

@test "the library needs no executable stack and no text relocations" {
	readelf -lW "$UPM_BUILD/libuprobe_multi.so" | grep GNU_STACK | grep -q 'RW '
	! readelf -d "$UPM_BUILD/libuprobe_multi.so" | grep TEXTREL
}
