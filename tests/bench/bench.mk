# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The benchmarks: tests/bench/bench.c has what they measure and how.

BENCH         := $(BUILD)/tests/bench/bench
BENCH_SOURCES := $(wildcard tests/bench/*.c)
BENCH_OBJECTS := $(BENCH_SOURCES:%.c=$(BUILD)/obj/%.o)
$(BENCH): $(BENCH_OBJECTS) $(STATIC)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) $(LIBS) $(CLI_LIBS) -pthread

.PHONY: bench bench-programs
bench-programs: all targets $(BENCH) $(TARGET)/libmany-50000.so
bench:
	$(SETUP_PACKAGES) build test bench
	@echo "Building ..."
	@$(MAKE) --no-print-directory -s bench-programs
	@$(AS_ROOT) $(BENCH) $(abspath $(BUILD))/bench.json
