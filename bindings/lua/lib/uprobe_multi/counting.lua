-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- How often.
local Handle = require "uprobe_multi.handle"
local Observer = require "uprobe_multi.observer"
local errors = require "uprobe_multi.errors"
local options = require "uprobe_multi.options"
local raw = require "uprobe_multi.core"

local counting = {}

--- The hits of each probe at one moment, or between two: later - earlier.
---@class uprobe_multi.CountSnapshot
---@field probes uprobe_multi.ProbeSet
---@field hits integer[] a number for each probe
---@field time_ns integer CLOCK_MONOTONIC at the reading
---@field seconds number between two readings; 0 for one
local CountSnapshot = {}
CountSnapshot.__index = CountSnapshot
counting.CountSnapshot = CountSnapshot

--- Hits of all probes.
---@return integer
function CountSnapshot:total()
  local sum = 0
  for _, hits in ipairs(self.hits) do
    sum = sum + hits
  end
  return sum
end

--- The probes with the most hits, of those that were hit: tables of probe and hits.
---@param most integer? 10
function CountSnapshot:top(most)
  local order, found = {}, {}
  for index, hits in ipairs(self.hits) do
    order[#order + 1] = hits > 0 and index or nil
  end
  table.sort(order, function(one, other)
    return self.hits[one] > self.hits[other] or self.hits[one] == self.hits[other] and one < other
  end)
  for at = 1, math.min(options.integer(most or 10, "find the top", "most"), #order) do
    found[at] = {probe = self.probes[order[at]], hits = self.hits[order[at]]}
  end
  return found
end

--- for probe, hits in snapshot:each() do
function CountSnapshot:each()
  local index = 0
  return function()
    index = index + 1
    if self.hits[index] then
      return self.probes[index], self.hits[index]
    end
  end
end

--- The hits of all probes of a symbol; nil when there is none.
---@param symbol string
---@return integer?
function CountSnapshot:of(symbol)
  local sum
  for probe, hits in self:each() do
    if probe.symbol == symbol or probe.name == symbol then
      sum = (sum or 0) + hits
    end
  end
  return sum
end

function CountSnapshot.__sub(later, earlier)
  local hits = {}
  if getmetatable(earlier) ~= CountSnapshot or #later.hits ~= #earlier.hits then
    errors.invalid("subtract snapshots", "", "they are of different probes")
  end
  for index, now in ipairs(later.hits) do
    hits[index] = now - earlier.hits[index]
  end
  return setmetatable({
    probes = later.probes, hits = hits, time_ns = later.time_ns,
    seconds = tonumber(later.time_ns - earlier.time_ns) / 1e9,
  }, CountSnapshot)
end

function CountSnapshot:__tostring()
  local lines = {}
  for _, one in ipairs(self:top(20)) do
    lines[#lines + 1] = ("%12d  %s"):format(one.hits, one.probe.name)
  end
  lines[#lines + 1] = ("%12d  in all"):format(self:total())
  return table.concat(lines, "\n")
end

--- Counts the hits of each probe: made by count().
---@class uprobe_multi.Count: uprobe_multi.Observer
local Count = Handle.class("Count", "count", raw.upm_observer_free, Observer)
counting.Count = Count

function Count.from(pointer)
  return Handle.wrap(Count, pointer)
end

--- The hits so far.
---@return uprobe_multi.CountSnapshot
function Count:snapshot()
  return setmetatable({probes = self:probes(), hits = self:hits(), time_ns = raw.time_ns(), seconds = 0}, CountSnapshot)
end

--- Count hits, exactly, for each probe.
---@param wanted uprobe_multi.ProbeSet|string|string[] a set, or specs
---@param given uprobe_multi.AttachOptions?
---@return uprobe_multi.Count
function counting.count(wanted, given)
  return Observer.start(Count, raw.upm_count, wanted, options.check(given, options.ATTACH, "count"))
end

return counting
