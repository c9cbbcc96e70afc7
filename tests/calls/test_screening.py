"""Patterns counted in many messages at once are counted as in each alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls import screening
from sipanalyzer.calls.correlation import _pattern
from sipanalyzer.calls.screening import count_matches
from sipanalyzer.options import Options
from sipanalyzer.result import Messages
from tests.output.results import make_messages

PIECES = (
    b"INVITE sip:b@x SIP/2.0", b"\n", b"\r\n", b"Session-ID: 1", b"session-id", b":", b" folded", b"Replaces: a;b",
    b"Join", b"\0", b"z9hG4bK", b"X-CID:7", b"",
)  # fmt: skip


def table_of(raws: Sequence[bytes]) -> Messages:
    """A message table of some bytes."""
    return make_messages([{"raw": raw} for raw in raws])


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), max_size=8), st.integers(1, 5))
def test_each_message_has_the_matches_that_it_has_alone(raws: list[bytes], block: int) -> None:
    messages = table_of(raws)
    for pattern in (_pattern(Options().correlation_headers)[0], re.compile(b"z9hG4bK")):
        screening._ROWS, before = block, screening._ROWS
        try:
            counts = count_matches(messages, np.arange(len(raws)), pattern).tolist()
        finally:
            screening._ROWS = before
        assert counts == [len(pattern.findall(raw)) for raw in raws]
