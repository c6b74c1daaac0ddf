-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- What owns something of the library. It is freed once: by close(), at the end of a <close>
-- variable's scope (Lua 5.4), or with its garbage; the raw handle inside has its own __gc.
local errors = require "uprobe_multi.errors"
local raw = require "uprobe_multi.core"

---@class uprobe_multi.Handle
local Handle = {}
Handle.__index = Handle

--- A new class.
---@param name string
---@param what string as errors say it
---@param free function of the raw layer
---@param parent table?
function Handle.class(name, what, free, parent)
  local class = setmetatable({what = what, free = free}, parent or Handle)
  class.__index = class
  class.__name = "uprobe_multi." .. name
  class.__close = class.close
  class.__tostring = function(self)
    return self:closed() and ("<%s, closed>"):format(name) or self:describe(name)
  end
  return class
end

--- A handle of a class around a raw one.
function Handle.wrap(class, pointer)
  return setmetatable({pointer = pointer}, class)
end

--- The raw handle; raises when it is closed.
function Handle:use()
  return self.pointer or errors.raise(raw.UPM_ERR_STATE, "use the " .. self.what, "", "it is closed", "make a new one")
end

--- The raw handle of something that has to be of a class.
function Handle.use_as(class, thing, operation)
  local at = type(thing) == "table" and getmetatable(thing) or nil
  while at and at ~= class do
    at = getmetatable(at)
  end
  if not at then
    errors.invalid(operation, tostring(thing), "a " .. class.what .. " is wanted")
  end
  return thing:use()
end

--- Whether close() has been called, or a finalizer sees what was collected together with it.
---@return boolean
function Handle:closed()
  local pointer = rawget(self, "pointer")
  return not (pointer and raw.is_open(pointer))
end

--- Free it. A second call does nothing; other methods raise UPM_ERR_STATE afterwards. Inside a callback
--- of a call that uses it, it is freed when that call ends.
function Handle:close()
  local pointer = rawget(self, "pointer")
  self.pointer = nil
  if pointer then
    self.free(pointer)
  end
end

function Handle:describe(name)
  return ("<%s>"):format(name)
end

return Handle
