"""What session descriptions ask for: in batches as one by one, and never another thing than the parser says."""

from __future__ import annotations

import pathlib
import random

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.calls import terms
from sipanalyzer.calls.terms import Described, Descriptions, describe
from sipanalyzer.errors import ParseError
from sipanalyzer.pipeline import analyze
from sipanalyzer.rtp.figures import Socket
from sipanalyzer.sip.sdp import SdpLimits, parse_sdp, parse_whole
from tests.tape import PCMA, sdp

HERE: Socket = (0, 0xFFFF0A000063, 5060)


@pytest.fixture(autouse=True)
def _nothing_read_before() -> None:
    parse_sdp.cache_clear()


def read(bodies: list[bytes], descriptions: Descriptions | None = None) -> list[Described | None]:
    length = np.array([len(body) for body in bodies], np.int64)
    data = np.frombuffer(bytearray(b"\0" + b"".join(bodies)), np.uint8)
    return (descriptions or Descriptions()).read(data, 1 + np.cumsum(length) - length, length, [HERE] * len(bodies))


def slow(body: bytes) -> Described | None:
    try:
        return describe(parse_whole(body), HERE)
    except ParseError:
        return None


def test_a_description_of_a_known_shape_has_its_own_sockets(way: str) -> None:
    bodies = [sdp("10.0.0.1", 4000, PCMA), sdp("10.0.0.2", 5000, PCMA), b"hello", sdp("10.0.0.2", 0, PCMA)]
    first, second, none, refused = read(bodies)
    assert first is not None
    assert second is not None
    assert refused is not None
    assert none is None
    assert first.media[0].sockets == ((0, 0xFFFF0A000001, 4000),)
    assert second.media[0].sockets == ((0, 0xFFFF0A000002, 5000),)
    assert refused.media[0].sockets == (None,)
    assert first.media[0].terms == second.media[0].terms


@pytest.mark.parametrize(
    ("address", "socket"),
    [
        ("0.0.0.0", None),
        ("::", None),
        ("fe80::1", (-0x180000000000000, 1, 4000)),
        ("01.2.3.4", (0, 0xFFFF0A000063, 4000)),
        ("host.example", (0, 0xFFFF0A000063, 4000)),
    ],
)
def test_odd_addresses_mean_what_they_mean_alone(address: str, socket: Socket | None, way: str) -> None:
    plain = sdp("10.0.0.1", 4000, PCMA)
    odd = plain.replace(b"c=IN IP4 10.0.0.1", b"c=IN IP4 " + address.encode())
    assert odd != plain
    for bodies in ([plain, odd], [odd, plain, odd]):
        found = read(bodies)[1 if bodies[0] == plain else 2]
        assert found is not None
        assert found.media[0].sockets == (socket,)


def test_a_line_that_is_lost_is_told_of_every_message_of_the_shape(way: str) -> None:
    bodies = [sdp("10.0.0.1", port, PCMA) + b"a=rtpmap:8 nonsense of a kind/x\r\n" for port in (4000, 4002)]
    assert [None if one is None else one.lost for one in read(bodies)] == ["bad-rtpmap", "bad-rtpmap"]


def test_batches_say_what_the_parser_says_of_everything_others_captured(corpus: pathlib.Path, way: str) -> None:
    random.seed(7)
    bodies = []
    for path in sorted(corpus.glob("*sip*.pcap*"))[:40]:
        messages = analyze(path).messages
        for i in range(len(messages)):
            body = messages.body(i)
            bodies += [body, body.replace(b"1", b"2"), body.replace(b".1", b".77"), body.replace(b"IP4", b"IP6")]
            if b"m=" in body:
                changed = bytearray(body)
                changed[random.randrange(len(body))] = random.choice(b"\r\n\t =ocm19.:/a\xc3")
                bodies += [bytes(changed), body[: random.randrange(len(body))], b"\t" + body]
    assert len(bodies) > 500
    kernels.set_compiled(way == "compiled")  # what small captures do
    descriptions = Descriptions()
    for at in range(0, len(bodies), 100):
        some = bodies[at : at + 100]
        for body, found in zip(some, read(some, descriptions), strict=True):
            assert found == slow(body), body


@pytest.mark.parametrize("limits", [SdpLimits(150, 100, 9, 9), SdpLimits(9_999, 7, 9, 9), SdpLimits(9_999, 100, 1, 9)])
def test_both_ways_keep_the_same_limits(monkeypatch: pytest.MonkeyPatch, limits: SdpLimits) -> None:
    """Bodies of one shape on both sides of each limit, the short ones first."""
    bodies = [
        (
            f"v=0\r\no=- {'1' * digits} 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
            + "m=audio 4000 RTP/AVP 0\r\n" * media
        ).encode()
        for media in (1, 2, 3)
        for digits in range(1, 60, 7)
    ]
    assert min(map(len, bodies)) < 150 < max(map(len, bodies))
    found = []
    for fast in (True, False):
        monkeypatch.setattr(terms, "compiled", lambda fast=fast: fast)
        found.append(read(bodies, Descriptions(limits)))
    assert found[0] == found[1]
    lost = {each.lost for each in found[0] if each is not None}
    assert lost >= {None, "too-long"}
    parse_sdp.cache_clear()
    for body in bodies:  # another analysis in between is no matter
        assert parse_sdp(body, limits) == parse_whole(body, limits)
        assert parse_sdp(body) == parse_whole(body)
