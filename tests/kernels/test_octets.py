"""Numbers out of bytes: interpreted, compiled, and as Python reads them."""

from __future__ import annotations

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.kernels import kernel
from sipanalyzer.kernels.octets import be16, be32, le16, le32, signed64


@kernel
def _read_all(data: np.ndarray, out: np.ndarray) -> int:
    for at in range(data.shape[0] - 7):
        out[at, 0] = be16(data, at)
        out[at, 1] = be32(data, at)
        out[at, 2] = le16(data, at)
        out[at, 3] = le32(data, at)
        out[at, 4] = signed64(data, at)
        out[at, 5] = be32(data, at) - le32(data, at)  # integers, not floats, when they are reckoned with
    return 0


@pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=pytest.mark.skipif(not kernels.available(), reason="no numba"))]
)
def test_numbers_are_read_at_any_place_as_python_reads_them(compiled: bool) -> None:
    data = np.random.default_rng(3).bytes(500) + b"\xff" * 9 + bytes(9) + b"\x80" + bytes(9) + b"\x7f" * 9
    out = np.zeros((len(data) - 7, 6), np.int64)
    kernels.set_compiled(compiled)
    try:
        _read_all(np.frombuffer(bytearray(data), np.uint8), out)
    finally:
        kernels.set_compiled(False)
    for at, found in enumerate(out.tolist()):
        two, four, eight = data[at : at + 2], data[at : at + 4], data[at : at + 8]
        big, little = int.from_bytes(four, "big"), int.from_bytes(four, "little")
        assert found == [
            int.from_bytes(two, "big"), big, int.from_bytes(two, "little"), little,
            int.from_bytes(eight, "big", signed=True), big - little,
        ]  # fmt: skip
