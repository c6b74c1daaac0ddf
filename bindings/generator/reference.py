# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""docs/api.md: the header's declarations and doc comments as one page of Markdown."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Tuple

import model

TAG = re.compile(r"@(param|return)\b")
CODE = re.compile(r"(`[^`]*`)")
WORD = re.compile(r"\b(?:struct |enum )?(upm_\w+|UPM_\w+)(\(\))?")
# What Markdown would take for markup, but for *emphasis*, which is meant.
SPECIAL = re.compile(r"(\*[\w ]+\*)|([*<\[])")
SOURCE = "../core/include/uprobe_multi.h"


def generate(header: model.Header) -> str:
    return "\n".join(Page(header).lines()) + "\n"


def heading(item: model.Declaration) -> str:
    kinds = {model.Struct: "struct ", model.Enum: "enum "}
    return kinds.get(type(item), "") + item.name


class Page:
    def __init__(self, header: model.Header) -> None:
        self.header = header
        self.anchors: Dict[str, str] = {}
        for section in header.sections:
            for item in section.items:
                anchor = heading(item).lower().replace(" ", "-")
                self.anchors[heading(item)] = anchor
                self.anchors.setdefault(item.name, anchor)
                if isinstance(item, model.Function):
                    self.anchors[item.name + "()"] = anchor
                elif isinstance(item, model.Enum):
                    self.anchors.update({value.name: anchor for value in item.values})

    def lines(self) -> Iterator[str]:
        yield f"""
# API reference

Everything that [`{self.header.name}`]({SOURCE}) declares, in its order and in its words. The
rules that hold for all of it are in [the contract](contract.md); the names in other languages
are in [the table of parity](parity.md).
"""
        yield from self.preamble()
        yield "## Contents\n"
        for section in self.header.sections:
            yield from self.contents(section)
        for section in self.header.sections:
            yield f"\n## {_title(section.title)}"
            for item in section.items:
                yield from self.item(item)

    def preamble(self) -> Iterator[str]:
        """The comment at the head; its `Word   text` paragraphs become bold words."""
        for paragraph in re.split(r"\n\s*\n", self.header.preamble):
            if all(line.startswith("    ") for line in paragraph.split("\n")):
                yield f"```text\n{paragraph}\n```\n"
                continue
            for line in re.split(r"\n(?=[A-Z][a-z]+ {1,8}(?! ))", paragraph):
                named = re.match(r"([A-Z][a-z]+) {2,}(.*)", line, re.S)
                if not named and re.match(r"[A-Z][a-z]+ [A-Z]", line):
                    named = re.match(r"([A-Z][a-z]+) (.*)", line, re.S)
                word = f"**{named.group(1)}.** " if named else ""
                yield word + self.prose(named.group(2) if named else line) + "\n"

    def contents(self, section: model.Section) -> Iterator[str]:
        yield f"- [{_title(section.title)}](#{_title(section.title).lower().replace(' ', '-')})"
        for item in section.items:
            if not isinstance(item, model.Constant):
                summary = self.prose(_first_sentence(item.doc))
                yield f"  - [`{heading(item)}`](#{self.anchors[heading(item)]}): {summary}"

    def item(self, item: model.Declaration) -> Iterator[str]:
        yield f"\n### {heading(item)}"
        if isinstance(item, model.Constant):
            yield f"\n```c\n#define {item.name} {_literal(item.value)}\n```"
        elif isinstance(item, (model.Function, model.Callback)):
            yield f"\n```c\n{_wrapped(item)};\n```"
        yield from self.doc(item.doc)
        if isinstance(item, model.Enum):
            yield "\n| name | value | meaning |\n|---|---|---|"
            for value in item.values:
                yield f"| `{value.name}` | {value.value} | {self.cell(value.doc)} |"
        elif isinstance(item, model.Struct) and item.fields is not None:
            yield "\n| field | type | meaning |\n|---|---|---|"
            for field in item.fields:
                yield f"| `{field.name}` | `{field.type.declare('')}` | {self.cell(field.doc)} |"

    def doc(self, text: str) -> Iterator[str]:
        body, parameters, result = _tags(text)
        for paragraph in re.split(r"\n\s*\n", body):
            if paragraph.strip():
                yield "\n" + self.prose(paragraph)
        if parameters:
            yield ""
        for names, meaning in parameters:
            listed = ", ".join(f"`{name.strip()}`" for name in names.split(","))
            yield f"- {listed}: {self.prose(meaning)}"
        if result:
            yield "\nReturns " + self.prose(result)

    def cell(self, text: str) -> str:
        return self.prose(text).replace("|", "\\|")

    def prose(self, text: str) -> str:
        """One line of Markdown; names that the header declares become links."""
        parts = CODE.split(" ".join(text.split()))
        parts[::2] = [self.linked(SPECIAL.sub(_escaped, part)) for part in parts[::2]]
        return "".join(parts)

    def linked(self, text: str) -> str:
        def link(match: "re.Match[str]") -> str:
            whole = match.group()
            anchor = self.anchors.get(whole) or self.anchors.get(match.group(1))
            return f"[`{whole}`](#{anchor})" if anchor else whole

        return WORD.sub(link, text)


def _escaped(special: "re.Match[str]") -> str:
    return special.group(1) or "\\" + special.group(2)


def _title(title: str) -> str:
    return title[:1].upper() + title[1:]


def _literal(value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _first_sentence(text: str) -> str:
    body, _, result = _tags(text)
    plain = " ".join((body or result).split())
    return re.split(r"(?<=[.:;])\s", plain, maxsplit=1)[0].rstrip(".:;")


def _tags(text: str) -> Tuple[str, List[Tuple[str, str]], str]:
    """Body, parameters and result of a doc comment."""
    body, *tagged = TAG.split(text)
    parameters, result = [], ""
    for tag, meaning in zip(tagged[::2], tagged[1::2]):
        if tag == "return":
            result = meaning.strip()
        else:
            named = re.match(r"\s*(\w+(?:, *\w+)*)\s+(.*)", meaning, re.S)
            if named:
                parameters.append((named.group(1), named.group(2).strip()))
    return body.strip("\n"), parameters, result


def _wrapped(item) -> str:
    text = str(item)
    if len(text) < 90:
        return text
    opening, rest = text.split("(", 1) if isinstance(item, model.Function) else (text, "")
    if not rest:
        return text
    return opening + "(\n    " + ",\n    ".join(str(p) for p in item.parameters) + ")"
