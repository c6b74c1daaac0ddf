# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What a C header declares, as every generator sees it.

Types know how to write themselves as C; declarations keep the order, the section and the doc
comment that they have in the header.
"""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Optional, Tuple, Union


@dataclasses.dataclass(frozen=True)
class Named:
    """A type with a name: int32_t, struct upm_probe, upm_progress_fn."""

    name: str
    const: bool = False

    def declare(self, name: str) -> str:
        words = ["const"] if self.const else []
        return " ".join(words + [self.name] + ([name] if name else []))


@dataclasses.dataclass(frozen=True)
class Pointer:
    to: "Type"
    const: bool = False

    def declare(self, name: str) -> str:
        star = "*const " if self.const and name else "*const" if self.const else "*"
        inner = star + name
        if isinstance(self.to, (Array, Signature)):
            inner = f"({inner})"
        return self.to.declare(inner)


@dataclasses.dataclass(frozen=True)
class Array:
    of: "Type"
    length: str

    def declare(self, name: str) -> str:
        return self.of.declare(f"{name}[{self.length}]")


@dataclasses.dataclass(frozen=True)
class Signature:
    """The type of a function: what callbacks point to."""

    result: "Type"
    parameters: Tuple["Parameter", ...]

    def declare(self, name: str) -> str:
        listed = ", ".join(p.type.declare(p.name) for p in self.parameters) or "void"
        return self.result.declare(f"{name}({listed})")


Type = Union[Named, Pointer, Array, Signature]


@dataclasses.dataclass(frozen=True)
class Parameter:
    name: str
    type: Type

    def __str__(self) -> str:
        return self.type.declare(self.name)


@dataclasses.dataclass
class Declaration:
    """What all declarations have; line is that of the header."""

    name: str
    line: int
    doc: str = dataclasses.field(default="", kw_only=True)


@dataclasses.dataclass
class Constant(Declaration):
    """An enumerator, or a macro that stands for a number or a string."""

    value: Union[int, str]


@dataclasses.dataclass
class Enum(Declaration):
    values: List[Constant]


@dataclasses.dataclass
class Field(Declaration):
    type: Type

    def __str__(self) -> str:
        return self.type.declare(self.name)


@dataclasses.dataclass
class Struct(Declaration):
    """fields is None for an opaque one."""

    fields: Optional[List[Field]]


@dataclasses.dataclass
class Callback(Declaration):
    """A typedef of a pointer to a function."""

    signature: Signature

    def __str__(self) -> str:
        return "typedef " + Pointer(self.signature).declare(self.name)


@dataclasses.dataclass
class Function(Declaration):
    signature: Signature

    @property
    def parameters(self) -> Tuple[Parameter, ...]:
        return self.signature.parameters

    @property
    def result(self) -> Type:
        return self.signature.result

    def __str__(self) -> str:
        return self.signature.declare(self.name)


@dataclasses.dataclass
class Section:
    """The declarations below one ruled comment of the header."""

    title: str
    items: List[Declaration]


@dataclasses.dataclass
class Header:
    name: str
    preamble: str
    sections: List[Section]

    def of(self, kind: type) -> List:
        return [item for section in self.sections for item in section.items if type(item) is kind]

    @property
    def functions(self) -> List[Function]:
        return self.of(Function)

    @property
    def enumerators(self) -> Dict[str, int]:
        return {value.name: value.value for enum in self.of(Enum) for value in enum.values}
