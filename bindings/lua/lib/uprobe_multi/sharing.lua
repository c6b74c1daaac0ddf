-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Observers that several processes, in any language, use.
local counting = require "uprobe_multi.counting"
local raw = require "uprobe_multi.core"
local timing = require "uprobe_multi.timing"
local tracing = require "uprobe_multi.tracing"
local words = require "uprobe_multi.words"

local CLASSES = {
  [raw.UPM_OBSERVER_COUNT] = counting.Count,
  [raw.UPM_OBSERVER_LATENCY] = timing.Latency,
  [raw.UPM_OBSERVER_TRACE] = tracing.Trace,
}

local sharing = {PIN_DIRECTORY = raw.UPM_PIN_DIRECTORY}

--- Open a pinned observer, whoever made it: same probes, same results. Stopping or closing it lets
--- go of this process's part only.
---@param name string
---@return uprobe_multi.Count|uprobe_multi.Latency|uprobe_multi.Trace
function sharing.open(name)
  local _, pointer = raw.upm_observer_open(name)
  return CLASSES[raw.upm_observer_kind(pointer)].from(pointer)
end

--- Remove the pins of an observer: it ends when the last process that has it open lets go.
---@param name string
function sharing.unpin(name)
  raw.upm_observer_unpin(name)
end

--- A pinned observer, as list_pinned() finds it.
---@class uprobe_multi.Pinned
---@field name string for open()
---@field kind string "count", "latency" or "trace"; "" with a problem
---@field problem string why it can not be opened; "" when it can
---@field creator string name of the process that pinned it
---@field creator_pid integer
---@field created_s integer seconds since 1970, as os.date() takes them
---@field owner integer user id
---@field probes integer
---@field attached integer
---@field kernel_links integer

--- The pinned observers of a directory, by name; nil = the usual one.
---@param directory string?
---@return uprobe_multi.Pinned[]
function sharing.list_pinned(directory)
  local _, list = raw.upm_pinned_list(directory)
  local found = {}
  for index = 1, raw.upm_pinned_list_size(list) do
    local _, pinned = raw.upm_pinned_list_get(list, index - 1)
    pinned.kind, pinned.reserved = words.observer[pinned.kind] or "", nil
    found[index] = pinned
  end
  raw.upm_pinned_list_free(list)
  return found
end

return sharing
