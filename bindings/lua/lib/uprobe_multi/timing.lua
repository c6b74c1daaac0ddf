-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- How slow.
local Handle = require "uprobe_multi.handle"
local Observer = require "uprobe_multi.observer"
local options = require "uprobe_multi.options"
local raw = require "uprobe_multi.core"
local words = require "uprobe_multi.words"

local KNOWN = options.with(options.ATTACH, {split = "string", most_rows = "integer"})

local timing = {BUCKETS = raw.UPM_LATENCY_BUCKETS}

--- What a bucket (from 1) counts: times from low_ns to below high_ns. The last has no end.
---@param bucket integer
---@return integer low_ns, integer high_ns
function timing.bucket_bounds(bucket)
  local _, low, high = raw.upm_latency_bucket(options.integer(bucket, "read a bucket", "bucket") - 1)
  return low, high
end

--- The calls of one probe, or of one probe in one process or thread. Times are in ns.
---@class uprobe_multi.LatencyRow
---@field probe uprobe_multi.Probe
---@field entries integer calls that began
---@field calls integer calls that returned: those of the histogram
---@field unreturned integer
---@field sum_ns integer
---@field min_ns integer 0 without calls
---@field max_ns integer
---@field pid integer when split by process or thread; else 0
---@field tid integer when split by thread; else 0
local LatencyRow = {}
LatencyRow.__index = LatencyRow
timing.LatencyRow = LatencyRow

--- The probe's name, with the process or thread that the row is of.
---@return string
function LatencyRow:name()
  local who = self.tid ~= 0 and " [thread " .. self.tid .. "]" or self.pid ~= 0 and " [process " .. self.pid .. "]" or ""
  return self.probe.name .. who
end

--- Average time of a call; 0 without calls.
---@return number
function LatencyRow:mean_ns()
  return self.calls == 0 and 0 or tonumber(self.sum_ns) / tonumber(self.calls)
end

--- The time in ns that a share (0 … 1) of the calls did not exceed, at most 1/16 off.
---@param share number
---@return integer
function LatencyRow:percentile(share)
  return self.snapshot:percentile(self.position, share)
end

--- Numbers of calls, one for each of timing.BUCKETS.
---@return integer[]
function LatencyRow:counts()
  return raw.upm_latency_snapshot_buckets(self.snapshot:use(), self.position - 1)
end

--- The buckets that have calls, tables of low_ns, high_ns and calls.
function LatencyRow:buckets()
  local found = {}
  for bucket, calls in ipairs(self:counts()) do
    if calls > 0 then
      local low, high = timing.bucket_bounds(bucket)
      found[#found + 1] = {low_ns = low, high_ns = high, calls = calls}
    end
  end
  return found
end

--- What a latency had measured at one moment: rows from 1 on. later - earlier is what came between
--- two, one + other adds two up.
---@class uprobe_multi.LatencySnapshot: uprobe_multi.Handle
---@field [integer] uprobe_multi.LatencyRow
local LatencySnapshot = Handle.class("LatencySnapshot", "snapshot", raw.upm_latency_snapshot_free)
timing.LatencySnapshot = LatencySnapshot

function LatencySnapshot.__index(self, key)
  if type(key) ~= "number" then
    return LatencySnapshot[key]
  end
  if key < 1 or key > self:size() then
    return nil
  end
  local _, row = raw.upm_latency_snapshot_get(self:use(), key - 1)
  row.probe = self.probe_set[row.probe + 1]
  row.snapshot, row.position = self, key
  return setmetatable(row, LatencyRow)
end

--- Number of rows.
---@return integer
function LatencySnapshot:size()
  return raw.upm_latency_snapshot_size(self:use())
end
LatencySnapshot.__len = LatencySnapshot.size

--- for row in snapshot:rows() do
---@return fun(): uprobe_multi.LatencyRow?
function LatencySnapshot:rows()
  local index = 0
  return function()
    index = index + 1
    return self[index]
  end
end

--- The first row of a function; nil when there is none.
---@param symbol string
---@return uprobe_multi.LatencyRow?
function LatencySnapshot:row(symbol)
  for row in self:rows() do
    if row.probe.symbol == symbol or row.probe.name == symbol then
      return row
    end
  end
end

--- CLOCK_MONOTONIC at the reading.
---@return integer
function LatencySnapshot:time_ns()
  return raw.upm_latency_snapshot_time_ns(self:use())
end

--- Calls that are in no row, because there was no room for one more row.
---@return integer
function LatencySnapshot:lost()
  return raw.upm_latency_snapshot_lost(self:use())
end

--- The time in ns that a share (0 … 1) of the calls of a row did not exceed.
---@return integer
function LatencySnapshot:percentile(row, share)
  return raw.upm_latency_snapshot_percentile(self:use(), options.integer(row, "read a row", "row") - 1, share)
end

local function wrapped(pointer, set)
  local snapshot = Handle.wrap(LatencySnapshot, pointer)
  snapshot.probe_set = set
  return snapshot
end

local function both(function_, one, other)
  local _, pointer = function_(one:use(), Handle.use_as(LatencySnapshot, other, "combine snapshots"))
  return wrapped(pointer, one.probe_set)
end

function LatencySnapshot.__add(one, other)
  return both(raw.upm_latency_snapshot_merge, one, other)
end

function LatencySnapshot.__sub(later, earlier)
  return both(raw.upm_latency_snapshot_diff, later, earlier)
end

--- A line a row, the most time in all first.
---@return string
function LatencySnapshot:report()
  local rows, lines = {}, {}
  for row in self:rows() do
    rows[#rows + 1] = row
  end
  table.sort(rows, function(one, other) return one.sum_ns > other.sum_ns end)
  for at, row in ipairs(rows) do
    lines[at] = ("%10d calls  p50 %d ns  p99 %d ns  max %d ns  %s"):format(row.calls, row:percentile(0.5),
      row:percentile(0.99), row.max_ns, row:name())
  end
  return table.concat(lines, "\n")
end

function LatencySnapshot:describe(name)
  return ("<%s: %d rows>"):format(name, self:size())
end

--- Measures calls from entry to return: made by latency().
---@class uprobe_multi.Latency: uprobe_multi.Observer
local Latency = Handle.class("Latency", "latency", raw.upm_observer_free, Observer)
timing.Latency = Latency

function Latency.from(pointer)
  return Handle.wrap(Latency, pointer)
end

--- What has been measured so far.
---@return uprobe_multi.LatencySnapshot
function Latency:snapshot()
  local _, pointer = raw.upm_latency_read(self:use())
  return wrapped(pointer, self:probes())
end

--- Measure the time from the entry of functions to their return.
---@param wanted uprobe_multi.ProbeSet|string|string[] a set, or specs
---@param given uprobe_multi.AttachOptions? and split: "none", "process" or "thread"; most_rows
---@return uprobe_multi.Latency
function timing.latency(wanted, given)
  given = options.check(given, KNOWN, "latency")
  return Observer.start(Latency, raw.upm_latency, wanted, given, {
    split = words.number(words.split, given.split or "none", "split"), most_rows = given.most_rows or 0,
  })
end

return timing
