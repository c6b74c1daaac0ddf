-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
local support = require "support"
local um = require "uprobe_multi"

local failure, with_target = support.failure, support.with_target
local unpack = table.unpack or unpack
local OBJECT = support.built "tests/bpf/sections.bpf.o"
local VALUES = "(int8_t a, uint8_t b, int16_t c, uint16_t d, int32_t e, uint32_t f)"

local function list(iterator)
  local all = {}
  for one in iterator do
    all[#all + 1] = one
  end
  return all
end

describe("observers", function()
  it("programs of one's own: by path, object, program and descriptor: topic 22", with_target(nil, function(target)
    local spec, pid = target.path .. ":known_0000", {name = "entry", pid = target.pid}
    local link = um.attach(OBJECT, spec, pid)
    assert.equal(1, link:attached_count())
    assert.equal("uprobe_multi", link:backend())
    assert.equal(target.pid, link:kernel_links()[1].pid)
    assert.is_true(link:detach() >= 0)
    assert.same({}, link:kernel_links())
    link:close()
    local object = um.Object.open(OBJECT)
    assert.equal(6, #object:programs())
    assert.is_true(object:map_fd "hits" >= 0)
    failure("UPM_ERR_NOT_FOUND", object.program, object, "none")
    for _, program in ipairs {object, object:program "entry", object:program("entry").fd} do
      local named = program == object and pid or {pid = target.pid}
      local one = um.attach(program, um.resolve(target.path .. ":known_000?"), named)
      assert.equal(10, #one:attached())
      one:close()
    end
    local with = um.attach(object, um.resolve(spec), {name = "entry", pid = target.pid, cookies = {7}})
    assert.equal(7, with:attached()[1].cookie)
    failure("UPM_ERR_INVALID", um.attach, 3)
    failure("UPM_ERR_INVALID", um.attach, {}, spec)
    local program, set = object:program "entry", um.resolve(spec)
    object:close() -- and with it the descriptor of the program
    assert.equal("it is closed", failure("UPM_ERR_STATE", um.attach, program, set, {pid = target.pid}).message)
    failure("UPM_ERR_STATE", um.attach, program, spec, {pid = target.pid})
  end))

  it("counts are exact: topic 23", with_target(nil, function(target)
    local calls = um.count(target.path .. ":known_000[0-3]", {pid = target.pid})
    target:call(100, 2, 4)
    local first = calls:snapshot()
    target:call(10)
    calls:stop()
    local second = calls:snapshot()
    assert.same({400, 400, 0, 0}, first.hits)
    assert.same({10, 0, 0, 0}, (second - first).hits)
    assert.is_true((second - first).seconds > 0)
    assert.equal(810, second:total())
    assert.equal(410, second:of "known_0000")
    assert.is_nil(second:of "none")
    assert.same({"known_0000", 410}, {second:top(1)[1].probe.symbol, second:top(1)[1].hits})
    assert.equal("count", calls:kind())
    assert.equal(0, calls:lost_processes())
  end))

  it("latency: calls, extremes, percentiles, histogram, sums and differences: topic 24", with_target(nil, function(target)
    local times = um.latency(target.path .. ":known_000[01]", {pid = target.pid})
    target:call(50, 2, 2)
    local first = times:snapshot()
    target:call(5)
    local second = times:snapshot()
    local row = first:row "known_0000"
    assert.same({100, 100, 0}, {row.entries, row.calls, row.unreturned})
    assert.is_true(0 < row.min_ns and row.min_ns <= row:percentile(0.5))
    assert.is_true(row:percentile(0.5) <= row:percentile(0.99) and row:percentile(0.99) <= row.max_ns)
    assert.is_true(row.min_ns <= row:mean_ns() and row:mean_ns() <= row.max_ns)
    local sum = 0
    for _, bucket in ipairs(row:buckets()) do
      assert.is_true(bucket.low_ns < bucket.high_ns)
      sum = sum + bucket.calls
    end
    assert.equal(100, sum)
    assert.equal(5, (second - first)[1].calls)
    assert.equal(1, (second - first):size())
    assert.equal(205, (first + second)[1].calls)
    assert.is_nil(first[3])
    failure("UPM_ERR_INVALID", function() return first - second end)
    assert.truthy(first:report():find "known_0001")
  end))

  it("events one by one, with arguments and results: topic 25", with_target("traced", function(target)
    local events = um.trace(target.path .. ":integers", {pid = target.pid, arguments = VALUES})
    assert.equal("integers done", target:ask "integers")
    events:stop()
    local found = list(events:events())
    assert.equal(1, #found)
    local event = found[1]
    assert.same({"entry", target.pid, "traced", "integers"}, {event.kind, event.pid, event.comm, event.probe.symbol})
    assert.is_true(event[1] < 0 and event[2] > 0) -- the signs of their types
    assert.equal(event[3], event.values.c)
    assert.is_nil(event.result)
    assert.same({}, event.stack)
    assert.equal(6, #events:signature(1).arguments)
    assert.same({hits = 1, events = 1, filtered = 0, lost = 0, unreturned = 0, refused = 0},
      events:snapshot())
    assert.is_nil(events:next())
  end))

  it("events of calls have a result, and stacks: topic 25", with_target("traced", function(target)
    local events = um.trace(target.path .. ":deep", {
      pid = target.pid, arguments = {deep = "long (long depth)"}, returns = true, stacks = true,
    })
    target:ask "deep 3"
    events:stop()
    local found = list(events:events())
    assert.is_true(#found >= 3)
    for _, event in ipairs(found) do
      assert.equal("call", event.kind)
      assert.is_true(event.duration_ns > 0 and event.result >= 0 and #event.stack > 0)
    end
    local symbolizer = um.Symbolizer.new()
    assert.truthy(symbolizer:names(found[1].pid, found[1].stack)[1]:find "^traced:")
    failure("UPM_ERR_SPEC", um.trace, target.path .. ":deep", {arguments = "(long"})
  end))

  it("what a loop leaves is there for the next one: topic 25", with_target("traced", function(target)
    local events = um.trace(target.path .. ":counted", {pid = target.pid, arguments = "(uint64_t n)"})
    target:ask "count 3000"
    events:stop()
    local seen = {}
    for event in events:events() do
      seen[#seen + 1] = event[1]
      if #seen == 10 then
        break
      end
    end
    seen[#seen + 1] = events:next()[1]
    events:run(function(event)
      seen[#seen + 1] = event[1]
      return #seen == 20
    end)
    for event in events:events() do
      seen[#seen + 1] = event[1]
    end
    assert.equal(3000, #seen)
    for at, number in ipairs(seen) do
      assert.equal(at - 1, number)
    end
  end))

  it("events in bulk, without a table for each: topic 26", with_target("traced", function(target)
    local events = um.trace(target.path .. ":counted", {pid = target.pid, arguments = "(uint64_t n)"})
    target:ask "count 2000"
    local batch = events:read_batch(1, {events = 1500})
    assert.equal(1500, batch:size())
    assert.equal(1499, batch:argument(1)[1500])
    assert.same({"entry", target.pid, 1}, {batch:column("kind")[1], batch:column("pid")[1], batch:column("probe")[1]})
    assert.is_false(batch:argument(2)[1])
    assert.equal(3, batch:raw_events()[4].arguments[1])
    assert.equal(1499, batch:events()[1500].values.n)
    assert.equal(0, batch:text_size())
    assert.equal(500, events:read_batch(1):size())
    assert.equal(0, events:read_batch(0):size())
    failure("UPM_ERR_INVALID", batch.column, batch, "colour")
  end))

  it("a batch outlives its trace, collected or closed: topics 6, 26", with_target("traced", function(target)
    local function read(close)
      return support.apart(function()
        local events = um.trace({target.path .. ":counted", target.path .. ":integers"},
          {pid = target.pid, arguments = {counted = "(uint64_t n)", integers = VALUES}})
        target:ask "count 3"
        target:ask "integers"
        local batch = events:read_batch(1)
        if close then
          events:close()
        end
        return batch
      end)
    end
    for _, close in ipairs {false, true} do
      local batch = read(close)
      support.collect()
      assert.equal(4, batch:size())
      assert.same({0, 1, 2}, {unpack(batch:argument(1), 1, 3)})
      local events = batch:events()
      assert.same({"counted", "integers"}, {events[3].probe.symbol, events[4].probe.symbol})
      assert.same({2, events[4][1]}, {events[3].values.n, events[4].values.a})
    end
  end))

  it("events are awaited as an event loop wants it: topic 27", with_target("traced", function(target)
    local events = um.trace(target.path .. ":counted", {pid = target.pid, arguments = "(uint64_t n)"})
    local waits, seen = 0, {}
    local task = coroutine.wrap(function()
      for event in events:events {wait = function(fd, seconds)
        assert.is_true(fd >= 0 and seconds > 0)
        coroutine.yield "wait"
      end} do
        seen[#seen + 1] = event[1]
      end
      return "done"
    end)
    assert.equal("wait", task()) -- other tasks of the loop run here
    target:ask "count 5"
    repeat
      waits = waits + 1
      um.wait(events:fd(), 0.01)
      if waits == 1000 or #seen == 5 then
        events:stop()
      end
    until task() == "done"
    assert.same({0, 1, 2, 3, 4}, seen)
  end))

  it("what one process leaves pinned, another opens by name: topic 28", with_target(nil, function(target)
    support.with_bpf_file_system(function(folder)
      local name = folder .. "/shared"
      local output, status = support.run(([[%s -e 'require("uprobe_multi").count("%s", {pid = %d}):pin("%s")']]):format(
        support.LUA, target.path .. ":known_0000", target.pid, name))
      assert.equal("0", tostring(status), output)
      target:call(4)
      local calls = um.open(name)
      assert.equal(um.Count, getmetatable(calls))
      assert.same({4}, calls:hits())
      calls:close()
      local listed = um.list_pinned(folder)
      assert.same({name, "count", "", 1}, {listed[1].name, listed[1].kind, listed[1].problem, listed[1].attached})
      failure("UPM_ERR_SYSTEM", function() um.count(target.path .. ":known_0000"):pin(name) end)
      um.unpin(name)
      failure("UPM_ERR_NOT_FOUND", um.open, name)
      local link = um.attach(OBJECT, target.path .. ":known_0000", {name = "entry", pid = target.pid})
      link:pin(folder .. "/link")
      link:close()
      assert.equal(1, um.open_link(folder .. "/link"):attached_count())
      um.unpin_link(folder .. "/link")
    end)
  end))

  it("handles and results print as a person reads them: topic 29", with_target("traced", function(target)
    local set = um.resolve {target.path .. ":text", target.path .. ":none"}
    assert.truthy(tostring(set):find "^<ProbeSet of 2: 1 %S+, 1 ok>$")
    assert.equal("uprobe:" .. target.path .. ":text", tostring(set[1]))
    local events = um.trace(set, {pid = target.pid, arguments = "(char *text)"})
    assert.equal("<Trace: 1 attached, 1 skipped>", tostring(events))
    target:ask "text"
    assert.truthy(tostring(events:next()):find('^traced%[%d+%] text%(text="'))
    local calls = um.count(set)
    assert.truthy(tostring(calls:snapshot()):find "in all$")
    calls:close()
    assert.equal("<Count, closed>", tostring(calls))
  end))
end)
