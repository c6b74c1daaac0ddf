#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# tests/setup, with stand-ins for the package tools: nothing is installed here.

load build

# A PATH on which no needed program is, dpkg-query knows no package and apt-get writes down its
# arguments.
setup() {
	tools=$BATS_TEST_TMPDIR/tools
	mkdir "$tools"
	for tool in sh bash cat cut grep tr awk mktemp rm tail env; do
		ln -s "$(command -v $tool)" "$tools/$tool"
	done
	stand_in id 'echo 0'
	stand_in dpkg-query 'exit 1'
	stand_in apt-get "echo \"\$@\" >>'$BATS_TEST_TMPDIR/apt'"
}

stand_in() {
	printf '#!/bin/sh\n%s\n' "$2" >"$tools/$1"
	chmod +x "$tools/$1"
}

run_setup() {
	PATH=$tools run "$TOP/tests/setup" "$@"
	echo "$output"
}

@test "what is missing is named with what it is for, and installed" {
	run_setup build
	[ "$status" -eq 0 ]
	[[ $output == *"libzydis-dev"*"decodes x86 instructions"* ]]
	grep -q 'install --no-install-recommends gcc .*libzydis-dev' "$BATS_TEST_TMPDIR/apt"
	! grep -q cppcheck "$BATS_TEST_TMPDIR/apt"
}

@test "nothing is printed or fetched when all is there" {
	stand_in dpkg-query 'echo installed'
	run_setup build test bench lint
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$BATS_TEST_TMPDIR/apt" ]
}

@test "--check installs nothing" {
	run_setup --check build
	[ "$status" -ne 0 ]
	[ ! -e "$BATS_TEST_TMPDIR/apt" ]
}

@test "a failing apt-get is shown" {
	stand_in apt-get 'echo "no route to the mirror"; exit 100'
	run_setup build
	[ "$status" -ne 0 ]
	[[ $output == *"no route to the mirror"*"could not install"* ]]
}

@test "elsewhere than on Debian it says what is needed and stops" {
	rm "$tools/apt-get" "$tools/dpkg-query"
	run_setup build
	[ "$status" -ne 0 ]
	[[ $output == *"libbpf-dev"*"this is not Debian"*"SETUP=no"* ]]
}

@test "without root and sudo it says so" {
	stand_in id 'echo 1000'
	run_setup build
	[ "$status" -ne 0 ]
	[[ $output == *"needs root"* ]]
}
