# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# bash completion for uprobe-multi; installed as uprobe-multi among the bash completions.

_uprobe_multi_options()
{
	local common='--pid --output --json --help --usage --version'
	local resolve='--debuginfo --no-debuginfo --debuginfod --all-matches --accept-unwinding --no-index'
	local run='--duration --strict --backend --placement'
	local observer='--children --pin --demangle --no-demangle'
	local table='--top --interval --sort --all'

	case $1 in
	list) echo "$common $resolve --demangle --no-demangle --verdict --observer --placement" ;;
	count) echo "$common $resolve $run $observer $table" ;;
	latency) echo "$common $resolve $run $observer $table --split --rows --histogram" ;;
	trace)
		echo "$common $resolve $run $observer --args --returns --stacks --filter --comm" \
			'--tid --sample --rate --ring --text --folded --max-events --time'
		;;
	pinned)
		echo "--output --json --help --usage --version --demangle --no-demangle $table" \
			'--duration --follow --histogram --folded --max-events --time'
		;;
	attach) echo "$common $resolve $run --program --pin" ;;
	check) echo '--output --json --help --usage --version' ;;
	esac
}

_uprobe_multi_pids()
{
	local directory

	for directory in /proc/[0-9]*; do
		echo "${directory#/proc/}"
	done
}

_uprobe_multi_pinned()
{
	case $1 in
	pinned) echo 'list show remove' ;;
	show | remove) ls /sys/fs/bpf/uprobe_multi 2>/dev/null ;;
	esac
}

# The words before "--" are ours; behind it is a command with completions of its own.
_uprobe_multi_command_at()
{
	local i

	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			echo $((i + 1))
			return
		fi
	done
}

_uprobe_multi_values()
{
	local verdicts='ok unprobeable undefined data marker not_executable ambiguous no_match
		mid_instruction red_zone go_return not_entry foreign truncated semaphore conflict
		replaced unreadable refused process_gone vdso return_unsafe no_room'

	case $1 in
	-p | --pid) compgen -W "$(_uprobe_multi_pids)" -- "$2" ;;
	-o | --output) compgen -f -- "$2" ;;
	--pin) [[ ${COMP_WORDS[1]} != attach ]] || compgen -d -- "$2" ;;
	--backend) compgen -W 'auto multi perf' -- "$2" ;;
	--placement) compgen -W 'cheapest exact' -- "$2" ;;
	--observer) compgen -W 'count latency trace' -- "$2" ;;
	--sort)
		case ${COMP_WORDS[1]} in
		count) compgen -W 'hits rate' -- "$2" ;;
		latency) compgen -W 'total calls p99 max' -- "$2" ;;
		*) compgen -W 'hits rate total calls p99 max' -- "$2" ;;
		esac
		;;
	--split) compgen -W 'process thread' -- "$2" ;;
	--time) compgen -W 'start wall' -- "$2" ;;
	--histogram) compgen -W 'none' -- "$2" ;;
	--verdict) compgen -W "$verdicts" -- "$2" ;;
	-d | --duration | -i | --interval | -n | --top | --program | --rows | --args | --filter | --comm | \
		--tid | --sample | --rate | --ring | --text | -c | --max-events) ;;
	*) return 1 ;;
	esac
}

_uprobe_multi()
{
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local subcommands='list count latency trace pinned attach check --help --version'
	local command_at found

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$subcommands" -- "$current")
		return
	fi
	command_at=$(_uprobe_multi_command_at)
	if [[ -n $command_at ]]; then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$command_at"
		else
			mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
		fi
		return
	fi
	if found=$(_uprobe_multi_values "$before" "$current"); then
		:
	elif [[ $current == -* ]]; then
		found=$(compgen -W "$(_uprobe_multi_options "${COMP_WORDS[1]}")" -- "$current")
	elif [[ ${COMP_WORDS[1]} == pinned ]]; then
		found=$(compgen -W "$(_uprobe_multi_pinned "${COMP_WORDS[COMP_CWORD > 2 ? 2 : 1]}")" -- "$current")
	elif [[ ${COMP_WORDS[1]} != check ]]; then
		found=$(compgen -f -- "$current")
	fi
	if [[ -n $found ]]; then
		mapfile -t COMPREPLY <<<"$found"
	fi
}

complete -o filenames -F _uprobe_multi uprobe-multi
