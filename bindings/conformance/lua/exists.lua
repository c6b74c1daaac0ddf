-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Reads dotted names, one a line, and prints those that are not there: uprobe_multi.ProbeSet.size
local function is_there(name)
  local module, rest = name:match "^([^.]+)%.?(.*)$"
  local thing = require(module)
  for part in rest:gmatch "[^.]+" do
    if type(thing) ~= "table" or thing[part] == nil then
      return false
    end
    thing = thing[part]
  end
  return true
end

for name in io.lines() do
  if not is_there(name) then
    print(name)
  end
end
