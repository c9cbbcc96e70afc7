"""Which of many messages hold what is looked for: a thousand at a time, before any is looked at alone. Floor 5.

In: rows of the message table. Out: how often each holds a pattern. To take out one message's bytes and search them
costs microseconds; what most messages have not is searched for in many of them laid end to end.
"""

from __future__ import annotations

import re

import numpy as np

from ..result import Ints, Messages

__all__ = ["count_matches"]

_ROWS = 1_024
_BETWEEN = b"\n\0"
"""Between two messages: it ends a header, and begins none."""


def count_matches(messages: Messages, rows: Ints, pattern: re.Pattern[bytes]) -> Ints:
    r"""How often a pattern is found in each of some messages.

    Parameters
    ----------
    messages : Messages
        The table.
    rows : int64[n]
        Which of them.
    pattern : re.Pattern
        Matches neither an empty text nor ``\n`` before a zero byte, so that it never spans two messages.

    Returns
    -------
    int64[n]
    """
    data = np.ascontiguousarray(messages.data).data
    counts: Ints = np.zeros(len(rows), np.int64)
    for begin in range(0, len(rows), _ROWS):
        block = rows[begin : begin + _ROWS]
        lengths = messages.length[block]
        spans = zip(messages.at[block].tolist(), lengths.tolist(), strict=True)
        joined = _BETWEEN.join([data[at : at + length] for at, length in spans])
        found = [match.start() for match in pattern.finditer(joined)]
        if found:
            starts = np.cumsum(lengths + len(_BETWEEN)) - (lengths + len(_BETWEEN))
            places = np.searchsorted(starts, found, side="right") - 1
            counts[begin : begin + len(block)] = np.bincount(places, minlength=len(block))
    return counts
