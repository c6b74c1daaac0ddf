# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What is generated from the public header, and what the tests of all languages need:
# bindings/README.md.

# Debian's own interpreter, which tests/setup installs the packages for.
PYTHON ?= /usr/bin/python3

GENERATE := CC='$(CC)' $(PYTHON) -B bindings/generator/generate
GENERATOR := $(wildcard bindings/generator/*)

.PHONY: bindings
bindings:
	$(SETUP_PACKAGES) build test
	@$(GENERATE)

# Conformance in C.
CONFORMANCE := $(BUILD)/conformance
CONFORM_C   := bindings/conformance/c
MARSHALLING := bindings/conformance/marshalling
CONFORMERS  := $(addprefix $(CONFORMANCE)/c/,marshal layout adapter)
BUILD_CONFORMER = @mkdir -p $(@D) && $(CC) -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -Icore/include -I$(MARSHALLING) \
                  $(CFLAGS) -o $@ $(filter %.c %.a,$^) $(LDFLAGS)

$(CONFORMANCE)/c/marshal: $(CONFORM_C)/marshal.c $(MARSHALLING)/marshal.c $(MARSHALLING)/marshal.h
	$(BUILD_CONFORMER)
$(CONFORMANCE)/c/layout.c: $(HEADER) $(GENERATOR)
	@mkdir -p $(@D)
	@$(GENERATE) --layout >$@
$(CONFORMANCE)/c/layout: $(CONFORMANCE)/c/layout.c $(HEADER)
	$(BUILD_CONFORMER)
$(CONFORMANCE)/c/adapter: $(wildcard $(CONFORM_C)/adapter*.c) $(CONFORM_C)/adapter.h $(HEADER) $(STATIC)
	$(BUILD_CONFORMER) $(LIBS) $(CLI_LIBS) -pthread

# In Python: the package of this tree, importable without being installed.
ifneq ($(wildcard bindings/python/parity.toml),)
CONFORMERS += $(CONFORMANCE)/python/built
endif
$(CONFORMANCE)/python/built: $(wildcard bindings/python/*.py bindings/python/src/*/* $(MARSHALLING)/*) \
		bindings/conformance/python/build.py $(GENERATOR) $(HEADER) $(STATIC)
	@mkdir -p $(@D)
	@BUILD=$(BUILD) $(PYTHON) -B bindings/conformance/python/build.py $(@D) >$@.log 2>&1 || { cat $@.log; exit 1; }
	@touch $@

include bindings/rust.mk

tests: $(CONFORMERS)

# Speaks TAP, as tests/run wants it.
BATS += bindings/conformance/run
