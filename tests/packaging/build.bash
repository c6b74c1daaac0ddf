# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=bash
# Where the tests of this folder find things.

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
export UPM_BUILD=${UPM_BUILD:-$TOP/build}
HEADER=$TOP/core/include/uprobe_multi.h
MAP=$TOP/core/src/libuprobe_multi.map
CC=${CC:-cc} CXX=${CXX:-c++}
# The tests run make of their own: nothing of the make that runs them shall reach it.
unset MAKEFLAGS MAKELEVEL MFLAGS BUILD SETUP PREFIX DESTDIR
