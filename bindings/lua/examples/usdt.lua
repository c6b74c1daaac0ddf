#!/usr/bin/env lua
-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Which statically defined tracing probes has a program, and what do they tell?
--
--     usdt.lua BINARY [PID [SECONDS]]     with a PID: their events
local um = require "uprobe_multi"

local binary, pid, seconds = arg[1], tonumber(arg[2]), tonumber(arg[3] or 5)

local sites = um.resolve("usdt:" .. binary .. ":*:*", {pid = pid})
for _, site in sites:each() do
  local arguments = {}
  for at, argument in ipairs(site.arguments) do
    arguments[at] = argument.text
  end
  print(("%s at 0x%x: %s"):format(site.name, site.address, table.concat(arguments, ", ")))
end

if pid then
  local events = um.trace(sites, {pid = pid})
  um.sleep(seconds)
  events:stop()
  for event in events:events() do
    print(event)
  end
end
