-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Errors are objects; the raw layer raises those of the library, this file those of this layer.
local raw = require "uprobe_multi.core"

---@class uprobe_multi.Error
---@field code integer the enum upm_status, a negative number; see uprobe_multi.status
---@field name string of the code, such as "UPM_ERR_SPEC"
---@field errno integer of the system call behind it; 0 when there is none
---@field operation string what was tried, such as "open the binary"
---@field object string on what: a path, a spec, a process; may be empty
---@field message string what happened, one line
---@field hint string what to do next, one line; may be empty
---@field traceback string? of an error that left a callback
local errors = {}

--- Raise an error of a code.
---@param code integer
function errors.raise(code, operation, object, message, hint)
  error(raw.new_error {
    code = code, operation = operation, object = tostring(object), message = message, hint = hint or "",
  }, 0)
end

--- Raise that an argument is wrong.
function errors.invalid(operation, object, message, hint)
  errors.raise(raw.UPM_ERR_INVALID, operation, object, message, hint)
end

--- Is this an error of the library, or of this layer?
---@param value any
---@return boolean
function errors.is_error(value)
  return raw.is_error(value)
end

--- The record of this thread: what upm_error_last() has, as a table without methods.
---@return table
function errors.last()
  return raw.upm_error_last()
end

--- The name of a code, such as "UPM_ERR_SPEC".
---@param code integer
---@return string
function errors.name(code)
  return raw.upm_status_name(code)
end

return errors
