#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Every language hands every type to C and gets it back unharmed.

load hub

MARSHALLING=$TOP/bindings/conformance/marshalling

@test "every language prints what golden.txt has" {
	for language in $(languages_with marshal); do
		echo "$language:"
		command_of "$language" marshal >"$BATS_TEST_TMPDIR/$language"
		diff -u "$MARSHALLING/golden.txt" "$BATS_TEST_TMPDIR/$language"
	done
}

@test "every language that exists takes part in each layer" {
	for language in $(languages_with adapter); do
		for kind in marshal layout drift; do
			languages_with "$kind" | grep -qx "$language"
		done
	done
}

@test "the marshalling library passes values in every way that the public header does" {
	generate --shapes >"$BATS_TEST_TMPDIR/public"
	generate --shapes --header "$MARSHALLING/marshal.h" --prefix MARSHAL_ >"$BATS_TEST_TMPDIR/tested"
	[ -s "$BATS_TEST_TMPDIR/public" ]
	run comm -23 "$BATS_TEST_TMPDIR/public" "$BATS_TEST_TMPDIR/tested"
	[ -z "$output" ]
}

@test "sizes, offsets and constants are the compiler's in every language" {
	command_of c layout | sort >"$BATS_TEST_TMPDIR/c"
	[ -s "$BATS_TEST_TMPDIR/c" ]
	for language in $(languages_with layout); do
		echo "$language:"
		command_of "$language" layout | sort | diff -u "$BATS_TEST_TMPDIR/c" -
	done
}
