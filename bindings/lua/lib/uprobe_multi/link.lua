-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- An attached probe set, and the same view of the link inside an observer.
local Handle = require "uprobe_multi.handle"
local probes = require "uprobe_multi.probes"
local raw = require "uprobe_multi.core"
local words = require "uprobe_multi.words"

local link = {}

--- What an attach came to. use_link() gives the raw link.
---@class uprobe_multi.LinkView: uprobe_multi.Handle
local LinkView = setmetatable({}, Handle)
LinkView.__index = LinkView
link.LinkView = LinkView

local function list(pointer, count, get)
  local found = {}
  for index = 1, count do
    local _, probe = get(pointer, index - 1)
    found[index] = probes.make(probe)
  end
  return found
end

--- The probes that are, or were until detach, attached.
---@return uprobe_multi.Probe[]
function LinkView:attached()
  return list(self:use_link(), self:attached_count(), raw.upm_link_attached_get)
end

--- The probes that are not attached; each has its verdict and reason.
---@return uprobe_multi.Probe[]
function LinkView:skipped()
  return list(self:use_link(), self:skipped_count(), raw.upm_link_skipped_get)
end

---@return integer
function LinkView:attached_count()
  return raw.upm_link_attached(self:use_link())
end

---@return integer
function LinkView:skipped_count()
  return raw.upm_link_skipped(self:use_link())
end

--- What the kernel has for it: tables of path, probes, id, fd, kind, pid, files. None after detach.
---@return table[]
function LinkView:kernel_links()
  local found = {}
  for index = 1, raw.upm_link_kernel_links(self:use_link()) do
    local _, one = raw.upm_link_kernel_get(self:use_link(), index - 1)
    one.kind = words.kind[one.kind]
    found[index] = one
  end
  return found
end

--- How the probes reached the kernel.
---@return string
function LinkView:backend()
  return words.backend[raw.upm_link_backend(self:use_link())]
end

--- How long the attach took.
---@return number
function LinkView:attach_seconds()
  return tonumber(raw.upm_link_attach_ns(self:use_link())) / 1e9
end

function LinkView:describe(name)
  return ("<%s: %d attached, %d skipped>"):format(name, self:attached_count(), self:skipped_count())
end

--- A program attached to probes: made by attach(). Closing it detaches.
---@class uprobe_multi.Link: uprobe_multi.LinkView
---@field object uprobe_multi.Object? that the program comes from
local Link = Handle.class("Link", "link", raw.upm_link_free, LinkView)
link.Link = Link
Link.use_link = Handle.use

--- Let go of every kernel link; attached() and skipped() stay readable. Gives the seconds it took.
---@return number
function Link:detach()
  local _, elapsed = raw.upm_link_detach(self:use())
  return tonumber(elapsed) / 1e9
end

--- Keep the kernel links alive after this process: path is a directory to make in a BPF file system.
---@param path string
function Link:pin(path)
  raw.upm_link_pin(self:use(), path)
end

--- Open what Link:pin() made, in any process. Closing it lets go of this process's part only.
---@param path string
---@return uprobe_multi.Link
function link.open_link(path)
  local _, pointer = raw.upm_link_open(path)
  return Handle.wrap(Link, pointer)
end

--- Remove the pins at path. The probes end when the last descriptor goes.
---@param path string
function link.unpin_link(path)
  raw.upm_link_unpin(path)
end

return link
