-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- A service for HAProxy that answers with counts: "http-request use-service lua.calls". The specs to count,
-- with blanks between, are the variable UPM_SPECS of its environment. docs/lua.md has the configuration.
local core = core -- luacheck: ignore, from HAProxy
local um = require "uprobe_multi"

local specs, calls = {}, nil
for spec in (os.getenv "UPM_SPECS" or ""):gmatch "%S+" do
  specs[#specs + 1] = spec
end

-- Attached before HAProxy changes its user: reading needs no privileges.
core.register_init(function()
  local ok, made = pcall(um.count, specs)
  calls = ok and made or error(tostring(made), 0) -- HAProxy shows texts only
end)

core.register_service("calls", "http", function(applet)
  local body = tostring(calls:snapshot()) .. "\n"
  applet:set_status(200)
  applet:add_header("content-type", "text/plain")
  applet:add_header("content-length", #body)
  applet:start_response()
  applet:send(body)
end)
