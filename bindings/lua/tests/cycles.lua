-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- cycles.lua TIMES PROGRAM IDS: make handles and let the collector end them, so many times; print what grew.
-- The kernel objects of all cycles go to the file IDS, for ./remaining.
local support = require "support"
local um = require "uprobe_multi"

if jit then
  jit.off() -- what LuaJIT compiles, when it sees fit, is memory of Lua too
end
local times, program, ids = tonumber(arg[1]), arg[2], assert(io.open(arg[3], "w"))
local WARM = 30 -- cycles until everything that is kept has been made

local function note_kernel_objects()
  for name in require("lfs").dir "/proc/self/fdinfo" do
    local info = io.open("/proc/self/fdinfo/" .. name)
    for kind, id in (info and info:read "*a" or ""):gmatch "(%l+)_id:%s*(%d+)" do
      if kind == "link" or kind == "prog" or kind == "map" then
        ids:write(kind, " ", id, "\n")
      end
    end
    if info then
      info:close()
    end
  end
end

local function cycle(number)
  local set = um.resolve(program .. ":known_000[0-3]")
  local observer = number % 10 == 0 and um.trace(set) or um.count(set, {progress = function() end})
  if number % 10 == 0 then
    observer:read_batch(0)
    observer:next(0)
  end
  assert(not pcall(um.count, set, {progress = function() error "on purpose" end}))
  observer:hits()
  um.Symbolizer.new()
  note_kernel_objects()
  if number % 2 == 0 then
    observer:close()
  end
end

local function resident()
  return tonumber(io.open("/proc/self/status"):read("*a"):match "VmRSS:%s*(%d+)")
end

local function measured()
  support.collect()
  support.collect()
  return {descriptors = support.descriptors(), resident = resident(), lua = collectgarbage "count"}
end

local before
for number = 1, times do
  cycle(number)
  support.collect()
  if number == WARM then
    before = measured()
  end
end
local after = measured()
ids:close()
print(("descriptors %d, resident KiB %d, lua KiB %.0f"):format(after.descriptors - before.descriptors,
  after.resident - before.resident, after.lua - before.lua))
assert(after.descriptors <= before.descriptors, "descriptors")
assert(after.lua - before.lua < 32, "memory of Lua")
assert(after.resident - before.resident < 512, "memory")
