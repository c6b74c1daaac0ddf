-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
local support = require "support"
local um = require "uprobe_multi"

local failure, with_target = support.failure, support.with_target
local known = support.built "target/known"

describe("callbacks", function()
  it("report progress, and end the call: topic 15", function()
    local stages = {}
    local set = um.resolve(known .. ":known_*", {progress = function(stage, done, total)
      stages[#stages + 1] = stage
      assert.is_true(total == 0 or done <= total)
    end})
    um.count(set, {progress = function(stage) stages[#stages + 1] = stage end}):close()
    assert.equal("resolve", stages[1])
    assert.equal("attach", stages[#stages])
    failure("UPM_ERR_CANCELLED", um.count, set, {progress = function() return true end})
    failure("UPM_ERR_INVALID", um.count, set, {progress = function() return 2 ^ 40 end})
  end)

  it("that fail come out with their traceback, and nothing stays: topic 16", with_target(nil, function(target)
    local set = um.resolve(target.path .. ":known_000?")
    local original = target:byte(set[1])
    support.collect()
    local before = support.descriptors()
    local steps = 0
    local function failing_step()
      steps = steps + 1
      if steps == 2 then
        error "broken on purpose"
      end
    end
    local ok, message = pcall(um.count, set, {pid = target.pid, probes_per_link = 1, progress = failing_step})
    assert.is_false(ok)
    assert.truthy(message:find "callbacks_spec.lua:%d+: broken on purpose\nstack traceback:")
    assert.truthy(message:find("callbacks_spec.lua", message:find "traceback", true)) -- the line of the callback
    assert.equal(original, target:byte(set[1]))
    support.collect()
    assert.equal(before, support.descriptors())
    local calls = um.count(set, {pid = target.pid}) -- and the next call knows nothing of it
    target:call(2)
    assert.equal(2, calls:hits()[1])
    calls:close()
  end))

  it("keep error objects as they are: topic 16", function()
    local set, mine = um.resolve(known .. ":known_000?"), setmetatable({}, {})
    local _, got = pcall(um.count, set, {progress = function() error(mine) end})
    assert.equal(mine, got)
    local inner = failure("UPM_ERR_SPEC", um.count, set, {progress = function() um.resolve "nonsense" end})
    assert.truthy(inner.traceback:find "callbacks_spec.lua")
    _, got = pcall(um.count, set, {progress = function() error(nil) end})
    assert.is_true(got == nil or type(got) == "string")
  end)

  it("can not yield across the library, and say so: topic 16", function()
    local set = um.resolve(known .. ":known_0000")
    local ok, message = coroutine.resume(coroutine.create(function()
      um.count(set, {progress = function() coroutine.yield() end})
    end))
    assert.is_false(ok)
    assert.truthy(tostring(message):find "attempt to yield across")
  end)

  it("of events end the loop, or fail: topics 15, 16", with_target(nil, function(target)
    local events = um.trace(target.path .. ":known_0000", {pid = target.pid})
    target:call(6)
    local seen = 0
    assert.equal("third", events:run(function()
      seen = seen + 1
      return seen == 3 and "third"
    end, 0))
    local ok, message = pcall(events.run, events, function() error "in an event" end, 0)
    assert.is_false(ok)
    assert.truthy(message:find "in an event\nstack traceback:")
    events:stop()
    assert.is_nil(events:run(function() seen = seen + 1 end))
    assert.equal(5, seen) -- the fourth failed
  end))

  it("an interrupt from the keyboard ends a wait: topic 21", function()
    local script = ([[
      local um = require "uprobe_multi"
      local events = um.trace("SPEC")
      print "waiting"
      io.stdout:flush()
      for event in events:events() do end
    ]]):gsub("SPEC", known .. ":known_9999")
    script = script:gsub("known_9999", "known_0001")
    local pipe = io.popen(("echo $$; exec %s -e '%s' 2>&1"):format(support.LUA, script))
    local pid = pipe:read "*l"
    assert.equal("waiting", pipe:read "*l")
    os.execute("kill -INT " .. pid)
    assert.truthy(pipe:read("*a"):find "interrupted!")
    pipe:close()
  end)
end)
