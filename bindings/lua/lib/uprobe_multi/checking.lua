-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- What this kernel and this user can do.
local raw = require "uprobe_multi.core"
local words = require "uprobe_multi.words"

--- Find out what works here: each question as "no", "yes" or "unknown", found by trying; and backend,
--- "none" when nothing can be attached.
---@return table<string, string>
return function()
  local _, features = raw.upm_check()
  local found = {}
  for name, answer in pairs(features) do
    found[name] = words.answer[answer]
  end
  found.backend = features.backend == 0 and "none" or words.backend[features.backend]
  return found
end
