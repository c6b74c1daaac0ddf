-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- JSON as the conformance cases need it: integers keep all their digits in every Lua, keys are sorted.
local json = {null = setmetatable({}, {__tostring = function() return "null" end})}

local Array, Digits = {}, {}

--- A table that is written as a list, also when it is empty.
function json.array(list)
  return setmetatable(list, Array)
end

--- A number, by its digits.
function json.digits(text)
  return setmetatable({text = text}, Digits)
end

local ESCAPES = {['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t"}

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(character)
    return ESCAPES[character] or character ~= "\127" and ("\\u%04x"):format(character:byte()) or nil
  end) .. '"'
end

local function list_of(values)
  local parts = {}
  for at, value in ipairs(values) do
    parts[at] = json.encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function object_of(value)
  local keys, parts = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for at, key in ipairs(keys) do
    parts[at] = quoted(key) .. ":" .. json.encode(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function json.encode(value)
  local kind = getmetatable(value)
  if type(value) == "string" then
    return quoted(value)
  elseif type(value) == "number" then
    return ("%.0f"):format(value)
  elseif type(value) ~= "table" or value == json.null then
    return tostring(value)
  elseif kind == Digits then
    return value.text
  end
  return kind == Array and list_of(value) or object_of(value)
end

local function utf8_of(code)
  if code < 0x80 then
    return string.char(code)
  elseif code < 0x800 then
    return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  elseif code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

json.utf8_of = utf8_of

local PLAIN = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

-- The text that begins behind a quote, and where it ends.
local function read_text(text, at)
  local parts = {}
  while true do
    local stop = text:find('["\\]', at)
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then
      return table.concat(parts), stop + 1
    end
    local letter = text:sub(stop + 1, stop + 1)
    at = stop + 2
    if letter == "u" then
      local code = tonumber(text:sub(at, at + 3), 16)
      at = at + 4
      if code >= 0xD800 and code < 0xDC00 then -- the other half follows
        code = 0x10000 + (code - 0xD800) * 1024 + tonumber(text:sub(at + 2, at + 5), 16) - 0xDC00
        at = at + 6
      end
      parts[#parts + 1] = utf8_of(code)
    else
      parts[#parts + 1] = PLAIN[letter] or letter
    end
  end
end

local read

local function read_list(text, at)
  local list, value = {}, nil
  at = text:match("^%s*()", at)
  while text:sub(at, at) ~= "]" do
    value, at = read(text, at)
    list[#list + 1] = value
    at = text:match("^%s*,?%s*()", at)
  end
  return list, at + 1
end

local function read_object(text, at)
  local object, key, value = {}, nil, nil
  at = text:match("^%s*()", at)
  while text:sub(at, at) ~= "}" do
    key, at = read_text(text, at + 1)
    value, at = read(text, text:match("^%s*:%s*()", at))
    object[key] = value
    at = text:match("^%s*,?%s*()", at)
  end
  return object, at + 1
end

local WORDS = {["true"] = true, ["false"] = false}

function read(text, at)
  local first = text:sub(at, at)
  if first == '"' then
    return read_text(text, at + 1)
  elseif first == "[" then
    return read_list(text, at + 1)
  elseif first == "{" then
    return read_object(text, at + 1)
  end
  local word, after = text:match("^([%w%+%-%.]+)()", at)
  if WORDS[word] ~= nil then
    return WORDS[word], after
  elseif word == "null" then
    return nil, after
  end
  -- Longer ones lose digits in a number of LuaJIT's; the module takes them as texts.
  return #word > 15 and word:match "^%-?%d+$" or tonumber(word), after
end

function json.decode(text)
  return (read(text, 1))
end

return json
