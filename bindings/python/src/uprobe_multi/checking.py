# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What this kernel and this user can do."""
from __future__ import annotations

from ._convert import filled
from ._native import ffi, lib
from .enums import Answer, Backend
from .errors import check_status


class Features:
    """Answers found by trying: `features.session` and so on, each an Answer; truth by `bool()`
    of the backend: whether anything can be attached at all."""

    uprobe_multi: Answer
    session: Answer
    pid_filter: Answer
    link_info: Answer
    fdinfo: Answer
    path_fd: Answer
    paths: Answer
    perf_event: Answer
    perf_cookie: Answer
    uprobe_syscall: Answer
    nop5_red_zone_safe: Answer
    ringbuf: Answer
    mmapable_array: Answer
    cap_bpf: Answer
    cap_perfmon: Answer
    cap_sys_admin: Answer
    cap_sys_ptrace: Answer
    backend: Backend

    def __init__(self) -> None:
        raw = filled("upm_features")
        check_status(lib.upm_check(raw))
        for field, _ in ffi.typeof("struct upm_features").fields:
            if field not in ("size", "backend"):
                setattr(self, field, Answer(getattr(raw, field)))
        self.backend = Backend(raw.backend)

    def to_dict(self) -> dict[str, str]:
        """Name and word of each answer."""
        words = {name: str(answer) for name, answer in vars(self).items()}
        return words if self else {**words, "backend": "none"}

    def __bool__(self) -> bool:
        return self.backend != Backend.AUTO

    def __repr__(self) -> str:
        return "<Features " + ", ".join(f"{k}={v}" for k, v in self.to_dict().items()) + ">"

    def _repr_html_(self) -> str:
        from .display import table_html

        return table_html(["question", "answer"], list(self.to_dict().items()))


def check() -> Features:
    """Find out what works here. The kernel is asked once; capabilities are read anew each time."""
    return Features()
