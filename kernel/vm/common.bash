# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share: where things lie, the table of kernels, Debian's packages.

VM_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$VM_SOURCE/../.." && pwd)
UPM_BUILD=$(realpath -m "${UPM_BUILD:-$TOP/build}")
# What is fetched and built; it outlives a run.
VM=$UPM_BUILD/vm
export UPM_BUILD

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

say() {
	echo "${0##*/}: $*" >&2
}

# unpack TAR-OPTIONS...: on a full disk tar(1) has a line for each of 78,000 files; the first one will do.
unpack() {
	local error

	error=$(set -o pipefail && tar -x "$@" 2>&1 | sed -n 1p) || fail "can not unpack: $error"
}

# Fields of a kernel: name source patches config backend in. Comments and blank lines are not kernels.
kernels() {
	sed 's/#.*//' "$VM_SOURCE/kernels" | awk 'NF'
}

kernel_names() {
	kernels | awk '{ printf "%s%s", separator, $1; separator = " " }'
}

kernel_line() {
	kernels | awk -v name="$1" '$1 == name { print; found = 1; exit } END { exit !found }' ||
		fail "no kernel is named '$1' in kernel/vm/kernels; there are: $(kernel_names)"
}

# A line that lacks a field, or names a file that is not there, is told before the run.
check_kernel() {
	local line source backend rest

	line=$(kernel_line "$1") || exit 1
	read -r _ source _ _ backend rest <<<"$line"
	[[ -n $rest && $rest != *[[:blank:]]* ]] ||
		fail "kernel/vm/kernels: the line of '$1' does not have the six fields name, source, patches, config, backend, in"
	[[ $backend == uprobe_multi || $backend == perf_event ]] ||
		fail "kernel/vm/kernels: '$backend' of '$1' is no backend: uprobe_multi or perf_event"
	case $source in
	image:?* | source:?* | live) ;;
	file:?*) [ -f "${source#*:}" ] || fail "kernel/vm/kernels: there is no file '${source#*:}' for '$1'" ;;
	*) fail "kernel/vm/kernels: '$source' of '$1' is no source of a kernel: image:SERIES, source:SERIES, file:PATH or live" ;;
	esac
}

# Debian's newest package whose name matches: ABI numbers in names come and go, series stay.
newest_package() {
	apt-cache pkgnames | grep -Ex "$1" | sort -rV | while read -r name; do
		if apt-cache madison "$name" 2>/dev/null | grep -q .; then
			echo "$name"
			break
		fi
	done
}

update_packages() {
	local as_root=()

	[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
	say "reading Debian's list of packages ..."
	timeout 300 "${as_root[@]}" apt-get -qq update >&2
}

# Download the newest package whose name matches into the current folder; print the file's name.
# Lists of packages grow old: then the file is no longer there.
download() {
	local name

	for turn in first second; do
		name=$(newest_package "$1")
		if [ -n "$name" ] && timeout 900 apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 \
			download "$name" >&2; then
			ls -- "$name"_*.deb
			return
		fi
		[ $turn = second ] || update_packages || return 1
	done
	return 1
}
