#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A header that changes without `make bindings` is noticed: by what is generated, and by the raw
# layer of every language that exists.

load hub

# What is generated from a changed header differs from what is checked in, and the difference,
# which is shown, has this text.
regeneration_shows() {
	run differences "$BATS_TEST_TMPDIR/uprobe_multi.h" "$BATS_TEST_TMPDIR/out"
	[ "$status" -eq 1 ]
	[[ $output == *"checked in: bindings/python/src/uprobe_multi/_cdef.h"*"$1"* ]]
	[[ $output == *"checked in: docs/api.md"* ]]
}

# No raw layer can be compiled against it.
no_language_compiles() {
	local language

	for language in $(languages_with drift); do
		echo "$language against the header as it is:"
		command_of "$language" drift "$HEADER" >/dev/null
		echo "$language against a changed one:"
		if command_of "$language" drift "$BATS_TEST_TMPDIR/uprobe_multi.h"; then
			return 1
		fi
	done
}

# The layout that the compiler gives it is not that of any raw layer.
no_language_agrees() {
	local language

	generate --header "$BATS_TEST_TMPDIR/uprobe_multi.h" --layout >"$BATS_TEST_TMPDIR/layout.c"
	"$CC" -I"$BATS_TEST_TMPDIR" -o "$BATS_TEST_TMPDIR/layout" "$BATS_TEST_TMPDIR/layout.c"
	"$BATS_TEST_TMPDIR/layout" | sort >"$BATS_TEST_TMPDIR/changed"
	for language in $(languages_with layout); do
		run diff "$BATS_TEST_TMPDIR/changed" <(command_of "$language" layout | sort)
		[ "$status" -eq 1 ]
		[[ $output == *"$1"* ]]
	done
}

@test "an argument is added to a function" {
	drifted 's/(upm_status_name\(int32_t status)/\1, int32_t style/'
	regeneration_shows '+const char *upm_status_name(int32_t status, int32_t style);'
	no_language_compiles
}

@test "an enum value is changed" {
	drifted 's/UPM_VERDICT_DATA = 3/UPM_VERDICT_DATA = 33/'
	regeneration_shows '+	UPM_VERDICT_DATA = 33,'
	no_language_agrees 'UPM_VERDICT_DATA = 33'
}

@test "a field is added in the middle of a structure" {
	drifted 's/^(\s*)uint64_t cookie;/\1uint64_t added;\n&/'
	regeneration_shows '+	uint64_t added;'
	no_language_agrees 'struct upm_probe added at'
}

@test "the type of a field is changed" {
	drifted 's/uint32_t session;    (.\*\*< 1 for uprobe.session)/uint16_t session;    \1/'
	regeneration_shows '+	uint16_t session;'
	no_language_agrees 'struct upm_program session at'
}

@test "a result is made narrower, which no compiler minds" {
	drifted 's/uint64_t (upm_link_attach_ns)/uint32_t \1/'
	regeneration_shows '+uint32_t upm_link_attach_ns(const struct upm_link *link);'
}

@test "a function is added: the table of parity has a hole, and the test of holes fails" {
	drifted 's|^UPM_API const char \*upm_version\(void\);|&\n/** New. */\nUPM_API int32_t upm_brand_new(void);|'
	regeneration_shows '+int32_t upm_brand_new(void);'
	run generate --header "$BATS_TEST_TMPDIR/uprobe_multi.h" --holes
	for language in $(languages_with exists); do
		[[ ${output,,} == *"$language: upm_brand_new is not in the raw layer"* ]]
	done
}
