"""Origins of descriptions: whoever shares one is looked at, however the description is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls import origins
from tests.output.results import make_messages

PLAIN = b"v=0\r\no=- 4711 1 IN IP4 10.0.0.1\r\ns=-\r\n" + b"t=0 0\r\na=x\r\n" * 6
PIECES = (
    b"v=0\r\n", b"v=0\n", b"o=", b"\no=", b"- ", b"bob ", b"4711 ", b"4712 ", b"1 ", b"2 ", b"IN IP4 10.0.0.1",
    b"IN IP6 ::1", b"in ip4 h", b"\r\n", b" ", b"4" * 60, PLAIN,
)  # fmt: skip


def sharing(bodies: list[bytes]) -> tuple[list[int], set[int]]:
    """Which bodies are looked at, and which have an origin that another one has."""
    plain = make_messages([{"raw": body} for body in bodies])
    messages = replace(plain, body_at=plain.at, body_length=plain.length)
    mine: dict[tuple[bytes, ...], list[int]] = defaultdict(list)
    for number, body in enumerate(bodies):
        match = origins._ORIGIN.search(body)
        if match is not None:
            mine[match.groups()].append(number)
    rows = np.arange(len(bodies))
    found = origins._sharing(messages, rows, rows[messages.body_length > 0])
    return list(found), {number for numbers in mine.values() if len(numbers) > 1 for number in numbers}


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join), max_size=8))
def test_no_body_that_shares_its_origin_is_passed_over(bodies: list[bytes]) -> None:
    found, shared = sharing(bodies)
    assert shared <= set(found)


@pytest.mark.parametrize("rows", [2, 3, 100])
def test_blocks_make_no_difference(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [PLAIN.replace(b"4711", b"%d" % (number % 7 + (number > 6) * number)) for number in range(20)]
    bodies += [b"v=0\no=- 19 3 IN IP4 10.0.0.9\n", PLAIN + b"x"]
    at_once = sharing(bodies)
    monkeypatch.setattr(origins, "_ROWS", rows)
    assert sharing(bodies) == at_once


def test_sessions_with_an_id_of_their_own_are_left_alone() -> None:
    bodies = [PLAIN.replace(b"4711", b"%d" % number) for number in range(1_000, 1_300)]
    assert sharing(bodies)[0] == []
    relayed = PLAIN.replace(b"4711 1", b"1007 2").replace(b"v=0\r\no=", b"v=0\no=")
    assert sharing([*bodies, relayed])[0] == [7, 300]
