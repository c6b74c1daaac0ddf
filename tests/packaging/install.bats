#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# make install and uninstall, and programs that use what was installed.

load build

setup_file() {
	load build
	export ROOT=$BATS_FILE_TMPDIR/root
	make -s -C "$TOP" BUILD="$UPM_BUILD" DESTDIR="$ROOT" PREFIX=/usr install
}

# pkg-config as if the installed tree were the system's.
installed_flags() {
	PKG_CONFIG_PATH=$ROOT/usr/lib/pkgconfig pkg-config --define-variable=prefix="$ROOT/usr" \
		--define-variable=libdir="$ROOT/usr/lib" --define-variable=includedir="$ROOT/usr/include" \
		"$@" uprobe_multi
}

write_program() {
	cat >"$BATS_TEST_TMPDIR/program.c" <<-'END'
	#include <stdio.h>
	#include <uprobe_multi.h>
	int main(void)
	{
		struct upm_probe_set *set = NULL;

		if (upm_probe_set_new(&set) != UPM_OK)
			return 1;
		upm_probe_set_free(set);
		puts(upm_version());
		return 0;
	}
	END
}

@test "everything is where it belongs" {
	version=$(cat "$TOP/core/VERSION")
	for file in bin/uprobe-multi include/uprobe_multi.h lib/libuprobe_multi.a \
		"lib/libuprobe_multi.so.$version" lib/pkgconfig/uprobe_multi.pc \
		share/man/man1/uprobe-multi.1 share/bash-completion/completions/uprobe-multi \
		share/zsh/site-functions/_uprobe-multi share/doc/uprobe_multi/LICENSE; do
		[ -s "$ROOT/usr/$file" ] || { echo "missing: $file"; false; }
	done
	[ "$(readlink "$ROOT/usr/lib/libuprobe_multi.so")" = "libuprobe_multi.so.$version" ]
	[ "$(readlink "$ROOT/usr/lib/libuprobe_multi.so.${version%%.*}")" = "libuprobe_multi.so.$version" ]
}

@test "the installed command runs" {
	"$ROOT/usr/bin/uprobe-multi" --version | grep -F "$(cat "$TOP/core/VERSION")"
}

@test "a program links with the shared library through pkg-config" {
	write_program
	# shellcheck disable=SC2046
	"$CC" -o "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/program.c" $(installed_flags --cflags --libs)
	readelf -d "$BATS_TEST_TMPDIR/program" | grep -F libuprobe_multi.so.
	[ "$(LD_LIBRARY_PATH=$ROOT/usr/lib "$BATS_TEST_TMPDIR/program")" = "$(cat "$TOP/core/VERSION")" ]
}

@test "a program links with the static library through pkg-config --static" {
	write_program
	# shellcheck disable=SC2046
	"$CC" -o "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/program.c" \
		$(installed_flags --static --cflags --libs | sed 's/-luprobe_multi/-l:libuprobe_multi.a/')
	! readelf -d "$BATS_TEST_TMPDIR/program" | grep -F libuprobe_multi.so
	[ "$("$BATS_TEST_TMPDIR/program")" = "$(cat "$TOP/core/VERSION")" ]
}

@test "nothing installed names the build tree" {
	! grep -rlF "$ROOT" "$ROOT/usr/lib/pkgconfig"
}

@test "the manual page has no mistakes that man reports" {
	command -v man >/dev/null || skip "man is not installed"
	run bash -c "LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Z '$ROOT/usr/share/man/man1/uprobe-multi.1' 2>&1 >/dev/null"
	[ -z "$output" ]
}

@test "uninstall removes all that install put there" {
	make -s -C "$TOP" BUILD="$UPM_BUILD" DESTDIR="$BATS_TEST_TMPDIR/other" PREFIX=/usr install
	make -s -C "$TOP" BUILD="$UPM_BUILD" DESTDIR="$BATS_TEST_TMPDIR/other" PREFIX=/usr uninstall
	run find "$BATS_TEST_TMPDIR/other" ! -type d
	[ -z "$output" ]
}
