# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A Python program that calls functions and collects garbage; obeys lines as the other targets do.
# CPython 3.11 passes the probes of functions and lines only while a profiler or tracer is set,
# whatever the semaphores say: here one in C, which passes no such probe itself.
import _lsprof
import gc
import os
import sys


def inner_of_work(number):
    return number + 1


def outer_of_work(number):
    return inner_of_work(number) + 1


def collect(cycles):
    for _ in range(cycles):
        own = []
        own.append(own)
    del own
    return gc.collect(1)


def say(text):
    os.write(1, (text + "\n").encode())


def code_of(function):
    code = function.__code__
    return f"{code.co_firstlineno} {code.co_filename}"


commands = {
    "outer": lambda: code_of(outer_of_work),
    "inner": lambda: code_of(inner_of_work),
    "work": lambda: f"work {outer_of_work(0)}",
    "collect": lambda: f"collected {collect(7)}",
}
profiler = _lsprof.Profiler()
profiler.enable()
gc.disable()
gc.collect()
say(f"ready {os.getpid()}")
for line in sys.stdin.buffer:
    say(commands[line.decode().strip()]())
