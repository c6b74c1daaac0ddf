# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# make          the library and the command, in build/
# make help     every target

BUILD     ?= build
VERSION   := $(shell cat core/VERSION)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

CC        ?= cc
CXX       ?= c++
CLANG     ?= clang
CFLAGS    ?= -O2 -g
WARNINGS  := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
             -Wvla -Wformat=2 -Wno-format-nonliteral
PACKAGES  := libbpf libelf liblzma libpcre2-8
# What comes without a .pc file on Debian 12: Zydis, libiberty.
UNPACKAGED := -lZydis -liberty -ldl
CPPFLAGS  += -D_GNU_SOURCE -Icore/include -Icore/src -Ikernel/bpf -DUPM_VERSION='"$(VERSION)"'
COMPILE    = $(CC) -std=gnu11 $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -fvisibility=hidden -fPIC \
             -pthread -MMD -MP
LIBS       = $(shell pkg-config --libs $(PACKAGES)) $(UNPACKAGED)
CLI_LIBS   = $(shell pkg-config --libs jansson)

LIB_SOURCES := $(wildcard core/src/*/*.c)
CLI_SOURCES := $(wildcard core/cli/*.c)
BPF_SOURCES := $(wildcard kernel/bpf/*.bpf.c)
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/obj/%.o)
CLI_OBJECTS := $(CLI_SOURCES:%.c=$(BUILD)/obj/%.o)
BPF_OBJECTS := $(BPF_SOURCES:kernel/bpf/%.c=$(BUILD)/bpf/%.o)

STATIC  := $(BUILD)/libuprobe_multi.a
SHARED  := $(BUILD)/libuprobe_multi.so
COMMAND := $(BUILD)/uprobe-multi
MAP     := core/src/libuprobe_multi.map
HEADER  := core/include/uprobe_multi.h

.DELETE_ON_ERROR:

.PHONY: all
all: $(STATIC) $(SHARED) $(COMMAND)

$(STATIC): $(LIB_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(SHARED): $(LIB_OBJECTS) $(MAP)
	$(CC) -shared $(SANITIZE) -o $@.$(VERSION) $(LIB_OBJECTS) -Wl,-soname,libuprobe_multi.so.$(SOVERSION) \
	  -Wl,--version-script=$(MAP) -Wl,--exclude-libs,ALL -Wl,-z,defs $(LDFLAGS) $(LIBS) -pthread
	ln -sf libuprobe_multi.so.$(VERSION) $@.$(SOVERSION)
	ln -sf libuprobe_multi.so.$(VERSION) $@

$(COMMAND): $(CLI_OBJECTS) $(STATIC)
	$(CC) $(SANITIZE) -o $@ $^ $(LDFLAGS) $(LIBS) $(CLI_LIBS) -pthread

$(BUILD)/obj/%.o: %.c $(BUILD)/checked
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# The BPF programs are embedded in the library: see core/src/observe/embedded.c.
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
COMPILE_BPF = $(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Werror -Ikernel/bpf -D__TARGET_ARCH_$(BPF_ARCH) \
              -I/usr/include/$(shell $(CC) -print-multiarch)
$(BUILD)/bpf/%.bpf.o: kernel/bpf/%.bpf.c $(wildcard kernel/bpf/*.h) $(BUILD)/checked
	@mkdir -p $(@D)
	$(COMPILE_BPF) -c -o $@ $<

$(BUILD)/obj/core/src/observe/embedded.o: $(BPF_OBJECTS)
$(BUILD)/obj/core/src/observe/embedded.o: CPPFLAGS += -DUPM_BPF_DIRECTORY='"$(abspath $(BUILD))/bpf"'

# Before anything is compiled: the compilers are there, and header and VERSION agree.
$(BUILD)/checked: core/VERSION $(HEADER)
	@mkdir -p $(@D)
	@for tool in $(firstword $(CC)) $(firstword $(CLANG)) pkg-config; do \
	  command -v $$tool >/dev/null || { echo "$$tool is missing: run 'make setup'" >&2; exit 1; }; \
	done
	@awk -v wanted=$(VERSION) '/^#define UPM_VERSION_M(AJOR|INOR)|^#define UPM_VERSION_PATCH/ \
	  { found = found dot $$3; dot = "." } END { if (found == wanted) exit; \
	  print "$(HEADER) says " found ", core/VERSION says " wanted > "/dev/stderr"; exit 1 }' $(HEADER)
	@touch $@

include tests/tests.mk tests/reliability.mk tests/fuzz/fuzz.mk tests/bench/bench.mk core/install.mk bindings/bindings.mk \
  bindings/python/python.mk bindings/lua/lua.mk kernel/vm/vm.mk

# SETUP=no: never install packages.
SETUP_PACKAGES = $(if $(filter no,$(SETUP)),@:,@tests/setup)

.PHONY: setup
setup:
	$(SETUP_PACKAGES) build test

.PHONY: demo
demo:
	$(SETUP_PACKAGES) build
	@echo "Building ..."
	@$(MAKE) --no-print-directory -s all
	@UPM_BUILD=$(BUILD) tests/demo/run

# The sources are the build's own, wherever they lie.
SHELL_SOURCES := tests/setup tests/run tests/coverage tests/demo/run .ci/run bindings/conformance/c/drift bindings/conformance/rust/drift \
                 bindings/generator/rust bindings/rust/tests/suite bindings/rust/agent/tests/suite \
                 bindings/rust/agent/static-libraries.sh \
                 bindings/conformance/lua/drift bindings/conformance/lua/run bindings/lua/tests/suite bindings/lua/tests/cycles \
                 $(filter-out %.mk kernel/vm/kernels kernel/vm/packages kernel/vm/config kernel/vm/guest,$(wildcard kernel/vm/* kernel/vm/guest/*))
C_SOURCES     := $(wildcard core/src/*/*.[ch] core/cli/*.[ch] core/include/*.h kernel/bpf/*.[ch] \
                   tests/*.[ch] tests/fuzz/*.[ch] tests/unit/*.[ch] tests/live/*.[ch] tests/vm/*.[ch] tests/oracle/*.[ch] tests/bench/*.[ch] tests/target/*.[ch] \
                   tests/bpf/*.[ch] bindings/conformance/*/*.[ch] bindings/lua/src/*.[ch])
LINTED        := $(LIB_SOURCES) $(CLI_SOURCES) $(wildcard tests/*.c tests/fuzz/*.c tests/unit/*.c tests/live/*.c tests/vm/*.c tests/oracle/*.c tests/bench/*.c \
                   bindings/conformance/*/*.c)
# One file a run: clang-tidy 14 finds unset va_lists in the second one.
TIDY_FLAGS     = -std=gnu11 -D_GNU_SOURCE -Icore/include -Icore/src -Ikernel/bpf -Itests -Ibindings/conformance/marshalling \
                 -DUPM_VERSION=\"$(VERSION)\" -DUPM_BPF_DIRECTORY=\"$(abspath $(BUILD))/bpf\"

.PHONY: lint lint-format lint-shell lint-cppcheck lint-tidy
lint:
	$(SETUP_PACKAGES) build test lint
	@$(MAKE) --no-print-directory -k lint-format lint-shell lint-cppcheck lint-tidy
lint-format:
	@clang-format --dry-run -Werror $(C_SOURCES)
lint-shell:
	@shellcheck -x -P SCRIPTDIR $(SHELL_SOURCES)
lint-cppcheck:
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
	  --suppressions-list=.cppcheck --library=posix -j2 -D_GNU_SOURCE \
	  '-DLIBBPF_OPTS(type, name, ...)=struct type name = {__VA_ARGS__}' \
	  '-DElfW(type)=Elf64_##type' '-Dbpf_object__for_each_program(at, object)=while ((at = bpf_object__next_program(object, at)))' \
	  -Icore/include -Icore/src -Ikernel/bpf -Itests -Ibindings/conformance/marshalling $(LINTED)
lint-tidy:
	@printf '%s\n' $(LINTED) | xargs -P2 -I{} sh -c 'clang-tidy --quiet {} -- $(TIDY_FLAGS) 2>/dev/null'

.PHONY: clean
clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-fuzz $(BUILD)-tsan $(BUILD)-coverage

.PHONY: help
help:
	@echo "make             the library and the command, in $(BUILD)/"
	@echo "make setup       install the packages that building and testing need"
	@echo "make demo        count every function of a running program and of its libc (as root)"
	@echo "make test        all tests; the last line sums them up (as root; VERBOSE=1 shows their output)"
	@echo "make asan        the C tests under the address and undefined-behaviour sanitizers"
	@echo "make fuzz        fuzz the parsers, FUZZ_SECONDS=$(FUZZ_SECONDS) for each of FUZZ_TARGETS"
	@echo "make faults      each allocation and each system call fails once (as root; half an hour)"
	@echo "make kills       end the command at random moments, KILLS=$(KILLS) times (as root)"
	@echo "make oracle      ORACLE=$(ORACLE) distinct instructions judged by the engine and by the kernel (as root)"
	@echo "make load        readers of all languages under full load for LOAD_SECONDS=$(LOAD_SECONDS), LOAD_CYCLES=$(LOAD_CYCLES) attaches (as root)"
	@echo "make test-vm     the tests in other kernels under QEMU, or in KERNEL=NAME of kernel/vm/kernels"
	@echo "make test-kernel-patch   the patched kernels: tests and stress, one with KASAN and lockdep"
	@echo "make tsan        tests with threads under the thread sanitizer"
	@echo "make valgrind    the unit tests under valgrind"
	@echo "make coverage    lines of core/src that the C tests run"
	@echo "make bench       measure against the raw system calls; writes $(BUILD)/bench.json (as root)"
	@echo "make soak        the agent while processes come and go, for SOAK_SECONDS=$(SOAK_SECONDS) (as root)"
	@echo "make bindings    regenerate what is made from the public header"
	@echo "make lint        clang-format, shellcheck, cppcheck, clang-tidy"
	@echo "make install     PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)"
	@echo "make uninstall   remove what install put there"
	@echo "make clean       remove $(BUILD)/ and $(BUILD)-asan/, -fuzz/, -tsan/, -coverage/"
	@echo "setup, demo, test, test-vm, fuzz, bench, soak, bindings and lint install missing packages; SETUP=no forbids it."

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
