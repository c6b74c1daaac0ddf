#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Every function of the header is found in every language that exists.

load hub

# The right-hand sides of [idiomatic] in a language's parity.toml.
homes() {
	"$PYTHON" - "$TOP/bindings/$1/parity.toml" <<-'END'
		import sys, tomllib
		print("\n".join(tomllib.load(open(sys.argv[1], "rb"))["idiomatic"].values()))
	END
}

@test "no function is missing in a language that exists" {
	run generate --holes
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the table shows no hole" {
	run grep -n 'missing' "$TOP/docs/parity.md"
	echo "$output"
	[ -z "$output" ]
}

@test "every name of parity.toml exists in its language" {
	for language in $(languages_with exists); do
		homes "$language" >"$BATS_TEST_TMPDIR/homes"
		[ -s "$BATS_TEST_TMPDIR/homes" ]
		run command_of "$language" exists <"$BATS_TEST_TMPDIR/homes"
		echo "$output"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "a name that is not there is found out" {
	for language in $(languages_with exists); do
		run command_of "$language" exists <<<"$(homes "$language" | head -n 1)_not"
		[ -n "$output" ]
	done
}

@test "the conformance adapter of C calls every function of the header" {
	"$CC" -E -P "$HEADER" | grep -o 'upm_[a-z0-9_]*(' | tr -d '(' | sort -u >"$BATS_TEST_TMPDIR/declared"
	[ -s "$BATS_TEST_TMPDIR/declared" ]
	cat "$TOP"/bindings/conformance/c/adapter*.c | grep -o 'upm_[a-z0-9_]*' | sort -u >"$BATS_TEST_TMPDIR/called"
	run comm -23 "$BATS_TEST_TMPDIR/declared" "$BATS_TEST_TMPDIR/called"
	echo "$output"
	[ -z "$output" ]
}
