#!/usr/bin/env lua
-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- How often does a process call the functions of a library?
--
--     count.lua PID SPEC [SECONDS]        count.lua 1234 'libc.so.6:*alloc' 5
local um = require "uprobe_multi"

local pid, spec, seconds = tonumber(arg[1]), arg[2], tonumber(arg[3] or 5)

local ok, calls = pcall(um.count, spec, {pid = pid})
if not ok then
  io.stderr:write("count: ", tostring(calls), "\n")
  os.exit(1)
end
um.sleep(seconds)
calls:stop()

for _, one in ipairs(calls:snapshot():top(20)) do
  print(("%12d  %s"):format(one.hits, one.probe.name))
end
for _, probe in ipairs(calls:skipped()) do
  io.stderr:write(("skipped: %s: %s: %s\n"):format(probe.name, probe.verdict, probe.reason))
end
