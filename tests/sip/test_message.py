"""Messages, addresses, URIs, numbers and multipart bodies, by hand."""

from __future__ import annotations

import pytest

from sipanalyzer.errors import ParseError
from sipanalyzer.sip.message import CSeq
from sipanalyzer.sip.multipart import PARTS, split_body
from sipanalyzer.sip.parser import number_of, parse_address, parse_message, parse_uri, parse_via, user_part
from sipanalyzer.sip.uri import Address, Uri
from tests.sip.words import invite


def test_headers_are_found_in_any_case_and_under_either_name() -> None:
    m = parse_message(invite(1, K="100rel, timer", Supported="path", Route='<sip:a;x=","@h;lr>, "q,\\"" <sip:b>'))
    assert m.header("K") == m.header("supported") == "100rel, timer"
    assert m.headers_all("SUPPORTED") == ("100rel", "timer", "path")
    assert m.headers_all("Route") == ('<sip:a;x=","@h;lr>', '"q,\\"" <sip:b>')
    assert m.headers_all("User-Agent") == ("words",)
    header = next(h for h in m.headers if h.raw_name == "K")
    assert (header.name, header.value) == ("Supported", "100rel, timer")


def test_the_headers_in_daily_use_come_as_objects() -> None:
    m = parse_message(invite(1, b"x", Content_Type="text/plain; charset=utf-8"))
    assert m.call_id == "call1@example.com"
    assert m.cseq == CSeq(1, "INVITE")
    assert m.from_ == Address("Alice", "sip:alice@example.com", {"tag": "a1"})
    assert m.to is not None
    assert m.to.tag is None
    assert (m.vias[0].host, m.vias[0].port, m.vias[0].branch) == ("10.0.0.1", 5060, "z9hG4bK1")
    assert m.contacts[0].uri == "sip:alice@10.0.0.1"
    assert (m.content_type, m.content_length, m.user_agent) == ("text/plain; charset=utf-8", 1, "words")
    assert [(p.media_type, p.body) for p in m.body_parts()] == [("text/plain", b"x")]


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:h", Uri("sip", None, None, "h", None)),
        ("SIPS:bob:secret@h:5061;transport=tcp;lr?a=b&c=d",
         Uri("sips", "bob", "secret", "h", 5061, {"transport": "tcp", "lr": None}, "a=b&c=d")),
        ("sip:bob@[2001:db8::1]:5060", Uri("sip", "bob", None, "[2001:db8::1]", 5060)),
        ("sip:a;b=c@h", Uri("sip", "a;b=c", None, "h", None)),
        ("sip:bob@corp.example@proxy;x", Uri("sip", "bob@corp.example", None, "proxy", None, {"x": None})),
        ("sip:bob@h?b=x@y", Uri("sip", "bob", None, "h", None, {}, "b=x@y")),
        ("sip:bob@h:99999", Uri("sip", "bob", None, "h", None)),
        ("tel:+1-212-555;isub=5;phone-context=x", Uri("tel", "+1-212-555", None, "", None,
                                                      {"isub": "5", "phone-context": "x"})),
        ("urn:service:sos", Uri("urn", None, None, "service:sos", None)),
    ],
)  # fmt: skip
def test_a_uri_comes_apart(text: str, uri: Uri) -> None:
    assert parse_uri(text) == uri


@pytest.mark.parametrize("text", ["", "bob", "sip:", ":x", "1a:b", "sip:;x", "sip:bob@"])
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_uri(text)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("sip:alice@example.com", "alice"),
        ("sip:%61lice@example.com", "alice"),
        ("sip:example.com;x", "example.com"),
        ("sip:[::1]:5060", "[::1]"),
        ("tel:+1-212;isub=4", "+1-212"),
        ("sip:92970;phone-context=cdp.udp@cs1000.com:5060", "92970;phone-context=cdp.udp"),
        ("alice", "alice"),
        ("", None),
        ("urn:service:sos", "service:sos"),
    ],
)
def test_the_user_part_says_who(text: str, who: str | None) -> None:
    assert user_part(text) == who


@pytest.mark.parametrize(
    "text",
    ["+49 (30) 1234-5", "0049 30 12345", "004930/12345", "49.30.12345", "tel:+49-30-12345;isub=1", "4930 12345",
     "sip:+493012345@example.com;user=phone", "sip:004930%2D12345;phone-context=x@h", "+493012345@example.com"],
)  # fmt: skip
def test_a_number_is_the_same_in_every_notation(text: str) -> None:
    assert number_of(text) == "493012345"


def test_what_tells_numbers_apart_is_kept() -> None:
    assert number_of("030 12345") == "03012345"
    assert number_of("*21#") == "*21#"
    assert number_of("00") == "00"
    assert number_of("sip:Bob.Smith@x") == "bob.smith"
    assert number_of("Bob-Smith") == "bob-smith"


def test_an_address_comes_apart() -> None:
    assert parse_address('"A \\"B\\", C" <sip:a@b;c=d>;tag=1;Q=0.5;e="f;g" h;tag=2') == Address(
        'A "B", C', "sip:a@b;c=d", {"tag": "1", "q": "0.5", "e": '"f;g"'}
    )
    assert parse_address("sip:a@b;tag=x") == Address("", "sip:a@b", {"tag": "x"})
    assert parse_address("A B<sip:a>") == Address("A B", "sip:a")
    assert parse_address("<sip:a>;x=1,<sip:b>;x=2", is_list=True) == Address("", "sip:a", {"x": "1"})
    assert parse_address('"A <sip:a>;tag=3').defects == ("unterminated-quote",)
    with pytest.raises(ParseError):
        parse_address("<>;tag=1")


def test_a_via_comes_apart() -> None:
    via = parse_via(
        "SIP / 2.0 / udp [2001:db8::9]:5070 ; branch = z9hG4bK1;rport=5071;received=10.0.0.9, SIP/2.0/TCP x"
    )
    assert (via.protocol, via.transport, via.host, via.port) == ("SIP/2.0", "udp", "[2001:db8::9]", 5070)
    assert (via.branch, via.rport, via.received) == ("z9hG4bK1", 5071, "10.0.0.9")
    assert parse_via("SIP/2.0/TLS h;rport").rport is None
    with pytest.raises(ParseError):
        parse_via("SIP/2.0 h")


def test_nested_parts_come_in_order_and_the_preamble_is_none() -> None:
    body = (
        b"preamble\r\n--o\r\nContent-Type: multipart/alternative; boundary=\"i i\"\r\n\r\n"
        b"--i i\r\n\r\nplain\r\n--i i\r\nc: text/html\r\nX-A: y\r\n\r\n<b>\r\n--i i--\r\n"
        b"--o\nContent-Type: application/sdp\n\nv=0\n\r\n--o--\r\nepilogue"
    )  # fmt: skip
    parts = split_body("multipart/mixed;boundary=o", body)
    assert [(part.content_type, part.body) for part in parts] == [
        (None, b"plain"), ("text/html", b"<b>"), ("application/sdp", b"v=0\n"),
    ]  # fmt: skip
    assert [header.name for header in parts[1].headers] == ["Content-Type", "X-A"]
    guessed = split_body("multipart/mixed", body)
    assert [part.body for part in guessed] == [part.body for part in parts]


def test_a_missing_end_and_too_many_parts_are_borne() -> None:
    assert [p.body for p in split_body("multipart/x;boundary=b", b"--b\r\n\r\none\r\n--b\r\n\r\ntwo")] == [
        b"one",
        b"two",
    ]
    many = b"".join(b"--b\r\n\r\n%d\r\n" % i for i in range(500)) + b"--b--"
    assert len(split_body("multipart/x;boundary=b", many)) == PARTS.max_parts
    deep = b"v=0"
    for i in range(9):
        deep = b"--b%d\r\nContent-Type: multipart/x;boundary=b%d\r\n\r\n%b\r\n--b%d--" % (i, i - 1, deep, i)
    (part,) = split_body("multipart/x;boundary=b8", deep)
    assert part.body.startswith(b"--b4")
    assert split_body("multipart/x;boundary=b", b"no delimiter") == ()
