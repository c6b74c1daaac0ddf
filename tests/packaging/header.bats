#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The public header compiles alone, in both languages, and agrees with core/VERSION.

load build

@test "the header alone is C11" {
	"$CC" -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c "$HEADER"
}

@test "the header alone is C++17" {
	"$CXX" -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ "$HEADER"
}

@test "the header's version is core/VERSION" {
	run bash -c "printf 'UPM_VERSION_MAJOR.UPM_VERSION_MINOR.UPM_VERSION_PATCH\n' |
		'$CC' -E -P -include '$HEADER' -x c - | tail -n 1"
	[ "${output// /}" = "$(cat "$TOP/core/VERSION")" ]
}

@test "the build refuses a header of another version" {
	(cd "$TOP" && cp -r --parents Makefile tests core/install.mk core/include bindings/*.mk \
		bindings/*/*.mk kernel/vm/*.mk "$BATS_TEST_TMPDIR")
	echo 99.0.0 >"$BATS_TEST_TMPDIR/core/VERSION"
	run make -C "$BATS_TEST_TMPDIR" build/checked
	[ "$status" -ne 0 ]
	[[ $output == *"core/VERSION says 99.0.0"* ]]
}
