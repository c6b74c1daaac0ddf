# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What is generated from the public header: bindings/README.md.

# Debian's own interpreter, which tests/setup installs the packages for.
PYTHON ?= /usr/bin/python3

.PHONY: bindings
bindings:
	$(SETUP_PACKAGES) build test
	@CC='$(CC)' $(PYTHON) -B bindings/generator/generate
