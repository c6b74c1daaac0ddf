#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Builds for musl what a static uprobe-agent needs beside the Rust crates: docs/agent.md.
#
#   static-libraries.sh SOURCES PREFIX
#
# SOURCES holds the folders that `apt-get source zlib xz-utils pcre2 elfutils binutils zydis` makes.
set -eu
if [ $# -ne 2 ] || [ ! -d "$1" ]; then
	echo "usage: $0 SOURCES PREFIX: SOURCES is the folder of the unpacked sources" >&2
	exit 2
fi
sources=$(realpath "$1")
mkdir -p "$2/lib" "$2/include"
prefix=$(realpath "$2")
machine=$(uname -m)
host=$machine-linux-musl
jobs=${JOBS:-$(nproc)}
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
export CC=musl-gcc CFLAGS="-O2 -fPIC -I$prefix/include"

# The one folder of a source, whatever its version.
source_of() {
	set -- "$sources/$1"-[0-9]*/
	if [ $# -ne 1 ] || [ ! -d "$1" ]; then
		echo "$0: not one folder fits $1: get the source, see the head of this script" >&2
		exit 1
	fi
	echo "${1%/}"
}

in_build() {
	mkdir -p "$objects/$1"
	cd "$objects/$1"
}

# compile ARCHIVE FLAGS FILE…
compile() {
	archive=$prefix/lib/$1
	flags=$2
	shift 2
	# shellcheck disable=SC2086 # flags are words
	printf '%s\n' "$@" | xargs -P "$jobs" -n 8 "$CC" $CFLAGS $flags -w -c
	rm -f "$archive"
	ar rcs "$archive" ./*.o
}

# What the kernel and Zycore offer is the same for every C library.
headers() {
	ln -sfn /usr/include/linux "$prefix/include/linux"
	ln -sfn /usr/include/asm-generic "$prefix/include/asm-generic"
	ln -sfn "/usr/include/$machine-linux-gnu/asm" "$prefix/include/asm"
	ln -sfn /usr/include/Zycore "$prefix/include/Zycore"
}

zlib() {
	from=$(source_of zlib)
	in_build zlib
	cp -r "$from/." .
	./configure --static --prefix="$prefix"
	make -j"$jobs" libz.a
	cp libz.a "$prefix/lib"
	cp zlib.h zconf.h "$prefix/include"
}

liblzma() {
	from=$(source_of xz-utils)
	in_build xz
	"$from/configure" --host="$host" --disable-shared --prefix="$prefix" --disable-nls --disable-xz \
		--disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-scripts --disable-doc
	make -j"$jobs" -C src/liblzma install
}

pcre2() {
	from=$(source_of pcre2)
	in_build pcre2
	"$from/configure" --host="$host" --disable-shared --prefix="$prefix"
	make -j"$jobs" libpcre2-8.la
	make install-libLTLIBRARIES install-nodist_includeHEADERS
}

libiberty() {
	from=$(source_of binutils)
	in_build libiberty
	"$from/libiberty/configure" --host="$host"
	make -j"$jobs" libiberty.a
	cp libiberty.a "$prefix/lib"
	mkdir -p "$prefix/include/libiberty"
	cp "$from"/include/*.h "$prefix/include/libiberty"
}

# configure of elfutils asks for what only its other libraries need.
libelf() {
	from=$(source_of elfutils)
	in_build elf
	cat >config.h <<-END
		#define PACKAGE_NAME "elfutils"
		#define HAVE_ERR_H 1
		#define HAVE_DECL_POWEROF2 1
		#define HAVE_DECL_REALLOCARRAY 1
		#define HAVE_VISIBILITY 1
		#define HAVE_FALLTHROUGH 1
		#include <eu-config.h>
	END
	cp "$from"/libelf/libelf.h "$from"/libelf/gelf.h "$from"/libelf/elf.h "$prefix/include"
	compile libelf.a "-std=gnu99 -D_GNU_SOURCE -DHAVE_CONFIG_H -DPIC -I. -I$from/lib -I$from/libelf" \
		"$from"/libelf/*.c "$from/lib/crc32.c" "$from/lib/next_prime.c"
}

zydis() {
	from=$(source_of zydis)
	in_build zydis
	cp -r "$from/include/Zydis" "$prefix/include"
	compile libZydis.a "-DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD -I$from/src" "$from"/src/*.c
}

headers
for library in zlib liblzma pcre2 libiberty libelf zydis; do
	"$library"
done
