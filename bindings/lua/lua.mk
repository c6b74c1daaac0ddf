# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The Lua module for each Lua, in $(BUILD)/conformance/lua/NAME, with the marshalling library
# bound by the same generator; and its tests.

LUAS          := lua5.4 lua5.3 luajit
LUA_FOLDER    := $(BUILD)/conformance/lua
LUA_CONFORM   := bindings/conformance/lua
LUA_MODULES   := $(LUAS:%=$(LUA_FOLDER)/%/built)
LUA_SOURCES   := $(wildcard bindings/lua/src/* bindings/lua/lib/*.lua bindings/lua/lib/*/*.lua)

# SWIG's output is the same for all of them.
$(LUA_FOLDER)/marshal_wrap.c: $(LUA_CONFORM)/marshal.i bindings/lua/src/typemaps.i $(MARSHALLING)/marshal.h $(GENERATOR)
	@mkdir -p $(@D)
	@$(GENERATE) --swig --header $(MARSHALLING)/marshal.h --prefix MARSHAL_ >$(@D)/marshal_functions.i
	swig -lua -nomoduleglobal -Ibindings/lua/src -I$(@D) -o $@ $<
$(LUA_MODULES): $(LUA_FOLDER)/%/built: $(LUA_SOURCES) $(LUA_FOLDER)/marshal_wrap.c bindings/lua/Makefile $(STATIC)
	@mkdir -p $(@D)
	@$(MAKE) --no-print-directory -s -C bindings/lua LUA=$* OUTPUT=$(abspath $(@D)) ENGINE=$(abspath $(STATIC))
	@$(CC) -O1 -Wno-unused-function -D_GNU_SOURCE -fvisibility=hidden -fPIC -shared -Ibindings/lua/src -I$(MARSHALLING) \
	  $$(pkg-config --cflags $*) -o $(@D)/uprobe_multi_marshal.so $(LUA_FOLDER)/marshal_wrap.c \
	  bindings/lua/src/convert.c bindings/lua/src/failures.c $(MARSHALLING)/marshal.c
	@touch $@

tests bench-programs: $(LUA_MODULES)
BATS += bindings/lua/tests/suite bindings/lua/tests/cycles
