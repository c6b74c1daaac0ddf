-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Options are tables of named fields; one that is not known, or of a wrong type, is refused.
local errors = require "uprobe_multi.errors"
local raw = require "uprobe_multi.core"
local words = require "uprobe_multi.words"

local options = {}

--- What every attach takes.
---@class uprobe_multi.AttachOptions
---@field pid integer? a process to observe
---@field pids integer[]? processes to observe; none = every process
---@field children boolean? also processes that those fork later
---@field strict boolean? attach every probe or none
---@field backend string? "auto", "uprobe_multi" or "perf_event"
---@field probes_per_link integer? most probes in one kernel link
---@field placement string? "exact" or "cheapest"; the default is exact for attach(), cheapest for observers
---@field progress (fun(stage: string, done: integer, total: integer): boolean?)? true ends the call
options.ATTACH = {
  pid = "integer", pids = "table", children = "boolean", strict = "boolean", cookie_is_index = "boolean",
  backend = "string", probes_per_link = "integer", placement = "string", progress = "function",
}

--- The tables joined: more fields for options.check().
function options.with(...)
  local all = {}
  for _, known in ipairs {...} do
    for name, kind in pairs(known) do
      all[name] = kind
    end
  end
  return all
end

-- An integer may also be its digits or, in LuaJIT, cdata: the raw layer reads them.
local function is_of(kind, value)
  local is = type(value)
  if kind == "integer" then
    return is == "number" or is == "cdata" or is == "string" and value:match "^%-?%d+$" ~= nil
  end
  return kind == "any" or is == kind
end

local function refuse(operation, name, kind, value)
  local article = kind == "integer" and "an" or "a"
  errors.invalid(operation, name, ("%s %s is wanted, not %s"):format(article, kind,
    type(value) == "string" and ("%q"):format(value) or "a " .. type(value)))
end

--- A position or another small integer as a number.
---@return integer
function options.integer(value, operation, name)
  local number = is_of("integer", value) and tonumber(value)
  return number or refuse(operation, name, "integer", value)
end

--- A table of options as it is, or an empty one for nil.
---@param known table<string, string> type of each, or "integer"; "any" = whatever is looked at later
function options.check(given, known, operation)
  if given == nil then
    return {}
  end
  if type(given) ~= "table" then
    errors.invalid(operation, "options", "a table is wanted, not a " .. type(given))
  end
  for name, value in pairs(given) do
    local wanted = known[name]
    if not wanted then
      errors.invalid(operation, name, "there is no such option")
    elseif not is_of(wanted, value) then
      refuse(operation, name, wanted, value)
    end
  end
  return given
end

--- pid and pids together.
---@return integer[]
function options.pids(given)
  local pids = {given.pid}
  for _, pid in ipairs(given.pids or {}) do
    pids[#pids + 1] = pid
  end
  return pids
end

--- The sum of the bits whose condition holds.
function options.bits(choices)
  local sum = 0
  for bit, wanted in pairs(choices) do
    sum = sum + (wanted and bit or 0)
  end
  return sum
end

-- Called at every step of a long call: where Lua sees that Ctrl-C was pressed.
local function go_on() end

--- What both structures of options have for callbacks.
function options.progress(given)
  return given.progress or go_on
end

--- struct upm_attach_options
function options.scope(given)
  return {
    flags = options.bits {
      [raw.UPM_ATTACH_STRICT] = given.strict,
      [raw.UPM_ATTACH_CHILDREN] = given.children,
      [raw.UPM_ATTACH_COOKIE_IS_INDEX] = given.cookie_is_index,
    },
    backend = words.number(words.backend, given.backend or "auto", "backend"),
    pids = options.pids(given),
    probes_per_link = given.probes_per_link or 0,
    placement = words.number(words.placement, given.placement or "default", "placement"),
    progress = options.progress(given),
  }
end

--- One text or a table of them, as a table.
function options.texts(given, operation)
  if type(given) == "string" then
    return {given}
  elseif type(given) ~= "table" then
    errors.invalid(operation, tostring(given), "a string or a table of strings is wanted")
  end
  return given
end

return options
