#!/usr/bin/env lua
-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- A count that outlives the process that began it.
--
--     pinned.lua start NAME PID SPEC      begin, pin it under a name, and exit
--     pinned.lua read NAME                from any process, as often as you like
--     pinned.lua stop NAME                remove it
--     pinned.lua list
local um = require "uprobe_multi"

local commands = {}

function commands.start(name, pid, spec)
  um.count(spec, {pid = tonumber(pid)}):pin(name)
end

function commands.read(name)
  print(um.open(name):snapshot())
end

function commands.stop(name)
  um.unpin(name)
end

function commands.list()
  for _, pinned in ipairs(um.list_pinned()) do
    print(("%s: %s of %d probes, by %s"):format(pinned.name, pinned.kind, pinned.attached, pinned.creator))
  end
end

local ok, problem = pcall(commands[arg[1]], arg[2], arg[3], arg[4])
if not ok then
  io.stderr:write("pinned: ", tostring(problem), "\n")
  os.exit(1)
end
