# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Progress callbacks, and exceptions that cross the library.

A Python exception can not travel through C. The callback keeps it, tells the library to cancel,
and it is raised again when the call has undone its work. One callback is always installed, also
when the caller wants none: it is where Python looks at signals, so that Ctrl-C ends a long attach.
"""
from __future__ import annotations

from typing import Any, Callable, Optional, Union

from ._native import ffi, lib
from .errors import check_status, text

ProgressFunction = Callable[[str, int, int], object]
#: None or False: none. True: a bar, in a notebook or on a terminal. Else called as
#: (stage, done, total); total 0 means that it is not known.
Progress = Union[None, bool, ProgressFunction]


class Call:
    """One call of the library that may report progress."""

    def __init__(self, progress: Progress = None) -> None:
        self.function = _function(progress)
        self.raised: Optional[BaseException] = None
        self.context = ffi.new_handle(self)

    def options(self) -> dict[str, Any]:
        """The two fields that every option structure has for this."""
        return {"progress": lib.upm_progress_python, "progress_context": self.context}

    def check(self, status: int) -> int:
        """As check_status(); an exception of the callback comes before the library's."""
        self.end()
        return check_status(status)

    def end(self) -> None:
        """Raise what the callback raised."""
        done = getattr(self.function, "done", None)
        if done is not None:
            done()
        raised, self.raised = self.raised, None
        if raised is not None:
            raise raised


def _function(progress: Progress) -> Optional[ProgressFunction]:
    if progress is True:
        from .display import ProgressBar

        return ProgressBar()
    return progress or None


def _keep(kind: Any, value: BaseException, traceback: Any) -> None:
    call = ffi.from_handle(traceback.tb_frame.f_locals["context"])
    call.raised = value


@ffi.def_extern(error=1, onerror=_keep)  # type: ignore[untyped-decorator]
def upm_progress_python(stage: Any, done: int, total: int, context: Any) -> int:
    """The upm_progress_fn of every call."""
    function = ffi.from_handle(context).function
    if function is not None:
        function(text(stage), done, total)
    return 0
