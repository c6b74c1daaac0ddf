-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- read_each.lua PROGRAM PID: reads the events of counted() with the iterator, as tests/bench/reader.c says, and adds up
-- their first argument.
local um = require "uprobe_multi"

local program, pid = arg[1], tonumber(arg[2])
local trace

io.stdout:setvbuf "line"
print "ready"
for line in io.lines() do
  local wanted = tonumber(line:match "^read (%d+)$")
  if not wanted then
    trace = um.trace(program .. ":counted", {pid = pid})
    print "attached"
  else
    local events, sum, start = 0, 0, os.clock()
    for event in trace:events {timeout = 1} do
      events = events + 1
      sum = sum + event[1]
      if events == wanted then
        break
      end
    end
    local spent = os.clock() - start
    trace:stop()
    print(('{"events": %d, "sum": %d, "lost": %d, "cpu_ns": %.0f}'):format(events, sum, trace:snapshot().lost, spent * 1e9))
    trace:close()
    trace = nil
  end
end
