-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
local lfs = require "lfs"
local support = require "support"
local um = require "uprobe_multi"

local with_target = support.with_target
local EXAMPLES = {"attach_own_program", "count", "latency", "pinned", "trace", "usdt"}

local function example(name, arguments)
  local output, status = support.run(("%s %s/examples/%s.lua %s"):format(support.LUA, support.HERE, name, arguments))
  assert.equal("0", tostring(status), output)
  return output
end

-- A process that opens files, as long as the function runs.
local function with_opener(use)
  local pipe = io.popen("echo $$; exec sh -c 'while sleep 0.05; do cat </no/such/file; done' 2>/dev/null")
  local pid = pipe:read "*l"
  local ok, problem = pcall(use, pid)
  os.execute("kill " .. pid)
  pipe:close()
  assert(ok, problem)
end

-- Every `function Name` and `function Class:name` of the files, with the line before it.
local function functions(use)
  for file in lfs.dir(support.HERE .. "/lib/uprobe_multi") do
    local before = ""
    for line in io.lines(support.HERE .. "/lib/" .. (file:match "%.lua$" and "uprobe_multi/" .. file or "uprobe_multi.lua")) do
      local class, name = line:match "^function (%w+)[.:](%w[%w_]*)%("
      if class then
        use(class, name, before, file)
      end
      before = line
    end
  end
end

describe("the package", function()
  it("documents every public function, with types for LuaLS: topic 30", function()
    local public, found = {}, 0
    for name, thing in pairs(um) do
      if type(thing) == "table" and rawget(thing, "__index") then
        public[name] = true
      end
    end
    local own = {describe = true, from = true, start = true, use_link = true}
    functions(function(class, name, before, file)
      if public[class] and not own[name] and not name:match "^__" then
        found = found + 1
        assert.truthy(before:match "^%-%-%-", ("%s: %s:%s has no comment"):format(file, class, name))
      end
    end)
    assert.is_true(found > 50)
    local parsed = {}
    for name, thing in pairs(um) do
      parsed[#parsed + 1] = type(thing) == "function" and name or nil
    end
    local guide = io.open(support.HERE .. "/../../docs/lua.md"):read "*a"
    for _, name in ipairs(parsed) do
      assert.truthy(guide:find("`" .. name .. "`", 1, true) or guide:find("um." .. name .. "(", 1, true),
        "docs/lua.md does not name " .. name)
    end
  end)

  it("has a guide whose snippets run: topic 30", function()
    local guide, blocks = io.open(support.HERE .. "/../../docs/lua.md"):read "*a", {}
    for block in guide:gmatch "\n```lua\n(.-)```" do
      blocks[#blocks + 1] = block
    end
    support.with_folder(function(folder)
      local script = io.open(folder .. "/guide.lua", "w")
      script:write("local pid = tonumber(arg[1])\n", table.concat(blocks, "\n"))
      script:close()
      with_opener(function(pid)
        local output, status = support.run(("%s %s/guide.lua %s"):format(support.LUA, folder, pid))
        assert.equal("0", tostring(status), output)
        assert.truthy(output:find 'open64%(path="')
      end)
    end)
  end)

  it("has the examples of every language: topic 31", function()
    local found = {}
    for name in lfs.dir(support.HERE .. "/examples") do
      found[#found + 1] = name:match "^([%w_]+)%.lua$"
    end
    table.sort(found)
    assert.same(EXAMPLES, found)
  end)

  it("example count, and latency: topic 31", with_target(nil, function(target)
    target:send "spin functions=1 threads=1"
    for _, name in ipairs {"count", "latency"} do
      local output = example(name, ("%d '%s:known_000?' 0.2"):format(target.pid, target.path))
      assert.is_true(tonumber(output:match "(%d+) [^\n]* known_0000\n") > 0)
    end
    assert.truthy(target:ask("stop"):find "^spin")
  end))

  it("example trace: topic 31", function()
    local output
    with_opener(function(pid) output = example("trace", pid .. " 1") end)
    assert.truthy(output:find 'open64%(path="/no/such/file", flags=%d+, mode=%d+%) = %-1 <')
  end)

  it("example usdt: topic 31", function()
    local output = example("usdt", support.built "target/usdt-gcc-O2")
    assert.truthy(output:find "at 0x%x+: .*@")
  end)

  it("example attach_own_program: topic 31", with_target(nil, function(target)
    local output = example("attach_own_program", ("%s entry '%s:known_000?' %d 0"):format(
      support.built "tests/bpf/sections.bpf.o", target.path, target.pid))
    assert.truthy(output:find "^10 probes attached in .*: 10 probes in ")
  end))

  it("example pinned: topic 31", with_target(nil, function(target)
    support.with_bpf_file_system(function(folder)
      local name = folder .. "/example"
      example("pinned", ("start %s %d %s:known_0000"):format(name, target.pid, target.path))
      target:call(3)
      assert.truthy(example("pinned", "read " .. name):find " 3  known_0000\n")
      example("pinned", "stop " .. name)
      assert.same({}, um.list_pinned(folder))
    end)
  end))

  it("is built by luarocks make, and works where it is installed: topic 32", function()
    support.with_folder(function(folder)
      local version = _VERSION:match "[%d.]+$"
      local include = jit and "LUA_INCDIR=" .. support.run("pkg-config --variable=includedir luajit"):match "%S+" or ""
      local output, status = support.run(("cd %s && OUTPUT=%s/made ENGINE=%s luarocks --lua-version %s --tree %s/tree make %s")
        :format(support.HERE, folder, support.built "libuprobe_multi.a", version, folder, include))
      assert.equal("0", tostring(status), output)
      output = support.run(([==[env -u LUA_PATH -u LUA_CPATH sh -c 'eval "$(luarocks --lua-version %s --tree %s/tree path)"
        cd / && %s -e "local um = require [[uprobe_multi]] print(um.VERSION, um.count([[%s:known_0000]]))"']==]):format(
        version, folder, support.LUA, support.built "target/known"))
      assert.equal(um.VERSION .. "\t<Count: 1 attached, 0 skipped>\n", output)
    end)
  end)
end)
