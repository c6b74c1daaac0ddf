#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The command line: help, and what is refused with exit status 2.

load helpers

# Expect exit status 2, nothing on standard output, and this on standard error.
refuses() {
	local wanted=$1

	shift
	run --separate-stderr "$UPM" "$@"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *"$wanted"* ]]
}

@test "no arguments: usage, exit status 2" {
	refuses "Usage: uprobe-multi"
}

@test "help goes to standard output" {
	for help in "--help" "-h" "help" "list --help" "count --help" "attach -h" "check --help" \
		"latency --help" "trace -h" "pinned --help"; do
		run --separate-stderr "$UPM" $help
		[ "$status" -eq 0 ]
		[[ $output == Usage:\ uprobe-multi* ]]
		[ -z "$stderr" ]
	done
}

@test "help that can not be written is an error" {
	for help in "--help" "count --help" "list -h" "trace --usage" "--version"; do
		# shellcheck disable=SC2086
		run bash -c "'$UPM' $help 2>&1 >/dev/full"
		[ "$status" -eq 1 ]
		[ "$output" = "uprobe-multi: write to the standard output: No space left on device" ]
	done
}

@test "what the examples of the help mean is below one another" {
	examples=$("$UPM" --help | grep '^  uprobe-multi ')
	indents=$(sed -nE 's/^(  .*[^ ]  +)[^ ]+( [^ ]+)*$/\1/p' <<<"$examples" | awk '{ print length }')
	[ "$(wc -l <<<"$indents")" -eq "$(wc -l <<<"$examples")" ]
	[ "$(sort -u <<<"$indents" | wc -l)" -eq 1 ]
}

@test "help of count has examples and every option of the manual page" {
	run "$UPM" count --help
	[[ $output == *"Examples:"* ]]
	for option in --pid --output --json --debuginfo --no-debuginfo --debuginfod --all-matches --accept-unwinding --no-index \
		--duration --strict --backend --children --top --interval --sort --all \
		--demangle --no-demangle; do
		[[ $output == *"$option"* ]]
	done
}

# The long options that the help of a subcommand shows.
options_of() {
	"$UPM" "$1" --help | sed -nE 's/^ +(-., +)?(--[a-z-]+).*/\2/p' |
		grep -vE -- '^--(help|usage|version)?$' | sort -u
}

@test "manual page and completions have every option of every subcommand" {
	manual=$(sed 's/\\-/-/g' "$BATS_TEST_DIRNAME/../../docs/uprobe-multi.1")
	completion=$BATS_TEST_DIRNAME/../../core/cli/completion
	for subcommand in list count latency trace pinned attach check; do
		offered=$(bash -c 'source "$1"; _uprobe_multi_options "$2"' - \
			"$completion/uprobe-multi.bash" "$subcommand" | tr ' ' '\n')
		for option in $(options_of "$subcommand"); do
			grep -qE -- "Fl -${option#--}( |\$)" <<<"$manual"
			grep -qx -- "$option" <<<"$offered"
			grep -qE -- "$option([=)}']|\\[)" "$completion/_uprobe-multi"
		done
	done
}

@test "the version is that of the library" {
	run "$UPM" --version
	[ "$status" -eq 0 ]
	[ "$output" = "uprobe-multi $(cat "$BATS_TEST_DIRNAME/../../core/VERSION")" ]
	run "$UPM" count --version
	[ "$status" -eq 0 ]
}

@test "an unknown command is refused by name" {
	refuses "run frobnicate: no such command" frobnicate
}

@test "a spec in place of a command gets a hint" {
	refuses "for example: uprobe-multi count SPEC" 'libc.so.6:*'
}

@test "unknown options are refused" {
	refuses "--frobnicate" count --frobnicate libc.so.6:malloc
	refuses "invalid option -- 'd'" list -d 1 libc.so.6:malloc
	refuses "unrecognized option" list --strict libc.so.6:malloc
	refuses "unrecognized option" attach --children x.o
	refuses "invalid option -- 'p'" check -p 1
}

@test "missing arguments are refused" {
	refuses "no SPEC given" list
	refuses "no SPEC given" count -d 1
	refuses "no BPF object given" attach
	refuses "no SPEC given" latency --json
	refuses "no SPEC given" trace --args '(int)'
	refuses "show takes one NAME" pinned show
	refuses "show takes one NAME" pinned show one two
	refuses "remove takes a NAME" pinned remove
	refuses "choose list, show or remove" pinned forget it
	refuses "no COMMAND" count libc.so.6:malloc --
	refuses "takes no argument" check libc.so.6:malloc
	refuses "takes no COMMAND" check -- true
}

@test "bad values are refused and named" {
	refuses "-p x" count -p x libc.so.6:malloc
	refuses "-p 1,,2" count -p 1,,2 libc.so.6:malloc
	refuses "-p -1" count -p -1 libc.so.6:malloc
	refuses "-p 99999999999" count -p 99999999999 libc.so.6:malloc
	refuses "-d soon: not a time" count -d soon libc.so.6:malloc
	refuses "-d 0: not a time" count -d 0 libc.so.6:malloc
	refuses "-d -3: not a time" count -d -3 libc.so.6:malloc
	refuses "-d nan: not a time" count -d nan libc.so.6:malloc
	refuses "-d 3e9: not a time from 1ms to 1e9 seconds" count -d 3e9 libc.so.6:malloc
	refuses "-i 0: not a time" count -i 0 libc.so.6:malloc
	refuses "-n many" count -n many libc.so.6:malloc
	refuses "--backend kprobe" count --backend kprobe libc.so.6:malloc
	refuses "--sort name" count --sort name libc.so.6:malloc
	refuses "--sort hits" latency --sort hits libc.so.6:malloc
	refuses "--split cpu" latency --split cpu libc.so.6:malloc
	refuses "--histogram -1" latency --histogram -1 libc.so.6:malloc
	refuses "--rows 0" latency --rows 0 libc.so.6:malloc
	refuses "--ring 16X" trace --ring 16X libc.so.6:malloc
	refuses "--ring 4G" trace --ring 4G libc.so.6:malloc
	refuses "--text 5000" trace --text 5000 libc.so.6:malloc
	refuses "--stacks 128" trace --stacks=128 libc.so.6:malloc
	refuses "--tid me" trace --tid me libc.so.6:malloc
	refuses "--comm ''" trace --comm '' libc.so.6:malloc
	refuses "-c 0" trace -c 0 libc.so.6:malloc
	refuses "--time noon" trace --time noon libc.so.6:malloc
	refuses "--verdict fine" list --verdict fine libc.so.6:malloc
}

@test "options that do not go together are refused" {
	refuses "--children needs" count --children libc.so.6:malloc
	refuses "--pin attaches and exits" attach --pin /sys/fs/bpf/x -d 1 x.o
	refuses "--pin attaches and exits" attach --pin /sys/fs/bpf/x x.o -- true
	refuses "--pin attaches and exits" count --pin x -d 1 libc.so.6:malloc
	refuses "--pin attaches and exits" trace --pin x libc.so.6:malloc -- true
	refuses "-c goes with pinned show" trace --pin x -c 5 libc.so.6:malloc
	refuses "--debuginfo and --no-debuginfo" list --debuginfo --no-debuginfo libc.so.6:malloc
	refuses "--debuginfod and --no-debuginfo" count --no-debuginfo --debuginfod libc.so.6:malloc
	refuses "--children needs" latency --children libc.so.6:malloc
	refuses "--folded and --json" trace --folded --json libc.so.6:malloc
}

@test "completions know the verdicts that --verdict knows, all of them" {
	run --separate-stderr "$UPM" list --verdict nonsense libc.so.6:malloc
	[ "$status" -eq 2 ]
	known=$(sed -n 's/.*no such verdict; choose one of: //p' <<<"$stderr" | tr ' ' '\n' | sort)
	[ "$(wc -l <<<"$known")" -ge 23 ]
	for file in uprobe-multi.bash _uprobe-multi; do
		verdicts=$(perl -0ne '/verdicts=[\x27(]([a-z0-9_\s]+)[\x27)]/ && print $1' \
			"$BATS_TEST_DIRNAME/../../core/cli/completion/$file")
		[ "$(xargs -n 1 <<<"$verdicts" | sort)" = "$known" ]
	done
}

@test "bash completes subcommands, options and values" {
	run bash -c '
		source "$1"
		complete_words() {
			COMP_WORDS=("$@")
			COMP_CWORD=$(($# - 1))
			_uprobe_multi
			echo "${COMPREPLY[@]}"
		}
		complete_words uprobe-multi co
		complete_words uprobe-multi count --strict --ba
		complete_words uprobe-multi count --backend p
		complete_words uprobe-multi list --verdict unp
		complete_words uprobe-multi latency --split t
		complete_words uprobe-multi trace --fo
		complete_words uprobe-multi pinned r
	' - "$BATS_TEST_DIRNAME/../../core/cli/completion/uprobe-multi.bash"
	[ "$status" -eq 0 ]
	[ "$output" = "count
--backend
perf
unprobeable
thread
--folded
remove" ]
}
