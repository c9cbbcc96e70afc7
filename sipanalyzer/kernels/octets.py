"""Big-endian numbers out of bytes, for the kernels that decode packets. Floor 1.

Comes in: the bytes and a place whose bytes the caller has checked to be there (compiled code checks nothing). Goes out:
an integer that is the same interpreted and compiled.

numba types ``int(data[at])`` as uint8 and ``uint8 << 8`` as uint64, and mixed with an int64 that turns into a float.
So a byte is multiplied and added, or masked before it is shifted: that gives int64, and the same machine code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sipanalyzer.kernels import helper

__all__ = ["Matrix", "Octets", "be16", "be32", "signed64"]

Octets = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.int64]


@helper
def be16(data: Octets, at: int) -> int:
    """Unsigned 16 bits at `at`, network byte order."""
    return int(data[at]) * 256 + int(data[at + 1])


@helper
def be32(data: Octets, at: int) -> int:
    """Unsigned 32 bits at `at`, network byte order."""
    return int(data[at]) * 0x1000000 + int(data[at + 1]) * 0x10000 + int(data[at + 2]) * 0x100 + int(data[at + 3])


@helper
def signed64(data: Octets, at: int) -> int:
    """Signed 64 bits at `at`, network byte order: half an IPv6 address as it stands in a row."""
    return ((be32(data, at) ^ 0x80000000) - 0x80000000) * 0x100000000 + be32(data, at + 4)
