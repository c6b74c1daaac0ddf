#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Debian's own kernel, which has no multi links: the engine's tests in it, through perf events.
# kernel/vm/kernels has more kernels, for `make test-vm`.

bats_require_minimum_version 1.5.0

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
export UPM_BUILD=${UPM_BUILD:-$TOP/build}

@test "the engine falls back to perf events on Debian's 6.1" {
	if [ "$(uname -m)" != x86_64 ]; then
		skip "the kernels are for x86-64"
	fi
	for tool in qemu-system-x86_64 mkfs.ext4 dpkg-deb; do
		if ! command -v $tool >/dev/null; then
			skip "$tool is not installed"
		fi
	done
	if ! "$TOP/kernel/vm/fetch-image" 6.1; then
		skip "Debian's kernel 6.1 can not be downloaded"
	fi
	UPM_VM_TIMEOUT=240 run "$TOP/kernel/vm/run" fallback stock-6.1
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == *" passed, 0 failed, "* ]]
}
