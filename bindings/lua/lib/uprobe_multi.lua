-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Probe user-space programs on Linux through one kernel link.
--
--     local um = require "uprobe_multi"
--
--     local probes = um.resolve("libc.so.6:*alloc", {pid = 1234})   -- what there is, each judged
--     local calls <close> = um.count(probes, {pid = 1234})          -- how often
--     um.sleep(10)
--     print(calls:snapshot())
--
-- count() says how often, latency() how slow, trace() with what; attach() takes BPF programs of your
-- own. What is asked for is attached or reported with a reason: see Probe.verdict. Errors are
-- objects: pcall() gives one with code, name, errno, operation, object, message and hint.
local attaching = require "uprobe_multi.attaching"
local check = require "uprobe_multi.checking"
local counting = require "uprobe_multi.counting"
local errors = require "uprobe_multi.errors"
local link = require "uprobe_multi.link"
local objects = require "uprobe_multi.objects"
local observer = require "uprobe_multi.observer"
local probes = require "uprobe_multi.probes"
local raw = require "uprobe_multi.core"
local resolving = require "uprobe_multi.resolving"
local sharing = require "uprobe_multi.sharing"
local symbols = require "uprobe_multi.symbols"
local timing = require "uprobe_multi.timing"
local tracing = require "uprobe_multi.tracing"
local words = require "uprobe_multi.words"

---@class uprobe_multi
local um = {
  VERSION = ("%d.%d.%d"):format(raw.UPM_VERSION_MAJOR, raw.UPM_VERSION_MINOR, raw.UPM_VERSION_PATCH),
  PIN_DIRECTORY = sharing.PIN_DIRECTORY,
  Batch = tracing.Batch,
  Count = counting.Count,
  CountSnapshot = counting.CountSnapshot,
  Event = tracing.Event,
  Latency = timing.Latency,
  LatencyRow = timing.LatencyRow,
  LatencySnapshot = timing.LatencySnapshot,
  Link = link.Link,
  Object = objects.Object,
  Observer = observer,
  Place = symbols.Place,
  Probe = probes.Probe,
  ProbeSet = probes.ProbeSet,
  Program = objects.Program,
  Symbolizer = symbols.Symbolizer,
  Trace = tracing.Trace,
  attach = attaching.attach,
  bucket_bounds = timing.bucket_bounds,
  check = check,
  count = counting.count,
  decimal = raw.decimal,
  demangle = probes.demangle,
  is_error = errors.is_error,
  last_error = errors.last,
  latency = timing.latency,
  list_pinned = sharing.list_pinned,
  open = sharing.open,
  open_link = link.open_link,
  resolve = resolving.resolve,
  status_name = errors.name,
  time_ns = raw.time_ns,
  trace = tracing.trace,
  unpin = sharing.unpin,
  unpin_link = link.unpin_link,
  wait = raw.wait,
  words = words,
}

--- Version of the C library that runs.
---@return string
function um.library_version()
  return raw.upm_version()
end

--- Do nothing for so long. A signal that Lua handles ends it.
---@param seconds number
function um.sleep(seconds)
  local last = tonumber(um.time_ns()) + seconds * 1e9
  local left = seconds
  while left > 0 do
    um.wait(-1, left)
    left = (last - tonumber(um.time_ns())) / 1e9
  end
end

return um
