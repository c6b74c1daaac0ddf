-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- A script for collectd's lua plugin: call rates and latencies of the functions that
-- uprobe_multi_probes.lua, beside this file or elsewhere on the path, lists. docs/lua.md has both.
--
--     derive-FUNCTION           calls since collectd began, as a rate where a plugin stores rates
--     duration-FUNCTION-p99     seconds that 99 % of the calls of the last interval did not exceed
--
-- A process that is not there, or not yet, is no error: it is looked for again at each interval.
local collectd = collectd -- luacheck: ignore, from the plugin
local um = require "uprobe_multi"

local PERCENTILES = {50, 99}
local MOST = 200 -- metrics of one entry, unless it says otherwise
local ATTACH = {"children", "backend", "strict"}

-- The processes of an entry: none = all; nil = its own does not run.
local function processes(entry)
  if not entry.pid_file then
    return entry.pids or {entry.pid}
  end
  local file = io.open(entry.pid_file)
  local pid = file and file:read "*n"
  if file then
    file:close()
  end
  local running = pid and io.open(("/proc/%d/stat"):format(pid))
  if running then
    running:close()
    return {math.floor(pid)}
  end
end

local Observed = {}
Observed.__index = Observed

local function new(entry)
  return setmetatable({
    entry = entry, name = entry.name or entry[1], specs = entry.specs or {entry[1]},
    earlier = {}, -- calls of those observed before, by name
  }, Observed)
end

function Observed:log(text)
  if text ~= self.logged then
    self.logged = text
    collectd.log_warning(("uprobe_multi: %s: %s"):format(self.name, text))
  end
end

function Observed:start(pids)
  local entry, options = self.entry, {pids = pids}
  for _, name in ipairs(ATTACH) do
    options[name] = entry[name]
  end
  local set = um.resolve(self.specs, {pids = pids})
  if set:count_verdict() > (entry.most or MOST) then
    error(("%d functions are more than %d: narrow the specs, or say most"):format(set:count_verdict(), entry.most or MOST), 0)
  end
  if set:count_verdict() == 0 then
    error(("nothing can be probed: %s: %s"):format(set[1].path, set[1].reason), 0)
  end
  self.observer = (entry.latency and um.latency or um.count)(set:attachable(), options)
  self.names = {}
  for index, probe in self.observer:probes():each() do
    self.names[index] = probe.name
  end
  for _, probe in set:rejected():each() do
    collectd.log_warning(("uprobe_multi: %s: skipped %s: %s"):format(self.name, probe.name, probe.reason))
  end
  self.snapshot = entry.latency and self.observer:snapshot()
  self.logged = nil
end

-- Calls by name: of those observed before, and now.
function Observed:calls()
  local calls = {}
  for name, number in pairs(self.earlier) do
    calls[name] = number
  end
  for index, number in ipairs(self.observer and self.observer:hits() or {}) do
    local name = self.names[index]
    calls[name] = (calls[name] or 0) + number
  end
  return calls
end

function Observed:stop()
  if self.observer then
    self.earlier = self:calls()
    self.observer:close()
    self.observer, self.snapshot = nil, nil
  end
end

-- Begin, or begin anew when the process is another one.
function Observed:follow()
  local pids = processes(self.entry)
  local wanted = pids and table.concat(pids, " ")
  if wanted ~= self.followed then
    self:stop()
    self.followed = nil
  end
  if wanted and not self.observer then
    self:start(pids)
    self.followed = wanted
  elseif not wanted then
    self:log "its process does not run"
  end
end

function Observed:dispatch(kind, instance, value)
  collectd.dispatch_values {
    plugin = "uprobe_multi", plugin_instance = self.name, type = kind, type_instance = instance, values = {value},
  }
end

-- Of the calls that returned since the last time.
function Observed:dispatch_latency()
  local now = self.observer:snapshot()
  local between = now - self.snapshot
  for row in between:rows() do
    for _, percentile in ipairs(row.calls > 0 and (self.entry.percentiles or PERCENTILES) or {}) do
      self:dispatch("duration", ("%s-p%s"):format(row:name(), percentile), row:percentile(percentile / 100) / 1e9)
    end
  end
  between:close()
  self.snapshot:close()
  self.snapshot = now
end

function Observed:read()
  self:follow()
  for name, number in pairs(self:calls()) do
    self:dispatch("derive", name, number)
  end
  if self.snapshot then
    self:dispatch_latency()
  end
end

local all = {}
for index, entry in ipairs(require "uprobe_multi_probes") do
  all[index] = new(entry)
end

collectd.register_read(function()
  for _, one in ipairs(all) do
    local ok, problem = pcall(one.read, one)
    if not ok then
      one:stop()
      one.followed = nil
      one:log(tostring(problem))
    end
  end
  return 0 -- the next interval tries again
end)
