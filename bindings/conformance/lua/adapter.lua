-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- The adapter of Lua: does the steps of the conformance cases with the idiomatic layer. One JSON object
-- a line on standard input, one answer a line; ../README.md has the vocabulary.
local json = require "json"
local um = require "uprobe_multi"

local RESOLVE_FLAGS = {
  debug_always = {"debug_files", "always"}, debug_never = {"debug_files", "never"},
  debuginfod = {"debuginfod", true}, all_matches = {"all_matches", true},
  accept_unwinding = {"accept_unwinding", true},
}
local verbs, handles = {}, {}

-- As JSON has it: numbers beyond what all languages can read are decimal texts.
local function number(value)
  local digits = um.decimal(value)
  local large = #digits > 19 or #digits == 19 and digits >= "9223372036854775808"
  return large and digits or json.digits(digits)
end

local function signed(value)
  return json.digits((type(value) == "number" and ("%.0f"):format(value) or tostring(value):gsub("LL$", "")))
end
if math.type then
  signed = function(value) return json.digits(("%d"):format(value)) end
end

local function map(list, change)
  local changed = {}
  for at, value in ipairs(list) do
    changed[at] = change(value)
  end
  return json.array(changed)
end

local function copied(step, names, into)
  for _, name in ipairs(names) do
    into[name] = step[name]
  end
  return into
end

local function keep(step, handle)
  handles[step.as] = handle
  return handle
end

-- A progress function that ends the call when it has been called so many times.
local function cancel_at(step)
  local left = step.cancel_at
  return left and function()
    left = left - 1
    return left <= 0
  end
end

local function attach_options(step, into)
  for _, flag in ipairs(step.flags or {}) do
    into[flag] = true
  end
  into.progress = cancel_at(step)
  return copied(step, {"pids", "backend", "probes_per_link", "placement"}, into)
end

-- Probes

function verbs.version()
  return {version = um.library_version()}
end

function verbs.names(step)
  return {names = json.array(um.words[step.of].list)}
end

function verbs.demangle(step)
  return {name = um.demangle(step.symbol)}
end

function verbs.check()
  return um.check()
end

function verbs.resolve(step)
  local options = copied(step, {"pids", "program"}, {progress = cancel_at(step)})
  for _, flag in ipairs(step.flags or {}) do
    options[RESOLVE_FLAGS[flag][1]] = RESOLVE_FLAGS[flag][2]
  end
  return {probes = keep(step, um.resolve(step.specs, options)):size()}
end

function verbs.new(step)
  return {probes = keep(step, um.ProbeSet.new()):size()}
end

function verbs.add(step)
  local set = handles[step.of]
  set:add(step.paths, step.offsets, copied(step, {"kind", "ref_ctr_offsets", "cookies"}, {}))
  return {probes = set:size()}
end

function verbs.count_verdict(step)
  return {count = handles[step.of]:count_verdict(step.verdict)}
end

function verbs.cookies(step)
  handles[step.of]:set_cookies(step.cookies)
  return {}
end

function verbs.select(step)
  local indexes = map(step.indexes, function(index) return index + 1 end)
  return {probes = keep(step, handles[step.of]:select(indexes)):size()}
end

function verbs.sites(step)
  handles[step.of]:place(step.observer or "program")
  return {}
end

function verbs.join(step)
  handles[step.of]:join(handles[step.other])
  return {probes = handles[step.of]:size()}
end

local function argument_json(argument)
  return {
    place = argument.place, width = argument.width, signed = argument.is_signed, float = argument.is_float,
    text = argument.text, reason = argument.reason,
  }
end

local function probe_json(probe, fields)
  local found = {}
  for _, field in ipairs(fields) do
    local value = probe[field]
    if field == "arguments" then
      value = map(value, argument_json)
    elseif field == "aliases" then
      value = json.array(value)
    elseif field == "errno" then
      value = signed(value)
    elseif type(value) ~= "string" then
      value = number(value)
    end
    found[field] = value
  end
  return found
end

local function probe_list(step, list)
  return {probes = map(list, function(probe) return probe_json(probe, step.fields) end)}
end

function verbs.probes(step)
  local set, list = handles[step.of], {}
  if set.probes then
    set = set:probes()
  end
  for index, probe in set:each() do
    list[index] = probe
  end
  return probe_list(step, list)
end

-- Links and objects

local function link_json(link, into)
  into.attached, into.skipped, into.backend = link:attached_count(), link:skipped_count(), link:backend()
  return into
end

function verbs.open_object(step)
  return {programs = map(keep(step, um.Object.open(step.path)):programs(), function(program)
    return copied(program, {"name", "section", "spec", "kind", "session", "sleepable"}, {})
  end)}
end

function verbs.map(step)
  return {found = handles[step.of]:map_fd(step.name) >= 0}
end

function verbs.attach_object(step)
  return link_json(keep(step, um.attach(handles[step.object], step.specs, attach_options(step, {name = step.program}))), {})
end

function verbs.attach(step)
  local descriptor = handles[step.object]:program(step.program).fd
  return link_json(keep(step, um.attach(descriptor, handles[step.set], attach_options(step, {}))), {})
end

function verbs.link(step)
  local of = handles[step.of]
  local kernel = map(of:kernel_links(), function(one)
    return {path = one.path, files = number(one.files), probes = number(one.probes), kind = one.kind, limited = one.pid ~= 0,
            known = one.id ~= 0}
  end)
  return link_json(of, {timed = of:attach_seconds() > 0, kernel_links = kernel})
end

function verbs.attached(step)
  return probe_list(step, handles[step.of]:attached())
end

function verbs.skipped(step)
  return probe_list(step, handles[step.of]:skipped())
end

function verbs.detach(step)
  handles[step.of]:detach()
  return {}
end

function verbs.pin_link(step)
  handles[step.of]:pin(step.path)
  return {}
end

function verbs.open_link(step)
  return link_json(keep(step, um.open_link(step.path)), {})
end

function verbs.unpin_link(step)
  um.unpin_link(step.path)
  return {}
end

-- Observers

local function observer_json(observer)
  return link_json(observer, {kind = observer:kind()})
end

function verbs.count(step)
  return observer_json(keep(step, um.count(handles[step.set], attach_options(step, {}))))
end

function verbs.hits(step)
  local observer = handles[step.of]
  local hits, total = observer:hits(), 0
  for _, one in ipairs(hits) do
    total = total + one
  end
  return {hits = map(hits, number), total = number(total), lost_processes = number(observer:lost_processes())}
end

function verbs.stop(step)
  handles[step.of]:stop()
  return {}
end

function verbs.latency(step)
  local options = attach_options(step, copied(step, {"split", "most_rows"}, {}))
  return observer_json(keep(step, um.latency(handles[step.set], options)))
end

-- Are extremes, percentiles and sum what they can be, and do the buckets hold every call?
local function is_in_order(row)
  local middle, high, sum = row:percentile(0.5), row:percentile(0.99), 0
  for _, calls in ipairs(row:counts()) do
    sum = sum + calls
  end
  return sum == row.calls and row.min_ns <= middle and middle <= high and high <= row.max_ns
    and row.min_ns * row.calls <= row.sum_ns and row.sum_ns <= row.max_ns * row.calls
end

local function snapshot_json(snapshot)
  local rows = json.array {}
  for row in snapshot:rows() do
    rows[#rows + 1] = {
      symbol = row.probe.symbol, entries = number(row.entries), calls = number(row.calls),
      unreturned = number(row.unreturned), timed = row.sum_ns > 0, in_order = is_in_order(row),
      of_process = row.pid ~= 0, of_thread = row.tid ~= 0,
    }
  end
  return {rows = rows, lost = number(snapshot:lost()), dated = snapshot:time_ns() > 0}
end

function verbs.snapshot(step)
  return snapshot_json(keep(step, handles[step.of]:snapshot()))
end

function verbs.merge(step)
  return snapshot_json(keep(step, handles[step.of] + handles[step.other]))
end

function verbs.diff(step)
  return snapshot_json(keep(step, handles[step.of] - handles[step.other]))
end

function verbs.bucket(step)
  local low, high = um.bucket_bounds(step.bucket + 1)
  return {low = number(low), high = number(high)}
end

function verbs.trace(step)
  local options = attach_options(step, copied(step,
    {"ring_bytes", "text_bytes", "stack_frames", "filter", "comm", "sample", "rate"}, {}))
  options.returns, options.stacks = step.returns ~= nil, step.stacks ~= nil
  options.arguments = step.probe_arguments or step.arguments
  return observer_json(keep(step, um.trace(handles[step.set], options)))
end

local function value_json(value, argument)
  if value == nil then
    return json.null
  elseif argument.form_name == "bytes" then
    return (value:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
  elseif argument.form_name == "character" then
    return json.utf8_of(value:byte())
  elseif type(value) == "string" or type(value) == "boolean" then
    return value
  end
  return (argument.form_name == "signed" and signed or number)(value)
end

local function event_json(event)
  local arguments = {}
  for at, argument in ipairs(event.signature.arguments) do
    arguments[argument.name] = value_json(event[at], argument)
  end
  return {
    kind = event.kind, symbol = event.probe.symbol, comm = event.comm, arguments = arguments,
    result = value_json(event.result, event.signature.result), took_time = event.duration_ns > 0,
    truncated = event.truncated, stack = #event.stack > 0,
  }
end

function verbs.read(step)
  local batch = handles[step.of]:read_batch(0, {events = step.most})
  return {events = map(batch:events(), event_json), with_text = #batch:text() > 0}
end

-- Until the time is over and nothing is there. Hits that become fewer are a failure.
function verbs.drain(step)
  local trace, counted = handles[step.of], step.hits and handles[step.hits]
  local limit = (step.milliseconds or 0) / 1000
  local stop = os.time() + math.ceil(limit) -- Lua's own clock has no finer one
  local events, snapshots, before, fell = 0, 0, 0, false
  while true do
    local found = trace:read_batch(limit > 0 and 0.01 or 0):size()
    events = events + found
    if counted then
      local hits = 0
      for _, one in ipairs(counted:hits()) do
        hits = hits + one
      end
      fell, before, snapshots = fell or hits < before, hits, snapshots + 1
    end
    if limit > 0 and os.time() >= stop or limit == 0 and found == 0 then
      return {events = events, snapshots = snapshots, fell = fell}
    end
  end
end

function verbs.next(step)
  local event = handles[step.of]:next(0)
  return {event = event and event_json(event) or json.null}
end

function verbs.run(step)
  local taken = json.array {}
  local ended = handles[step.of]:run(function(event)
    taken[#taken + 1] = event_json(event)
    return #taken == step.end_at
  end, 0)
  return {ended = ended or false, events = taken}
end

function verbs.wait(step)
  return {ready = um.wait(handles[step.of]:fd(), 0)}
end

function verbs.counts(step)
  return {counts = map(handles[step.of]:counts(), function(count)
    local found = {}
    for name, value in pairs(count) do
      found[name] = number(value)
    end
    return found
  end)}
end

local function described(argument)
  return {name = argument.name, type = argument.type, form = argument.form_name, width = argument.width}
end

function verbs.signature(step)
  local found = handles[step.of]:signature((step.probe or 0) + 1)
  return {arguments = map(found.arguments, described), result = described(found.result)}
end

local function place_json(found)
  return {path = found.path, symbol = found.symbol, inside = found.offset > 0, in_file = found.file_offset > 0}
end

function verbs.place(step)
  local symbolizer = um.Symbolizer.new()
  local found = symbolizer:find(step.pid, step.address)
  symbolizer:close()
  return {place = place_json(found)}
end

function verbs.stack(step)
  local event, symbolizer, places = handles[step.of]:next(0), um.Symbolizer.new(), json.array {}
  for at, address in ipairs(event.stack) do
    if at <= step.frames then
      places[at] = place_json(symbolizer:find(event.pid, address, at > 1))
    end
  end
  symbolizer:close()
  return {places = places}
end

function verbs.pin(step)
  handles[step.of]:pin(step.name)
  return {}
end

function verbs.open(step)
  return observer_json(keep(step, um.open(step.name)))
end

function verbs.unpin(step)
  um.unpin(step.name)
  return {}
end

function verbs.list_pinned(step)
  return {pinned = map(um.list_pinned(step.directory), function(each)
    return {
      name = each.name, problem = each.problem, kind = each.kind, probes = number(each.probes),
      attached = number(each.attached), kernel_links = number(each.kernel_links), dated = each.created_s > 0,
      signed = each.creator ~= "" and each.creator_pid > 0,
    }
  end)}
end

-- The adapter itself

function verbs.free(step)
  handles[step.of]:close()
  handles[step.of] = nil
  return {}
end

function verbs.reset()
  for name, handle in pairs(handles) do
    handle:close()
    handles[name] = nil
  end
  if jit then
    jit.flush() -- compiled code holds the functions that it was made of, and what they have captured
  end
  collectgarbage()
  collectgarbage()
  return {}
end

local function error_json(failure)
  if not um.is_error(failure) then
    error(failure, 0)
  end
  return {error = {
    code = json.digits(("%d"):format(failure.code)), name = failure.name, errno = failure.errno,
    operation = failure.operation, object = failure.object, message = failure.message, hint = failure.hint,
  }}
end

-- Each step has a stack of its own: LuaJIT's collector takes what an ended function has left in the
-- slots of a shared one for values that are still held.
local function take(step)
  return coroutine.wrap(xpcall)(function() return verbs[step["do"]](step) end, function(failure)
    return type(failure) == "string" and debug.traceback(failure) or failure
  end)
end

for line in io.lines() do
  local ok, answer = take(json.decode(line))
  io.write(json.encode(ok and {ok = answer} or error_json(answer)), "\n")
  io.flush()
end
