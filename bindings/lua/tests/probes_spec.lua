-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
local raw = require "uprobe_multi.core"
local support = require "support"
local um = require "uprobe_multi"

local failure = support.failure
local known = support.built "target/known"

describe("probes", function()
  it("loads, and tells its version: topic 1", function()
    assert.equal(um.VERSION, um.library_version())
    assert.equal("yes", um.check().uprobe_multi)
    assert.equal("uprobe_multi", um.check().backend)
  end)

  it("sets come from functions, also an empty one: topic 2", function()
    local set = um.ProbeSet.new()
    assert.equal(0, set:size())
    assert.is_nil(set[1])
    set:add(known, {um.resolve(known .. ":known_0001")[1].offset})
    assert.equal("known_0001", set[1].symbol)
    assert.has_error(function() raw.struct_upm_probe_set() end)
  end)

  it("options have names and defaults, and no others: topic 7", function()
    assert.equal(1, um.resolve(known .. ":known_0000"):size())
    assert.equal(1, um.resolve({known .. ":known_0000"}, {debug_files = "never"}):size())
    assert.equal("pidd", failure("UPM_ERR_INVALID", um.resolve, known .. ":x", {pidd = 1}).object)
    assert.equal("strictly", failure("UPM_ERR_INVALID", um.count, known .. ":known_0000", {strictly = true}).object)
    failure("UPM_ERR_INVALID", um.resolve, known .. ":x", {debug_files = "perhaps"})
    local unknown = failure("UPM_ERR_INVALID", raw.upm_resolve, {"a:b"}, 1, {pid = 1})
    assert.equal("there is no field pid", unknown.message)
  end)

  it("wrong arguments are refused before C sees them: topic 8", function()
    local set = um.resolve(known .. ":known_000?")
    failure("UPM_ERR_INVALID", um.resolve, 42)
    failure("UPM_ERR_INVALID", um.resolve, {known .. ":known_0000", 42})
    failure("UPM_ERR_INVALID", um.count, set, {pid = "one"})
    failure("UPM_ERR_INVALID", um.count, set, {pids = {2 ^ 31}})
    failure("UPM_ERR_INVALID", um.count, set, {pid = 1.5})
    failure("UPM_ERR_INVALID", um.count, set, {backend = "tin cans"})
    failure("UPM_ERR_INVALID", set.add, set, known, {1, 2}, {cookies = {1}})
    failure("UPM_ERR_INVALID", set.join, set, um.Symbolizer.new())
    failure("UPM_ERR_INVALID", set.set_cookies, set, {1})
    failure("UPM_ERR_INVALID", raw.upm_probe_set_size, um.Symbolizer.new():use())
    failure("UPM_ERR_INVALID", raw.upm_probe_set_size, io.stdout)
    failure("UPM_ERR_INVALID", raw.upm_resolve, {"a:b"}, 2, nil)
    assert.has_error(function() raw.upm_probe_set_size() end)
  end)

  it("errors are objects with all that the library says: topic 9", function()
    local missing = failure("UPM_ERR_NOT_FOUND", um.Object.open, "/no/such/object")
    assert.equal(raw.UPM_ERR_NOT_FOUND, missing.code)
    assert.equal(2, missing.errno)
    assert.equal("/no/such/object", missing.object)
    for _, field in ipairs {"operation", "message", "hint"} do
      assert.is_string(missing[field])
    end
    assert.truthy(tostring(missing):find("/no/such/object: ", 1, true))
    assert.is_false(um.is_error {code = -3})
    assert.is_false(um.is_error "text")
  end)

  it("errors go the way of Lua's own: pcall, error and tostring: topic 10", function()
    local ok, first = pcall(um.resolve, "nonsense")
    local again_ok, again = pcall(error, first, 0)
    assert.same({false, false}, {ok, again_ok})
    assert.equal(first, again)
    assert.truthy(tostring(first):find "nonsense")
    local output, status = support.run(support.LUA .. [[ -e 'require("uprobe_multi").resolve("nonsense")']])
    assert.equal(1, status)
    assert.truthy(output:find("read the spec nonsense: ", 1, true))
  end)

  it("texts: UTF-8, bytes that are not, and a NUL: topic 11", function()
    for _, name in ipairs {"/tmp/zwölf-∞", "/tmp/\255\254"} do
      local set = um.resolve(name .. ":main")
      assert.equal("unreadable", set[1].verdict)
      assert.equal(name .. ":main", set[1].spec)
    end
    assert.equal("the string holds a NUL byte", failure("UPM_ERR_INVALID", um.resolve, "a\0b:c").message)
    assert.equal("std::ios_base::Init::Init()", um.demangle "_ZNSt8ios_base4InitC1Ev")
    assert.equal("malloc", um.demangle "malloc")
  end)

  it("numbers keep 64 bits: topic 12", function()
    local set = um.resolve(known .. ":known_000[0-3]")
    local texts = {"0", "9007199254740993", "9223372036854775808", "18446744073709551615"}
    set:set_cookies(texts)
    local cookies = set:cookies()
    set:set_cookies(cookies)
    for at, text in ipairs(texts) do
      assert.equal(text, um.decimal(set[at].cookie))
    end
    if math.type then
      assert.equal("integer", math.type(cookies[2]))
      assert.equal(-1, cookies[4])
    else
      assert.equal("cdata", type(cookies[2]))
      assert.is_true(cookies[2] == (loadstring or load)("return 9007199254740993ULL")())
      failure("UPM_ERR_INVALID", set.set_cookies, set, {-1, 0, 0, 0})
    end
    failure("UPM_ERR_INVALID", set.set_cookies, set, {"18446744073709551616", 0, 0, 0})
    failure("UPM_ERR_INVALID", set.set_cookies, set, {0.5, 0, 0, 0})
  end)

  it("integers are also taken as digits, and as cdata: topics 7, 12", function()
    local set, pid = um.resolve(known .. ":known_000[0-3]"), support.pid()
    local one = um.resolve(known .. ":known_0000", {pid = ("%d"):format(pid), pids = {("%d"):format(pid)}})
    local kinds = {tostring, jit and (loadstring or load) "return function(number) return number + 0LL end"() or tonumber}
    for _, as in ipairs(kinds) do
      local calls = um.count(set, {pid = as(pid), probes_per_link = as(3)})
      assert.equal(2, #calls:kernel_links())
      assert.equal(pid, calls:kernel_links()[1].pid)
      assert.same({}, calls:snapshot():top(as(2)))
      calls:close()
      local times = um.latency(one, {pids = {as(pid)}, most_rows = as(4)})
      failure("UPM_ERR_INVALID", um.latency, one, {most_rows = as(-1)})
      assert.equal(0, times:snapshot():percentile(as(1), 0.5))
      times:close()
      local events = um.trace(one, {
        pid = as(pid), tids = {as(pid)}, sample = as(2), rate = as(100), ring_bytes = as(65536), text_bytes = as(64),
        stack_frames = as(8),
      })
      assert.equal(0, events:read_batch(0, {events = as(16), text_bytes = as(1024)}):size())
      assert.equal("known_0000", events:signature(as(1)).probe.symbol)
      failure("UPM_ERR_PROGRAM", um.attach, kinds[2](events:fd()), set) -- a map
      events:close()
      assert.equal("known_0002", set:select({as(3)})[1].symbol)
      assert.same({um.bucket_bounds(5)}, {um.bucket_bounds(as(5))})
    end
    for _, wrong in ipairs {"one", "", "1x", "0x10", "1.5", " 1"} do
      assert.equal("sample", failure("UPM_ERR_INVALID", um.trace, one, {sample = wrong}).object)
      assert.equal("index", failure("UPM_ERR_INVALID", set.select, set, {wrong}).object)
    end
  end)

  it("sets have a length, are indexed, iterated and filtered: topic 13", function()
    local set = um.resolve(known .. ":known_000?")
    assert.equal(10, set:size())
    assert.is_nil(set[0])
    assert.is_nil(set[11])
    local names = {}
    for index, probe in set:each() do
      names[index] = probe.symbol
    end
    assert.equal(10, #names)
    assert.equal("known_0009", names[10])
    assert.equal("known_0004", set:filter({symbol = "*_0004"})[1].symbol)
    assert.equal(2, set:filter(function(probe) return probe.symbol:match "[12]$" end):size())
    assert.equal(10, set:attachable():size())
    assert.equal(0, set:rejected():size())
    local two = set:select {10, 1}
    assert.same({"known_0009", "known_0000"}, {two[1].symbol, two[2].symbol})
    assert.equal(12, (set + two):size())
    failure("UPM_ERR_INVALID", set.select, set, {11})
  end)

  it("what is skipped has its verdict and reason: topic 14", function()
    local set = um.resolve {known .. ":known_0000", known .. ":no_such_function"}
    assert.equal(1, set:verdicts().ok)
    assert.equal(1, set:rejected():size())
    local calls = um.count(set)
    local skipped = calls:skipped()
    assert.equal(1, #skipped)
    assert.is_false(skipped[1].ok)
    assert.is_true(#skipped[1].reason > 0)
    assert.equal(set:rejected()[1].verdict, skipped[1].verdict)
    calls:close()
    failure("UPM_ERR_STRICT", um.count, set, {strict = true})
    failure("UPM_ERR_NOTHING", um.count, set:rejected())
  end)
end)
