-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- What the shipped observers have in common.
local Handle = require "uprobe_multi.handle"
local link = require "uprobe_multi.link"
local options = require "uprobe_multi.options"
local probes = require "uprobe_multi.probes"
local raw = require "uprobe_multi.core"
local resolving = require "uprobe_multi.resolving"

--- A shipped BPF program at work. stop() detaches, and results stay readable; close() ends it.
---@class uprobe_multi.Observer: uprobe_multi.LinkView
local Observer = Handle.class("Observer", "observer", raw.upm_observer_free, link.LinkView)

--- Resolve if need be, and call upm_count() or another of its kind.
---@param function_ function of the raw layer
---@param given table options that are checked already
---@param own table? options of this kind of observer
function Observer.start(class, function_, wanted, given, own)
  local set = resolving.as_probe_set(wanted, options.pids(given), given.progress)
  local pointer, _
  if own then
    _, pointer = function_(set:use(), own, options.scope(given))
  else
    _, pointer = function_(set:use(), options.scope(given))
  end
  return class.from(pointer)
end

function Observer:use_link()
  return raw.upm_observer_link(self:use())
end

--- "count", "latency" or "trace".
---@return string
function Observer:kind()
  return raw.upm_observer_kind_name(raw.upm_observer_kind(self:use()))
end

--- The probes observed, in the order of all results: a copy that is made once.
---@return uprobe_multi.ProbeSet
function Observer:probes()
  local pointer = self:use()
  if not rawget(self, "probe_set") then
    local copy = probes.ProbeSet.new()
    raw.upm_probe_set_join(copy:use(), raw.upm_observer_probes(pointer))
    self.probe_set = copy
  end
  return self.probe_set
end

--- The hits so far, a number for each probe; 0 for skipped ones.
---@param into integer[]? a table to fill and give back
---@return integer[]
function Observer:hits(into)
  local pointer, hits = self:use(), into or {}
  raw.upm_observer_hits(pointer, hits, raw.upm_probe_set_size(raw.upm_observer_probes(pointer)))
  return hits
end

--- With children = true: children that were too many to follow; results lack theirs.
---@return integer
function Observer:lost_processes()
  return raw.upm_observer_lost_processes(self:use())
end

--- Detach; the results then stand still and stay readable. A pinned observer goes on in the
--- kernel. Gives the seconds it took.
---@return number
function Observer:stop()
  local _, elapsed = raw.upm_observer_stop(self:use())
  return tonumber(elapsed) / 1e9
end

--- Keep it alive under a name, after this process has gone: um.open(name) has it then.
---@param name string
function Observer:pin(name)
  raw.upm_observer_pin(self:use(), name)
end

return Observer
