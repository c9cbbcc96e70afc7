"""What is called plain has no defect: the quick way and the parser agree."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.errors import ParseError
from sipanalyzer.sip.defects import _CHECKS
from sipanalyzer.sip.parser import parse_message
from sipanalyzer.sip.plain import _REQUEST, _RESPONSE, PATTERNS, is_plain

INVITE = (
    b"INVITE sip:bob@192.0.2.2:5060;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa1\r\n"
    b'Max-Forwards: 70\r\nFrom: "Alice A." <sip:alice@192.0.2.1>;tag=a\r\nTo: Bob <sip:bob@192.0.2.2>\r\n'
    b"Call-ID: 1@192.0.2.1\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@[2001:db8::1]:5060>;expires=60\r\n"
    b"Allow: INVITE, ACK\r\nSubject:\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
)
ANSWER = INVITE.replace(b"INVITE sip:bob@192.0.2.2:5060;transport=udp SIP/2.0", b"SIP/2.0 200 OK")


def defects(message: bytes) -> tuple[str, ...] | str:
    try:
        return parse_message(message).defects
    except ParseError as error:
        return str(error)


@pytest.mark.parametrize("message", [INVITE, ANSWER, INVITE.replace(b"Content-Length: 5", b"l: 5")])
def test_what_most_write_is_plain(message: bytes) -> None:
    assert is_plain(message)
    assert defects(message) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: 5", b"Content-Length: 4"),
        (b"Content-Length: 5\r\n", b""),
        (b"Call-ID: 1@192.0.2.1\r\n", b""),
        (b"Via: ", b"Way: "),
        (b"CSeq: 1 INVITE", b"CSeq: 1 ACK"),
        (b"CSeq: 1 INVITE", b"CSeq: 9999999999 INVITE"),
        (b"Max-Forwards: 70", b"Max-Forwards: 700"),
        (b"Max-Forwards: 70", b"Max-Forwards: 70\r\nmax-forwards: 70"),
        (b"Subject:", b"T: <sip:x@y>"),
        (b"Subject:", b"Subject"),
        (b"Subject:", b"Subject: a\n"),
        (b"Bob <", b"Bob, <"),
        (b'"Alice A."', b'"Alice A.'),
        (b"<sip:bob@192.0.2.2>", b"<sip:bob@192.0.2.2"),
        (b"<sip:bob@192.0.2.2>", b"< sip:bob@192.0.2.2>"),
        (b"<sip:bob@192.0.2.2>", b"sip:bob@192.0.2.2?a=b"),
        (b"branch=z9hG4bKa1", b"branch=z9hG4bK"),
        (b"branch=z9hG4bKa1", b"BRANCH=Z9HG4BK;x"),
        (b";rport;", b";;"),
        (b" SIP/2.0\r\nVia", b"  SIP/2.0\r\nVia"),
        (b" SIP/2.0\r\nVia", b" SIP/3.0\r\nVia"),
        (b"transport=udp SIP", b"transport=udp?a=b SIP"),
        (b"\r\n\r\n", b"\n\r\n"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
def test_what_has_a_defect_is_not(before: bytes, after: bytes) -> None:
    message = INVITE.replace(before, after, 1)
    assert message != INVITE
    assert defects(message) != ()
    assert not is_plain(message)


@settings(max_examples=200)
@given(st.sampled_from(sorted(PATTERNS)).flatmap(
    lambda name: st.tuples(st.just(name), st.from_regex(PATTERNS[name], fullmatch=True))
))  # fmt: skip
def test_no_value_that_a_pattern_lets_pass_has_a_defect(case: tuple[str, bytes]) -> None:
    name, value = case
    assert list(_CHECKS[name](value.decode("ascii"))) == []


LINES = st.sampled_from(INVITE.split(b"\r\n\r\n")[0].split(b"\r\n")[1:])
SMALL = st.sampled_from(
    [b"", b" ", b"\t", b"\r", b"\n", b"\r\n", b";", b":", b",", b"<", b'"', b"?", b"\x80", b"\0", b"a"]
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    start = draw(st.one_of(st.from_regex(_REQUEST, fullmatch=True), st.from_regex(_RESPONSE, fullmatch=True)))
    if draw(st.booleans()):
        start = INVITE.split(b"\r\n")[0]
    if draw(st.booleans()):
        head, body = INVITE.split(b"\r\n\r\n")
        lines = head.split(b"\r\n")[1:]
    else:
        lines, body = draw(st.lists(LINES, max_size=14)), draw(st.sampled_from([b"", b"v=0\r\n"]))
    message = b"\r\n".join([start, *lines, b"", body])
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(message)))
        message = message[:at] + draw(SMALL) + message[at + draw(st.integers(0, 1)) :]
    return message


@settings(max_examples=500)
@given(messages())
def test_no_message_that_is_plain_has_a_defect(message: bytes) -> None:
    if is_plain(message):
        assert defects(message) == ()


def test_on_the_samples_they_agree_and_most_are_plain(samples: pathlib.Path) -> None:
    plain = flawless = 0
    for path in sorted(samples.glob("*.pcap")):
        messages = sipanalyzer.analyze(path).result.messages
        for row in range(len(messages)):
            raw = messages.raw(row)
            if is_plain(raw):
                plain += 1
                assert defects(raw) == ()
            flawless += defects(raw) == ()
    assert plain > 0.8 * flawless > 400
