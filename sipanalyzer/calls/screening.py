"""Which of many messages hold what is looked for: a thousand at a time, before any is looked at alone. Floor 5.

In: rows of the message table. Out: what in them matches a pattern. To take out one message's bytes and search them
costs microseconds; what most messages have not is searched for in many of them laid end to end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ..result import Ints, Messages

__all__ = ["count_matches", "find_matches"]

_ROWS = 1_024
_BETWEEN = b"\n\0"
"""Between two messages: it ends a header, and begins none."""


def count_matches(messages: Messages, rows: Ints, pattern: re.Pattern[bytes], *, body: bool = False) -> Ints:
    r"""How often a pattern is found in each of some messages, or in their bodies.

    Parameters
    ----------
    messages : Messages
        The table.
    rows : int64[n]
        Which of them.
    pattern : re.Pattern
        Matches neither an empty text nor ``\n`` before a zero byte, so that it never spans two messages.
    body : bool
        Look into the bodies only.

    Returns
    -------
    int64[n]
    """
    counts: Ints = np.zeros(len(rows), np.int64)
    for owners, _ in find_matches(messages, rows, pattern, body=body):
        np.add.at(counts, owners, 1)
    return counts


def find_matches(
    messages: Messages, rows: Ints, pattern: re.Pattern[bytes], *, body: bool = False
) -> Iterator[tuple[Ints, list[re.Match[bytes]]]]:
    """The matches of such a pattern in some messages, or in their bodies.

    Yields
    ------
    owners : int64[m]
        For each match, ascending, which of the rows it is in (an index into `rows`).
    matches : list of re.Match
        In their order; positions are of no use.
    """
    data = np.ascontiguousarray(messages.data).data
    begins, sizes = (messages.body_at, messages.body_length) if body else (messages.at, messages.length)
    for begin in range(0, len(rows), _ROWS):
        block = rows[begin : begin + _ROWS]
        lengths = sizes[block]
        spans = zip(begins[block].tolist(), lengths.tolist(), strict=True)
        joined = _BETWEEN.join([data[at : at + length] for at, length in spans])
        matches = list(pattern.finditer(joined))
        if matches:
            starts = np.cumsum(lengths + len(_BETWEEN)) - (lengths + len(_BETWEEN))
            found = [match.start() for match in matches]
            yield begin + np.searchsorted(starts, found, side="right") - 1, matches
