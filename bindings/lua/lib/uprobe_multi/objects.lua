-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- BPF object files and the programs in them.
local Handle = require "uprobe_multi.handle"
local errors = require "uprobe_multi.errors"
local raw = require "uprobe_multi.core"
local words = require "uprobe_multi.words"

local objects = {}

--- One program of an object. Keeps the object, and so its descriptor, alive.
---@class uprobe_multi.Program
---@field name string
---@field section string as in the file
---@field spec string that the section names, or ""
---@field fd integer the object's, do not close it
---@field kind string what its section asks for
---@field session boolean uprobe.session
---@field sleepable boolean a .s section
---@field object uprobe_multi.Object
local Program = {}
Program.__index = Program
Program.__tostring = function(program)
  return ("<Program %s in %s>"):format(program.name, program.section)
end
objects.Program = Program

--- A BPF object file, opened and loaded.
---@class uprobe_multi.Object: uprobe_multi.Handle
local Object = Handle.class("Object", "BPF object", raw.upm_object_free)
objects.Object = Object

---@param path string
---@return uprobe_multi.Object
function Object.open(path)
  local _, pointer = raw.upm_object_open(path)
  return Handle.wrap(Object, pointer)
end

--- Those that can be attached to probes.
---@return uprobe_multi.Program[]
function Object:programs()
  local found = {}
  for index = 1, raw.upm_object_programs(self:use()) do
    local _, program = raw.upm_object_program(self:use(), index - 1)
    program.kind = words.kind[program.kind]
    program.session, program.sleepable = program.session ~= 0, program.sleepable ~= 0
    program.object = self
    found[index] = setmetatable(program, Program)
  end
  return found
end

--- One by its name; nil = the only one.
---@param name string?
---@return uprobe_multi.Program
function Object:program(name)
  local all = self:programs()
  if not name and #all == 1 then
    return all[1]
  end
  local names = {}
  for at, program in ipairs(all) do
    names[at] = program.name
    if program.name == name then
      return program
    end
  end
  return errors.raise(raw.UPM_ERR_NOT_FOUND, "choose a program", name or "",
    name and "the object has no such program" or "the object has several", "say one of " .. table.concat(names, ", "))
end

--- Descriptor of a map, which stays the object's.
---@param name string
---@return integer
function Object:map_fd(name)
  return raw.upm_object_map_fd(self:use(), name)
end

return objects
