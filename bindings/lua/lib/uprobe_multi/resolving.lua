-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- From specs to probes.
local Handle = require "uprobe_multi.handle"
local errors = require "uprobe_multi.errors"
local options = require "uprobe_multi.options"
local probes = require "uprobe_multi.probes"
local raw = require "uprobe_multi.core"

local KNOWN = {
  pid = "integer", pids = "table", program = "string", debug_files = "string", debuginfod = "boolean",
  all_matches = "boolean", accept_unwinding = "boolean", index = "boolean", progress = "function",
}
local DEBUG_FILES = {["when needed"] = 0, always = raw.UPM_RESOLVE_DEBUG_ALWAYS, never = raw.UPM_RESOLVE_DEBUG_NEVER}

local resolving = {}

---@class uprobe_multi.ResolveOptions
---@field pid integer? the process in whose view of files and loaded libraries BINARY is looked up
---@field pids integer[]? several of them
---@field program string? an executable about to run; BINARY may be a library that it will load
---@field debug_files string? when to read separate debug files: "when needed", "always", "never"
---@field debuginfod boolean? ask the servers of DEBUGINFOD_URLS
---@field all_matches boolean? let a plain name that stands for several functions match them all
---@field accept_unwinding boolean? allow return probes and latencies on functions that an exception may leave: one
---  that does ends the program
---@field index boolean? false: neither read nor keep what a pattern finds in a large file
---@field progress (fun(stage: string, done: integer, total: integer): boolean?)? true ends the call

--- Turn specs into probes, each judged. A spec is "BINARY:PATTERN", "uretprobe:BINARY:PATTERN" or
--- "usdt:BINARY:PROVIDER:NAME". One that finds nothing is no error: it becomes a probe whose verdict
--- says so.
---@param specs string|string[]
---@param given uprobe_multi.ResolveOptions?
---@return uprobe_multi.ProbeSet
function resolving.resolve(specs, given)
  given = options.check(given, KNOWN, "resolve")
  local texts = options.texts(specs, "resolve")
  local debug_files = DEBUG_FILES[given.debug_files or "when needed"]
  if not debug_files then
    errors.invalid("choose debug_files", given.debug_files, "there is no such choice", "say when needed, always or never")
  end
  local _, set = raw.upm_resolve(texts, #texts, {
    flags = debug_files + options.bits {
      [raw.UPM_RESOLVE_DEBUGINFOD] = given.debuginfod, [raw.UPM_RESOLVE_ALL_MATCHES] = given.all_matches,
      [raw.UPM_RESOLVE_ACCEPT_UNWINDING] = given.accept_unwinding,
      [raw.UPM_RESOLVE_NO_INDEX] = given.index == false,
    },
    pids = options.pids(given),
    program = given.program,
    progress = options.progress(given),
  })
  return Handle.wrap(probes.ProbeSet, set)
end

--- A set as it is; specs resolved as these processes see them.
---@param given uprobe_multi.ProbeSet|string|string[]
---@param pids integer[]
function resolving.as_probe_set(given, pids, progress)
  if type(given) == "table" and getmetatable(given) == probes.ProbeSet then
    return given
  end
  return resolving.resolve(given, {pids = pids, progress = progress})
end

return resolving
