# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Does an answer have what a case expects?

An object must have the expected keys, and may have more. An array must have as many elements. Any
other value must be equal, unless an object with one of these keys stands for it:

    {"$has": ["a", "b"]}   a text with all of these in it
    {"$like": "regex"}     a text that matches all of a regular expression
    {"$least": 1}          a number of at least so much
    {"$length": 3}         an array of so many elements
    {"$some": x}           an array with an element that is x
    {"$each": x}           an array whose every element is x
"""

import re
from typing import Any, Iterator


def mismatches(wanted: Any, got: Any, at: str = "") -> Iterator[str]:
    """One line for each difference."""
    if isinstance(wanted, dict) and len(wanted) == 1 and next(iter(wanted)).startswith("$"):
        (rule, value), = wanted.items()
        if not RULES[rule](value, got):
            yield f"{at or 'answer'}: {got!r} is not {wanted}"
    elif isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            if key in got:
                yield from mismatches(value, got[key], f"{at}.{key}")
            else:
                yield f"{at}.{key} is missing in {got!r}"
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (one, other) in enumerate(zip(wanted, got)):
            yield from mismatches(one, other, f"{at}[{index}]")
    elif type(wanted) is not type(got) or wanted != got:
        yield f"{at or 'answer'}: {got!r} is not {wanted!r}"


def matches(wanted: Any, got: Any) -> bool:
    return not any(mismatches(wanted, got))


RULES = {
    "$has": lambda pieces, got: isinstance(got, str) and all(piece in got for piece in pieces),
    "$like": lambda regex, got: isinstance(got, str) and bool(re.fullmatch(regex, got)),
    "$least": lambda least, got: isinstance(got, int) and got >= least,
    "$length": lambda length, got: isinstance(got, list) and len(got) == length,
    "$some": lambda one, got: isinstance(got, list) and any(matches(one, each) for each in got),
    "$each": lambda one, got: isinstance(got, list) and all(matches(one, each) for each in got),
}
