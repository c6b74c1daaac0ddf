-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Attaching programs of the caller's.
local Handle = require "uprobe_multi.handle"
local errors = require "uprobe_multi.errors"
local link = require "uprobe_multi.link"
local objects = require "uprobe_multi.objects"
local options = require "uprobe_multi.options"
local probes = require "uprobe_multi.probes"
local raw = require "uprobe_multi.core"
local resolving = require "uprobe_multi.resolving"

local KNOWN = options.with(options.ATTACH, {name = "string", cookies = "table"})

local attaching = {}

-- The object of a program, if it has one here; then the program that is chosen already, or a descriptor.
local function owner_of(program)
  if type(program) == "string" then
    return objects.Object.open(program)
  elseif type(program) == "number" or type(program) == "cdata" then
    return nil, program
  end
  local class = type(program) == "table" and getmetatable(program)
  if class == objects.Program then
    return program.object, program
  elseif class == objects.Object then
    return program
  end
  return errors.invalid("choose a program", tostring(program), "a path, an Object, a Program or a descriptor is wanted")
end

local function copy_with(set, cookies)
  local copy = set:copy()
  copy:set_cookies(cookies)
  return copy
end

local function attach_descriptor(descriptor, wanted, given)
  local set = resolving.as_probe_set(wanted, options.pids(given), given.progress)
  if given.cookies then
    set = copy_with(set, given.cookies)
  end
  local _, pointer = raw.upm_attach(descriptor, Handle.use_as(probes.ProbeSet, set, "attach"), options.scope(given))
  return Handle.wrap(link.Link, pointer)
end

-- What has an object and no set of the caller's: the library resolves by itself.
local function attach_object(owner, name, specs, given)
  local texts = specs and options.texts(specs, "attach")
  local _, pointer = raw.upm_object_attach(owner:use(), name, texts, texts and #texts or 0, options.scope(given))
  return Handle.wrap(link.Link, pointer)
end

--- Attach one BPF program to every probe that can be attached.
---@param program string|uprobe_multi.Object|uprobe_multi.Program|integer the path of a BPF object, an
---  Object, one of its programs, or the descriptor of a loaded program, which stays yours
---@param wanted uprobe_multi.ProbeSet|string|string[]|nil probes or specs; nil = what the program's section names
---@param given uprobe_multi.AttachOptions? and name: which program of several; cookies: one for each
---  probe; cookie_is_index
---@return uprobe_multi.Link link when at least one probe is attached; its skipped() has the others
function attaching.attach(program, wanted, given)
  given = options.check(given, KNOWN, "attach")
  local owner, chosen = owner_of(program)
  local is_set = type(wanted) == "table" and getmetatable(wanted) == probes.ProbeSet
  local made
  if owner and not given.cookies and not is_set then
    made = attach_object(owner, chosen and chosen.name or given.name, wanted, given)
  elseif owner then
    -- A descriptor is as long as its object is: callbacks may close that.
    made = raw.hold(owner:use(), function()
      local one = chosen or owner:program(given.name)
      return attach_descriptor(one.fd, wanted or one.spec, given)
    end)
  elseif wanted then
    made = attach_descriptor(chosen, wanted, given)
  else
    errors.invalid("attach", "probes", "a program given by its descriptor needs probes")
  end
  made.object = owner
  return made
end

return attaching
