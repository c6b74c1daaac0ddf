# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# make          the library and the command, in build/
# make help     every target

BUILD    ?= build
VERSION  := $(shell cat core/VERSION)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

CC       ?= cc
CLANG    ?= clang
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wformat=2 -Wno-format-nonliteral
PACKAGES := libbpf libelf liblzma libpcre2-8
# What comes without a .pc file on Debian 12: Zydis, libiberty.
UNPACKAGED := -lZydis -liberty -ldl
CPPFLAGS += -D_GNU_SOURCE -Icore/include -Icore/src -Ikernel/bpf -DUPM_VERSION='"$(VERSION)"'
COMPILE   = $(CC) -std=gnu11 $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -fvisibility=hidden -fPIC \
            -pthread -MMD -MP
LIBS      = $(shell pkg-config --libs $(PACKAGES)) $(UNPACKAGED)
CLI_LIBS  = $(shell pkg-config --libs jansson)
TEST_LIBS = $(shell pkg-config --libs cmocka jansson)

LIB_SOURCES := $(wildcard core/src/*/*.c)
CLI_SOURCES := $(wildcard core/cli/*.c)
BPF_SOURCES := $(wildcard kernel/bpf/*.bpf.c)
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/obj/%.o)
CLI_OBJECTS := $(CLI_SOURCES:%.c=$(BUILD)/obj/%.o)
BPF_OBJECTS := $(BPF_SOURCES:kernel/bpf/%.c=$(BUILD)/bpf/%.o)

STATIC  := $(BUILD)/libuprobe_multi.a
SHARED  := $(BUILD)/libuprobe_multi.so
COMMAND := $(BUILD)/uprobe-multi

.PHONY: all
all: $(STATIC) $(SHARED) $(COMMAND)

$(STATIC): $(LIB_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(SHARED): $(LIB_OBJECTS) core/src/libuprobe_multi.map
	$(CC) -shared $(SANITIZE) -o $@.$(VERSION) $(LIB_OBJECTS) -Wl,-soname,libuprobe_multi.so.$(SOVERSION) \
	  -Wl,--version-script=core/src/libuprobe_multi.map -Wl,--exclude-libs,ALL -Wl,-z,defs \
	  $(LDFLAGS) $(LIBS) -pthread
	ln -sf libuprobe_multi.so.$(VERSION) $@.$(SOVERSION)
	ln -sf libuprobe_multi.so.$(VERSION) $@

$(COMMAND): $(CLI_OBJECTS) $(STATIC)
	$(CC) $(SANITIZE) -o $@ $^ $(LDFLAGS) $(LIBS) $(CLI_LIBS) -pthread

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# The BPF programs are embedded in the library: see core/src/observe/embedded.c.
$(BUILD)/bpf/%.bpf.o: kernel/bpf/%.bpf.c $(wildcard kernel/bpf/*.h)
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Werror -Ikernel/bpf \
	  -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<

$(BUILD)/obj/core/src/observe/embedded.o: $(BPF_OBJECTS)
$(BUILD)/obj/core/src/observe/embedded.o: CPPFLAGS += -DUPM_BPF_DIRECTORY='"$(abspath $(BUILD))/bpf"'

# Each tests/unit/NAME.c and tests/live/NAME.c is one cmocka program.
TEST_SOURCES  := $(wildcard tests/unit/*.c tests/live/*.c)
TEST_PROGRAMS := $(TEST_SOURCES:%.c=$(BUILD)/%)
$(TEST_PROGRAMS): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/obj/tests/support.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $^ $(LDFLAGS) $(LIBS) $(TEST_LIBS) -pthread
$(BUILD)/obj/tests/%.o: CPPFLAGS += -Itests

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
