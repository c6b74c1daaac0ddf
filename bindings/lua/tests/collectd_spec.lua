-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- A real collectd with the script, in its own Lua, which is 5.3.
if _VERSION ~= "Lua 5.3" then
  return
end
local support = require "support"
local um = require "uprobe_multi"

local with_target = support.with_target

local CONFIGURATION = [[
Hostname "here"
Interval 1
BaseDir "FOLDER"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin logfile
LoadPlugin csv
<LoadPlugin lua>
  Globals true
</LoadPlugin>
<Plugin logfile>
  File "FOLDER/log"
</Plugin>
<Plugin csv>
  DataDir "FOLDER/csv"
  StoreRates false
</Plugin>
<Plugin lua>
  BasePath "FOLDER"
  Script "uprobe_multi_collectd.lua"
</Plugin>
]]

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = io.open(path)
  return file and file:read "*a", file and file:close()
end

-- The values that a metric has had.
local function values(folder, metric)
  local output = support.run(("cat %s/csv/here/uprobe_multi-%s-20*"):format(folder, metric))
  local found = {}
  for value in output:gmatch "\n[%d.]+,([^\n]+)" do
    found[#found + 1] = tonumber(value)
  end
  return found
end

-- Wait until something holds, as long as 20 intervals.
local function eventually(what, holds)
  for _ = 1, 200 do
    local found = holds()
    if found then
      return found
    end
    um.sleep(0.1)
  end
  error("it did not come about: " .. what)
end

local function with_collectd(probes, use)
  support.with_folder(function(folder)
    support.run(("cp %s/collectd/uprobe_multi_collectd.lua %s"):format(support.HERE, folder))
    write(folder .. "/conf", (CONFIGURATION:gsub("FOLDER", folder)))
    write(folder .. "/uprobe_multi_probes.lua", (probes:gsub("FOLDER", folder)))
    local own = io.popen(("echo $$; exec collectd -f -C %s/conf 2>&1"):format(folder))
    local pid = own:read "*l"
    local ok, problem = xpcall(function() use(folder) end, debug.traceback)
    os.execute("kill " .. pid)
    own:close()
    if not ok then
      error(problem .. "\n" .. tostring(read(folder .. "/log")), 0)
    end
  end)
end

describe("in collectd, whose metrics equal the true calls", function()
  it("call rates, and latency percentiles", with_target(nil, function(target)
    local set = um.resolve(target.path .. ":known_000[01]")
    local probe, probe_1 = set[1], set[2]
    local original = target:byte(probe)
    with_collectd(([[return {
      {name = "counted", specs = {"%s:known_000[0-2]"}, pids = {%d}},
      {name = "timed", "%s:known_0001", pid_file = "FOLDER/target", latency = true, percentiles = {50, 99}},
      {name = "absent", "/no/such/program:main"},
    }]]):format(target.path, target.pid, target.path), function(folder)
      local function last(metric)
        local all = values(folder, metric)
        return all[#all]
      end
      eventually("the first values", function() return last "counted/derive-known_0002" == 0 end)
      target:call(500, 2)
      eventually("500 calls", function() return last "counted/derive-known_0001" == 500 end)
      assert.truthy(read(folder .. "/log"):find "timed: its process does not run")
      write(folder .. "/target", tostring(target.pid)) -- as a service that starts later
      eventually("the process", function() return last "timed/derive-known_0001" == 0 end)
      target:call(250, 2)
      eventually("750 calls", function() return last "counted/derive-known_0001" == 750 end)
      eventually("a percentile", function() return last "timed/duration-known_0001-p99" end)
      target:call(1, 1)
      eventually("one more", function() return last "counted/derive-known_0000" == 751 end)
      assert.equal(250, last "timed/derive-known_0001")
      assert.equal(0, last "counted/derive-known_0002")
      local p50, p99 = last "timed/duration-known_0001-p50", last "timed/duration-known_0001-p99"
      assert.is_true(0 < p50 and p50 <= p99 and p99 < 1)
      assert.truthy(read(folder .. "/log"):find "absent: .*/no/such/program")
      local other = support.target() -- the service is started anew: what it did before stays counted
      write(folder .. "/target", tostring(other.pid))
      eventually("the new process", function() return other:byte(probe_1) == 0xcc end)
      other:call(7, 2)
      eventually("its calls", function() return last "timed/derive-known_0001" == 257 end)
      other:close()
    end)
    assert.equal(original, target:byte(probe))
  end))
end)
