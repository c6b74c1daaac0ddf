-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Prints sizes, offsets and constants of the public header as the raw layer has them.
local raw = require "uprobe_multi.core"

for _, line in ipairs(raw.layout()) do
  print(line)
end
for name, value in pairs(raw) do
  if name:match "^UPM_" then
    print(name .. " = " .. (type(value) == "number" and ("%.0f"):format(value) or value))
  end
end
