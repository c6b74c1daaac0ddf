#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The runner of the conformance cases and the list of languages, tried with a language "twin" in a
# copy of the tree: what docs/adding-a-language.md promises, and that what is wrong is found.

load hub

setup() {
	COPY=$BATS_TEST_TMPDIR/tree
	mkdir -p "$COPY/bindings/twin" "$COPY/core" "$COPY/docs"
	cp -r "$TOP/core/include" "$COPY/core"
	cp -r "$TOP/bindings/generator" "$TOP/bindings/conformance" "$TOP/bindings/languages.toml" "$COPY/bindings"
	GENERATE=$COPY/bindings/generator/generate
	RUN=$COPY/bindings/conformance/run
	printf '\n[twin]\ntitle = "Twin"\nfolder = "bindings/twin"\n' >>"$COPY/bindings/languages.toml"
}

# The twin exists: all that the header has is in one file, which is raw layer and idiomatic one.
exists_with_adapter() {
	printf 'adapter = [%s]\n' "$1" >>"$COPY/bindings/languages.toml"
	"$CC" -E -P "$HEADER" | grep -o 'upm_[a-z_]*(' | tr -d '(' | sort -u >"$COPY/bindings/twin/all"
	{
		printf 'raw = ["all"]\nsources = ["all"]\n[idiomatic]\n'
		sed 's/.*/& = "twin.&"/' "$COPY/bindings/twin/all"
	} >"$COPY/bindings/twin/parity.toml"
}

# Replace the cases by one step and what it expects.
only_case() {
	rm "$COPY"/bindings/conformance/cases/*.json
	echo "[{\"name\": \"one\", \"steps\": [$1]}]" >"$COPY/bindings/conformance/cases/own.json"
}

@test "a language of the list that has no parity.toml is shown as not there, and is no hole" {
	"$PYTHON" -B "$GENERATE"
	grep -q '^Not there yet: .*Twin' "$COPY/docs/parity.md"
	run "$PYTHON" -B "$GENERATE" --holes
	[ -z "$output" ]
}

@test "a language with a parity.toml has its columns and takes the cases" {
	exists_with_adapter '"{build}/conformance/c/adapter"'
	"$PYTHON" -B "$GENERATE"
	grep -qF '| yes | `twin.upm_resolve` |' "$COPY/docs/parity.md"
	run "$PYTHON" -B "$GENERATE" --holes
	[ -z "$output" ]
	run "$RUN" names:
	[ "$status" -eq 0 ]
	[[ $output == *"ok 2 - names: the version, and the words for numbers (twin)"* ]]
}

@test "a language of several interpreters takes the cases in each" {
	exists_with_adapter '"{build}/conformance/c/adapter", "{variant}"'
	echo 'variants = ["twin-one", "twin-two"]' >>"$COPY/bindings/languages.toml"
	run "$RUN" names:
	[ "$status" -eq 0 ]
	[[ $output == *"(c)"*"(twin-one)"*"(twin-two)"* ]]
	[[ $output != *"(twin)"* ]]
}

@test "holes: no home, a home that is not used, a name that the header has not" {
	exists_with_adapter '"{build}/conformance/c/adapter"'
	sed -i '/^upm_resolve /d' "$COPY/bindings/twin/parity.toml"
	sed -i '/^upm_attach$/d' "$COPY/bindings/twin/all"
	echo 'upm_invented = "twin.invented"' >>"$COPY/bindings/twin/parity.toml"
	run "$PYTHON" -B "$GENERATE" --holes
	[[ $output == *"Twin: parity.toml has no home for upm_resolve"* ]]
	[[ $output == *"Twin: upm_attach is not in the raw layer"* ]]
	[[ $output == *"Twin: upm_attach is never called by the idiomatic layer"* ]]
	[[ $output == *"Twin: parity.toml has upm_invented, which the header has not"* ]]
	"$PYTHON" -B "$GENERATE"
	grep -q 'upm_resolve.*missing' "$COPY/docs/parity.md"
}

@test "topics that no test names, and numbers that are none" {
	exists_with_adapter '"{build}/conformance/c/adapter"'
	sed -i 's/^raw/tests = ["tests"]\nraw/' "$COPY/bindings/twin/parity.toml"
	echo 'topics 1, 2 and topic 99' >"$COPY/bindings/twin/tests"
	run "$COPY/bindings/conformance/topics" twin
	[[ $output == *"Twin: no test names topic 3, close"* ]]
	[[ $output == *"Twin: there is no topic 99"* ]]
	[[ $output != *"no test names topic 1,"* ]]
}

@test "an answer that is not that of C fails, and both are shown" {
	exists_with_adapter '"sh", "-c", "{build}/conformance/c/adapter | sed -u s/malloc/calloc/"'
	only_case '{"do": "demangle", "symbol": "malloc"}'
	run "$RUN"
	[ "$status" -eq 1 ]
	[[ $output == *"ok 1 - own: one (c)"*"not ok 2 - own: one (twin)"* ]]
	[[ $output == *'C:   {"ok":{"name":"malloc"}}'*'here: {"ok":{"name":"calloc"}}'* ]]
}

@test "an answer that is not expected fails also in C, and so does an error" {
	only_case '{"do": "demangle", "symbol": "malloc", "expect": {"name": {"$has": ["free"]}}}'
	run "$RUN"
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 - own: one (c)"*".name: 'malloc' is not"* ]]
	only_case '{"do": "resolve", "specs": ["nonsense"], "as": "set"}'
	run "$RUN"
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 - own: one (c)"*UPM_ERR_SPEC* ]]
}

@test "an adapter that ends" {
	exists_with_adapter '"false"'
	run "$RUN" "the version"
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 2 "*"the adapter of twin ended"* ]]
}

@test "an adapter that does not answer is given up, and ended" {
	exists_with_adapter '"sh", "-c", "echo $$ >twin.pid; exec sleep 600"'
	UPM_PATIENCE_SECONDS=1 run "$RUN" "the version"
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 2 "*"the adapter of twin did not answer"* ]]
	[ ! -e "/proc/$(cat "$COPY/twin.pid")" ]
}

@test "a descriptor that stays open fails" {
	exists_with_adapter "\"perl\", \"$BATS_TEST_TMPDIR/leaky\""
	cat >"$BATS_TEST_TMPDIR/leaky" <<-'END'
		$| = 1;
		while (<STDIN>) {
			push @kept, undef;
			open $kept[-1], "<", "/dev/null" if /demangle/;
			print /demangle/ ? "{\"ok\":{\"name\":\"malloc\"}}\n" : "{\"ok\":{}}\n";
		}
	END
	only_case '{"do": "demangle", "symbol": "malloc"}'
	UPM_SETTLE_SECONDS=0 run "$RUN"
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 2 "*"twin left descriptors open: "*"/dev/null"*"; 3 before"* ]]
}
