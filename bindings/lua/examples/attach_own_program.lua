#!/usr/bin/env lua
-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Attach a BPF program of your own to everything that a pattern names.
--
--     attach_own_program.lua OBJECT.bpf.o PROGRAM SPEC PID [SECONDS]
local um = require "uprobe_multi"

local path, program, spec, pid, seconds = arg[1], arg[2], arg[3], tonumber(arg[4]), tonumber(arg[5] or 5)

local ok, link = pcall(um.attach, path, spec, {name = program, pid = pid})
if not ok then
  io.stderr:write("attach: ", tostring(link), "\n")
  os.exit(1)
end
print(("%d probes attached in %.1f ms:"):format(link:attached_count(), link:attach_seconds() * 1e3))
for _, kernel_link in ipairs(link:kernel_links()) do
  print(("  link %d: %d probes in %s"):format(kernel_link.id, kernel_link.probes, kernel_link.path))
end
for _, probe in ipairs(link:skipped()) do
  print(("  skipped %s: %s"):format(probe.name, probe.reason))
end
um.sleep(seconds)
link:close()
