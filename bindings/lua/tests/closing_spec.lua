-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Handles that are closed, or collected, while something still uses them. Each test runs a script of its own, since what
-- uses memory that was freed may crash; what is freed is overwritten.
local support = require "support"

local PRELUDE = [[
  local support = require "support"
  local um, raw = require "uprobe_multi", require "uprobe_multi.core"
  local known, object_path = ...
  local pid = support.pid()

  local function say(...)
    local words = {n = select("#", ...), ...}
    for at = 1, words.n do
      words[at] = tostring(words[at])
    end
    io.write(table.concat(words, " "), "\n")
  end

  -- A trace that has five events.
  local function traced()
    local events = um.trace("libc.so.6:getenv", {pid = pid, arguments = "(char *name)"})
    for _ = 1, 5 do
      os.getenv "UPM_NOT_THERE"
    end
    return events
  end

  local function outcome(...)
    local ok, failure = pcall(...)
    return ok and "ok" or failure.name
  end

  local function finalized(finalizer)
    local value = newproxy and newproxy(true) or {}
    local type = getmetatable(value) or {}
    type.__gc = finalizer
    return newproxy and value or setmetatable(value, type)
  end
]]

-- The lines that a script says.
local function lines_of(script)
  local output, status = support.run(("ulimit -v 8000000; MALLOC_PERTURB_=165 %s - %s %s <<'END'\n%s%s\nEND"):format(support.LUA,
    support.built "target/known", support.built "tests/bpf/sections.bpf.o", PRELUDE, script))
  assert(status == 0, output)
  local lines = {}
  for line in output:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

describe("closing", function()
  it("a trace in its own callback ends the run: topics 3, 15", function()
    assert.same({
      "first 1 nil true UPM_ERR_STATE", "answer 1 yes true UPM_ERR_STATE", "read ahead 1 nil true UPM_ERR_STATE",
      "wait 5 true", "descriptors 0",
    }, lines_of [[
      local function run(what, events, answer, timeout)
        local seen, kept = 0, {}
        local result = events:run(function(event)
          seen = seen + 1
          events:close()
          for size = 1, 1000 do
            kept[size] = ("x"):rep(size)
          end
          return answer
        end, timeout)
        say(what, seen, result, events:closed(), outcome(events.hits, events))
      end
      traced():close()
      support.collect()
      local before = support.descriptors()
      support.apart(function()
        run("first", traced(), nil, 0)
        run("answer", traced(), "yes")
        local ahead = traced()
        ahead:events()()
        run("read ahead", ahead)
        local events, seen = traced(), 0
        for _ in events:events {wait = function() events:close() end} do
          seen = seen + 1
        end
        say("wait", seen, events:closed())
      end)
      support.collect() -- the sets have descriptors, too
      say("descriptors", support.descriptors() - before)
    ]])
  end)

  it("a set in a callback of progress lets the call end, and nothing changes it meanwhile: topics 3, 15", function()
    assert.same({
      "used 10 UPM_ERR_STATE UPM_ERR_STATE UPM_ERR_STATE UPM_ERR_STATE", "attached 10", "closed UPM_ERR_STATE",
      "free again ok UPM_ERR_INVALID", "failed true UPM_ERR_STATE",
    }, lines_of [[
      local set, other = um.resolve(known .. ":known_000?"), um.resolve(known .. ":known_000?")
      local offset = set[1].offset
      um.count(other, {pid = pid, progress = function() other:size() end}):close()
      local calls = um.count(set, {pid = pid, progress = function()
        if not set:closed() then
          say("used", set:size(), outcome(set.join, set, other), outcome(set.set_cookies, set, set:cookies()),
            outcome(set.place, set), outcome(set.add, set, known, {offset}))
        end
        set:close()
        collectgarbage()
      end})
      say("attached", calls:attached_count())
      say("closed", outcome(set.size, set))
      say("free again", outcome(other.set_cookies, other, other:cookies()), outcome(other.join, other, other))
      local _, message = pcall(um.count, other, {pid = pid, progress = function()
        other:close()
        error "on purpose"
      end})
      say("failed", message:find "on purpose" ~= nil, outcome(other.size, other))
    ]])
  end)

  it("an object in a callback of progress lets the attach end: topics 3, 22", function()
    assert.same({"set 10", "specs 10", "cookies 10", "program 10", "cancelled UPM_ERR_CANCELLED", "descriptors 0"}, lines_of [[
      local function attach(what, wanted, given, name)
        local object = um.Object.open(object_path)
        given.pid, given.name = pid, name == nil and "entry" or nil
        given.progress = function()
          object:close()
          collectgarbage()
          return what == "cancelled"
        end
        local link = um.attach(name and object:program(name) or object, wanted, given)
        say(what, link:attached_count())
        link:close()
      end
      local set = um.resolve(known .. ":known_000?")
      attach("set", set, {})
      support.collect()
      local before = support.descriptors()
      attach("specs", known .. ":known_000?", {})
      attach("cookies", known .. ":known_000?", {cookies = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}})
      attach("program", set, {}, "entry")
      say("cancelled", outcome(attach, "cancelled", set, {}))
      support.collect() -- of the sets
      say("descriptors", support.descriptors() - before)
    ]])
  end)

  it("of the raw layer waits for the call that goes on: topic 3", function()
    assert.same({"events 5 true", "batch UPM_ERR_STATE", "inner UPM_ERR_STATE UPM_ERR_STATE", "twice ok"}, lines_of [[
      local observer = traced():use()
      local _, batch = raw.upm_batch_new(0, 0)
      raw.upm_trace_read(observer, batch, 0)
      local same = 0
      local events = raw.events(batch, setmetatable({type = {}}, {__index = function()
        raw.upm_batch_free(batch)
        raw.upm_batch_free(batch)
        collectgarbage()
        return {probe = "a probe", forms = "\0\0"}
      end}))
      for _, event in ipairs(events) do
        same = same + (event.pid == pid and 1 or 0)
      end
      say("events", same, #events == same)
      say("batch", outcome(raw.upm_batch_size, batch))
      local set, link = raw.upm_observer_probes(observer), raw.upm_observer_link(observer)
      raw.upm_observer_free(observer)
      say("inner", outcome(raw.upm_probe_set_size, set), outcome(raw.upm_link_attached, link))
      say("twice", outcome(raw.upm_observer_free, observer))
    ]])
  end)

  it("by the collector is seen by finalizers that come later: topics 5, 20", function()
    assert.same({
      "collected true UPM_ERR_STATE UPM_ERR_STATE <ProbeSet, closed>", "collected true UPM_ERR_STATE UPM_ERR_STATE <Count, closed>",
      "at the end true UPM_ERR_STATE UPM_ERR_STATE <Count, closed>",
    }, lines_of [[
      local function held(what, make)
        local handle
        local holder = finalized(function()
          local second = handle.hits or handle.size
          say(what, handle:closed(), outcome(second, handle), outcome(handle.use_link or handle.verdicts, handle), handle)
          handle:close()
        end)
        handle = make()
        return holder
      end
      local function count()
        return um.count("libc.so.6:getenv", {pid = pid})
      end
      support.apart(function() held("collected", um.ProbeSet.new) end)
      support.collect()
      support.apart(function() held("collected", count) end)
      support.collect()
      kept = held("at the end", count)
    ]])
  end)
end)
