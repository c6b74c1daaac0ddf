-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Probes and ordered sets of them.
local Handle = require "uprobe_multi.handle"
local errors = require "uprobe_multi.errors"
local options = require "uprobe_multi.options"
local raw = require "uprobe_multi.core"
local words = require "uprobe_multi.words"

local probes = {}

--- The readable form of a C++ or Rust name; other names as they are.
---@param symbol string
---@return string
function probes.demangle(symbol)
  if not symbol:match "^_?_[ZR]" then
    return symbol
  end
  local length, name = raw.upm_demangle(symbol, 512)
  if length >= 512 then
    length, name = raw.upm_demangle(symbol, length + 1)
  end
  return length > 0 and name or symbol
end

--- One argument of a USDT call site.
---@class uprobe_multi.Argument
---@field place "unreadable"|"constant"|"register"|"memory"
---@field width integer of the value, bytes; 0 when it is not known
---@field is_signed boolean
---@field is_float boolean
---@field text string as the note has it, such as "-4@8(%rbp)"
---@field reason string why it can not be read; "" when it can

--- One point in one file. It is a copy: it outlives the set it comes from.
---@class uprobe_multi.Probe
---@field kind "uprobe"|"uretprobe"|"usdt"
---@field path string the file, as a person would name it
---@field symbol string raw name of the function or USDT probe; "" when none is known
---@field name string the symbol as people read it
---@field ok boolean whether it can be attached
---@field offset integer file offset, bytes
---@field verdict string "ok", or why it can not be attached
---@field reason string one line about verdict or flags; "" when there is nothing to say
---@field cost string
---@field flags integer enum upm_probe_flag, or-ed
---@field provider string of a USDT probe; "" for others
---@field version string
---@field spec string
---@field address integer the same point as a virtual address of the ELF file
---@field symbol_offset integer bytes from the start of the symbol
---@field symbol_size integer bytes; 0 = not known
---@field ref_ctr_offset integer 0 = none
---@field cookie integer what bpf_get_attach_cookie() returns in the program
---@field return_verdict string that a return probe, or a latency, has there; "ok" where it can be made
---@field return_reason string one line about that; "" when it is ok
---@field site_offset integer file offset of the instruction that is probed: see ProbeSet:place()
---@field site_cost string of a hit there
---@field errno integer with the verdict "refused": what the kernel said
---@field aliases string[] further names of the same point
---@field arguments uprobe_multi.Argument[] of a USDT call site
local Probe = {}
probes.Probe = Probe

local function name_of(probe)
  local name = probe.symbol ~= "" and probes.demangle(probe.symbol) or "0x" .. ("%x"):format(tonumber(probe.offset))
  if probe.provider ~= "" then
    return probe.provider .. ":" .. name
  elseif probe.symbol ~= "" and probe.symbol_offset ~= 0 then
    return ("%s+0x%x"):format(name, tonumber(probe.symbol_offset))
  end
  return name
end

function Probe.__index(probe, key)
  if key == "name" then
    return name_of(probe)
  elseif key == "ok" then
    return probe.verdict == "ok"
  end
end

function Probe.__tostring(probe)
  return ("%s:%s:%s"):format(probe.kind, probe.path, probe.name)
end

--- From the table of a struct upm_probe.
---@return uprobe_multi.Probe
function probes.make(from, aliases, arguments)
  from.kind, from.verdict, from.cost = words.kind[from.kind], words.verdict[from.verdict], words.cost[from.cost]
  from.return_verdict = words.verdict[from.return_verdict]
  from.site_cost, from.reserved = words.cost[from.site_cost], nil
  from.errno, from.sys_errno = from.sys_errno, nil
  from.alias_count, from.argument_count = nil, nil
  from.aliases, from.arguments = aliases or {}, arguments or {}
  return setmetatable(from, Probe)
end

local function read_argument(set, index, number)
  local _, argument = raw.upm_probe_set_argument(set, index, number)
  argument.place = words.place[argument.place]
  argument.is_signed, argument.is_float = argument.is_signed ~= 0, argument.is_float ~= 0
  return argument
end

local function read_probe(set, index)
  local _, from = raw.upm_probe_set_get(set, index)
  local aliases, arguments = {}, {}
  for at = 1, from.alias_count do
    aliases[at] = raw.upm_probe_set_alias(set, index, at - 1)
  end
  for at = 1, from.argument_count do
    arguments[at] = read_argument(set, index, at - 1)
  end
  return probes.make(from, aliases, arguments)
end

--- An ordered list of probes, each judged: made by resolve(), or empty by ProbeSet.new(). set[1] is
--- the first probe, #set their number (set:size() in LuaJIT), one + other joins.
---@class uprobe_multi.ProbeSet: uprobe_multi.Handle
---@field [integer] uprobe_multi.Probe
local ProbeSet = Handle.class("ProbeSet", "probe set", raw.upm_probe_set_free)
probes.ProbeSet = ProbeSet

function ProbeSet.__index(self, key)
  if type(key) ~= "number" then
    return ProbeSet[key]
  end
  local set = self:use()
  if key >= 1 and key <= raw.upm_probe_set_size(set) then
    return read_probe(set, key - 1)
  end
end

--- An empty set.
---@return uprobe_multi.ProbeSet
function ProbeSet.new()
  local _, set = raw.upm_probe_set_new()
  return Handle.wrap(ProbeSet, set)
end

--- Number of probes, whatever their verdicts.
---@return integer
function ProbeSet:size()
  return raw.upm_probe_set_size(self:use())
end
ProbeSet.__len = ProbeSet.size

--- for index, probe in set:each() do
---@return fun(): integer?, uprobe_multi.Probe?
function ProbeSet:each()
  local index = 0
  return function()
    index = index + 1
    local probe = self[index]
    if probe then
      return index, probe
    end
  end
end

--- Append probes by place: file offsets, in bytes, in one file or in one file each.
---@param paths string|string[]
---@param offsets integer[]
---@param given {kind: string?, ref_ctr_offsets: integer[]?, cookies: integer[]?}?
function ProbeSet:add(paths, offsets, given)
  given = options.check(given, {kind = "any", ref_ctr_offsets = "table", cookies = "table"}, "add probes")
  local files = paths
  if type(paths) == "string" then
    files = {}
    for at = 1, #offsets do
      files[at] = paths
    end
  end
  for name, list in pairs {paths = files, ref_ctr_offsets = given.ref_ctr_offsets, cookies = given.cookies} do
    if #list ~= #offsets then
      errors.invalid("take a number for each probe", name, ("has %d for %d probes"):format(#list, #offsets))
    end
  end
  raw.upm_probe_set_add(self:use(), words.number(words.kind, given.kind or "uprobe", "kind"), files, offsets,
    given.ref_ctr_offsets, given.cookies, #offsets)
end

--- A new set of the probes at these positions, in this order; may repeat.
---@param indexes integer[]
---@return uprobe_multi.ProbeSet
function ProbeSet:select(indexes)
  local from_zero = {}
  for at, index in ipairs(indexes) do
    from_zero[at] = options.integer(index, "select probes", "index") - 1
  end
  local _, set = raw.upm_probe_set_select(self:use(), from_zero, #from_zero)
  return Handle.wrap(ProbeSet, set)
end

-- A glob as a pattern of Lua's.
local function pattern_of(glob)
  local escaped = glob:gsub("[%^$%(%)%%%.%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", "."):gsub("%[!", "[^")
  return "^" .. escaped .. "$"
end

local function is_named(probe, pattern)
  for _, alias in ipairs(probe.aliases) do
    if alias:match(pattern) then
      return true
    end
  end
  return probe.symbol:match(pattern) or probe.name:match(pattern)
end

--- A new set of the probes for which a function is true, or all that a table has holds: kind, verdict,
--- cost; symbol and path are globs.
---@param wanted fun(probe: uprobe_multi.Probe): any | table
---@return uprobe_multi.ProbeSet
function ProbeSet:filter(wanted)
  if type(wanted) ~= "function" then
    local given = options.check(wanted,
      {kind = "string", verdict = "string", cost = "string", symbol = "string", path = "string"}, "filter probes")
    local symbol, path = given.symbol and pattern_of(given.symbol), given.path and pattern_of(given.path)
    wanted = function(probe)
      return (not given.kind or probe.kind == given.kind) and (not given.verdict or probe.verdict == given.verdict)
        and (not given.cost or probe.cost == given.cost) and (not path or probe.path:match(path))
        and (not symbol or is_named(probe, symbol))
    end
  end
  local indexes = {}
  for index, probe in self:each() do
    indexes[#indexes + 1] = wanted(probe) and index or nil
  end
  return self:select(indexes)
end

--- A new set of the probes that can be attached.
function ProbeSet:attachable()
  return self:filter {verdict = "ok"}
end

--- A new set of the probes that can not be attached; each has its reason.
function ProbeSet:rejected()
  return self:filter(function(probe) return not probe.ok end)
end

--- Number of probes with a verdict, "ok" unless it is said.
---@return integer
function ProbeSet:count_verdict(verdict)
  return raw.upm_probe_set_count_verdict(self:use(), words.number(words.verdict, verdict or "ok", "verdict"))
end

--- Number of probes of each verdict that occurs.
---@return table<string, integer>
function ProbeSet:verdicts()
  local found = {}
  for _, verdict in ipairs(words.verdict.list) do
    local count = self:count_verdict(verdict)
    found[verdict] = count > 0 and count or nil
  end
  return found
end

--- Find the instructions that an observer with default options would probe: site_offset and site_cost.
---@param observer string? "count" (nil), "latency" or "trace"; "program" is one of yours, placed cheapest
function ProbeSet:place(observer)
  local kind = 0
  if observer ~= "program" then
    kind = words.number(words.observer, observer or "count", "observer")
  end
  raw.upm_probe_set_place(self:use(), kind)
end

--- Append copies of all probes of another set.
---@param other uprobe_multi.ProbeSet
function ProbeSet:join(other)
  raw.upm_probe_set_join(self:use(), Handle.use_as(ProbeSet, other, "join probe sets"))
end

--- A new set of the same probes.
---@return uprobe_multi.ProbeSet
function ProbeSet:copy()
  local copy = ProbeSet.new()
  copy:join(self)
  return copy
end

function ProbeSet.__add(one, other)
  local joined = one:copy()
  joined:join(other)
  return joined
end

--- What bpf_get_attach_cookie() returns in the program, a number for each probe.
---@return integer[]
function ProbeSet:cookies()
  local cookies = {}
  for index, probe in self:each() do
    cookies[index] = probe.cookie
  end
  return cookies
end

--- Set the cookies, one for each probe.
---@param cookies integer[]
function ProbeSet:set_cookies(cookies)
  if #cookies ~= self:size() then
    errors.invalid("take a number for each probe", "cookies", ("has %d for %d probes"):format(#cookies, self:size()))
  end
  raw.upm_probe_set_cookies(self:use(), cookies, #cookies)
end

function ProbeSet:describe()
  local parts = {}
  for verdict, count in pairs(self:verdicts()) do
    parts[#parts + 1] = ("%d %s"):format(count, verdict)
  end
  table.sort(parts)
  return ("<ProbeSet of %d: %s>"):format(self:size(), #parts > 0 and table.concat(parts, ", ") or "empty")
end

return probes
