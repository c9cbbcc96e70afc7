"""Numbers of several bytes, in either byte order, for the kernels that decode packets. Floor 1.

Comes in: the bytes and a place, not negative, whose bytes the caller has checked to be there (compiled code checks
nothing). Goes out: an integer that is the same interpreted and compiled. Compiled, each is one load, which halved the
time a packet takes.

A single byte is read as ``int(data[at])``, which numba types as uint8, and ``uint8 << 8`` as uint64; mixed with an
int64 that turns into a float. So a byte is multiplied and added, or masked before it is shifted: that gives int64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sipanalyzer.kernels import helper, word_helper

__all__ = ["Matrix", "Octets", "be16", "be32", "le16", "le32", "signed64"]

Octets = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.int64]


@word_helper(2, "big")
def be16(data: Octets, at: int) -> int:
    """Unsigned 16 bits at `at`, network byte order."""
    return int(data[at]) << 8 | int(data[at + 1])


@word_helper(4, "big")
def be32(data: Octets, at: int) -> int:
    """Unsigned 32 bits at `at`, network byte order."""
    return int(data[at]) << 24 | int(data[at + 1]) << 16 | int(data[at + 2]) << 8 | int(data[at + 3])


@word_helper(2, "little")
def le16(data: Octets, at: int) -> int:
    """Unsigned 16 bits at `at`, least byte first."""
    return int(data[at + 1]) << 8 | int(data[at])


@word_helper(4, "little")
def le32(data: Octets, at: int) -> int:
    """Unsigned 32 bits at `at`, least byte first."""
    return int(data[at + 3]) << 24 | int(data[at + 2]) << 16 | int(data[at + 1]) << 8 | int(data[at])


@helper
def signed64(data: Octets, at: int) -> int:
    """Signed 64 bits at `at`, network byte order: half an IPv6 address as it stands in a row."""
    return ((be32(data, at) ^ 0x80000000) - 0x80000000) * 0x100000000 + be32(data, at + 4)
