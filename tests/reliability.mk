# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The long runs of what `make test` does in small: docs/reliability.md has their figures. And the
# same tests under instruments.

KILLS  ?= 1000
ORACLE ?= 1000000
LOAD_SECONDS ?= 120
LOAD_CYCLES  ?= 10000
LONG_TEST = $(AS_ROOT) UPM_TEST_TIMEOUT=7200 VERBOSE=1

.PHONY: faults kills oracle load
faults:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s targets $(BUILD)/tests/live/faults $(BUILD)/tests/bpf/sections.bpf.o
	@$(LONG_TEST) tests/faults/all $(abspath $(BUILD))/tests/live/faults $(abspath $(BUILD))/faults
kills:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s all targets $(BUILD)/tests/live/kills
	@$(LONG_TEST) KILLS=$(KILLS) tests/run $(abspath $(BUILD))/tests/live/kills
# At least so many distinct instructions are judged by the engine and by the kernel.
oracle:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s $(BUILD)/tests/live/oracle
	@$(LONG_TEST) ORACLE=$(ORACLE) tests/run $(abspath $(BUILD))/tests/live/oracle
# Readers in all languages at full speed; attach and detach again and again; many observers at once.
load:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s targets $(CONFORMERS) $(LUA_MODULES) $(BUILD)/tests/live/load
	@$(LONG_TEST) LOAD_SECONDS=$(LOAD_SECONDS) LOAD_CYCLES=$(LOAD_CYCLES) LOAD_OBSERVERS=100 \
	  tests/run tests/load/readers $(abspath $(BUILD))/tests/live/load
BATS += tests/load/readers

TSAN_TESTS     ?= unit/symbols unit/symbol_scan unit/resolve live/trace_ring live/trace_calls live/latency live/share live/perf
VALGRIND_TESTS ?= $(TEST_SOURCES:tests/%.c=%)
VALGRIND_TESTS := $(filter unit/%,$(VALGRIND_TESTS))

.PHONY: tsan tsan-tests valgrind coverage coverage-tests
tsan:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)-tsan SANITIZE=-fsanitize=thread CFLAGS='-O1 -g' tsan-tests
tsan-tests: all targets $(TEST_BPF) $(TSAN_TESTS:%=$(BUILD)/tests/%)
	@$(AS_ROOT) TSAN_OPTIONS=halt_on_error=0:exitcode=66 tests/run $(TSAN_TESTS:%=$(abspath $(BUILD))/tests/%)

# One file for each test: tests/run takes programs.
valgrind:
	$(SETUP_PACKAGES) build test valgrind
	@$(MAKE) --no-print-directory -s tests
	@mkdir -p $(BUILD)/valgrind/unit
	@for name in $(VALGRIND_TESTS); do \
	  printf '#!/bin/sh\nexec valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite %s\n' \
	    "$(abspath $(BUILD))/tests/$$name" >$(BUILD)/valgrind/$$name; chmod +x $(BUILD)/valgrind/$$name; done
	@$(AS_ROOT) UPM_TEST_TIMEOUT=1800 tests/run $(VALGRIND_TESTS:%=$(abspath $(BUILD))/valgrind/%)

coverage:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)-coverage SANITIZE=--coverage CFLAGS='-O1 -g' coverage-tests
coverage-tests: all targets $(TEST_PROGRAMS) $(TEST_BPF)
	@$(AS_ROOT) UPM_TEST_TIMEOUT=900 tests/run $(addprefix $(abspath $(BUILD))/,$(TEST_SOURCES:%.c=%))
	@tests/coverage $(abspath $(BUILD))
