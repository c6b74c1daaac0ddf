# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The tests in other kernels, under QEMU: docs/kernel-support.md has how, kernel/vm/kernels which.

KERNELS_IN = $(shell sed 's/\#.*//' kernel/vm/kernels | awk '("," $$6 ",") ~ /,$(1),/ { print $$1 }')

# KERNEL=NAME: that one alone, or several in quotes.
.PHONY: test-vm
test-vm: vm-ready
	@$(AS_ROOT) kernel/vm/run full $(or $(KERNEL),$(call KERNELS_IN,vm))

# The patched kernels: the suite, and processes that come and go while probes do; no complaint in the log.
.PHONY: test-kernel-patch
test-kernel-patch: vm-ready
	@$(AS_ROOT) kernel/vm/run stress $(or $(KERNEL),$(call KERNELS_IN,patch))

.PHONY: vm-ready
vm-ready:
	$(SETUP_PACKAGES) build test vm
	@echo "Building ..."
	@$(MAKE) --no-print-directory -s tests $(TARGET)/libmany-50000.so $(VM_PROGRAMS)

# Part of `make test`: what the engine does where there is no multi link.
BATS += tests/kernels/stock.bats
