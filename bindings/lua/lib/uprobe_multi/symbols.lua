-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- What lies at an address of a process.
local Handle = require "uprobe_multi.handle"
local probes = require "uprobe_multi.probes"
local raw = require "uprobe_multi.core"

local symbols = {}

--- What lies at an address.
---@class uprobe_multi.Place
---@field path string the file mapped there; "" when it is not known
---@field symbol string raw name of the function; "" when it is not known
---@field offset integer bytes from the start of the symbol, or without one of the file
---@field file_offset integer bytes
---@field name string "binary:function" as people read it
local Place = {}
symbols.Place = Place

function Place.__index(place, key)
  if key ~= "name" then
    return nil
  end
  local file = place.path:match "[^/]*$"
  if place.symbol ~= "" then
    return file .. ":" .. probes.demangle(place.symbol)
  end
  return file ~= "" and ("%s+0x%x"):format(file, tonumber(place.file_offset)) or "?"
end

--- Finds out what lies at addresses of processes, and remembers it.
---@class uprobe_multi.Symbolizer: uprobe_multi.Handle
local Symbolizer = Handle.class("Symbolizer", "symbolizer", raw.upm_symbolizer_free)
symbols.Symbolizer = Symbolizer

---@return uprobe_multi.Symbolizer
function Symbolizer.new()
  local _, pointer = raw.upm_symbolizer_new()
  return Handle.wrap(Symbolizer, pointer)
end

--- What lies there.
---@param pid integer
---@param address integer
---@param after_call boolean? the address is one that a call returns to, as are all frames of a stack
---  but the first: the call before it is meant
---@return uprobe_multi.Place
function Symbolizer:find(pid, address, after_call)
  local _, place = raw.upm_symbolizer_find(self:use(), pid, address, after_call and 1 or 0)
  return setmetatable(place, Place)
end

--- Of a stack, innermost first.
---@param stack integer[]
---@return string[]
function Symbolizer:names(pid, stack)
  local names = {}
  for at, address in ipairs(stack) do
    names[at] = self:find(pid, address, at > 1).name
  end
  return names
end

return symbols
