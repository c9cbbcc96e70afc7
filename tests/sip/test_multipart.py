"""Where the parts of a body begin and end, against one expression that says what a delimiter line is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.sip.multipart import texts_between

PIECES = (b"\r\n", b"\n", b"\r", b"--", b"-", b"--b", b"\n--b", b"\r\n--b--", b"--a b", b" ", b"\t", b"x", b"b")


def slowly(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """RFC 2046 5.1.1: line end (none before the first), two hyphens, boundary, two more at the end, space, line end."""
    begin = None
    for match in re.finditer(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)", body):
        if begin is not None:
            yield body[begin : match.start()]
        begin = match.end()
        if match[1]:
            return
    if begin is not None:
        yield body[begin:]


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from([b"b", b"a b", b"-", b"--", b"-b"]))
def test_texts_are_those_between_delimiter_lines(pieces: list[bytes], boundary: bytes) -> None:
    body = b"".join(pieces)
    assert list(texts_between(body, boundary)) == list(slowly(body, boundary))


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b"--b\r\none\r\n--b\r\ntwo\r\n--b--\r\nafter", [b"\r\none", b"\r\ntwo"]),
        (b"before\n--b \none\n", [b"\none\n"]),
        (b"x--b\r\none", []),
        (b"--bb\r\none\r\n--b", [b""]),
        (b"--b\r\n--b\r\n\r\n--b--", [b"", b"\r\n"]),
        (b"", []),
    ],
)
def test_some_by_hand(body: bytes, texts: list[bytes]) -> None:
    assert list(texts_between(body, b"b")) == texts
