# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""BCC, for the interpreter that has Debian's python3-bpfcc.

It compiles against kernel headers: those of the running kernel, or else any others that are
installed, of which only the registers matter here.
"""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from told import leave_out

ARCHITECTURES = {"x86_64": "x86", "aarch64": "arm64"}


def use_headers() -> list[str]:
    """Tell BCC where kernel headers are, if it does not find them by itself.

    Returns: flags for its compiler
    """
    own = Path("/lib/modules", os.uname().release, "build")
    if "BCC_KERNEL_SOURCE" in os.environ or own.exists() or os.path.exists("/sys/kernel/kheaders.tar.xz"):
        return []
    others = sorted(Path("/lib/modules").glob("*/build/include/generated"))
    if not others:
        leave_out("BCC needs kernel headers, and there are none: install linux-headers")
    build = others[-1].parents[1]
    source = build.with_name("source")
    os.environ["BCC_KERNEL_SOURCE"] = str(source if source.exists() else build)
    generated = f"arch/{ARCHITECTURES[os.uname().machine]}/include/generated"
    folders = ("include", "include/generated/uapi", generated, f"{generated}/uapi")
    return [f"-I{build / folder}" for folder in folders]


def load(text: str, *flags: str) -> Any:
    """Compile a program. Ends this process, with the reason, where that can not be done."""
    try:
        from bcc import BPF, lib
    except ImportError:
        leave_out("python3-bpfcc is not installed")
    found = use_headers()
    # Debian's version leaves the last argument away, so that the kernel is told a random counter.
    attach = lib.bpf_attach_uprobe
    lib.bpf_attach_uprobe = lambda *arguments: attach(*arguments, 0)
    try:
        return BPF(text=text, cflags=[*flags, *found])
    except Exception as error:
        leave_out(f"BCC does not run here: {error}")
