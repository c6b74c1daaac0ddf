-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- The numbers of the header as words.
local errors = require "uprobe_multi.errors"
local raw = require "uprobe_multi.core"

local words = {}

-- A set of words: [number] = word, numbers[word] = number, list = the words in order.
local function read(prefix, name_of)
  local set = {numbers = {}, list = {}}
  local order = {}
  for constant, number in pairs(raw) do
    local rest = type(constant) == "string" and constant:match("^" .. prefix .. "([A-Z0-9_]+)$")
    if rest then
      set[number] = name_of and name_of(number) or rest:lower()
      set.numbers[set[number]] = number
      order[#order + 1] = number
    end
  end
  table.sort(order)
  for at, number in ipairs(order) do
    set.list[at] = set[number]
  end
  return set
end

-- Each name is used in one place only, so that a constant that is new is there by itself.
words.kind = read("UPM_KIND_", raw.upm_kind_name)
words.verdict = read("UPM_VERDICT_", raw.upm_verdict_name)
words.cost = read("UPM_COST_", raw.upm_cost_name)
words.backend = read("UPM_BACKEND_", raw.upm_backend_name)
words.placement = read "UPM_PLACEMENT_"
words.observer = read("UPM_OBSERVER_", raw.upm_observer_kind_name)
words.status = read "UPM_ERR_"
words.place = read "UPM_ARGUMENT_"
words.split = read "UPM_SPLIT_"
words.form = read "UPM_FORM_"
words.answer = {[raw.UPM_NO] = "no", [raw.UPM_YES] = "yes", [raw.UPM_UNKNOWN] = "unknown"}

--- The number of a word, or of itself.
---@return integer
function words.number(set, value, what)
  local number = set.numbers[value] or (set[value] and value)
  if not number then
    errors.invalid("choose the " .. what, value, "there is no such one", "say one of " .. table.concat(set.list, ", "))
  end
  return number
end

return words
