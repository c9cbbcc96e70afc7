"""What is taken for the beginning of a SIP message, and what is not."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.kernels import kernel
from sipanalyzer.kernels.sipstart import METHODS, looks_like_sip
from tests.naive import packet as naive


@kernel
def _looks(data: np.ndarray, at: int, end: int) -> bool:
    return looks_like_sip(data, at, end)


def looks(payload: bytes) -> bool:
    data = np.frombuffer(payload, np.uint8)
    return bool(_looks(data, 0, len(payload)))


VIA = b"\r\nVia: SIP/2.0/UDP h\r\n\r\n"

YES = [
    b"INVITE sip:bob@example.com SIP/2.0\r\n",
    b"INVITE sip:bob@example.com SIP/2.0\n",
    b"\r\n\r\nINVITE sip:bob@example.com SIP/2.0\r\n",
    b"INVITE  sip:user@example.com  SIP/2.0\r\n",
    b"OPTIONS sip:a SIP/7.0\r\n",
    b"OPTIONS sip:a SIP/2.0  \r\n",
    b"INVITE <sip:user@example.com> SIP/2.0\r\n",
    b"INVITE sip:user@example.com; lr SIP/2.0\r\n",
    b"OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n",
    b"invite sip:a sip/2.0" + VIA,
    b"NEWMETHOD sip:user@example.com SIP/2.0" + VIA,
    b"NEWMETHOD sip:user@example.com SIP/2.0\r\nSubject: x\r\ni:1\r\n",
    b"RE%47IST%45R sip:registrar.example.com SIP/2.0" + VIA,
    b"!interesting-Method0123456789_*+`.%indeed'~ sip:x SIP/2.0" + VIA,
    b"SIP/2.0 200 OK\r\n",
    b"sip/2.0 200 OK\r\n",
    b"SIP/2.0 100 \r\n",
    b"SIP/2.0 100\r\n",
    b"SIP/2.0 100\n",
    b"SIP/2.0 180",
    b"SIP/2.0 4294967301 better not break the receiver\r\n",
    b"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\n",
    b"INVITE sip:bob@exam",
    b"INVITE sips:bob@exam",
    b"INVITE TEL:+49",
    b"CANCEL sip:97239287044@voip.brujula.net SIP/2.0\r7Via: x\r\n",
]

NO = [
    b"",
    b"\r\n",
    b"\0\0\0\0",
    b"GET / HTTP/1.1\r\nVia: x\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n",
    b"RTSP/1.0 200 OK\r\n",
    b"MSRP 1234 SEND\r\nTo-Path: x\r\n",
    b"YAHOOREF sip:a@68.142.233.152:443;transport=tcp SIP/2.0\r\nContent-Length: 0\r\n\r\n",
    b"M-SEARCH * HTTP/1.1\r\n",
    b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n",
    b"SIP/2.0 20 OK\r\n",
    b"SIP/2.0\r\n",
    b"SIP/2.0 abc\r\n",
    b"SIP/2 200 OK\r\n",
    b"SIP/",
    b"INVITE",
    b"INVITE ",
    b"INVITE si",
    b"INVITE http://x",
    b"INVITE SIP/2.0\r\n",
    b" INVITE sip:bob@example.com SIP/2.0\r\n",
    b"INV\x01TE sip:bob@example.com SIP/2.0\r\n",
    b"220 mail.example.com ESMTP SIP/2.0x\r\n",
    b"X" * 65 + b" sip:a SIP/2.0" + VIA,
    b"NEWMETHOD sip:a\x00b SIP/2.0" + VIA,
]


@pytest.mark.parametrize("payload", YES)
def test_this_begins_like_sip(payload: bytes) -> None:
    assert looks(payload)
    assert naive.looks_like_sip(payload)


@pytest.mark.parametrize("payload", NO)
def test_this_does_not(payload: bytes) -> None:
    assert not looks(payload)
    assert not naive.looks_like_sip(payload)


@pytest.mark.parametrize("method", METHODS)
def test_a_known_method_before_a_sip_uri_is_enough(method: str) -> None:
    line = method.encode() + b" sip:bob@example.com SIP/2.0\r\n"
    assert all(looks(line[:size]) for size in range(len(method) + 6, len(line) + 1))
    assert not any(looks(line[:size]) for size in range(len(method) + 6))
    assert looks(method.encode() + b" urn:service:sos SIP/2.0\r\n")


PIECES = [
    b"INVITE",
    b"BYE",
    b"FOO",
    b"SIP/2.0",
    b"sip:a",
    b"tel:1",
    b" ",
    b"\t",
    b"\r\n",
    b"\n",
    b"\r",
    b"HTTP/1.1",
    b"200",
]
PIECES += [b"OK", b"Via: x", b"v:", b"i :", b"From", b"\0", b"\xff", b"7", b".", b"/", b"<sip:a>", b"x" * 64]


@settings(max_examples=1000)
@given(st.lists(st.sampled_from(PIECES), max_size=9), st.binary(max_size=3))
def test_any_line_is_judged_as_the_regular_expressions_do(pieces: list[bytes], rest: bytes) -> None:
    payload = b"".join(pieces) + rest
    assert looks(payload) == naive.looks_like_sip(payload)


def test_the_torture_messages_of_rfc_4475_are_all_recognised(corpus: pathlib.Path) -> None:
    messages = sorted((corpus / "rfc4475").glob("*.dat"))
    assert len(messages) == 49
    assert [path.name for path in messages if not looks(path.read_bytes())] == []


def test_no_line_makes_it_slow() -> None:
    import time

    began = time.perf_counter()
    for payload in (
        b"A" * 65_000,
        b"\r\n" * 32_000,
        b"INVITX " + b" SIP/2.0" * 8_000,
        b"FOO a SIP/2.0\n" + b"\n" * 65_000,
    ):
        assert not looks(payload)
    assert time.perf_counter() - began < 2  # interpreted, a quarter of a megabyte; linear
