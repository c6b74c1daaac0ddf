# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Reads a C header into a model.Header.

The preprocessor resolves conditions and includes; of its output only the lines that come from
the header itself are kept, each at the line number that it has there, so that pycparser's
coordinates are those of the file. Comments, which the preprocessor drops, are then read from the
file and given to the declarations by their lines:

    /** ... */   belongs to the next declaration
    X, /**< */   belongs to the last one that began on this line or before
    /* --- title */   begins a section
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from typing import Dict, Iterator, List, Optional, Tuple

from pycparser import c_ast, c_parser

import model

# The only types of other headers that a public header may use.
FOREIGN_TYPES = ["size_t", "bool"] + [
    f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)
]
LINE_MARKER = re.compile(r'# (\d+) "([^"]*)"')
DEFINE = re.compile(r"#define ([A-Z][A-Z0-9_]*)(?: (.*))?$")
COMMENT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', re.S)
SECTION = re.compile(r"/\*\s*-{8,}\s*(.*?)\s*\*/")


class HeaderError(Exception):
    """The header has something that the bindings can not carry."""


def read(path: str, prefix: str, compiler: str) -> model.Header:
    """prefix: what the names of constants begin with, such as "UPM_"."""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    code, macros = _own_lines(_preprocess(path, prefix, compiler), path)
    prelude = " ".join(f"typedef int {name};" for name in FOREIGN_TYPES)
    tree = c_parser.CParser().parse(prelude + "\n# 1 \"header\"\n" + code, "prelude")
    items: List[model.Declaration] = list(_constants(macros, prefix))
    for node in tree.ext:
        if node.coord.file == "header":
            items.append(_declaration(node))
    items = sorted(_without_forward(items), key=lambda item: item.line)
    comments = list(_comments(source))
    _document(items, comments)
    preamble = next((text for _, _, text in comments if os.path.basename(path) in text), "")
    return model.Header(os.path.basename(path), _plain(preamble), _sections(items, comments))


def _without_forward(items: List[model.Declaration]) -> Iterator[model.Declaration]:
    """A structure that is announced and defined later is one, and is not opaque."""
    defined = {item.name for item in items if isinstance(item, model.Struct) and item.fields}
    for item in items:
        forward = isinstance(item, model.Struct) and item.fields is None
        if not (forward and item.name in defined):
            yield item


def _preprocess(path: str, prefix: str, compiler: str) -> str:
    command = compiler.split() + ["-E", "-dD", "-x", "c", f"-D{prefix}API=", path]
    command.insert(-1, "-D__attribute__(x)=")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HeaderError(f"{path} can not be preprocessed:\n{done.stderr}")
    return done.stdout


def _own_lines(output: str, path: str) -> Tuple[str, Dict[str, Tuple[int, str]]]:
    """Code by the header's line numbers, and its macros as name: (line, value)."""
    lines: Dict[int, str] = {}
    macros: Dict[str, Tuple[int, str]] = {}
    file, at = "", 0
    for line in output.splitlines():
        marker = LINE_MARKER.match(line)
        if marker:
            at, file = int(marker.group(1)), marker.group(2)
            continue
        if file == path:
            define = DEFINE.match(line)
            if define:
                macros[define.group(1)] = (at, define.group(2) or "")
            elif not line.startswith("#"):
                lines[at] = line
        at += 1
    code = "\n".join(lines.get(number, "") for number in range(1, max(lines, default=0) + 1))
    return code, macros


def _constants(macros: Dict[str, Tuple[int, str]], prefix: str) -> Iterator[model.Constant]:
    for name, (line, text) in macros.items():
        if not name.startswith(prefix) or name == prefix + "API" or not text:
            continue
        try:
            value = ast.literal_eval(text if text[0] == '"' else text.strip("()").rstrip("uUlL"))
        except (SyntaxError, ValueError):
            raise HeaderError(
                f"line {line}: {name} is neither a number nor a string: {text}"
            ) from None
        yield model.Constant(name, line, value)


def _declaration(node: c_ast.Node) -> model.Declaration:
    line = node.coord.line
    if isinstance(node, c_ast.Typedef):
        if isinstance(node.type, c_ast.PtrDecl) and isinstance(node.type.type, c_ast.FuncDecl):
            return model.Callback(node.name, line, _signature(node.type.type))
    elif isinstance(node, c_ast.Decl) and not node.funcspec and not node.init:
        if isinstance(node.type, c_ast.FuncDecl) and not node.storage:
            return model.Function(node.name, line, _signature(node.type))
        if isinstance(node.type, c_ast.Struct) and node.name is None:
            return _struct(node.type)
        if isinstance(node.type, c_ast.Enum) and node.name is None and node.type.name:
            return _enum(node.type)
    raise HeaderError(
        f"line {line}: only functions, structures, enums and callback types can be bound, "
        "without bodies and storage classes"
    )


def _struct(node: c_ast.Struct) -> model.Struct:
    fields: Optional[List[model.Field]] = None
    if node.decls is not None:
        fields = []
        for field in node.decls:
            if not isinstance(field, c_ast.Decl) or field.name is None or field.bitsize:
                raise HeaderError(f"line {node.coord.line}: {node.name}: a field that has no "
                                  "name or is of bits can not be bound")
            fields.append(model.Field(field.name, field.coord.line, _type(field.type)))
    return model.Struct(node.name, node.coord.line, fields)


def _enum(node: c_ast.Enum) -> model.Enum:
    values: List[model.Constant] = []
    known: Dict[str, int] = {}
    for item in node.values.enumerators:
        number = _number(item.value, known) if item.value else len(known) and values[-1].value + 1
        known[item.name] = number
        values.append(model.Constant(item.name, item.coord.line, number))
    return model.Enum(node.name, node.coord.line, values)


def _number(node: c_ast.Node, known: Dict[str, int]) -> int:
    """The value of a constant expression as enums use them."""
    if isinstance(node, c_ast.Constant):
        return ast.literal_eval(node.value.rstrip("uUlL"))
    if isinstance(node, c_ast.ID) and node.name in known:
        return known[node.name]
    if isinstance(node, c_ast.UnaryOp) and node.op in ("-", "~"):
        inner = _number(node.expr, known)
        return -inner if node.op == "-" else ~inner
    if isinstance(node, c_ast.BinaryOp) and node.op in ("<<", "|", "+", "-"):
        left, right = _number(node.left, known), _number(node.right, known)
        return {"<<": left << right, "|": left | right, "+": left + right, "-": left - right}[
            node.op
        ]
    raise HeaderError(f"line {node.coord.line}: the value of an enum is not a plain expression")


def _type(node: c_ast.Node) -> model.Type:
    if isinstance(node, c_ast.PtrDecl):
        return model.Pointer(_type(node.type), "const" in node.quals)
    if isinstance(node, c_ast.ArrayDecl):
        return model.Array(_type(node.type), str(_number(node.dim, {})) if node.dim else "")
    if isinstance(node, c_ast.FuncDecl):
        return _signature(node)
    if isinstance(node, c_ast.Typename):
        return _type(node.type)
    kind = node.type
    if isinstance(kind, c_ast.Struct) and kind.name and kind.decls is None:
        name = "struct " + kind.name
    elif isinstance(kind, c_ast.Enum) and kind.name and kind.values is None:
        name = "enum " + kind.name
    elif isinstance(kind, c_ast.IdentifierType):
        name = " ".join(kind.names)
    else:
        raise HeaderError(f"line {node.coord.line}: a type without a name of its own")
    return model.Named(name, "const" in node.quals)


def _signature(node: c_ast.FuncDecl) -> model.Signature:
    parameters = []
    for item in node.args.params if node.args else []:
        if isinstance(item, c_ast.EllipsisParam):
            raise HeaderError(f"line {node.coord.line}: a variable number of arguments")
        kind = _type(item.type)
        if kind == model.Named("void"):
            continue
        if not item.name:
            raise HeaderError(f"line {item.coord.line}: a parameter without a name")
        parameters.append(model.Parameter(item.name, kind))
    return model.Signature(_type(node.type), tuple(parameters))


def _comments(source: str) -> Iterator[Tuple[int, int, str]]:
    """First line, last line and text of each comment."""
    for match in COMMENT.finditer(source):
        if match.group().startswith("/*"):
            first = source.count("\n", 0, match.start()) + 1
            yield first, first + match.group().count("\n"), match.group()


def _members(items: List[model.Declaration]) -> Iterator[model.Declaration]:
    for item in items:
        yield item
        if isinstance(item, model.Enum):
            yield from item.values
        elif isinstance(item, model.Struct):
            yield from item.fields or []


def _document(items: List[model.Declaration], comments: List[Tuple[int, int, str]]) -> None:
    everything = sorted(_members(items), key=lambda item: item.line)
    for first, last, text in comments:
        if text.startswith("/**<"):
            owner = [item for item in everything if item.line <= first][-1:]
        elif text.startswith("/**"):
            owner = [item for item in everything if item.line >= last][:1]
        else:
            continue
        for item in owner:
            item.doc = _plain(text)


def _plain(comment: str) -> str:
    """The text of a comment without its stars; paragraphs and indentation are kept."""
    body = re.sub(r"^/\*\*?<?|\*/$", "", comment)
    lines = [re.sub(r"^\s*\* ?", "", line) if number else line.strip()
             for number, line in enumerate(body.expandtabs(8).split("\n"))]
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _sections(items: List[model.Declaration],
              comments: List[Tuple[int, int, str]]) -> List[model.Section]:
    starts = [(0, "version")]
    for first, _, text in comments:
        rule = SECTION.match(text)
        if rule:
            starts.append((first, rule.group(1)))
    starts.append((1 << 62, ""))
    return [
        model.Section(title, [item for item in items if begin <= item.line < end])
        for (begin, title), (end, _) in zip(starts, starts[1:])
    ]
