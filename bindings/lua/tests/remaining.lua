-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- remaining.lua FILE: prints the kernel objects of the lines "link 12", "prog 13", "map 14" that there still are, and
-- how many were asked for. For LuaJIT: system calls by its foreign-function interface.
local ffi = require "ffi"

ffi.cdef "long syscall(long number, ...); int close(int fd);"
local SYSTEM_CALL = ({x64 = 321, arm64 = 280})[jit.arch]
local COMMANDS = {prog = 13, map = 14, link = 30} -- BPF_*_GET_FD_BY_ID

local asked = 0
for line in io.lines(arg[1]) do
  local kind, id = line:match "^(%l+) (%d+)$"
  local attributes = ffi.new("uint32_t[8]", tonumber(id))
  local fd = tonumber(ffi.C.syscall(SYSTEM_CALL, ffi.cast("int", COMMANDS[kind]), attributes, ffi.cast("int", 32)))
  asked = asked + 1
  if fd >= 0 then
    print(line)
    ffi.C.close(fd)
  end
end
print(asked .. " asked for")
