# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Hashes and compresses: for each line of input so many rounds; answers with what came out."""
import ctypes
import hashlib
import os
import sys
import zlib

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def work(rounds):
    digest = b""
    for number in range(rounds):
        data = (b"%d" % number + digest) * 200
        packed = zlib.compress(data)
        if zlib.decompress(packed) != data:
            sys.exit(1)
        digest = hashlib.new("sha256", packed + data * 20).digest()
        libc.free(libc.malloc(100000 + number))
    return digest.hex()


print("ready", os.getpid(), flush=True)
work(1)  # everything is loaded
for line in sys.stdin:
    print("work", work(int(line)), flush=True)
