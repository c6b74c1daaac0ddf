-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- luarocks make, in this folder: README.md says what it needs.
rockspec_format = "3.0"
package = "uprobe_multi"
version = "0.1.0-1"
source = {url = "file://."} -- of this tree: `luarocks make` fetches nothing
description = {
  summary = "Probe user-space programs on Linux through one kernel link",
  license = "LGPL-2.1-only OR BSD-2-Clause",
  labels = {"linux", "tracing"},
}
supported_platforms = {"linux"}
dependencies = {"lua >= 5.1, < 5.5"} -- 5.1 is LuaJIT
build = {
  type = "make",
  build_variables = {LUA_CFLAGS = "-I$(LUA_INCDIR)", CFLAGS = "$(CFLAGS)"},
  install_variables = {LUA_CFLAGS = "-I$(LUA_INCDIR)", INST_LIBDIR = "$(LIBDIR)", INST_LUADIR = "$(LUADIR)"},
  copy_directories = {"examples"},
}
