# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Lua: what SWIG reads. The typemaps and macros that this uses are bindings/lua/src/typemaps.i.

Structures with fields become tables: C functions that push one, and that read one. Opaque ones
become handles. A callback gets a function that calls a Lua one, protected. Functions are declared
as in the header, except for names of parameters, by which SWIG chooses how to pass them:

    FREED    the handle that a function ends
    FILLED   an array that the function fills; its length is the next parameter
    AREA     memory that an event points into, not a text
"""

from __future__ import annotations

from typing import Iterator, List, Set

import model

TEXT = model.Pointer(model.Named("char", const=True))
CONTEXT = model.Pointer(model.Named("void"))
SIZE = model.Named("size_t")


def generate(header: model.Header) -> str:
    return "\n".join(lines(header)) + "\n"


def lines(header: model.Header) -> Iterator[str]:
    structs = [each for each in header.of(model.Struct) if each.fields is not None]
    opaque = [each.name for each in header.of(model.Struct) if each.fields is None]
    callbacks = header.of(model.Callback)
    names = {callback.name for callback in callbacks}
    yield "\n%{"
    for struct in structs:
        yield f"static void upml_push_{struct.name}(lua_State *L, const struct {struct.name} *from);"
    for callback in callbacks:
        yield from _callback(callback)
    for struct in structs:
        yield from _push(struct, names)
        yield from _get(struct, names)
    yield from _layout(structs)
    yield "%}\n"
    for name in opaque:
        yield f"%upm_handle({name}, {name}_free)"
    for struct in structs:
        yield f"%upm_struct({struct.name})"
    for callback in callbacks:
        yield f"%upm_callback({callback.name})"
    yield from _constants(header)
    yield ""
    for function in header.functions:
        yield f"{_declared(function, set(opaque))};"


def _constants(header: model.Header) -> Iterator[str]:
    yield ""
    for name in header.enumerators:
        yield f"%constant long {name} = {name};"
    for constant in header.of(model.Constant):
        kind = "const char *" if isinstance(constant.value, str) else "long "
        yield f"%constant {kind}{constant.name} = {constant.name};"


# Functions


def _declared(function: model.Function, opaque: Set[str]) -> str:
    parameters = list(function.parameters)
    named: List[model.Parameter] = []
    for at, parameter in enumerate(parameters):
        before = parameters[at - 1] if at else None
        after = parameters[at + 1] if at + 1 < len(parameters) else None
        name = _canonical(function, parameter, before, after, opaque)
        named.append(model.Parameter(name, parameter.type))
    return model.Signature(function.result, tuple(named)).declare(function.name)


def _canonical(function, parameter, before, after, opaque) -> str:
    kind = parameter.type
    if function.name.endswith("_free") and _struct_of(kind) in opaque:
        return "FREED"
    counted = after is not None and after.type == SIZE and after.name == "count"
    if isinstance(kind, model.Pointer) and kind != CONTEXT and counted and not kind.to.const:
        if isinstance(kind.to, model.Named) and kind.to.name != "char":
            return "FILLED"
    if kind == model.Pointer(TEXT) and before is not None and _struct_of(before.type):
        return "AREA"
    return parameter.name


def _struct_of(kind: model.Type) -> str:
    if isinstance(kind, model.Pointer) and isinstance(kind.to, model.Named):
        if kind.to.name.startswith("struct "):
            return kind.to.name[len("struct "):]
    return ""


# Values


def _push_value(kind: model.Type, value: str) -> str:
    """The call that pushes one value."""
    if kind == TEXT:
        return f"upml_push_text(L, {value})"
    if _struct_of(kind):
        return f"upml_push_{_struct_of(kind)}(L, {value})"
    assert isinstance(kind, model.Named), kind
    return f"upml_push_{_word(kind)}(L, {value})"


def _word(kind: model.Named) -> str:
    return kind.name[:-2] if kind.name.endswith("_t") else kind.name


def _elements(kind: model.Type) -> str:
    """The word for arrays of this type of pointer."""
    assert isinstance(kind, model.Pointer)
    return "texts" if isinstance(kind.to, model.Pointer) else f"{_word(kind.to)}s"


def _callback(callback: model.Callback) -> Iterator[str]:
    """The arguments as a structure; what hands them to Lua, run protected; what C calls."""
    name = callback.name
    given = [each for each in callback.signature.parameters if each.type != CONTEXT]
    listed = ", ".join(str(each) for each in callback.signature.parameters)
    yield f"\nstruct upml_args_{name} {{"
    for parameter in given:
        yield f"\t{parameter};"
    yield f"}};\n\nstatic int upml_call_{name}(lua_State *L)\n{{"
    yield f"\tconst struct upml_args_{name} *given = lua_touserdata(L, 2);\n"
    yield "\tlua_settop(L, 1);"
    for at, parameter in enumerate(given):
        if parameter.type == TEXT and at and _struct_of(given[at - 1].type):
            yield f"\tlua_pushlightuserdata(L, (void *)given->{parameter.name});"
        else:
            yield f"\t{_push_value(parameter.type, 'given->' + parameter.name)};"
    yield f"\treturn upml_call(L, {len(given)});\n}}\n"
    yield f"static {callback.signature.result.declare('')} upml_{name}({listed})\n{{"
    fields = ", ".join(f".{each.name} = {each.name}" for each in given)
    yield f"\tstruct upml_args_{name} given = {{{fields}}};\n"
    yield "\treturn upml_protected(context, &given);\n}"


def _is_counted(fields: List[model.Field], at: int) -> bool:
    """An array whose number of elements is the next field."""
    after = fields[at + 1] if at + 1 < len(fields) else None
    kind = fields[at].type
    return (
        isinstance(kind, model.Pointer) and kind != TEXT and after is not None
        and after.type == SIZE and after.name.endswith("_count")
    )


def _is_count(fields: List[model.Field], at: int) -> bool:
    return at > 0 and _is_counted(fields, at - 1)


def _push(struct: model.Struct, callbacks: Set[str]) -> Iterator[str]:
    yield f"\nstatic void upml_push_{struct.name}(lua_State *L, const struct {struct.name} *from)\n{{"
    yield f"\tlua_createtable(L, 0, {len(struct.fields)});"
    for at, field in enumerate(struct.fields):
        kind, name = field.type, field.name
        if name == "size" or kind == CONTEXT or _is_count(struct.fields, at):
            continue
        if isinstance(kind, model.Named) and kind.name in callbacks:
            continue
        if isinstance(kind, model.Array) and kind.of == model.Named("char"):
            yield f"\tlua_pushlstring(L, from->{name}, strnlen(from->{name}, sizeof(from->{name})));"
        elif isinstance(kind, model.Array):
            yield f"\tupml_push_{_word(kind.of)}s(L, from->{name}, {kind.length});"
        elif _is_counted(struct.fields, at):
            count = struct.fields[at + 1].name
            yield f"\tupml_push_{_elements(kind)}(L, from->{name}, from->{count});"
        else:
            yield f"\t{_push_value(kind, 'from->' + name)};"
        yield f'\tlua_setfield(L, -2, "{name}");'
    yield "}"


def _get(struct: model.Struct, callbacks: Set[str]) -> Iterator[str]:
    """Reads a table; texts and arrays stay on the stack, and so alive."""
    name = struct.name
    known = [f'"{field.name}"' for at, field in enumerate(struct.fields)
             if field.type != CONTEXT and not _is_count(struct.fields, at)]
    yield f"\nstruct upml_in_{name} {{\n\tstruct {name} value;\n\tstruct upml_call call;\n}};\n"
    yield f"static struct {name} *upml_get_{name}(lua_State *L, int at, struct upml_in_{name} *in)\n{{"
    yield f"\tstatic const char *const known[] = {{{', '.join(known)}, NULL}};"
    yield f"\tstruct {name} *to = &in->value;\n"
    yield "\tmemset(in, 0, sizeof(*in));"
    yield f'\tif (!upml_is_table(L, at, "struct {name}", known))\n\t\treturn NULL;'
    for at, field in enumerate(struct.fields):
        yield from _get_field(struct.fields, at, callbacks)
    yield "\treturn to;\n}"


def _get_field(fields: List[model.Field], at: int, callbacks: Set[str]) -> Iterator[str]:
    kind, name = fields[at].type, fields[at].name
    if kind == CONTEXT or _is_count(fields, at):
        return
    if name == "size":
        yield "\tto->size = sizeof(*to);"
    yield f'\tif (upml_field(L, at, "{name}"))'
    where = f'L, -1, "{name}"'
    if isinstance(kind, model.Named) and kind.name in callbacks:
        context = fields[at + 1].name
        yield "\t{"
        yield f"\t\tto->{name} = upml_{kind.name};"
        yield f"\t\tto->{context} = upml_function({where}, upml_call_{kind.name}, &in->call);"
        yield "\t}"
    elif isinstance(kind, model.Array) and kind.of == model.Named("char"):
        yield f"\t\tupml_chars({where}, to->{name}, sizeof(to->{name}));"
    elif isinstance(kind, model.Array):
        yield f"\t\tupml_copy_{_word(kind.of)}s({where}, to->{name}, {kind.length});"
    elif _is_counted(fields, at):
        yield f"\t\tto->{name} = upml_{_elements(kind)}({where}, &to->{fields[at + 1].name});"
    elif kind == TEXT:
        yield f"\t\tto->{name} = upml_text({where});"
    else:
        yield f"\t\tto->{name} = upml_{_word(kind)}({where});"


def _layout(structs: List[model.Struct]) -> Iterator[str]:
    """Sizes and places as the compiler of the module has them."""
    yield "\nstatic const struct upml_place upml_layout[] = {"
    for struct in structs:
        whole = f"struct {struct.name}"
        yield f'\t{{"{whole}", NULL, 0, sizeof({whole})}},'
        for field in struct.fields:
            yield (
                f'\t{{"{whole}", "{field.name}", offsetof({whole}, {field.name}), '
                f"sizeof((({whole} *)0)->{field.name})}},"
            )
    yield "\t{NULL, NULL, 0, 0},\n};"
