# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""docs/parity.md: each function of the header against each language's two layers.

bindings/languages.toml lists the languages, bindings/LANGUAGE/parity.toml says where a language
has what: bindings/README.md describes both.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tomllib
from typing import Dict, Iterator, List, Set, Tuple

import model

HOLE = "**missing**"


@dataclasses.dataclass
class Language:
    name: str
    title: str
    folder: pathlib.Path
    commands: Dict[str, List[str]]
    homes: Dict[str, str]
    raw: Set[str]
    used: Set[str]

    @property
    def exists(self) -> bool:
        return bool(self.homes)

    def raw_cell(self, function: str) -> str:
        return "yes" if function in self.raw else HOLE

    def home_cell(self, function: str) -> str:
        home = self.homes.get(function)
        return f"`{home}`" if home and function in self.used else HOLE


def languages(top: pathlib.Path) -> List[Language]:
    """All but C, which is the header itself."""
    listed = tomllib.loads((top / "bindings/languages.toml").read_text(encoding="utf-8"))
    return [_language(top, name, entry) for name, entry in listed.items() if name != "c"]


def commands(top: pathlib.Path, kind: str) -> Dict[str, List[str]]:
    """The commands of this kind of all languages that exist, C first."""
    listed = tomllib.loads((top / "bindings/languages.toml").read_text(encoding="utf-8"))
    there = {language.name for language in languages(top) if language.exists} | {"c"}
    return {
        name: entry[kind] for name, entry in listed.items() if name in there and kind in entry
    }


def _language(top: pathlib.Path, name: str, entry: Dict) -> Language:
    folder = top / entry["folder"]
    says: Dict = {}
    if (folder / "parity.toml").is_file():
        says = tomllib.loads((folder / "parity.toml").read_text(encoding="utf-8"))
    return Language(
        name,
        entry["title"],
        folder,
        {key: value for key, value in entry.items() if isinstance(value, list)},
        says.get("idiomatic", {}),
        _words(folder, says.get("raw", [])),
        _words(folder, says.get("sources", [])),
    )


def _words(folder: pathlib.Path, patterns: List[str]) -> Set[str]:
    return {
        word
        for pattern in patterns
        for file in folder.glob(pattern)
        for word in re.findall(r"\bupm_\w+", file.read_text(encoding="utf-8"))
    }


def holes(header: model.Header, top: pathlib.Path) -> Iterator[str]:
    """What is wrong, one line each."""
    declared = {function.name for function in header.functions}
    for language in languages(top):
        if not language.exists:
            continue
        for function in sorted(declared):
            if function not in language.raw:
                yield f"{language.title}: {function} is not in the raw layer"
            if function not in language.homes:
                yield f"{language.title}: parity.toml has no home for {function}"
            elif function not in language.used:
                yield f"{language.title}: the idiomatic layer never calls {function}"
        for function in sorted(set(language.homes) - declared):
            yield f"{language.title}: parity.toml has {function}, which the header has not"


def generator(top: pathlib.Path):
    return lambda header: "\n".join(_lines(header, languages(top))) + "\n"


def _lines(header: model.Header, others: List[Language]) -> Iterator[str]:
    yield f"""
# Parity

Every function of [`{header.name}`](api.md) in every language: whether the raw layer, which
`make bindings` generates, has it, and what it is called in the idiomatic one. A language says so
in its `parity.toml`; tests look each name up, and a hole fails them.
"""
    absent = [language.title for language in others if not language.exists]
    if absent:
        yield f"Not there yet: {', '.join(absent)}.\n"
    for section in header.sections:
        functions = [item for item in section.items if isinstance(item, model.Function)]
        if functions:
            yield f"## {section.title[:1].upper() + section.title[1:]}\n"
            yield from _table(functions, others)


def _table(functions: List[model.Function], others: List[Language]) -> Iterator[str]:
    titles = ["C"]
    for language in others:
        titles += [f"{language.title}, raw", language.title]
    yield "| " + " | ".join(titles) + " |"
    yield "|---" * len(titles) + "|"
    for function in functions:
        cells = [f"[`{function.name}`](api.md#{function.name})"]
        for language in others:
            cells += _cells(language, function.name)
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _cells(language: Language, function: str) -> Tuple[str, str]:
    if not language.exists:
        return "–", "–"
    return language.raw_cell(function), language.home_cell(function)
