# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The tests: C programs (unit, live), the target they look at, BPF objects, and .bats files.

TEST_LIBS = $(shell pkg-config --libs cmocka jansson)

# Each tests/unit/NAME.c and tests/live/NAME.c is one cmocka program. Those of tests/vm/ are about
# kernels that few machines run: `make test-vm` runs them, not `make test`.
TEST_SOURCES  := $(wildcard tests/unit/*.c tests/live/*.c)
VM_SOURCES    := $(wildcard tests/vm/*.c)
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(TEST_SOURCES) $(VM_SOURCES))
SAMPLE        := $(BUILD)/tests/packaging/sample
TEST_SUPPORT  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/*.c))
$(TEST_PROGRAMS) $(SAMPLE): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_SUPPORT) $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) $(STATIC) $(LDFLAGS) $(LIBS) $(TEST_LIBS) -pthread
$(BUILD)/obj/tests/%.o: CPPFLAGS += -Itests
$(BUILD)/tests/live/oracle: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/oracle/*.c))
$(BUILD)/tests/live/faults: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/faults/*.c))

TEST_BPF := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%.o,$(wildcard tests/bpf/*.bpf.c))
$(BUILD)/tests/bpf/%.bpf.o: tests/bpf/%.bpf.c $(wildcard tests/bpf/*.h)
	@mkdir -p $(@D)
	$(COMPILE_BPF) -c -o $@ $<

# The shared test target: tests/target/known.c has its commands. It is compiled the same
# way whatever CFLAGS and sanitizers the rest is built with, so that its functions keep their shapes.
TARGET         := $(BUILD)/target
TARGET_SOURCE  := tests/target
COMPILE_TARGET := $(CC) -std=gnu11 -O2 -g -Wall -Wextra -pthread -fPIC -fcf-protection=none
TARGETS        := $(TARGET)/known $(TARGET)/timed $(TARGET)/traced $(TARGET)/placed $(TARGET)/libforeign.so \
                  $(TARGET)/libmany-9000.so $(TARGET)/libten.so

$(TARGET)/known: $(addprefix $(TARGET)/obj/,known.o known_functions.o shapes.o twice_a.o twice_b.o \
		instructions.o cxx.o) $(TARGET)/libknown.so $(TARGET)/libversions.so
	$(CXX) -pthread -o $@ $^ -ldl -Wl,-rpath,'$$ORIGIN'
$(TARGET)/timed: $(TARGET)/obj/timed.o $(TARGET)/obj/throws.o
	$(CXX) -pthread -o $@ $^
$(TARGET)/traced: $(TARGET)/obj/traced.o
	$(CC) -pthread -o $@ $<
# With endbr64, and with rare parts in a section of their own.
$(TARGET)/placed: $(TARGET_SOURCE)/placed.c
	@mkdir -p $(@D)
	$(COMPILE_TARGET) -fcf-protection=full -freorder-blocks-and-partition -o $@ $<
# What may throw or switch stacks is refused return probes: so each of these in a program of its own.
DELICATE := $(addprefix $(TARGET)/delicate,-c -cxx -turns -go)
TARGETS  += $(DELICATE)
$(DELICATE): $(TARGET)/obj/delicate.o
	$(CXX) -o $@ $^ -ldl
$(TARGET)/delicate-c: CXX := $(CC)
$(TARGET)/delicate-cxx: $(TARGET)/obj/delicate_throws.o
$(TARGET)/delicate-turns: $(TARGET)/obj/delicate_turns.o
# No Go compiler is asked for: the mark of one does.
$(TARGET)/delicate-go: $(TARGET)/obj/delicate_go.o
$(TARGET)/obj/delicate.o $(TARGET)/obj/delicate_turns.o $(TARGET)/obj/delicate_throws.o: $(TARGET_SOURCE)/delicate.h
$(TARGET)/libknown.so: $(TARGET)/obj/shared_functions.o
	$(CC) -shared -o $@ $< -Wl,-soname,$(@F)
$(TARGET)/libten.so: $(TARGET)/obj/ten.o
	$(CC) -shared -nostdlib -s -o $@ $< -Wl,-soname,$(@F) -Wl,-z,noseparate-code
$(TARGET)/libversions.so: $(TARGET)/obj/versions.o $(TARGET_SOURCE)/versions.map
	$(CC) -shared -o $@ $< -Wl,-soname,$(@F) -Wl,--version-script=$(TARGET_SOURCE)/versions.map
# 32-bit code without a 32-bit C library.
$(TARGET)/libforeign.so: $(TARGET_SOURCE)/foreign.c
	@mkdir -p $(@D)
	$(CC) -m32 -O2 -Wall -Wextra -shared -fPIC -nostdlib -o $@ $< -Wl,-soname,$(@F)

$(TARGET)/obj/known_functions.o $(TARGET)/obj/shared_functions.o: $(TARGET)/obj/%_functions.o: \
		$(TARGET_SOURCE)/functions.c
	@mkdir -p $(@D)
	$(COMPILE_TARGET) -D'FUNCTION(number)=$*_##number' -DTABLE=$*_table -c -o $@ $<
$(TARGET)/obj/twice_a.o $(TARGET)/obj/twice_b.o: $(TARGET)/obj/twice_%.o: $(TARGET_SOURCE)/twice.c
	@mkdir -p $(@D)
	$(COMPILE_TARGET) -DCALL=call_twice_of_$* -c -o $@ $<
COMPILE_TARGET_CXX := $(CXX) -std=c++17 -O2 -g -Wall -Wextra -fPIC -fcf-protection=none
$(TARGET)/obj/cxx.o: $(TARGET_SOURCE)/shapes.cc
	@mkdir -p $(@D)
	$(COMPILE_TARGET_CXX) -c -o $@ $<
$(TARGET)/obj/throws.o: $(TARGET_SOURCE)/throws.cc
	@mkdir -p $(@D)
	$(COMPILE_TARGET_CXX) -c -o $@ $<
$(TARGET)/obj/delicate_throws.o: $(TARGET_SOURCE)/delicate_throws.cc
	@mkdir -p $(@D)
	$(COMPILE_TARGET_CXX) -c -o $@ $<
$(TARGET)/obj/%.o: $(TARGET_SOURCE)/%.c
	@mkdir -p $(@D)
	$(COMPILE_TARGET) -c -o $@ $<
$(TARGET)/obj/%.o: $(TARGET_SOURCE)/%.S
	@mkdir -p $(@D)
	$(COMPILE_TARGET) -c -o $@ $<
$(TARGET)/obj/known.o $(TARGET)/obj/shapes.o $(TARGET)/obj/cxx.o $(TARGET)/obj/versions.o: $(TARGET_SOURCE)/known.h
$(TARGET)/obj/traced.o: $(TARGET_SOURCE)/traced.h
$(TARGET)/obj/traced.o: COMPILE_TARGET += -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls -fno-shrink-wrap

# The target of USDT tests, from each compiler at each level: USDT_TARGETS.
USDT_LEVELS  := O0 O1 O2 O3
USDT_TARGETS := $(foreach level,$(USDT_LEVELS),$(TARGET)/usdt-gcc-$(level) $(TARGET)/usdt-clang-$(level)) \
                $(TARGET)/usdt-gcc-fixed
TARGETS      += $(USDT_TARGETS)
USDT_SOURCES := $(addprefix $(TARGET_SOURCE)/,usdt_main.c usdt_forms.c usdt_forms.h)
define USDT_COMPILE
	@mkdir -p $(TARGET)/obj/$(@F)
	$(1) -c -o $(TARGET)/obj/$(@F)/main.o $(TARGET_SOURCE)/usdt_main.c
	$(1) -c -o $(TARGET)/obj/$(@F)/usual.o -DCONSTRAINT=usual -DCONSTANTS $(TARGET_SOURCE)/usdt_forms.c
	$(1) -c -o $(TARGET)/obj/$(@F)/registers.o -DCONSTRAINT=registers -DSTAP_SDT_ARG_CONSTRAINT=r -DCONSTANTS \
	  $(TARGET_SOURCE)/usdt_forms.c
	$(1) -c -o $(TARGET)/obj/$(@F)/memory.o -DCONSTRAINT=memory -DSTAP_SDT_ARG_CONSTRAINT=m $(TARGET_SOURCE)/usdt_forms.c
	$(1) -o $@ $(TARGET)/obj/$(@F)/*.o
endef
$(TARGET)/usdt-gcc-%: $(USDT_SOURCES)
	$(call USDT_COMPILE,$(CC) -std=gnu11 -$* -g -Wall -Wextra -pthread)
$(TARGET)/usdt-clang-%: $(USDT_SOURCES)
	$(call USDT_COMPILE,$(CLANG) -std=gnu11 -$* -g -Wall -Wextra -pthread)
$(TARGET)/usdt-gcc-fixed: $(USDT_SOURCES)
	$(call USDT_COMPILE,$(CC) -std=gnu11 -O2 -g -Wall -Wextra -pthread -fno-pie -no-pie)

# Programs for the interpreters of tests/live/usdt_jvm.c, usdt_python.c and latency_real.c.
TARGETS += $(TARGET)/UsdtWork.java $(TARGET)/usdt_work.py $(TARGET)/latency_work.py
$(TARGET)/%.java: $(TARGET_SOURCE)/%.java
	@mkdir -p $(@D)
	cp $< $@
$(TARGET)/%.py: $(TARGET_SOURCE)/%.py
	@mkdir -p $(@D)
	cp $< $@

# tests/target/many.awk: a library of so many functions.
$(TARGET)/libmany-%.so: $(TARGET_SOURCE)/many.awk
	@mkdir -p $(@D)
	awk -v functions=$* -f $< >$(TARGET)/many-$*.s
	$(CC) -shared -nostdlib -o $@ $(TARGET)/many-$*.s -Wl,-soname,$(@F)
	@rm $(TARGET)/many-$*.s

.PHONY: targets tests
targets: $(TARGETS)
tests: all targets $(TEST_PROGRAMS) $(SAMPLE) $(TEST_BPF)

# Live tests attach probes: as root, and one after another.
AS_ROOT   = $(if $(filter 0,$(shell id -u)),,sudo -E) env UPM_BUILD=$(abspath $(BUILD)) CC='$(CC)' CXX='$(CXX)' MAKE='$(MAKE)' MAKEFLAGS=
BATS     := $(sort $(wildcard tests/packaging/*.bats tests/bindings/*.bats tests/cli/*.bats))

.PHONY: test
test:
	$(SETUP_PACKAGES) build test
	@echo "Building ..."
	@$(MAKE) --no-print-directory -s tests
	@$(AS_ROOT) tests/run $(addprefix $(abspath $(BUILD))/,$(TEST_SOURCES:%.c=%)) $(BATS)

ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined

.PHONY: asan asan-tests
asan:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)-asan SANITIZE='$(ASAN_FLAGS)' \
	  CFLAGS='-O1 -g -fno-omit-frame-pointer' asan-tests
asan-tests: targets $(TEST_PROGRAMS) $(TEST_BPF)
	@$(AS_ROOT) ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1 \
	  UBSAN_OPTIONS=print_stacktrace=1 tests/run $(addprefix $(abspath $(BUILD))/,$(TEST_SOURCES:%.c=%))
