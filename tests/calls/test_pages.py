"""Pages: sizes and texts worked by hand."""

from __future__ import annotations

import base64
import dataclasses
import io
import pathlib
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls.pages import TEXT_LIMIT, find_pages
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.facts import Page
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from tests.builders import ETHERNET, START_NS, Packet, pcap_bytes, tcp_frame, udp_frame
from tests.calls.words import table

A, B, P = "10.0.0.1", "10.0.0.2", "10.0.0.9"


def message(
    body: bytes = b"Hello", kind: str | None = "text/plain", *, n: int = 1, more: str = "", to: str = ""
) -> bytes:
    lines = [
        "MESSAGE sip:bob@example.com SIP/2.0", f"Via: SIP/2.0/UDP a;branch=z9hG4bK{n}", "From: <sip:al@a>;tag=x",
        f"To: <sip:bob@b>{to}", f"Call-ID: c{n}", f"CSeq: {n} MESSAGE", *([f"Content-Type: {kind}"] if kind else []),
        *([more] if more else []), f"Content-Length: {len(body)}",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(status: int, n: int = 1) -> bytes:
    lines = [
        f"SIP/2.0 {status} R", f"Via: SIP/2.0/UDP a;branch=z9hG4bK{n}", "From: <sip:al@a>;tag=x",
        "To: <sip:bob@b>;tag=y", f"Call-ID: c{n}", f"CSeq: {n} MESSAGE", "Content-Length: 0",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def pages(*said: tuple[float, str, str, bytes], cut: int | None = None) -> list[Page]:
    packets = []
    for ms, src, dst, data in said:
        frame = udp_frame(data, src, 5060, dst, 5060)
        packets.append(Packet(START_NS + round(ms * 1e6), frame[:cut], 0, len(frame)))
    result = analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True, link_type=ETHERNET)), Options())
    return find_pages(result.messages, result.transactions)


def page(data: bytes) -> Page:
    (one,) = pages((0, A, B, data))
    return one


def test_a_page_and_its_answer() -> None:
    data = message("Grüße".encode())
    (one,) = pages((0, A, B, data), (500, A, B, data), (525, B, A, answer(202)))
    assert (one.time, one.from_uri, one.to_uri, one.call_id) == (START_NS, "sip:al@a", "sip:bob@b", "c1")
    assert (one.src, one.dst, one.transport) == ((A, 5060), (B, 5060), "UDP")
    assert (one.content_type, one.size_bytes, one.request_bytes) == ("text/plain", 7, len(data))
    assert (one.status_code, one.delivery_ms, one.over_limit, one.text) == (202, 525.0, False, "Grüße")
    assert one.first_frame == 1


@pytest.mark.parametrize("status", [401, 404, 503])
def test_what_is_refused_is_not_delivered(status: int) -> None:
    (one,) = pages((0, A, B, message()), (25, B, A, answer(status)))
    assert (one.status_code, one.delivery_ms) == (status, None)


def test_without_final_response_there_is_no_status() -> None:
    (one,) = pages((0, A, B, message()), (25, B, A, answer(100)))
    assert (one.status_code, one.delivery_ms) == (None, None)


def test_every_hop_is_a_page_and_one_in_a_dialog_as_well() -> None:
    said = [(0, A, P, message(to=";tag=y")), (10, P, B, message(to=";tag=y")), (40, B, P, answer(200))]
    made = pages(*said, (60, P, A, answer(200)))
    assert [(one.src[0], one.delivery_ms) for one in made] == [(A, 60.0), (P, 30.0)]


@pytest.mark.parametrize(("size", "over"), [(1300, False), (1301, True)])
def test_the_limit_is_1300_bytes_of_the_whole_request(size: int, over: bool) -> None:
    data = message(b"x" * (size - len(message(b"x" * 1000)) + 1000))
    one = page(data)
    assert (len(data), one.request_bytes, one.over_limit) == (size, size, over)


def test_over_tcp_there_is_no_limit() -> None:
    data = message(b"x" * 2000)
    packets = [
        Packet(START_NS + k * 1000, tcp_frame(data[at : at + 1400], A, 5060, B, 5060, seq=1 + at))
        for k, at in enumerate(range(0, len(data), 1400))
    ]
    result = analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True, link_type=ETHERNET)))
    (one,) = find_pages(result.messages, result.transactions)
    assert (one.transport, one.request_bytes, one.size_bytes, one.over_limit) == ("TCP", len(data), 2000, False)


def test_a_page_that_the_capture_cut_has_its_whole_size() -> None:
    data = message(b"x" * 1400)
    (one,) = pages((0, A, B, data), cut=500)
    assert (one.size_bytes, one.request_bytes, one.over_limit) == (1400, len(data), True)


CPIM = "From: <im:a@b>\r\nTo: <im:c@d>\r\nDateTime: 2026-01-01T00:00:00Z\r\n\r\n"
BASE64 = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
PARTS = b"--q\r\nContent-Type: image/png\r\n\r\nx\r\n--q\r\nContent-Type: text/plain\r\n\r\nhi\r\n--q--"


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain;charset=utf-8", "é".encode(), "é"),
        ('text/plain; charset="ISO-8859-1"', b"\xe9", "é"),
        ("Text/Plain; Charset=windows-1251", "Привет".encode("cp1251"), "Привет"),
        ("text/html", b"<b>x</b>", "<b>x</b>"),
        ("text/plain", b"a\xffb", "a\ufffdb"),
        ("text/plain;charset=unheard-of", "é".encode(), "é"),
        ("text/plain;charset=zlib", b"plain", "plain"),
        ("text/plain", b"two\r\nlines\x1b[31m", "two\r\nlines\\x1b[31m"),
        ("application/im-iscomposing+xml", b"<a/>", None),
        ("message/imdn+xml", b"<a/>", None),
        (None, b"whatever", None),
        ("text/plain", b"", None),
        ("message/cpim", (CPIM + "Content-Type: text/plain; charset=utf-8\r\n\r\nHé").encode(), "Hé"),
        ("Message/CPIM", (CPIM + "Content-type: message/imdn+xml\r\n\r\n<imdn/>").encode(), None),
        ("message/cpim", (CPIM + "\r\nbare").encode(), "bare"),
        ("message/cpim", b"no blank line", None),
        ("message/cpim", CPIM.encode() + BASE64 + base64.b64encode("é!".encode()), "é!"),
        ("multipart/mixed;boundary=q", PARTS, "hi"),
    ],
)  # fmt: skip
def test_the_text_is_what_a_person_would_read(kind: str | None, body: bytes, text: str | None) -> None:
    assert page(message(body, kind)).text == text


def test_what_is_compressed_is_no_text() -> None:
    assert page(message(b"\x1f\x8b", more="Content-Encoding: gzip")).text is None


def test_a_long_text_is_cut() -> None:
    one = page(message(("ü" * 5000).encode()))
    assert (one.text, one.size_bytes) == ("ü" * TEXT_LIMIT, 10_000)


@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(["text/plain", "text/plain;charset=utf-16", "text/plain;charset=iso-2022-jp", "message/cpim",
                          "multipart/mixed;boundary=q", "text/plain;charset="]),
)  # fmt: skip
def test_any_body_is_taken(body: bytes, kind: str) -> None:
    messages = table("0 A>B MESSAGE from=x")
    raw = message(body, kind)
    messages = dataclasses.replace(
        messages, data=np.frombuffer(raw, np.uint8), length=np.array([len(raw)]), content_type=np.array([0]),
        body_at=np.array([len(raw) - len(body)]), body_length=np.array([len(body)]),
        texts={**messages.texts, "content_type": [kind]},
    )  # fmt: skip
    (one,) = find_pages(messages, match_transactions(messages, Options()))
    assert one.size_bytes == len(body)
    assert one.text is None or len(one.text) <= 4 * TEXT_LIMIT


def test_other_messages_are_no_pages() -> None:
    assert pages((0, A, B, message().replace(b"MESSAGE", b"OPTIONS"))) == []


def test_the_sample_is_as_its_rows_say(samples: pathlib.Path) -> None:
    entries = tomllib.loads((samples / "expected.toml").read_text(encoding="utf-8"))["file"]
    (entry,) = [entry for entry in entries if entry["name"] == "message.pcap"]
    result = analyze(samples / "message.pcap")
    made = find_pages(result.messages, result.transactions)
    assert [{name: getattr(one, name) for name in entry["pages"][0]} for one in made] == entry["pages"]


def test_a_page_over_websocket(corpus: pathlib.Path) -> None:
    result = analyze(corpus / "Lekensteyn__wireshark-notes__websocket-sip.pcapng")
    (one,) = find_pages(result.messages, result.transactions)
    assert (one.text, one.transport, one.status_code, one.size_bytes) == ("Hi there, wanna talk?", "WS", 200, 21)
