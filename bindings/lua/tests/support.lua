-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- The shared test targets, descriptors, other programs.
local lfs = require "lfs"
local um = require "uprobe_multi"

local support = {
  BUILD = assert(os.getenv "UPM_BUILD", "UPM_BUILD is not set"),
  LUA = assert(os.getenv "UPM_LUA", "UPM_LUA is not set"), -- the interpreter that runs this
  HERE = assert(os.getenv "UPM_LUA_FOLDER", "UPM_LUA_FOLDER is not set"), -- bindings/lua
}

function support.built(name)
  local path = support.BUILD .. "/" .. name
  assert(lfs.attributes(path), path .. " is not built: make tests")
  return path
end

--- Output of a command, both streams, and its exit status.
function support.run(command)
  local pipe = io.popen("{ " .. command .. "\n} 2>&1 </dev/null; echo \"=$?\"")
  local output, status = pipe:read("*a"):match "^(.*)=(%d+)\n$"
  pipe:close()
  return output, tonumber(status)
end

local folders = 0

--- A new empty folder, which is removed when the function given returns.
function support.with_folder(use)
  folders = folders + 1
  local folder = ("%s/tests-lua-%s-%d-%d"):format(support.BUILD, support.LUA, support.pid(), folders)
  support.run("rm -rf " .. folder)
  assert(lfs.mkdir(folder))
  local results = {xpcall(function() return use(folder) end, debug.traceback)}
  support.run("rm -rf " .. folder)
  assert(results[1], results[2])
  return results[2]
end

--- A BPF file system for as long as the function runs.
function support.with_bpf_file_system(use)
  return support.with_folder(function(folder)
    assert(select(2, support.run("mount -t bpf bpf " .. folder)) == 0)
    local results = {xpcall(function() return use(folder) end, debug.traceback)}
    support.collect()
    local output, status = support.run("umount " .. folder)
    assert(status == 0, output)
    assert(results[1], results[2])
    return results[2]
  end)
end

function support.pid()
  return tonumber(io.open("/proc/self/stat"):read("*a"):match "^%d+")
end

--- What a function returns that has run on a stack of its own. LuaJIT's collector takes what an
--- ended function has left in the slots of a shared one for values that are still held.
function support.apart(use, ...)
  return coroutine.wrap(use)(...)
end

--- Free what is unreachable, also from code that LuaJIT has compiled: that holds the functions it was
--- made of, and what they have captured.
function support.collect()
  if jit then
    jit.flush()
  end
  collectgarbage()
  collectgarbage()
end

--- Number of open descriptors of this process.
function support.descriptors()
  local count = 0
  for name in lfs.dir "/proc/self/fd" do
    count = count + (name:match "^%d+$" and 1 or 0)
  end
  return count
end

local Target = {}
Target.__index = Target

--- tests/target/known.c or another one: it is told what to do, and answers.
function support.target(name)
  local path = support.built("target/" .. (name or "known"))
  local fifo = ("%s/fifo-%s-%d-%d"):format(support.BUILD, support.LUA, support.pid(), folders)
  folders = folders + 1
  support.run(("rm -f %s; mkfifo %s"):format(fifo, fifo))
  local target = setmetatable({path = path}, Target)
  target.input = assert(io.popen(("exec %s >%s"):format(path, fifo), "w"))
  target.output = assert(io.open(fifo))
  os.remove(fifo)
  target.pid = tonumber(target.output:read("*l"):match "^ready (%d+)$")
  return target
end

function Target:send(line)
  self.input:write(line, "\n")
  self.input:flush()
end

function Target:answer()
  return self.output:read "*l"
end

function Target:ask(line)
  self:send(line)
  return self:answer()
end

--- Calls known_0000 … and shared_0000 …, each so many times by every thread.
function Target:call(times, functions, threads)
  local total = times * (functions or 1) * (threads or 1)
  local answer = self:ask(("call times=%d functions=%d threads=%d"):format(times, functions or 1, threads or 1))
  assert(answer == ("call total=%d"):format(total), answer)
end

--- The byte of the program's memory at the first instruction of a function: 0xcc with a probe there.
function Target:byte(probe)
  local mapped
  for line in io.lines(("/proc/%d/maps"):format(self.pid)) do
    local start, offset, path = line:match "^(%x+)%-%x+ r%-xp (%x+) %S+ %d+ *(.*)$"
    if path == self.path then
      mapped = tonumber(start, 16) + tonumber(probe.offset) - tonumber(offset, 16)
    end
  end
  local memory = io.open(("/proc/%d/mem"):format(self.pid), "rb")
  memory:seek("set", mapped)
  local byte = memory:read(1):byte()
  memory:close()
  return byte
end

function Target:close()
  self.input:close()
  self.output:close()
end

--- Run a test with a target.
function support.with_target(name, use)
  return function()
    local target = support.target(name)
    local ok, problem = xpcall(function() use(target) end, function(message)
      return type(message) == "string" and debug.traceback(message) or message
    end)
    target:close()
    support.collect()
    if not ok then
      error(problem, 0)
    end
  end
end

--- The error that a call raises, which has to be one of ours, of this name.
function support.failure(name, call, ...)
  local ok, failure = pcall(call, ...)
  assert(not ok, "no error was raised")
  assert(um.is_error(failure), tostring(failure))
  assert(failure.name == name, failure.name .. ": " .. tostring(failure))
  return failure
end

return support
