"""Texts brought together, to be decoded in one go. Floor 1."""

from __future__ import annotations

from typing import Any

from . import kernel

__all__ = ["LINE_END", "join_lines"]

LINE_END = 10


@kernel
def join_lines(data: Any, spans: Any, begin: int, end: int, out: Any, odd: Any) -> tuple[int, int]:
    """Write spans of bytes as lines; of one that has other bytes than printable ASCII, an empty line.

    Parameters
    ----------
    data : uint8[:]
        Where they are.
    spans : int64[:, 2 or more]
        Begin and end.
    begin, end : int
        Which spans.
    out : uint8[:]
        Where they go; it must have room for all and a line end each.
    odd : int64[end - begin]
        Out: numbers of the spans with other bytes.

    Returns
    -------
    tuple of int
        Bytes written, spans with other bytes.
    """
    w = 0
    odds = 0
    for k in range(begin, end):
        first = w
        for i in range(spans[k, 0], spans[k, 1]):
            c = int(data[i])
            if c < 32 or c > 126:
                odd[odds] = k
                odds += 1
                w = first
                break
            out[w] = c
            w += 1
        out[w] = LINE_END
        w += 1
    return w, odds
