#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The scripts of kernel/vm on a table of kernels of ours, with a QEMU that only writes a console.

bats_require_minimum_version 1.5.0

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
	TREE=$BATS_TEST_TMPDIR/tree
	export UPM_BUILD=$TREE/build PATH=$BATS_TEST_TMPDIR/bin:$PATH
	unset UPM_VM_MACHINES VERBOSE
	mkdir -p "$TREE/kernel" "$BATS_TEST_TMPDIR/bin" "$UPM_BUILD/vm"
	cp -r "$TOP/kernel/vm" "$TREE/kernel/vm"
	touch "$TREE/bzImage"
	kernel first "file:$TREE/bzImage" - - uprobe_multi vm
	kernel second "file:$TREE/bzImage" - - uprobe_multi vm
	printf '#!/bin/sh\necho root\n' >"$TREE/kernel/vm/rootfs"
	# The serial console of the machine, as kernel/vm/boot names it.
	cat >"$BATS_TEST_TMPDIR/bin/qemu-system-x86_64" <<-'END'
		#!/bin/bash
		for each in "$@"; do
			[[ $each != file:*.raw ]] || console=${each#file:}
		done
		echo $$ >>"$UPM_BUILD/machines"
		printf '%b' "$CONSOLE" >"$console"
		exec sleep "${MACHINE_SECONDS:-0}"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/qemu-system-x86_64"
	CONSOLE=$(console 0 1)
	export CONSOLE
}

kernel() {
	echo "$*" >>"$TREE/kernel/vm/kernels"
}

# console TAINT LOCKDEP [LINE]: what a run says that passed, with the kernel's state at its end
console() {
	printf '%s\\n' 'upm-vm: started on 6.1' 'upm-vm: before tainted 0 lockdep 1' 'upm-vm: kernel 6.1' \
		'upm-vm: backend uprobe_multi' "${@:3}" '7 passed, 0 failed, 1 skipped' "upm-vm: after tainted $1 lockdep $2" \
		'upm-vm: ended with 0 after 3 s'
}

run_kernels() {
	run --separate-stderr timeout 60 "$TREE/kernel/vm/run" full "$@"
	echo "$output"
	echo "$stderr"
}

@test "two kernels, one table" {
	run_kernels first second
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "14 passed, 0 failed, 2 skipped" ]
	[ "$(wc -l <"$UPM_BUILD/machines")" -eq 2 ]
}

@test "what can not be run is told before anything runs" {
	kernel short "file:$TREE/bzImage"
	kernel absent file:/nowhere/bzImage - - uprobe_multi vm
	kernel elsewhere disk:6.1 - - uprobe_multi vm
	kernel other "file:$TREE/bzImage" - - kprobes vm
	for each in nosuch short absent elsewhere other first; do
		run_kernels first "$each"
		[ "$status" -eq 1 ]
		[[ $stderr == *"$each"* ]]
		[ "$output" = "" ]
		[ ! -e "$UPM_BUILD/machines" ]
	done
	run_kernels
	[ "$status" -eq 1 ]
	[[ $stderr == *"first second"* ]]
	for each in 0 -1 many; do
		UPM_VM_MACHINES=$each run_kernels first
		[ "$status" -eq 1 ]
		[[ $stderr == *UPM_VM_MACHINES* ]]
	done
}

@test "a complaint of the kernel is a failure, also one that it only remembers" {
	CONSOLE=$(console 512 1) run_kernels first
	[ "$status" -eq 1 ]
	[[ $output == *"tainted itself: bit 512"* ]]
	CONSOLE=$(console 0 0) run_kernels first
	[ "$status" -eq 1 ]
	[[ $output == *"lockdep has complained"* ]]
	for each in 'WARNING: possible circular locking dependency detected' 'kernel BUG at mm/slub.c:379!' \
		'invalid opcode: 0000 [#1] PREEMPT SMP' 'BUG kmalloc-64 (Not tainted): Redzone overwritten' \
		'------------[ cut here ]------------' 'BUG: KASAN: slab-use-after-free in f'; do
		CONSOLE=$(console 0 1 "$each") run_kernels first
		[ "$status" -eq 1 ]
		[[ $output == *"kernel log, line 5:$each"* ]]
	done
}

@test "a machine that dies, one that hangs and one that was had no file system are told apart" {
	CONSOLE='upm-vm: started on 6.1\n' run_kernels first
	[ "$status" -eq 1 ]
	[[ $output == *"first: the kernel died"* ]]
	CONSOLE='upm-vm: started on 6.1\n' MACHINE_SECONDS=60 UPM_VM_TIMEOUT=1 run_kernels first
	[ "$status" -eq 1 ]
	[[ $output == *"first: the time was up"* ]]
	printf '#!/bin/sh\nexit 1\n' >"$TREE/kernel/vm/rootfs"
	run_kernels first
	[ "$status" -eq 1 ]
	[[ $output == *"first: the file system can not be made"* ]]
	[ "${lines[-1]}" = "0 passed, 1 failed, 0 skipped" ]
}

@test "a result that is lost is a failure" {
	printf '#!/bin/sh\nexit 1\n' >"$TREE/kernel/vm/row"
	run_kernels first second
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "0 passed, 2 failed, 0 skipped" ]
	UPM_BUILD=/dev/null/build run_kernels first
	[ "$status" -eq 1 ]
	[[ $stderr == *"can not be written"* ]]
}

@test "no machine outlives an interrupted run" {
	export MACHINE_SECONDS=300
	setsid env --default-signal=INT "$TREE/kernel/vm/run" full first second >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	run=$!
	for ((i = 0; i < 600; i++)); do
		[ "$(cat "$UPM_BUILD/machines" 2>/dev/null | wc -l)" -lt 1 ] || break
		sleep 0.1
	done
	machine=$(head -n 1 "$UPM_BUILD/machines")
	group=$(ps -o pgid= -p "$machine" | tr -d ' ')
	kill -INT -- "-$group"
	for ((i = 0; i < 600; i++)); do
		kill -0 "$machine" 2>/dev/null || kill -0 "$run" 2>/dev/null || break
		sleep 0.1
	done
	cat "$BATS_TEST_TMPDIR/out"
	! kill -0 "$machine" 2>/dev/null
}
