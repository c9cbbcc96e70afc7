"""The parser: what it refuses, what it notes, and that no bytes make it fall over."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.errors import ParseError
from sipanalyzer.sip.defects import MEANING, REJECTED
from sipanalyzer.sip.message import Request, Response
from sipanalyzer.sip.parser import (
    find_header,
    find_headers,
    number_of,
    parse_address,
    parse_message,
    parse_uri,
    parse_via,
    user_part,
)
from tests.sip.words import invite, messages


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "start line"),
        (b"\r\n\r\n", "start line"),
        (b"INVITE\r\nTo: x\r\n\r\n", "start line"),
        (b" INVITE sip:x SIP/2.0\r\nTo: x\r\n\r\n", "start line"),
        (b"SIP/2.0 99 x\r\nTo: x\r\n\r\n", "three digits"),
        (b"SIP/2.0 2000 x\r\nTo: x\r\n\r\n", "three digits"),
        (b"SIP/2.0 099 x\r\nTo: x\r\n\r\n", "three digits"),
        (b"SIP/2.0 200 OK", "none of"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "none of"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        parse_message(data)


def test_a_good_message_has_no_defects() -> None:
    m = parse_message(invite(1))
    assert (m.defects, m.acceptable, m.raw) == ((), True, invite(1))


@pytest.mark.parametrize(
    ("change", "defects"),
    [
        ((b"\r\n", b"\n"), ("bare-lf",)),
        ((b"Max-Forwards: 70", b"nonsense"), ("malformed-header",)),
        ((b"Content-Length: 0", b"l: 3"), ("body-short",)),
        ((b"\r\n\r\n", b"\r\n\r\nxyz"), ("body-long",)),
        ((b"Content-Length: 0\r\n\r\n", b"\r\nxyz"), ("missing-content-length",)),
        ((b"Content-Length: 0\r\n\r\n", b"\r\n"), ()),
        ((b"Content-Length: 0", b"Content-Length: 0x0"), ("bad-content-length",)),
        ((b"CSeq: 1 INVITE", b"CSeq: 1"), ("bad-cseq",)),
        ((b"CSeq: 1 INVITE", b"CSeq: 2147483648 INVITE"), ("bad-cseq",)),
        ((b"CSeq: 1 INVITE", b"CSeq: 1 invite"), ("cseq-method",)),
        ((b"Via: ", b"Wia: "), ("missing-via",)),
        ((b"SIP/2.0\r\nVia", b"SIP/2.1\r\nVia"), ("bad-version",)),
        ((b"sip:bob@example.com SIP/2.0", b"sip:bob@example.com"), ("bad-version",)),
        ((b"INVITE sip:bob@example.com S", b"INVITE bob S"), ("bad-request-uri",)),
        ((b"INVITE sip:bob", b"IN(VITE sip:bob"), ("bad-method", "cseq-method")),
        ((b"<sip:bob@example.com>", b"bob"), ("bad-to",)),
        ((b"<sip:alice@10.0.0.1>", b"<sip:alice@10.0.0.1"), ("unterminated-bracket",)),
        ((b'"Alice" ', b'"Alice" x '), ("bad-display-name",)),
        ((b"Contact: ", b"Contact: , ,"), ()),
        ((b"70", b"256"), ("bad-max-forwards",)),
    ],
)
def test_what_is_wrong_is_noted(change: tuple[bytes, bytes], defects: tuple[str, ...]) -> None:
    assert parse_message(invite(1).replace(*change)).defects == defects


def test_every_defect_has_a_meaning_and_lesser_ones_are_accepted() -> None:
    assert "bare-lf" in MEANING.keys() - REJECTED
    assert "body-short" in REJECTED


def test_a_truncated_message_has_no_half_header_and_no_short_body() -> None:
    whole = invite(1, b"v=0\r\n")
    m = parse_message(whole[:-3], truncated=True)
    assert (m.body, m.defects) == (b"v=", ("truncated",))
    m = parse_message(whole[: whole.index(b"Call-ID") - 8], truncated=True)
    assert (m.header("From"), m.header("To")) == ('"Alice" <sip:alice@example.com>;tag=a1', None)


@pytest.mark.parametrize("lines", [b"X-Odd\r\n : value", b"X-Odd \r\n\t: value"])
def test_a_colon_in_a_fold_makes_no_name(lines: bytes) -> None:
    message = parse_message(b"BYE sip:b@b SIP/2.0\r\nCall-ID: 1\r\n" + lines + b"\r\n\r\n")
    assert [header.name for header in message.headers] == ["Call-ID"]
    assert "malformed-header" in message.defects


def test_a_truncated_fold_takes_its_header_with_it() -> None:
    m = parse_message(b"BYE sip:x SIP/2.0\r\nCall-ID: a\r\nTo: <sip:x>\r\n ;ta", truncated=True)
    assert [header.name for header in m.headers] == ["Call-ID"]


def test_a_good_message_cut_anywhere_is_read_or_refused() -> None:
    whole = invite(1, b"v=0\r\n", To='"B \\" ob" <sip:bob@example.com;x="y">\r\n ;tag=4')
    for cut in range(len(whole)):
        for truncated in (False, True):
            try:
                m = parse_message(whole[:cut], truncated=truncated)
            except ParseError:
                continue
            assert (m.from_, m.to, m.vias, m.contacts, m.cseq, m.body_parts()) is not None


@settings(max_examples=200)
@given(messages())
def test_no_message_raises_anything_else(data: bytes) -> None:
    try:
        m = parse_message(data)
    except ParseError:
        return
    assert set(m.defects) <= MEANING.keys()
    assert (m.from_, m.to, m.vias, m.contacts, m.cseq, m.body_parts(), m.content_length) is not None
    for header in m.headers:
        if not re.fullmatch(r"[\w-]+", header.raw_name, re.ASCII):
            continue
        assert find_header(data, header.raw_name) == m.header(header.raw_name)
        assert find_headers(data, header.raw_name) == list(m.headers_all(header.raw_name))


@settings(max_examples=200)
@given(st.text(st.sampled_from('<>"\\;,=:@[]/ ?abc0é%4\u2028'), max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    for parse in (parse_uri, parse_address, parse_via):
        try:
            parse(text)
        except ParseError:
            continue
    assert isinstance(number_of(text), str)
    user_part(text)


@pytest.mark.parametrize(
    "piece", ['"\\"', "<", '"', ";", ",", "\\", " ", "<a", '"<', "\t\r\n ", "=", ":", "@", "%", "/ "]
)
def test_a_long_crafted_value_takes_no_longer_than_its_length(piece: str) -> None:
    value = piece * (60_000 // len(piece))
    data = invite(1, From=value, To="x" + value, Via=value, Contact=value, Content_Type=f"multipart/x;{value}")
    began = time.perf_counter()
    m = parse_message(data)
    assert (m.from_, m.to, m.vias, m.contacts, m.body_parts()) is not None
    find_headers(data, "Contact")
    number_of(value)
    assert time.perf_counter() - began < 2


def test_headers_are_found_in_raw_bytes_under_either_name() -> None:
    data = invite(
        1, P_Asserted_Identity='"A, B" <sip:1@x>, <tel:+2>', x="90\r\n ;refresher=uac", Reason="Q.850;cause=16"
    )
    assert find_headers(data, "p-asserted-identity") == ['"A, B" <sip:1@x>', "<tel:+2>"]
    assert find_header(data, "Session-Expires") == find_header(data, "x") == "90 ;refresher=uac"
    assert find_header(data, "v") == "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"
    assert find_header(data, "Warning") is None
    assert find_headers(data, "Warning") == []
    body = invite(1, b"\r\nReason: in the body\r\n\r\n")
    assert find_header(body, "Reason") is None


def test_a_response_is_a_response() -> None:
    m = parse_message(b"\r\nSIP/2.0 100 Connecting\r\nCSeq: 1 INVITE\r\nVia: SIP/2.0/UDP h\r\n\r\n")
    assert isinstance(m, Response)
    assert (m.status, m.reason, m.version) == (100, "Connecting", "SIP/2.0")
    assert m.defects == ("missing-call-id", "missing-from", "missing-to")
    assert not isinstance(m, Request)
