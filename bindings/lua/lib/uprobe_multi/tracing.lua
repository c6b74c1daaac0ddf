-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- With what, from where: an event a hit.
--
-- Waiting is done here and not in the library, so that Ctrl-C is seen, and so that a caller may wait in
-- its own way: an event loop, a coroutine. The kernel wakes a reader only when a quarter of the ring
-- is full; else a look every 10 ms finds what has come.
local Handle = require "uprobe_multi.handle"
local Observer = require "uprobe_multi.observer"
local batches = require "uprobe_multi.batches"
local options = require "uprobe_multi.options"
local raw = require "uprobe_multi.core"
local resolving = require "uprobe_multi.resolving"
local signatures = require "uprobe_multi.signatures"

local LOOK_SECONDS = 0.01
local CHUNK = 1024 -- events that are read at once for iteration

local KNOWN = options.with(options.ATTACH, {
  arguments = "any", returns = "boolean", stacks = "boolean", filter = "string", comm = "string", tids = "table",
  sample = "integer", rate = "integer", ring_bytes = "integer", text_bytes = "integer", stack_frames = "integer",
})

local tracing = {Event = signatures.Event, Batch = batches.Batch}

--- Records an event for each hit: made by trace(). An event is given out once: by events(), next(),
--- run() or read_batch().
---@class uprobe_multi.Trace: uprobe_multi.Observer
local Trace = Handle.class("Trace", "trace", raw.upm_observer_free, Observer)
tracing.Trace = Trace

function Trace.from(pointer)
  local trace = Handle.wrap(Trace, pointer)
  trace.known = signatures.of(trace)
  trace.ahead, trace.at = {}, 0 -- read for iteration, and how many of them were given out
  return trace
end

--- Detach; what is in the ring buffer can still be read. Gives the seconds it took.
---@return number
function Trace:stop()
  local elapsed = Observer.stop(self)
  self.stopped = true
  return elapsed
end

--- A descriptor to wait for events in an event loop, beside a timer of 10 ms or so: the kernel wakes
--- only when a quarter of the ring buffer is full. It stays the trace's.
---@return integer
function Trace:fd()
  return raw.upm_trace_fd(self:use())
end

--- The arguments and the result of the events of the probe at this position.
---@param probe integer
---@return uprobe_multi.Signature
function Trace:signature(probe)
  return self.known[options.integer(probe, "read a signature", "probe")]
end

--- What became of the hits of each probe, exact once the trace is stopped: tables of hits, events,
--- filtered, lost, unreturned, refused; hits = events + filtered + lost + unreturned, and
--- refused are those of lost that found no room in the table of running calls.
---@return table[]
function Trace:counts()
  local counts = {}
  raw.upm_trace_counts(self:use(), counts, raw.upm_probe_set_size(raw.upm_observer_probes(self:use())))
  return counts
end

--- The sums of counts() over all probes.
---@return table
function Trace:snapshot()
  local sums = {hits = 0, events = 0, filtered = 0, lost = 0, unreturned = 0, refused = 0}
  for _, count in ipairs(self:counts()) do
    for name, number in pairs(count) do
      sums[name] = sums[name] + number
    end
  end
  return sums
end

-- Turns of a loop that looks for something: gives what it finds; nil when the time is over, or when
-- nothing can come any more, such as when a callback has closed the trace.
local function look(trace, find, timeout, wait)
  local last = timeout and tonumber(raw.time_ns()) + timeout * 1e9
  repeat
    local stopped = trace.stopped
    local found, more = find()
    if found then
      return found, more
    end
    local left = last and (last - tonumber(raw.time_ns())) / 1e9 or LOOK_SECONDS
    if trace:closed() or stopped or left <= 0 then
      return nil
    end
    (wait or raw.wait)(trace:fd(), math.min(left, LOOK_SECONDS))
  until trace:closed()
end

-- The next event that was read ahead.
local function take(trace)
  local at = trace.at + 1
  local event = trace.ahead[at]
  if event then
    trace.at = at
  end
  return event
end

local function read_ahead(trace)
  local pointer = trace:use()
  local _
  if not trace.chunk then
    _, trace.chunk = raw.upm_batch_new(CHUNK, 0)
  end
  raw.upm_trace_read(pointer, trace.chunk, 0)
  trace.ahead, trace.at = raw.events(trace.chunk, trace.known), 0
  return take(trace)
end

--- for event in trace:events() do: until the trace is stopped and empty.
---@param given {timeout: number?, wait: fun(fd: integer, seconds: number)?}? wait: called when there is
---  nothing to read, such as with a function that yields to an event loop; timeout: seconds without an
---  event that end the loop
---@return fun(): uprobe_multi.Event?
function Trace:events(given)
  given = options.check(given, {timeout = "number", wait = "function"}, "read events")
  local function find()
    return read_ahead(self)
  end
  return function()
    return take(self) or look(self, find, given.timeout, given.wait)
  end
end

--- The next event; nil when the time is over, or the trace is stopped and empty.
---@param timeout number? seconds; nil = for ever
---@return uprobe_multi.Event?
function Trace:next(timeout)
  return take(self) or look(self, function() return raw.next_event(self:use(), self.known) end, timeout)
end

--- Call a function for each event until it gives something other than nil or false, which is given
--- back; or until the time is over or it has closed the trace (nil). It may not yield.
---@param function_ fun(event: uprobe_multi.Event): any
---@param timeout number? seconds; nil = until stopped
function Trace:run(function_, timeout)
  local result
  local function call(event, text)
    result = function_(raw.event(event, text, self.known))
    return result ~= nil and result ~= false or self:closed()
  end
  return look(self, function()
    for event in function() return take(self) end do
      result = function_(event)
      if result or self:closed() then
        return result
      end
    end
    raw.upm_trace_run(self:use(), call, 0)
    return result
  end, timeout)
end

--- The events that are there, without a table for each. When none is, wait for some; the batch is
--- empty when the time is over.
---@param timeout number? seconds; 0 = not at all, nil = for ever
---@param given {events: integer?, text_bytes: integer?}? most of one reading
---@return uprobe_multi.Batch
function Trace:read_batch(timeout, given)
  given = options.check(given, {events = "integer", text_bytes = "integer"}, "read a batch")
  local batch = batches.new(given.events or 0, given.text_bytes or 0, self.known)
  look(self, function() return batches.fill(batch, self:use()) end, timeout)
  return batch
end

-- A signature for each probe, out of those by function.
local function each_signature(set, by_name)
  local found = {n = set:size()}
  for index, probe in set:each() do
    found[index] = by_name[probe.symbol] or by_name[probe.name]
  end
  return found
end

--- Record an event for each hit.
---@class uprobe_multi.TraceOptions: uprobe_multi.AttachOptions
---@field arguments string|table<string, string>|nil a C-like signature, such as "(int fd, char *path)"; or one
---  for each function, by name. nil = the first six integer registers, of USDT probes what their notes say
---@field returns boolean? one event for each call, at its return: with result and duration
---@field stacks boolean? add the user stack
---@field filter string? comparisons joined by &&, such as 'fd == 3 && path ^= "/etc/"'
---@field comm string? only threads of this name
---@field tids integer[]? only these threads
---@field sample integer? of each probe, on each CPU, the first of every so many hits
---@field rate integer? most events a second
---@field ring_bytes integer? of the ring buffer; 0 = 16 MiB
---@field text_bytes integer? most bytes of a string or buffer; 0 = 256
---@field stack_frames integer? most frames of a stack; 0 = 64

---@param wanted uprobe_multi.ProbeSet|string|string[] a set, or specs
---@param given uprobe_multi.TraceOptions?
---@return uprobe_multi.Trace
function tracing.trace(wanted, given)
  given = options.check(given, KNOWN, "trace")
  local set = resolving.as_probe_set(wanted, options.pids(given), given.progress)
  local by_name = type(given.arguments) == "table"
  return Observer.start(Trace, raw.upm_trace, set, given, {
    flags = options.bits {[raw.UPM_TRACE_RETURNS] = given.returns, [raw.UPM_TRACE_STACKS] = given.stacks},
    ring_bytes = given.ring_bytes, text_bytes = given.text_bytes, stack_frames = given.stack_frames,
    arguments = not by_name and given.arguments or nil,
    probe_arguments = by_name and each_signature(set, given.arguments) or nil,
    filter = given.filter, comm = given.comm, tids = given.tids, sample = given.sample, rate = given.rate,
  })
end

return tracing
