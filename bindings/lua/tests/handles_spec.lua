-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
local raw = require "uprobe_multi.core"
local support = require "support"
local um = require "uprobe_multi"

local failure, with_target = support.failure, support.with_target
local known = support.built "target/known"

describe("handles", function()
  it("close once, and say so afterwards: topic 3", function()
    local set = um.resolve(known .. ":known_000?")
    local calls = um.count(set)
    for _, handle in ipairs {calls, set} do
      handle:close()
      handle:close()
      assert.is_true(handle:closed())
    end
    assert.equal("it is closed", failure("UPM_ERR_STATE", calls.hits, calls).message)
    failure("UPM_ERR_STATE", function() return set[1] end)
    failure("UPM_ERR_STATE", um.count, set)
  end)

  it("of the raw layer know that they were freed: topic 3", function()
    local _, set = raw.upm_probe_set_new()
    raw.upm_probe_set_free(set)
    raw.upm_probe_set_free(set)
    raw.upm_probe_set_free(nil)
    failure("UPM_ERR_STATE", raw.upm_probe_set_size, set)
    local observer = um.count(known .. ":known_0000"):use()
    local inner = raw.upm_observer_probes(observer)
    failure("UPM_ERR_INVALID", raw.upm_probe_set_free, inner)
    observer = nil
    support.collect()
    assert.equal(1, raw.upm_probe_set_size(inner)) -- it keeps what it belongs to
  end)

  it("end with their scope, also when an error leaves it: topic 4", with_target(nil, function(target)
    local scope = [[
      local um, known = ...
      local kept
      local ok = pcall(function()
        local calls %s = um.count(known)
        kept = calls
        error "left"
      end)
      return kept
    ]]
    if _VERSION == "Lua 5.4" then
      local calls = assert(load(scope:format "<close>"))(um, target.path .. ":known_0000")
      assert.is_true(calls:closed())
    else -- no <close> variables: the collector, or a function that closes
      support.collect()
      local before = support.descriptors()
      support.apart(assert((loadstring or load)(scope:format "")), um, target.path .. ":known_0000")
      support.collect()
      assert.equal(before, support.descriptors())
    end
  end))

  it("are freed when nobody holds them: topic 5", function()
    support.collect()
    local before = support.descriptors()
    support.apart(function()
      local set = um.resolve(known .. ":known_000?")
      local held = {um.count(set), um.latency(set), um.trace(set), um.Symbolizer.new()}
      held[3]:read_batch(0)
      held[3]:next(0)
      assert.is_true(support.descriptors() > before)
    end)
    support.collect()
    support.collect()
    assert.equal(before, support.descriptors())
  end)

  it("leave results and links when sets and objects go: topic 6", with_target(nil, function(target)
    local set = um.resolve(target.path .. ":known_000[01]")
    local calls = um.count(set, {pid = target.pid})
    local probe = set[1]
    set:close()
    target:call(2, 2)
    local object = um.Object.open(support.built "tests/bpf/sections.bpf.o")
    local link = um.attach(object:program "entry", calls:probes(), {pid = target.pid})
    object:close()
    local snapshot = calls:snapshot()
    calls:close()
    assert.same({2, 2}, snapshot.hits)
    assert.equal("known_0000", probe.symbol)
    assert.equal(2, link:attached_count())
    link:close()
  end))

  it("of a program that ends with some open are gone: topic 20", with_target(nil, function(target)
    local probe = um.resolve(target.path .. ":known_0000")[1]
    local original = target:byte(probe)
    for _, ending in ipairs {"", "os.exit(0)", "error [[on purpose]]"} do
      local output, status = support.run(("%s -e '%s' %s"):format(support.LUA, ([[
        um = require "uprobe_multi"
        calls, times, events = um.count(SPEC, PID), um.latency(SPEC, PID), um.trace(SPEC, PID)
        for name in pairs(_G) do if name == "uprobe_multi" then print "a global" end end
        print(calls)
      ]]):gsub("SPEC", ("%q"):format(target.path .. ":known_0000")):gsub("PID", "{pid = " .. target.pid .. "}") .. ending,
        ""))
      assert.truthy(output:find("<Count: 1 attached, 0 skipped>\n", 1, true))
      assert.is_nil(output:find "a global")
      assert.equal(ending:match "^error" and 1 or 0, status)
      assert.equal(original, target:byte(probe))
    end
  end))

  it("leave nothing global: topic 1", function()
    local output = support.run(support.LUA .. [[ -e '
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local um = require "uprobe_multi"
      um.count("]] .. known .. [[:known_0000"):close()
      for name in pairs(_G) do if not before[name] then print(name) end end
    ']])
    assert.equal("", output)
  end)

  it("work in several states and coroutines at once", with_target(nil, function(target)
    local spec = target.path .. ":known_0000"
    local each = coroutine.wrap(function()
      local calls = um.count(spec, {pid = target.pid, progress = function() um.resolve(spec) end})
      while true do
        coroutine.yield(calls:hits()[1])
      end
    end)
    assert.equal(0, each())
    target:call(3)
    assert.equal(3, each())
  end))
end)
