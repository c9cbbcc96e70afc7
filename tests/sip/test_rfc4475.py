"""The 49 torture messages of RFC 4475: each is taken or refused as its section says."""

from __future__ import annotations

import pathlib

import pytest

from sipanalyzer.errors import ParseError
from sipanalyzer.sip.message import Request, Response
from sipanalyzer.sip.parser import parse_message, user_part

# name: section, whether an element by the book accepts it, what is noted
VERDICTS: dict[str, tuple[str, bool, tuple[str, ...]]] = {
    "wsinv": ("3.1.1.1", True, ()),
    "intmeth": ("3.1.1.2", True, ()),
    "esc01": ("3.1.1.3", True, ()),
    "escnull": ("3.1.1.4", True, ()),
    "esc02": ("3.1.1.5", True, ()),
    "lwsdisp": ("3.1.1.6", True, ()),
    "longreq": ("3.1.1.7", True, ()),
    "dblreq": ("3.1.1.8", True, ("body-long",)),  # the second request in the datagram is no part of the message
    "semiuri": ("3.1.1.9", True, ()),
    "transports": ("3.1.1.10", True, ()),
    "mpart01": ("3.1.1.11", True, ()),
    "unreason": ("3.1.1.12", True, ()),
    "noreason": ("3.1.1.13", True, ()),
    "badinv01": ("3.1.2.1", False, ("bad-via",)),
    "clerr": ("3.1.2.2", False, ("body-short",)),
    "ncl": ("3.1.2.3", False, ("bad-content-length",)),
    "scalar02": ("3.1.2.4", False, ("bad-cseq", "bad-max-forwards")),
    "scalarlg": ("3.1.2.5", False, ("bad-cseq",)),
    "quotbal": ("3.1.2.6", False, ("unterminated-quote",)),
    "ltgtruri": ("3.1.2.7", False, ("bad-request-uri",)),
    "lwsruri": ("3.1.2.8", False, ("bad-request-uri",)),
    "lwsstart": ("3.1.2.9", False, ("start-line-space",)),
    "trws": ("3.1.2.10", False, ("start-line-space",)),
    "escruri": ("3.1.2.11", False, ("request-uri-headers",)),
    "baddate": ("3.1.2.12", False, ("bad-date",)),
    "regbadct": ("3.1.2.13", False, ("unbracketed-uri",)),
    "badaspec": ("3.1.2.14", False, ("uri-space",)),
    "baddn": ("3.1.2.15", False, ("no-end-of-headers", "bad-display-name")),  # the file lacks the blank line
    "badvers": ("3.1.2.16", False, ("bad-version",)),
    "mismatch01": ("3.1.2.17", False, ("cseq-method",)),
    "mismatch02": ("3.1.2.18", False, ("cseq-method",)),
    "badbranch": ("3.2.1", True, ("bad-branch",)),
    "insuf": ("3.3.1", False, ("missing-call-id", "missing-from", "missing-to")),
    "unkscm": ("3.3.2", True, ()),
    "novelsc": ("3.3.3", True, ()),
    "unksm2": ("3.3.4", True, ()),
    "bext01": ("3.3.5", True, ()),
    "invut": ("3.3.6", True, ()),
    "regaut01": ("3.3.7", True, ()),
    "multi01": ("3.3.8", False, ("repeated-header",)),
    "mcl01": ("3.3.9", False, ("body-long", "repeated-header")),
    "bcast": ("3.3.10", True, ()),
    "zeromf": ("3.3.11", True, ()),
    "cparam01": ("3.3.12", True, ()),
    "cparam02": ("3.3.13", True, ()),
    "regescrt": ("3.3.14", True, ()),
    "sdp01": ("3.3.15", True, ()),
    "inv2543": ("3.4.1", True, ("missing-content-length",)),
}
REFUSED = {"bigcode": "3.1.2.19"}


def message(corpus: pathlib.Path, name: str) -> Request | Response:
    return parse_message((corpus / "rfc4475" / f"{name}.dat").read_bytes())


def test_the_table_has_every_message(corpus: pathlib.Path) -> None:
    assert {path.stem for path in (corpus / "rfc4475").glob("*.dat")} == VERDICTS.keys() | REFUSED.keys()
    assert len(VERDICTS) + len(REFUSED) == 49


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict_is_the_rfcs(corpus: pathlib.Path, name: str) -> None:
    _, acceptable, defects = VERDICTS[name]
    parsed = message(corpus, name)
    assert (parsed.acceptable, parsed.defects) == (acceptable, defects)


@pytest.mark.parametrize("name", REFUSED)
def test_a_message_without_a_status_code_is_refused(corpus: pathlib.Path, name: str) -> None:
    with pytest.raises(ParseError, match="three digits"):
        message(corpus, name)


def test_a_short_tortuous_invite_is_read_whole(corpus: pathlib.Path) -> None:
    m = message(corpus, "wsinv")
    assert isinstance(m, Request)
    assert (m.method, m.uri, m.version) == ("INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam", "SIP/2.0")
    assert m.to is not None
    assert (m.to.uri, m.to.tag) == ("sip:vivekg@chair-dnrc.example.com", "1918181833n")
    assert m.from_ is not None
    assert (m.from_.display_name, m.from_.uri, m.from_.tag) == ('J Rosenberg \\"', "sip:jdrosen@example.com", "98asjd8")
    assert (m.cseq.number, m.cseq.method) == (9, "INVITE")
    assert [(v.protocol.replace(" ", ""), v.transport, v.host, v.branch) for v in m.vias] == [
        ("SIP/2.0", "UDP", "192.0.2.2", "390skdjuw"),
        ("SIP/2.0", "TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("SIP/2.0", "UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert m.header("s") == ""
    assert m.header("NewFangledHeader") == "newfangled value continued newfangled value"
    assert m.contacts[0].params == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    assert (m.content_length, len(m.body)) == (150, 150)


def test_a_name_with_everything_a_token_may_have_is_kept(corpus: pathlib.Path) -> None:
    m = message(corpus, "intmeth")
    assert isinstance(m, Request)
    assert m.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert m.from_ is not None
    assert m.from_.tag == "_token~1'+`*%!-."
    assert m.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert user_part(m.uri) == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"


def test_escapes_are_decoded_for_people_and_kept_on_the_wire(corpus: pathlib.Path) -> None:
    m = message(corpus, "esc01")
    assert isinstance(m, Request)
    assert m.uri == "sip:sips%3Auser%40example.com@example.net"
    assert user_part(m.uri) == "sips:user@example.com"
    assert m.to is not None
    assert user_part(m.to.uri) == "user"
    null = message(corpus, "escnull")
    assert null.from_ is not None
    assert user_part(null.from_.uri) == "null-\\x00-null"
    assert [header.name for header in message(corpus, "esc02").headers].count("Contact") == 2  # C%6Fntact is none


def test_the_second_request_of_a_datagram_is_no_body(corpus: pathlib.Path) -> None:
    m = message(corpus, "dblreq")
    assert (m.body, m.call_id) == (b"", "dblreq.0ha0isndaksdj99sdfafnl3lk233412")


def test_a_multipart_body_comes_apart(corpus: pathlib.Path) -> None:
    parts = message(corpus, "mpart01").body_parts()
    assert [part.media_type for part in parts] == ["text/plain", "application/octet-stream"]
    assert parts[0].body == b"Hello"
    assert parts[1].body.startswith(b"0\x82\x01R\x06\t*\x86H")


def test_any_reason_phrase_is_kept(corpus: pathlib.Path) -> None:
    reasons = {}
    for name in ("unreason", "noreason"):
        m = message(corpus, name)
        assert isinstance(m, Response)
        reasons[name] = (m.status, m.reason)
    assert reasons["noreason"] == (100, "")
    assert reasons["unreason"][0] == 200
    assert reasons["unreason"][1].startswith("= 2**3 * 5**2 но сто девяносто")


def test_addresses_without_brackets_have_no_uri_parameters(corpus: pathlib.Path) -> None:
    assert message(corpus, "cparam01").contacts[0].params == {"unknownparam": None}
    assert message(corpus, "cparam02").contacts[0].uri == "sip:+19725552222@gw1.example.net;unknownparam"
    m = message(corpus, "inv2543")
    assert m.to is not None
    assert (m.to.uri, m.to.params) == ("sip:+16505552222@ss1.example.net", {"user": "phone"})


def test_an_open_quote_does_not_hide_the_uri(corpus: pathlib.Path) -> None:
    m = message(corpus, "quotbal")
    assert m.to is not None
    assert m.to.uri == "sip:j.user@example.com"
