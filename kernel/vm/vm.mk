# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The tests in other kernels, under QEMU: docs/kernel-support.md has how, kernel/vm/kernels which.

KERNEL_NAMES = $(shell sed 's/\#.*//' kernel/vm/kernels | awk 'NF { print $$1 }')
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
	$(if $(filter-out $(KERNEL_NAMES),$(KERNEL)),$(error no kernel is named '$(filter-out $(KERNEL_NAMES),$(KERNEL))' in kernel/vm/kernels; there are: $(KERNEL_NAMES)))
	$(SETUP_PACKAGES) build test vm
	@echo "Building ..."
	@$(MAKE) --no-print-directory -s tests $(TARGET)/libmany-50000.so $(VM_PROGRAMS)

# Part of `make test`: what the engine does where there is no multi link, and what these scripts say.
BATS += tests/kernels/stock.bats tests/kernels/scripts.bats
