"""SIP messages, their bodies and descriptions: what is somebody's goes, what is the protocol's stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.redaction.addresses import Addresses
from sipanalyzer.redaction.keyed import Keyed
from sipanalyzer.redaction.message import Messages
from sipanalyzer.redaction.text import Texts

KEYED = Keyed("a key")
TEXTS = Texts(KEYED, Addresses(KEYED))
MESSAGES = Messages(TEXTS)
WHO = (b"alice", b"mueller", b"4930123456", b"biloxi", b"192.0.2.77", b"f81d4fae", b"hunter22")


def new(text: bytes) -> bytes:
    out = TEXTS.value(text)
    assert len(out) == len(text)
    return out


def header(line: bytes) -> bytes:
    out = MESSAGES.headers(line + b"\r\n")
    assert len(out) == len(line) + 2
    return out[:-2]


def with_body(kind: bytes, body: bytes) -> bytes:
    head = b"INFO sip:bob@biloxi.com SIP/2.0\r\nContent-Type: " + kind + b"\r\n\r\n"
    out = MESSAGES.message(head + body)
    assert len(out) == len(head) + len(body)
    return out[len(head) :]


@pytest.mark.parametrize(
    "line",
    [
        b'From: "Alice Mueller" <sip:alice@biloxi.com;transport=tcp>;tag=f81d4fae',
        b"Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKf81d4fae;received=192.0.2.77;rport=5060",
        b"P-Asserted-Identity: <tel:+4930123456>",
        b"X-Whatever: alice mueller at biloxi, 4930123456, [::ffff:192.0.2.77]",
        b"Subject: alice",
        b"Call-ID: f81d4fae@192.0.2.77",
        b'Contact: <sip:alice:hunter22@biloxi.com>;+sip.instance="<urn:uuid:f81d4fae>"',
        b'Warning: 399 biloxi "alice mueller"',
        b'Reason: Q.850;cause=16;text="alice hung up"',
        b"User-Agent: Phone/1.2 (192.0.2.77; biloxi.example.com) alice@biloxi.com",
        b"Event: dialog;call-id=f81d4fae",
        b"Retry-After: 3600 (alice is at biloxi)",
        b"Accept-Language: alice@biloxi",
        b"CSeq: 1 alice",
        b"alice mueller",
        b"Allow: alice@biloxi",
    ],
)
def test_a_header_says_nothing_of_anybody(line: bytes) -> None:
    out = header(line).lower()
    for who in WHO:
        assert who not in out.replace(b"user-agent", b"")


def test_what_the_protocol_says_stays() -> None:
    assert header(b"CSeq: 1 INVITE") == b"CSeq: 1 INVITE"
    assert header(b"Session-Expires: 90;refresher=uac") == b"Session-Expires: 90;refresher=uac"
    assert header(b"User-Agent: Acme Phone 4.2") == b"User-Agent: Acme Phone 4.2"
    assert header(b"Content-Type: application/sdp") == b"Content-Type: application/sdp"
    via = header(b"Via: SIP/2.0/TCP biloxi.com:5061;branch=z9hG4bKabc;rport")
    assert re.fullmatch(rb"Via: SIP/2\.0/TCP [a-z]{6}\.[a-z]{3}:5061;branch=z9hG4bK[a-z]{3};rport", via)
    assert header(b'Reason: Q.850;cause=16;text="Normal call clearing"').endswith(b'text="Normal call clearing"')
    digest = header(b'Authorization: Digest username="alice", qop=auth, nc=00000001, algorithm=MD5, response="aa11"')
    assert b"Digest username=" in digest and b"qop=auth, nc=00000001, algorithm=MD5, response=" in digest


def test_a_call_id_is_the_same_wherever_it_stands() -> None:
    call_id = header(b"Call-ID: f81d4fae-7dec@192.0.2.77")[9:]
    assert call_id in header(b"Replaces: f81d4fae-7dec@192.0.2.77;to-tag=a;from-tag=b")
    assert call_id in header(b"X-Call-ID: f81d4fae-7dec@192.0.2.77")
    referred = header(b"Refer-To: <sip:bob@biloxi.com?Replaces=f81d4fae-7dec%40192.0.2.77%3Bto-tag%3Da%3Bfrom-tag%3Db>")
    assert call_id.replace(b"@", b"%40") + b"%3Bto-tag%3D" in referred


def test_a_number_is_the_same_in_every_notation() -> None:
    ends = {
        new(text)[-7:] for text in (b"<tel:+4930123456", b"<tel:004930123456", b"<tel:030123456", b"<sip:030123456")
    }
    assert len(ends) == 1
    assert new(b"tel:+49-30-123456").replace(b"-", b"") == new(b"tel:+4930123456")


def test_an_escaped_letter_hides_nothing() -> None:
    plain, escaped = new(b"sip:alice@biloxi.com"), new(b"sip:%61lice@biloxi.com")
    assert plain[5:] == escaped[7:] and escaped[4:7] == b"%%%02X" % plain[4]


def test_letters_beyond_ascii_are_replaced_by_as_many_bytes() -> None:
    out = new("Müller, 李, Þór".encode())
    assert not set(out.decode()) & set("ü李Þó")


def test_a_reason_phrase_keeps_words_of_the_standards_only() -> None:
    assert MESSAGES.start_line(b"SIP/2.0 486 Busy Here\r\n") == b"SIP/2.0 486 Busy Here\r\n"
    assert b"alice" not in MESSAGES.start_line(b"SIP/2.0 486 alice is Busy\r\n")


def test_a_description_keeps_media_and_loses_addresses_and_keys() -> None:
    body = (
        b"v=0\r\no=alice 4930123456 1 IN IP4 192.0.2.77\r\ns=call with alice\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n"
        b"m=audio 49170 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:hunter22hunter22|2^20|1:32\r\na=ssrc:1234567890 cname:alice\r\n"
        b"a=candidate:1 1 UDP 2130706431 192.0.2.77 49170 typ srflx raddr 192.0.2.77 rport 49170\r\n"
        b"a=fingerprint:sha-256 AB:CD:EF:01\r\na=ice-pwd:hunter22\r\na=rtcp:49171 IN IP4 192.0.2.77\r\n"
        b"a=x-alice:alice\r\na=floorctrl:c-only\r\na=userid:77123\r\n"
    )
    out = with_body(b"application/sdp", body)
    for who in (*WHO, b"1234567890", b"AB:CD", b"77123"):
        assert who not in out.replace(b"a=x-alice", b"")
    for kept in (
        b"m=audio 49170 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
        b"AES_CM_128_HMAC_SHA1_80 inline:", b"|2^20|1:32", b"UDP 2130706431 ", b" 49170 typ srflx raddr ",
        b"a=rtcp:49171 IN IP4 ", b"a=floorctrl:c-only",
    ):  # fmt: skip
        assert kept in out
    assert out.count(TEXTS.host(b"192.0.2.77")) == 5
    assert b"a=ssrc:%d " % KEYED.ssrc(1234567890) in out


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"text/plain", b"Alice Mueller lives at 4930123456 in biloxi"),
        (b"application/pidf+xml", b'<presence entity="pres:alice@biloxi"><note>mueller</note></presence>'),
        (b"application/json", b'{"alice": "mueller", "n": 4930123456}'),
        (b"application/octet-stream", b"\x00\x01alice\xff"),
        (b"multipart/mixed;boundary=alice", b"--alice\r\nContent-Type: text/plain\r\n\r\nmueller\r\n--alice--\r\n"),
        (b"message/sipfrag", b"SIP/2.0 200 OK\r\nTo: <sip:alice@biloxi>\r\n"),
        (b"application/vq-rtcpxr", b"CallID: f81d4fae\r\nLocalAddr:IP=192.0.2.77 PORT=5000 SSRC=1\r\n"),
        (b"application/simple-message-summary", b"Message-Account: sip:alice@biloxi\r\nVoice-Message: 2/8\r\n"),
        (b"application/dtmf-relay", b"Signal=5\r\nName=alice\r\n"),
        (b"", b"alice mueller"),
    ],
)  # fmt: skip
def test_a_body_says_nothing_of_anybody(kind: bytes, body: bytes) -> None:
    out = with_body(kind, body)
    for who in WHO:
        assert who not in out.lower()


def test_bodies_keep_what_is_measured() -> None:
    assert b"Voice-Message: 2/8" in with_body(b"application/simple-message-summary", b"Voice-Message: 2/8\r\n")
    assert b"PacketLoss:NLR=4.0 JDR=0.0" in with_body(b"application/vq-rtcpxr", b"PacketLoss:NLR=4.0 JDR=0.0\r\n")
    assert with_body(b"message/sipfrag", b"SIP/2.0 100 Trying").startswith(b"SIP/2.0 100 Trying")
    relay = with_body(b"application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n")
    assert relay == b"Signal=" + KEYED.key_pressed("5").encode() + b"\r\nDuration=160\r\n"


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_anything_at_all_keeps_its_length(data: bytes) -> None:
    assert len(MESSAGES.message(data)) == len(data)
    assert len(with_body(b"application/sdp", data)) == len(data)
    assert len(with_body(b"application/pidf+xml", data)) == len(data)


@settings(max_examples=200)
@given(st.text('<>@:;="%[]./ ,?&\\ab1z-+\r\n', max_size=200))
def test_text_of_any_grammar_keeps_its_length_and_its_punctuation(text: str) -> None:
    data = text.encode()
    out = new(data)
    assert [byte for byte in data if not chr(byte).isalnum()] == [byte for byte in out if not chr(byte).isalnum()]


def test_media_whose_address_is_damaged_still_have_one() -> None:
    out = with_body(b"application/sdp", b"v=0\r\nc=IN IP4 192.0.2.10\x1d\r\nm=audio 40000 RTP/AVP 18\r\n")
    assert out.endswith(b"\r\nc=IN IP4 ***********\r\nm=audio 40000 RTP/AVP 18\r\n")


def test_of_a_damaged_description_only_the_damaged_line_is_lost() -> None:
    body = b"v=0\r\no=alice 7 8 IN IP4 192.0.2.77\r\nc=IN IP4 192.0.2.77\r\ns=ali\x00ce\r\nm=audio 4000 RTP/AVP 8\r\n"
    out = with_body(b"application/sdp", body)
    assert out.startswith(b"v=0\r\no=")
    assert out.endswith(b"\r\n********\r\nm=audio 4000 RTP/AVP 8\r\n")
    for who in WHO:
        assert who not in out


@pytest.mark.parametrize("rest", [b" \x00", b" x", b";a=b", b"\xff"])
def test_a_damaged_cseq_keeps_what_transactions_are_known_by(rest: bytes) -> None:
    assert header(b"CSeq: 4711 INVITE" + rest).startswith(b"CSeq: 4711 INVITE")
    assert b"alice" not in header(b"CSeq: 4711 alice" + rest)
