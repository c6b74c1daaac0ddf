# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The C library as cffi sees it: every name of uprobe_multi.h, on `lib`."""
from typing import Any

ffi: Any
lib: Any
