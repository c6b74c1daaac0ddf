-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- What the arguments of events are, and how events show themselves.
local raw = require "uprobe_multi.core"
local words = require "uprobe_multi.words"

local signatures = {}

---@class uprobe_multi.EventArgument
---@field name string "arg0" … where the signature names none
---@field type string as the signature or the note has it
---@field form integer enum upm_form; form_name has its word
---@field form_name string
---@field width integer of the value, bytes

--- The arguments and the result of a probe's events.
---@class uprobe_multi.Signature
---@field probe uprobe_multi.Probe
---@field arguments uprobe_multi.EventArgument[]
---@field result uprobe_multi.EventArgument

--- One hit. event[1] … are its arguments, nil where one could not be read.
---@class uprobe_multi.Event
---@field [integer] any
---@field time_ns integer CLOCK_MONOTONIC; of a call, its entry
---@field kind "entry"|"return"|"usdt"|"call"
---@field probe uprobe_multi.Probe
---@field pid integer
---@field tid integer
---@field cpu integer
---@field comm string name of the thread
---@field result any of a call or return; else nil
---@field duration_ns integer of a call; else 0
---@field truncated integer bit i: the string or buffer of argument i, from 0, goes on
---@field stack integer[] addresses, innermost first
---@field signature uprobe_multi.Signature
---@field values table<string, any> the arguments by name
local Event = {}
signatures.Event = Event

function Event.__index(event, key)
  if key == "values" then
    local values = {}
    for at, argument in ipairs(event.signature.arguments) do
      values[argument.name] = event[at]
    end
    return values
  elseif key == "stack" then
    return {}
  end
end

local function shown(value, argument)
  if value == nil then
    return "?"
  elseif argument.form == raw.UPM_FORM_POINTER then
    return ("0x%x"):format(value)
  elseif type(value) == "string" then
    return ("%q"):format(value)
  end
  return type(value) == "boolean" and tostring(value) or ("%d"):format(value)
end

function Event.__tostring(event)
  local inside = {}
  for at, argument in ipairs(event.signature.arguments) do
    inside[at] = argument.name .. "=" .. shown(event[at], argument)
  end
  local text = ("%s[%d] %s(%s)"):format(event.comm, event.tid, event.probe.name, table.concat(inside, ", "))
  if event.kind == "return" or event.kind == "call" then
    text = text .. " = " .. shown(event.result, event.signature.result)
  end
  local took = tonumber(event.duration_ns)
  return took > 0 and ("%s <%.1f us>"):format(text, took / 1e3) or text
end

local function described(observer, probe, argument)
  local ok, _, found = pcall(raw.upm_trace_argument, observer, probe, argument)
  if not ok then
    return nil
  end
  found.form_name = words.form[found.form]
  return found
end

local function read(trace, probe)
  local observer, arguments = trace:use(), {}
  for number = 0, raw.UPM_EVENT_ARGUMENTS - 1 do
    arguments[#arguments + 1] = described(observer, probe - 1, number)
    if #arguments <= number then
      break
    end
  end
  local _, result = raw.upm_trace_argument(observer, probe - 1, raw.UPM_TRACE_RESULT)
  result.form_name = words.form[result.form]
  local forms = {string.char(result.form)} -- as the raw layer wants them
  for at, argument in ipairs(arguments) do
    forms[at + 1] = string.char(argument.form)
  end
  return {probe = trace:probes()[probe], arguments = arguments, result = result, forms = table.concat(forms)}
end

--- Of all probes of a trace, each read once: what the raw layer makes events with. Holds the trace weakly,
--- which holds it.
function signatures.of(trace)
  local owner = setmetatable({trace = trace}, {__mode = "v"})
  return setmetatable({type = Event}, {
    __index = function(known, probe)
      if type(probe) == "number" then
        known[probe] = read(owner.trace, probe)
        return rawget(known, probe)
      end
    end,
  })
end

return signatures
