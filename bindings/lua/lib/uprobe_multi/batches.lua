-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Many events without a table for each: columns.
local Handle = require "uprobe_multi.handle"
local raw = require "uprobe_multi.core"

local batches = {}

--- The events of one reading.
---@class uprobe_multi.Batch: uprobe_multi.Handle
local Batch = Handle.class("Batch", "batch", raw.upm_batch_free)
batches.Batch = Batch

function batches.new(events, text_bytes, known)
  local _, pointer = raw.upm_batch_new(events, text_bytes)
  local batch = Handle.wrap(Batch, pointer)
  batch.known = known
  return batch
end

--- Read what is there, and the signatures that it needs: it outlives its trace. nil when there is nothing.
function batches.fill(batch, observer)
  raw.upm_trace_read(observer, batch:use(), 0)
  raw.learn(batch:use(), batch.known)
  return batch:size() > 0 and batch or nil
end

--- Number of events.
---@return integer
function Batch:size()
  return raw.upm_batch_size(self:use())
end
Batch.__len = Batch.size

--- The values of one field, one for each event: "time_ns", "duration_ns", "result" (its bits), "pid", "tid",
--- "cpu", "probe" (its position, from 1), "kind", "truncated", "comm".
---@param field string
---@return any[]
function Batch:column(field)
  return raw.column(self:use(), field)
end

--- The values of argument number 1 …, one for each event; false where there is none.
---@param argument integer
---@return any[]
function Batch:argument(argument)
  return raw.argument_column(self:use(), argument, self.known)
end

--- Tables, as trace:events() gives them.
---@return uprobe_multi.Event[]
function Batch:events()
  return raw.events(self:use(), self.known)
end

--- The events as the library has them, whose texts and stacks are places in text().
---@return table[]
function Batch:raw_events()
  return raw.upm_batch_events(self:use())
end

--- Bytes from one event to the next in the library's memory.
---@return integer
function Batch.event_size()
  return raw.upm_batch_event_size()
end

--- Strings, buffers and stacks of the events, one after the other.
---@return string
function Batch:text()
  return raw.upm_batch_text(self:use())
end

--- Bytes of text().
---@return integer
function Batch:text_size()
  return raw.upm_batch_text_size(self:use())
end

function Batch:describe(name)
  return ("<%s of %d events>"):format(name, self:size())
end

return batches
