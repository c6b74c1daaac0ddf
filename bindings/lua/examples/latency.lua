#!/usr/bin/env lua
-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- How slow are the functions of a process?
--
--     latency.lua PID SPEC [SECONDS]      latency.lua 1234 'libcrypto.so.3:EVP_*' 5
local um = require "uprobe_multi"

local pid, spec, seconds = tonumber(arg[1]), arg[2], tonumber(arg[3] or 5)

local ok, times = pcall(um.latency, spec, {pid = pid})
if not ok then
  io.stderr:write("latency: ", tostring(times), "\n")
  os.exit(1)
end
um.sleep(seconds)
times:stop()

local rows = {}
for row in times:snapshot():rows() do
  rows[#rows + 1] = row
end
table.sort(rows, function(one, other) return one.sum_ns > other.sum_ns end)
print(("%10s %12s %12s %12s"):format("calls", "p50 ns", "p99 ns", "max ns"))
for _, row in ipairs(rows) do
  print(("%10d %12d %12d %12d  %s"):format(row.calls, row:percentile(0.5), row:percentile(0.99), row.max_ns, row:name()))
end
