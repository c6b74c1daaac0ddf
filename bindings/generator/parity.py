# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""docs/parity.md: each function of the header against each language's two layers.

bindings/languages.toml lists the languages, bindings/LANGUAGE/parity.toml says where a language
has what: bindings/README.md describes both.
"""

from __future__ import annotations

from typing import Iterator, List

import languages
import model

HOLE = "**missing**"


def bound() -> List[languages.Language]:
    """All but C, whose two layers are the header."""
    return [language for language in languages.read() if language.name != "c"]


def holes(header: model.Header) -> Iterator[str]:
    """What is wrong, one line each."""
    declared = {function.name for function in header.functions}
    for language in bound():
        if language.exists:
            for function in sorted(declared):
                yield from (f"{language.title}: {why}" for why in _hole(language, function))
            for function in sorted(set(language.homes) - declared):
                yield f"{language.title}: parity.toml has {function}, which the header has not"


def _hole(language: languages.Language, function: str) -> Iterator[str]:
    if function not in language.raw:
        yield f"{function} is not in the raw layer"
    if function not in language.homes:
        yield f"parity.toml has no home for {function}"
    elif function not in language.used:
        yield f"{function} is never called by the idiomatic layer"


def generate(header: model.Header) -> str:
    return "\n".join(_lines(header, bound())) + "\n"


def _lines(header: model.Header, others: List[languages.Language]) -> Iterator[str]:
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


def _table(functions: List[model.Function], others: List[languages.Language]) -> Iterator[str]:
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


def _cells(language: languages.Language, function: str) -> List[str]:
    if not language.exists:
        return ["–", "–"]
    home = language.homes.get(function)
    return [
        "yes" if function in language.raw else HOLE,
        f"`{home}`" if home and function in language.used else HOLE,
    ]
