# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The tests of the Python package: bindings/python/tests/suite, in an environment of their own with
# packages from the default index, which are kept in $(BUILD)/python.

PYTHON_TESTS := bindings/python/tests
PYTHON_READY := $(BUILD)/python/venv/ready

# Without a network the suite fails and says so; everything else can still be built and tested.
$(PYTHON_READY): $(PYTHON_TESTS)/requirements.txt $(PYTHON_TESTS)/prepare
	@BUILD=$(abspath $(BUILD)) PYTHON=$(PYTHON) $(PYTHON_TESTS)/prepare || true

tests: $(PYTHON_READY)
# What `make bench` reads events with, beside the library itself: bindings/python/bench.
bench-programs: $(PYTHON_READY) $(CONFORMANCE)/python/compiled
# As pip compiles what it installs.
$(CONFORMANCE)/python/compiled: $(CONFORMANCE)/python/built
	@$(PYTHON) -m compileall -q $(@D)/uprobe_multi
	@touch $@

# Speaks TAP, as tests/run wants it.
BATS += $(PYTHON_TESTS)/suite $(PYTHON_TESTS)/stories
