#!/usr/bin/env lua
-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Which files does a process open, with what result?
--
--     trace.lua PID [SECONDS]
local um = require "uprobe_multi"

local OPEN = "int open(char *path, int flags, unsigned mode)"
local pid, seconds = tonumber(arg[1]), tonumber(arg[2] or 5)

local ok, opens = pcall(um.trace, "libc.so.6:open64", {arguments = OPEN, returns = true, pid = pid})
if not ok then
  io.stderr:write("trace: ", tostring(opens), "\n")
  os.exit(1)
end
local last = um.time_ns() + seconds * 1e9
for event in opens:events {timeout = seconds} do
  print(event)
  if um.time_ns() > last then
    break
  end
end
local counts = opens:snapshot()
io.stderr:write(("%d hits, %d events, %d lost\n"):format(counts.hits, counts.events, counts.lost))
