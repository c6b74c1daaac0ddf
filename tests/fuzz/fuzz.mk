# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Fuzzing of what reads text and bytes from outside: clang's libFuzzer, with the sanitizers.
# The corpus is generated (tests/fuzz/seeds.c) and stays in the build directory.

FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= usdt_notes usdt_arguments spec trace elf ldso_cache share \
                pattern maps jit events index debugdata resolve code

FUZZERS    := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
FUZZ_SEEDS := $(BUILD)/fuzz/seeds
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined

$(FUZZERS): $(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/look.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(LDFLAGS) $(LIBS) -pthread
$(FUZZ_SEEDS): $(BUILD)/obj/tests/fuzz/seeds.o
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $^ $(LDFLAGS)

.PHONY: fuzz fuzzers fuzz-run
fuzz:
	$(SETUP_PACKAGES) build fuzz
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)-fuzz CC=$(CLANG) SANITIZE='$(FUZZ_FLAGS)' \
	  CFLAGS='-O1 -g -fno-omit-frame-pointer' fuzz-run
fuzzers: $(FUZZERS) $(FUZZ_SEEDS)
fuzz-run: fuzzers
	@$(FUZZ_SEEDS) $(BUILD)/fuzz/corpus $(FUZZ_TARGETS)
	@for target in $(FUZZ_TARGETS); do \
	  log=$(BUILD)/fuzz/$$target.log; \
	  $(BUILD)/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=60 -max_len=8192 -verbosity=0 \
	    -print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/$$target- $(BUILD)/fuzz/corpus/$$target \
	    >$$log 2>&1 || { tail -n 50 $$log; echo "$$target: FAILED, see $$log"; exit 1; }; \
	  awk -v target=$$target -v seconds=$(FUZZ_SECONDS) '/number_of_executed_units/ \
	    { print target ": " $$2 " runs in " seconds " s, nothing found" }' $$log; \
	done
