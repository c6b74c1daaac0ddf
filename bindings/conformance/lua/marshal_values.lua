-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- Prints what ../marshalling/golden.txt has; see ../c/marshal.c.
local m = require "uprobe_multi_marshal"
local INT32_MIN = -2147483648


local function show_text(what, text)
  if text then
    print(('%s = "%s" of %d bytes'):format(what, text, #text))
  else
    print(what .. " = NULL")
  end
end

-- The status of a call: what it gave, or that of the error that it raised; then what it stored.
local function status(call, ...)
  local results = {pcall(call, ...)}
  if results[1] then
    return (table.unpack or unpack)(results, 2)
  end
  return results[2].code
end

local function numbers()
  for _, value in ipairs {INT32_MIN, -1, 0, 2147483647} do
    print(("int32 %d = %d"):format(value, m.marshal_int32(value)))
  end
  for _, value in ipairs {0, 2147483648, 4294967295} do
    print(("uint32 %.0f = %s"):format(value, m.decimal(m.marshal_uint32(value))))
  end
  for _, kind in ipairs {"uint64", "size"} do
    for _, text in ipairs {"0", "9007199254740993", "9223372036854775808", "18446744073709551615"} do
      local given = m["marshal_" .. kind](text) -- there and, as a number of Lua's, back again
      print(("%s %s = %s"):format(kind, text, m.decimal(m["marshal_" .. kind](given))))
    end
  end
  for _, value in ipairs {0, 0.5, 0.875, 1} do
    print(("double %g = %s"):format(value, m.decimal(m.marshal_double(value))))
  end
  print(("constants = %d %.0f %d %d %d"):format(m.MARSHAL_MANY, m.MARSHAL_LARGE, m.MARSHAL_OK,
    m.MARSHAL_INVALID, m.MARSHAL_FAILED))
end

local function texts()
  show_text("text NULL", m.marshal_text(nil))
  show_text("text empty", m.marshal_text(""))
  show_text("text ASCII", m.marshal_text("plain"))
  show_text("text UTF-8", m.marshal_text("naïve → ∞ 😀"))
  print("text not UTF-8 = " .. (m.marshal_text("\255\254!") == "\255\254!" and 1 or 0))
  local done, text = m.marshal_text_out()
  print("text out = " .. done)
  show_text("text out", text)
  show_text("constant text", m.MARSHAL_GREETING)
  local list = {"a", nil, "", "zwölf", "∞", n = 5}
  for _, try in ipairs {{"join", list, 5, 64}, {"join cut", list, 5, 4}, {"join none", nil, 0, 64}} do
    local length, joined = m.marshal_join(try[2], try[3], try[4])
    print(("%s = %d"):format(try[1], length))
    show_text("joined", joined)
  end
end

local function arrays()
  print("values = " .. m.decimal(m.marshal_values({1, "9223372036854775808", "18446744073709551615"}, 3)))
  print("values NULL = " .. m.decimal(m.marshal_values(nil, 3)))
  print("sizes = " .. m.decimal(m.marshal_sizes({1, 2, "1099511627776"}, 3)))
  local filled = {}
  print("fill = " .. m.marshal_fill(filled, 2))
  print(("filled = %s %s"):format(m.decimal(filled[1]), m.decimal(filled[2])))
  print("fill NULL = " .. status(m.marshal_fill, nil, 2))
  local given = m.marshal_static_values()
  print(("static values = %s %s %s"):format(m.decimal(given[1]), m.decimal(given[2]), m.decimal(given[3])))
end

local function show_record(what, record)
  print(("%s = %s %s %s %d %s %d %s %d %s %s"):format(what, record.text, record.texts[1], record.texts[3],
    record.numbers[3], m.decimal(record.big), record.small, m.decimal(record.flags), record.half,
    record.name, m.decimal(record.many[3])))
end

local function records()
  local record = {text = "ünï", texts = {"x", "ÿ"}, numbers = {-5, 5}, big = "18446744073709551614",
    small = -2, flags = 4294967294, half = 65534, name = "name", many = {7, 8, "18446744073709551613"}}
  local done, text = m.marshal_record_read(record, 256)
  print("record read = " .. done)
  show_text("record", text)
  done, text = m.marshal_record_read({}, 256)
  print("record of zeros = " .. done)
  show_text("record", text)
  print("record of wrong size = " .. status(m.marshal_record_read, {size = 1}, 256))
  done, record = m.marshal_record_write()
  print("record write = " .. done)
  show_record("record", record)
  show_record("static record", m.marshal_record_static())
end

local function callbacks()
  local context = 1234
  local function take_values(text, big)
    show_text("called with", text)
    print(("called with = %s, context %d"):format(m.decimal(big), context))
    return -77
  end
  local function take_record(record)
    print(("called with record = %s %s, context %d"):format(m.decimal(record.big), record.text, context))
    return record.big == 2 and 42 or 0
  end
  print("call = " .. status(m.marshal_call, take_values, "größe", "18446744073709551615"))
  print("call = " .. status(m.marshal_call, take_values, nil, 0))
  print("call of record = " .. status(m.marshal_call_record, {text = "from a record", ["function"] = take_values}, 1))
  print("call of nothing = " .. status(m.marshal_call_record, {text = "from a record"}, 1))
  print("each of 2 = " .. m.marshal_each(take_record, 2))
  print("each of 9 = " .. m.marshal_each(take_record, 9))
end

local function handles()
  local done, box = m.marshal_box_new("18446744073709551615")
  print("box new = " .. done)
  print("box value = " .. m.decimal(m.marshal_box_value(box)))
  print("box set = " .. m.marshal_box_set(box, 5))
  print("box inside = " .. m.decimal(m.marshal_box_value(m.marshal_box_inside(box))))
  print("box NULL = " .. m.decimal(m.marshal_box_value(nil)))
  local ok, failure = pcall(m.marshal_box_fail)
  print(("box fail = %d, still NULL: %d"):format(failure.code, ok and 0 or 1))
  show_text("message", failure.message)
  print("boxes = " .. m.decimal(m.marshal_boxes()))
  m.marshal_box_free(box)
  m.marshal_box_free(nil)
  print("boxes = " .. m.decimal(m.marshal_boxes()))
end

local function failures()
  for _, try in ipairs {{m.MARSHAL_FAILED, "schiefgegangen ✗"}, {INT32_MIN, ""}} do
    print("fail = " .. ("%d"):format(status(m.marshal_fail, try[1], try[2])))
    print("code = " .. ("%d"):format(m.marshal_error_last().code))
    show_text("message", m.marshal_error_last().message)
  end
end

for _, part in ipairs {numbers, texts, arrays, records, callbacks, handles, failures} do
  part()
end
