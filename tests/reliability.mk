# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The long runs of what `make test` does in small: docs/reliability.md has their figures. And the
# same tests under instruments.

KILLS ?= 1000
LONG_TEST = $(AS_ROOT) UPM_TEST_TIMEOUT=7200 VERBOSE=1

.PHONY: faults kills
faults:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s targets $(BUILD)/tests/live/faults $(BUILD)/tests/bpf/sections.bpf.o
	@$(LONG_TEST) UPM_FAULTS=all tests/run $(abspath $(BUILD))/tests/live/faults
kills:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s all targets $(BUILD)/tests/live/kills
	@$(LONG_TEST) KILLS=$(KILLS) tests/run $(abspath $(BUILD))/tests/live/kills
