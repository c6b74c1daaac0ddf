# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""bindings/languages.toml and the parity.toml of each language, read.

As a program: `languages.py KIND` prints a line for each language that exists and has a command of
this kind: its name, a blank, the command for a shell; UPM_BUILD says where the tree is built.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shlex
import sys
import tomllib
from typing import Dict, Iterator, List, Set, Tuple

FUNCTION = re.compile(r"\bupm_\w+")
TOPICS = re.compile(r"\btopics? (\d+(?:, ?\d+)*)")
TOP = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Language:
    name: str
    title: str
    commands: Dict[str, List[str]]
    homes: Dict[str, str]
    raw: Set[str]
    used: Set[str]
    topics: Set[int]
    without: Dict[int, str]

    @property
    def exists(self) -> bool:
        return self.name == "c" or bool(self.homes)


def read(top: pathlib.Path = TOP) -> List[Language]:
    listed = _toml(top / "bindings/languages.toml")
    return [_language(top, name, entry) for name, entry in listed.items()]


def commands(kind: str, build: str, top: pathlib.Path = TOP) -> Iterator[Tuple[str, List[str]]]:
    """Name and command of each language that exists and has a command of this kind."""
    python = ["env", f"PYTHONPATH={build}/conformance/python", sys.executable, "-B"]
    for language in read(top):
        if language.exists and kind in language.commands:
            command: List[str] = []
            for word in language.commands[kind]:
                command += python if word == "{python}" else [word.replace("{build}", build)]
            yield language.name, command


def _toml(path: pathlib.Path) -> Dict:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _language(top: pathlib.Path, name: str, entry: Dict) -> Language:
    folder = top / entry["folder"]
    says = _toml(folder / "parity.toml")
    return Language(
        name,
        entry["title"],
        {key: value for key, value in entry.items() if isinstance(value, list)},
        says.get("idiomatic", {}),
        set(_found(folder, says.get("raw", []), FUNCTION)),
        set(_found(folder, says.get("sources", []), FUNCTION)),
        {
            int(number)
            for numbers in _found(folder, says.get("tests", []), TOPICS)
            for number in numbers.split(",")
        },
        {int(number): why for number, why in says.get("topics", {}).items()},
    )


def _found(folder: pathlib.Path, patterns: List[str], words: "re.Pattern[str]") -> Iterator[str]:
    for pattern in patterns:
        for file in sorted(folder.glob(pattern)):
            yield from words.findall(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for known, words in commands(sys.argv[1], os.environ["UPM_BUILD"]):
        print(known, shlex.join(words))
