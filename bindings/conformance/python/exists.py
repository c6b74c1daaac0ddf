# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Reads dotted names, one a line, and prints those that importing does not find."""

import importlib
import sys


def is_there(name):
    module, *attributes = name.split(".")
    thing = importlib.import_module(module)
    for attribute in attributes:
        if not hasattr(thing, attribute):
            return False
        thing = getattr(thing, attribute)
    return True


for line in sys.stdin:
    if not is_there(line.strip()):
        print(line.strip())
