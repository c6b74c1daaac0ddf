#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The tests of every language show the same topics: bindings/conformance/topics.md.

load hub

@test "every topic is named by a test of every language that exists" {
	run "$TOP/bindings/conformance/topics"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}
