# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Programs that print how a compiler lays the header out: sizes, offsets, constants.

Every language prints the same lines from its raw layer; sorted, they must be equal.
"""

from __future__ import annotations

from typing import Iterator

import model

RUST_KEYWORDS = {"type", "match", "move", "ref", "use", "where", "in", "loop", "mod", "fn"}


def lines(header: model.Header) -> Iterator[str]:
    yield f'#include "{header.name}"'
    yield "#include <inttypes.h>\n#include <stdio.h>\n\nint main(void)\n{"
    for struct in header.of(model.Struct):
        if struct.fields is None:
            continue
        whole = f"struct {struct.name}"
        yield f'\tprintf("{whole} is of %zu\\n", sizeof({whole}));'
        for field in struct.fields:
            yield (
                f'\tprintf("{whole} {field.name} at %zu of %zu\\n", '
                f"offsetof({whole}, {field.name}), sizeof((({whole} *)0)->{field.name}));"
            )
    for name in header.enumerators:
        yield f'\tprintf("{name} = %" PRId64 "\\n", (int64_t){name});'
    for constant in header.of(model.Constant):
        if isinstance(constant.value, str):
            yield f'\tprintf("{constant.name} = %s\\n", {constant.name});'
        else:
            yield f'\tprintf("{constant.name} = %" PRId64 "\\n", (int64_t){constant.name});'
    yield "\treturn 0;\n}"


def rust_lines(header: model.Header) -> Iterator[str]:
    """The same in Rust: the inside of main(), with the raw layer and helpers in scope."""
    for struct in header.of(model.Struct):
        if struct.fields is None:
            continue
        name = struct.name
        yield f'println!("struct {name} is of {{}}", size_of::<{name}>());'
        for field in struct.fields:
            rust = field.name + "_" * (field.name in RUST_KEYWORDS)
            yield (
                f'println!("struct {name} {field.name} at {{}} of {{}}", '
                f"std::mem::offset_of!({name}, {rust}), size_of_field(|s: &{name}| &s.{rust}));"
            )
    for name in header.enumerators:
        yield f'println!("{name} = {{}}", {name} as i64);'
    for constant in header.of(model.Constant):
        shown = f"text({constant.name})" if isinstance(constant.value, str) else constant.name
        yield f'println!("{constant.name} = {{}}", {shown});'
