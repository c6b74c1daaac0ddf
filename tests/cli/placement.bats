#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Placement over real programs: the same counts, function by function, at cheaper instructions.

load helpers

# The same run every time: addresses and hashes are fixed.
count_at() {
	local placement=$1 specs=$2 out=$3

	shift 3
	# shellcheck disable=SC2086 # several specs
	env PERL_HASH_SEED=0 LC_ALL=C "$UPM" count --json --placement "$placement" -o "$out" $specs -- \
		setarch -R "$@" >/dev/null 2>&1
}

# Compare hits at the entries, twice, with those at the sites. Functions that no two runs agree
# on prove nothing; there may be a few of them.
compare() {
	local specs=$1 least=$2

	shift 2
	cd "$BATS_TEST_TMPDIR" || return
	count_at exact "$specs" one "$@"
	count_at cheapest "$specs" cheap "$@"
	count_at exact "$specs" two "$@"
	jq -n --slurpfile one one --slurpfile two two --slurpfile cheap cheap '
		def hits(run): run[0].probes | map({key: "\(.path) \(.offset)", value: .hits}) | from_entries;
		hits($one) as $first | hits($two) as $second |
		[$cheap[0].probes[] | . + {key: "\(.path) \(.offset)"}] |
		{
			moved: map(select(.site != .offset and .hits > 0)) | length,
			steady: map(select($first[.key] == $second[.key] and $first[.key] > 0)) | length,
			unsteady: map(select($first[.key] != $second[.key])) | length,
			different: map(select($first[.key] == $second[.key] and $first[.key] != .hits) |
				"\(.symbol)+\(.site - .offset): \(.hits), not \($first[.key])")
		}' | tee sums
	jq -e --argjson least "$least" '
		.different == [] and .moved >= $least and .unsteady * 20 <= .steady' sums
}

@test "every function of glibc in perl" {
	# shellcheck disable=SC2016 # for perl
	compare 'libc.so.6:*' 30 perl -e 'my %h; $h{$_ % 97} .= sprintf "%d,", $_ for 1 .. 2000;
		print join " ", sort values %h; open my $f, "<", "/etc/services"; print reverse <$f>'
}

@test "every function of glibc and of sort" {
	compare 'libc.so.6:* sort:*' 30 sort -r /etc/services
}

@test "every function of libcrypto and glibc in openssl" {
	compare 'libcrypto.so.3:* libc.so.6:*' 100 openssl dgst -sha256 /etc/services
}

@test "every function of bash and of the dynamic loader" {
	# shellcheck disable=SC2016 # for that bash
	compare 'bash:* ld-linux-x86-64.so.2:*' 50 bash --norc -c \
		'for ((i = 0; i < 50; i++)); do x+=$((i * i)); [[ $x == *4* ]] && y=${x//4/5}; done; echo "$y"'
}

@test "most functions of glibc are at cheap instructions" {
	run --separate-stderr "$UPM" list --json 'libc.so.6:*'
	[ "$status" -eq 0 ]
	jq -e '[.probes[] | select(.verdict == "ok")] |
		(map(select(.site_cost != "stepped")) | length) >= 0.8 * length and
		(map(select(.cost != "stepped")) | length) < 0.5 * length' <<<"$output"
}

@test "list shows sites for each observer, and none when they are not wanted" {
	local known=$UPM_BUILD/target/known

	run --separate-stderr "$UPM" list "$known:endbr_push"
	[[ ${lines[1]} =~ \ emulated\ +\+4\ +ok\ +endbr_push\  ]]
	run --separate-stderr "$UPM" list --placement exact "$known:endbr_push"
	[[ ${lines[1]} =~ \ stepped\ +ok\ +endbr_push\  ]]
	run --separate-stderr "$UPM" list --json --observer latency "$UPM_BUILD/target/placed:placed_catches"
	jq -e '.probes[0] | .site == .offset and .site_cost == .cost' <<<"$output"
	run --separate-stderr "$UPM" list --json --observer count "$UPM_BUILD/target/placed:placed_catches"
	jq -e '.probes[0] | .site > .offset and .site_cost == "emulated" and .cost == "stepped"' <<<"$output"
}

@test "results tell the sites, and offsets stay those of the functions" {
	local placed=$UPM_BUILD/target/placed

	local out=$BATS_TEST_TMPDIR/out

	"$UPM" count --json -o "$out" "$placed:placed_branch" -- "$placed" <<<"work 5" >/dev/null
	jq -e '.probes[0] | .site > .offset and .site_cost == "emulated" and .hits > 5' "$out"
	"$UPM" trace --json --stacks -o "$out" "$placed:placed_branch" -- "$placed" <<<"work 5" >/dev/null
	jq -es 'map(select(.kind == "entry")) | length > 5 and
		all(.[].stack[0]; .symbol == "placed_branch" and .offset == 0)' "$out"
}

@test "placements that there are" {
	run "$UPM" count --placement somewhere libc.so.6:free
	[ "$status" -eq 2 ]
	[[ $output == *"choose cheapest or exact"* ]]
	run "$UPM" list --observer nobody libc.so.6:free
	[ "$status" -eq 2 ]
	[[ $output == *"choose count, latency or trace"* ]]
}

@test "the code of a process is as before" {
	start sleep 60
	sleeper=$!
	eventually is_running "$sleeper" sleep
	start "$UPM" count -p "$sleeper" 'libc.so.6:*'
	counter=$!
	eventually libc_is_changed "$sleeper"
	kill -INT "$counter"
	wait "$counter" || true
	libc_is_unchanged "$sleeper"
}
