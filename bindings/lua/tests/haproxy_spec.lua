-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- A real HAProxy with the service, in its own Lua, which is 5.3.
if _VERSION ~= "Lua 5.3" then
  return
end
local support = require "support"
local um = require "uprobe_multi"

local HAPROXY = [[
global
  user nobody
  lua-prepend-path BUILT/?.lua
  lua-prepend-path BUILT/?.so cpath
  setenv UPM_SPECS "TARGET:known_000[01]"
  lua-load HERE/haproxy/uprobe_multi_service.lua
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend counts
  bind unix@FOLDER/socket mode 600
  http-request use-service lua.calls
]]

-- By Python, which has sockets.
local ASK = [[python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
print(b"".join(iter(lambda: s.recv(65536), b"")).decode())
' ]]

local function eventually_answers(folder)
  local answer, status
  for _ = 1, 100 do
    answer, status = support.run(ASK .. folder .. "/socket")
    if status == 0 then
      break
    end
    um.sleep(0.1)
  end
  return answer
end

local function answers_true_calls(configuration, command)
  return support.with_target(nil, function(target)
    local probe = um.resolve(target.path .. ":known_0000")[1]
    local original = target:byte(probe)
    support.with_folder(function(folder)
      local places = {BUILT = support.BUILD .. "/conformance/lua/" .. support.LUA, HERE = support.HERE,
        TARGET = target.path, FOLDER = folder}
      local file = io.open(folder .. "/conf", "w")
      file:write((configuration:gsub("%u+", places)))
      file:close()
      local own = io.popen((("echo $$; exec " .. command .. " 2>&1"):gsub("FOLDER", folder)))
      local pid = own:read "*l"
      local before = eventually_answers(folder)
      target:call(5, 2)
      local after = support.run(ASK .. folder .. "/socket")
      os.execute("kill " .. pid)
      local log = own:read "*a"
      own:close()
      assert.truthy(before:find " 0  in all\n", before .. log)
      assert.truthy(after:find " 5  known_0000\n +5  known_0001\n +10  in all\n", after .. log)
    end)
    assert.equal(original, target:byte(probe))
  end)
end

describe("in HAProxy, which has changed its user", function()
  it("a service answers with the true calls", answers_true_calls(HAPROXY, "haproxy -f FOLDER/conf -db"))
end)
