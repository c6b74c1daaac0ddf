#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What is generated from the header is what is checked in, and the reader refuses what no
# language could carry.

load hub

# Declarations at the end of a header of their own.
header_with() {
	printf '#include <stdint.h>\n%s\n' "$1" >"$BATS_TEST_TMPDIR/small.h"
}

refuses() {
	header_with "$1"
	run generate --header "$BATS_TEST_TMPDIR/small.h" --output "$BATS_TEST_TMPDIR/out"
	[ "$status" -eq 1 ]
	[[ $output == *"line 2: "*"$2"* ]]
}

@test "generated files are those of the header: after a change run make bindings" {
	differences "$HEADER" "$BATS_TEST_TMPDIR/out"
}

@test "generated files say so in their first line" {
	for path in $(generate --list); do
		head -n 1 "$TOP/$path" | grep -F "$NOTICE"
	done
}

@test "generated files depend neither on folders, nor on the locale, nor on the compiler" {
	mkdir "$BATS_TEST_TMPDIR/elsewhere"
	cp "$HEADER" "$BATS_TEST_TMPDIR/elsewhere"
	cd "$BATS_TEST_TMPDIR/elsewhere"
	CC=clang LC_ALL=C PYTHONHASHSEED=1 differences uprobe_multi.h "$BATS_TEST_TMPDIR/out"
}

@test "generated files name no folder of this machine" {
	for path in $(generate --list); do
		if grep -F "$TOP" "$TOP/$path"; then
			return 1
		fi
	done
}

@test "every function, structure and enum of the header is documented" {
	run generate --undocumented
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the reference has every function, and its links lead somewhere" {
	"$CC" -E -P "$HEADER" | grep -o 'upm_[a-z_]*(' | tr -d '(' | sort -u >"$BATS_TEST_TMPDIR/declared"
	sed -n 's/^### \(upm_[a-z_]*\)$/\1/p' "$TOP/docs/api.md" | sort -u >"$BATS_TEST_TMPDIR/described"
	[ -z "$(comm -23 "$BATS_TEST_TMPDIR/declared" "$BATS_TEST_TMPDIR/described")" ]
	grep -o '](#[^)]*)' "$TOP/docs/api.md" | sort -u | sed 's/^](#//; s/)$//' >"$BATS_TEST_TMPDIR/links"
	sed -n 's/^##* //p' "$TOP/docs/api.md" | tr 'A-Z ' 'a-z-' | sort -u >"$BATS_TEST_TMPDIR/anchors"
	[ -s "$BATS_TEST_TMPDIR/links" ]
	[ -z "$(sort "$BATS_TEST_TMPDIR/links" | comm -23 - "$BATS_TEST_TMPDIR/anchors")" ]
}

@test "cffi takes the definitions for Python, or any C compiler" {
	{
		echo '#include <stddef.h>'
		echo '#include <stdint.h>'
		grep -v '^static const char \*const' "$TOP/bindings/python/src/uprobe_multi/_cdef.h"
	} >"$BATS_TEST_TMPDIR/cdef.c"
	"$CC" -std=c11 -Wall -Wextra -Werror -fsyntax-only "$BATS_TEST_TMPDIR/cdef.c"
}

@test "a variable number of arguments is refused" {
	refuses 'int32_t upm_many(int32_t count, ...);' 'variable number of arguments'
}

@test "a bit field is refused" {
	refuses 'struct upm_bits { uint32_t one : 1; };' 'is of bits'
}

@test "a structure inside a structure without a name is refused" {
	refuses 'struct upm_outer { struct { int32_t x; } inner; };' 'without a name'
}

@test "a function with a body is refused" {
	refuses 'static inline int32_t upm_one(void) { return 1; }' 'without bodies'
}

@test "a macro that is neither a number nor a string is refused" {
	refuses '#define UPM_SIZE sizeof(long)' 'neither a number nor a string'
}

@test "a header that the compiler refuses is refused with its words" {
	header_with '#error "not today"'
	run generate --header "$BATS_TEST_TMPDIR/small.h" --output "$BATS_TEST_TMPDIR/out"
	[ "$status" -eq 1 ]
	[[ $output == *"not today"* ]]
}
