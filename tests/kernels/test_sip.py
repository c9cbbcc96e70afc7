"""The spans and interning kernels: numbers by hand, both ways of running, and their twins."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.kernels import interning, sip
from tests.naive import sip as naive

INVITE = (
    b"INVITE sip:bob@example.com SIP/2.0\r\n"
    b"v : SIP/2.0/UDP h1;branch=z9hG4bKa, SIP/2.0/UDP h2;branch=z9hG4bKb\r\n"
    b"VIA: SIP/2.0/UDP h3;branch=z9hG4bKc\r\n"
    b'From: "a;tag=no \\" <sip:x>" <sip:alice@example.com;tag=inner>\r\n'
    b"\t;TAG = outer ;x=y\r\n"
    b"T:sip:bob@example.com;tag=t1;z\r\n"
    b"i: id-1@h\r\n"
    b"CSeq:  0007\r\n  INVITE\r\n"
    b"m: <sip:c1>, <sip:c2>\r\n"
    b"Server: one\nUser-Agent: two\r\n"
    b"l:2\r\n"
    b"\r\n"
    b"hiSIP"
)


def spans_of(messages: list[bytes], cut: list[bool] | None = None) -> tuple[bytes, np.ndarray, np.ndarray]:
    data = b"\0" + b"".join(messages)
    length = np.array([len(m) for m in messages], np.int64)
    at = 1 + np.cumsum(length) - length
    n = len(messages)
    spans = np.full((n, sip.SPANS, 2), 99, np.int64)
    numbers = np.full((n, sip.NUMBERS), 99, np.int64)
    flags = np.array(cut or [False] * n, np.uint8)
    sip.find_spans(np.frombuffer(bytearray(data), np.uint8), at, length, flags, n, spans, numbers)
    return data, spans, numbers


def test_each_span_is_where_a_reader_would_point(way: str) -> None:
    data, spans, numbers = spans_of([b"junk before", INVITE])
    found = [data[a:b] for a, b in spans[1].tolist()]
    assert found == [
        b"INVITE", b"sip:bob@example.com", b"", b"id-1@h", b"sip:alice@example.com;tag=inner", b"outer",
        b"sip:bob@example.com", b"t1", b"z9hG4bKa", b"INVITE", b"sip:c1", b"two", b"one", b"", b"hi", INVITE,
    ]  # fmt: skip
    seen = sum(
        (sip.SEEN_CALL_ID, sip.SEEN_CSEQ, sip.SEEN_FROM, sip.SEEN_TO, sip.SEEN_VIA, sip.SEEN_CONTACT,
         sip.SEEN_CONTENT_LENGTH, sip.SEEN_AGENT, sip.SEEN_SERVER)
    )  # fmt: skip
    assert numbers[1].tolist() == [0, 7, 2, seen, sip.BODY_LONG]


def test_a_status_line_gives_code_and_reason(way: str) -> None:
    lines = [b"SIP/2.0 486 Busy here", b"sip/2.0 100", b"SIP/2.0 99 x", b"SIP/2.0 4294967301 x", b"SIP/2.0  200  OK  ",
             b"SIP/2.0 200\tOK", b"INVITE", b"INVITE sip:x", b""]  # fmt: skip
    data, spans, numbers = spans_of([line + b"\r\n\r\n" for line in lines])
    assert numbers[:, sip.STATUS].tolist() == [486, 100, -1, -1, 200, 200, -1, 0, -1]
    assert [data[a:b] for a, b in spans[:6, sip.REASON].tolist()] == [b"Busy here", b"", b"", b"", b"OK", b"OK"]


def test_a_cut_message_does_not_give_half_a_header(way: str) -> None:
    message = b"BYE sip:x SIP/2.0\r\nCall-ID: abc\r\nTo: <sip:y>\r\n ;tag=hal"
    data, spans, numbers = spans_of([message, message], [False, True])
    assert data[slice(*spans[0, sip.TO_TAG].tolist())] == b"hal"
    assert numbers[1, sip.SEEN] == sip.SEEN_CALL_ID
    assert spans[1, sip.TO_URI].tolist() == [0, 0]


def test_an_open_quote_and_an_open_bracket_are_ordinary_characters(way: str) -> None:
    values = [b'"Mr. User <sip:a@b>;tag=1', b"<sip:a@b;tag=2", b'"x" <sip:a@b>;tag="q;r" <', b'" < sip:a@b ;tag=3']
    data, spans, _ = spans_of([b"BYE sip:x SIP/2.0\r\nFrom: " + value + b"\r\n\r\n" for value in values])
    assert [data[a:b] for a, b in spans[:, sip.FROM_URI].tolist()] == [b"sip:a@b"] * 4
    assert [data[a:b] for a, b in spans[:, sip.FROM_TAG].tolist()] == [b"1", b"2", b'"q;r"', b"3"]


def test_numbers_too_large_are_no_numbers(way: str) -> None:
    values = [b"4294967295", b"4294967296", b"36893488147419103232", b"-1", b"", b"007"]
    lines = [b"BYE sip:x SIP/2.0\r\nCSeq: " + v + b" BYE\r\nl: " + v + b"\r\n\r\n" for v in values]
    _, _, numbers = spans_of(lines)
    assert numbers[:, sip.CSEQ].tolist() == [4294967295, -1, -1, -1, -1, 7]
    assert numbers[:, sip.CONTENT_LENGTH].tolist() == [4294967295, -1, -1, -1, -1, 7]
    assert numbers[:, sip.FIT].tolist() == [sip.BODY_SHORT, 0, 0, 0, 0, sip.BODY_SHORT]


def test_both_ways_find_the_same_spans_in_noise() -> None:
    if not kernels.available():
        pytest.skip("no numba")
    maker = random.Random(5)
    pieces = [INVITE[i : i + 9] for i in range(0, len(INVITE), 9)] + [
        b'"',
        b"<",
        b">",
        b"\\",
        b"\r\n",
        b"\n",
        b";",
        b",",
    ]
    messages = [b"".join(maker.choices(pieces, k=maker.randrange(60))) for _ in range(300)]
    cut = [maker.random() < 0.3 for _ in messages]
    results = []
    before = kernels.compiled()
    for compiled in (False, True):
        kernels.set_compiled(compiled)
        results.append(spans_of(messages, cut))
    kernels.set_compiled(before)
    np.testing.assert_array_equal(results[0][1], results[1][1])
    np.testing.assert_array_equal(results[0][2], results[1][2])


def intern_all(strings: list[bytes], slots: int, seed: int) -> tuple[int, list[int]]:
    data = np.frombuffer(bytearray(b"\0" + b"".join(strings)), np.uint8)
    spans = np.zeros((len(strings), 1, 2), np.int64)
    at = 1
    for i, string in enumerate(strings):
        spans[i, 0] = at, at + len(string)
        at += len(string)
    table = np.full(slots, -1, np.int32)
    ids = np.full(len(strings), -9, np.int32)
    first = np.zeros((slots, 3), np.int64)
    count = np.zeros(1, np.int64)
    done = interning.intern_spans(data, spans, 0, 0, len(strings), seed, table, first, count, ids)
    return done, ids.tolist()


@pytest.mark.parametrize("seed", [0, 1, 0xFFFFFFFF])
def test_equal_strings_get_equal_numbers_in_order_of_first_sight(way: str, seed: int) -> None:
    maker = random.Random(seed)
    strings = [bytes(maker.choices(b"ab", k=maker.randrange(9))) for _ in range(500)]
    assert intern_all(strings, 1024, seed) == (500, naive.intern(strings))


def test_a_full_table_says_where_to_go_on(way: str) -> None:
    done, ids = intern_all([b"a", b"b", b"a", b"c", b"d", b"e"], 4, 0)
    assert done == 4  # two thirds of four slots are full with the third string
    assert ids[:4] == [0, 1, 0, 2]
