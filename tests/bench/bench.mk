# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The benchmarks: tests/bench/bench.c has what they measure and how.

BENCH         := $(BUILD)/tests/bench/bench
BENCH_SOURCES := $(wildcard tests/bench/*.c)
GENERATED     := $(foreach size,1 100 10000 50000 100000 1000000,$(TARGET)/libmany-$(size).so)
BENCH_OBJECTS := $(BENCH_SOURCES:%.c=$(BUILD)/obj/%.o)
$(BENCH): $(BENCH_OBJECTS) $(STATIC)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) $(LIBS) $(CLI_LIBS) -pthread

.PHONY: bench bench-programs
bench-programs: all targets $(BENCH) $(GENERATED)
bench:
	$(SETUP_PACKAGES) build test bench
	@echo "Building ..."
	@$(MAKE) --no-print-directory -s bench-programs
	@$(MAKE) --no-print-directory -s bench-rust-program || echo "Rust's peers can not be built and are left out."
	@$(AS_ROOT) $(BENCH) $(abspath $(BUILD))/bench.json
