"""What Python unwraps: nesting is bounded, nothing readable is lost, what stood outside is kept."""

from __future__ import annotations

import pathlib
import struct

import pytest

from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from tests.builders import (
    ACK,
    RST,
    SYN,
    ethernet,
    hep3,
    ipv4,
    ipv4_fragments,
    spaced,
    tcp_frame,
    udp,
    udp_frame,
    write_pcap,
)
from tests.collecting import collected

INVITE = (
    b"INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"
    b"To: <sip:bob@h>\r\nCall-ID: nested-1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)


def capture(folder: pathlib.Path, frames: list[bytes]) -> pathlib.Path:
    path = folder / "made.pcap"
    write_pcap(path, spaced(frames))
    return path


def wrapped(times: int) -> bytes:
    payload = INVITE
    for _ in range(times):
        payload = hep3(payload, "192.0.2.1", 5060, "192.0.2.2", 5060, 10**18)
    return udp_frame(payload, "192.0.2.9", 9060, "192.0.2.8", 9060)


def test_a_message_in_a_homer_packet_has_the_addresses_and_the_time_within(tmp_path: pathlib.Path) -> None:
    messages = analyze(capture(tmp_path, [wrapped(1)])).messages
    assert [messages.raw(i) for i in range(len(messages))] == [INVITE]
    assert messages.endpoints[messages.src[0]] == ("192.0.2.1", 5060)
    assert messages.time[0] == 10**18


def test_homer_packets_in_homer_packets_are_opened_to_the_limit_and_then_counted(tmp_path: pathlib.Path) -> None:
    options = Options()
    deepest = capture(tmp_path, [wrapped(options.max_tunnel_depth)])
    assert len(analyze(deepest).messages) == 1
    result = analyze(capture(tmp_path, [wrapped(options.max_tunnel_depth + 1)]))
    assert len(result.messages) == 0
    assert result.captures[0].anomalies.counts() == {"tunnel-depth": 1}
    for times in (100, 400):
        assert analyze(capture(tmp_path, [wrapped(times)])).captures[0].anomalies.counts() == {"tunnel-depth": 1}


def long_invite() -> bytes:
    return INVITE.replace(b"Content-Length: 0", b"X-Long: " + b"x" * 2000 + b"\r\nContent-Length: 0")


def pieces_of(size: int) -> list[bytes]:
    datagram = udp(long_invite(), "192.0.2.1", 5060, "192.0.2.2", 5060)
    return ipv4_fragments(datagram, "192.0.2.1", "192.0.2.2", size=size, identification=7)


def test_the_first_fragment_alone_still_shows_its_message(tmp_path: pathlib.Path) -> None:
    first, *_ = pieces_of(1400)
    result = analyze(capture(tmp_path, [ethernet(first, "192.0.2.1", "192.0.2.2")]))
    assert result.messages.text("call_id", 0) == "nested-1"
    assert bool(result.messages.truncated[0])
    assert result.captures[0].anomalies.counts() == {"fragment-missing": 1, "sip-truncated": 1}


def test_a_message_in_fragments_is_whole_in_any_order(tmp_path: pathlib.Path) -> None:
    pieces = [ethernet(piece, "192.0.2.1", "192.0.2.2") for piece in pieces_of(504)]
    for order in (pieces, pieces[::-1]):
        messages = analyze(capture(tmp_path, order)).messages
        assert [messages.raw(i) for i in range(len(messages))] == [long_invite()]
        assert messages.frame[0] == len(pieces)


def test_a_message_in_fragments_is_noted_and_one_in_a_fragmented_wrapper_is_not(tmp_path: pathlib.Path) -> None:
    pieces = [ethernet(piece, "192.0.2.1", "192.0.2.2") for piece in pieces_of(504)]
    path = capture(tmp_path, [udp_frame(INVITE), *pieces, udp_frame(INVITE)])
    assert collected(path).unpacker.fragmented == {1}
    assert collected(capture(tmp_path, pieces[:1])).unpacker.fragmented == {0}  # its end was not captured
    homer = udp(hep3(long_invite(), "192.0.2.1", 5060, "192.0.2.2", 5060, 10**18), "192.0.2.9", 9060, "192.0.2.8", 9060)
    wrapped = ipv4_fragments(homer, "192.0.2.9", "192.0.2.8", size=504, identification=8)
    seen = collected(capture(tmp_path, [ethernet(piece, "192.0.2.9", "192.0.2.8") for piece in wrapped]))
    assert len(seen.unpacker.events) == 0 and seen.unpacker.fragmented == set()


RTCP = struct.pack(">BBHI", 0x80, 201, 1, 7)
STUN = struct.pack(">HHI12sHH4s", 1, 8, 0x2112A442, b"transaction1", 0x0024, 4, b"prio")
DTLS = struct.pack(">BHHHIHB", 22, 0xFEFD, 0, 0, 0, 12, 1) + bytes(11)
ABOUT = ipv4(udp(b"", "192.0.2.1", 4000, "192.0.2.2", 4002), "192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize("way", ["plain", "homer", "fragments"])
def test_what_controls_media_is_told_however_it_is_wrapped(tmp_path: pathlib.Path, way: str) -> None:
    ends = ("192.0.2.1", 4000, "192.0.2.2", 4002)
    frames = []
    for payload in (RTCP, STUN, DTLS):
        if way == "plain":
            frames.append(udp_frame(payload, *ends))
        elif way == "homer":
            frames.append(udp_frame(hep3(payload, *ends, 10**18), "192.0.2.9", 9060, "192.0.2.8", 9060))
        else:
            pieces = ipv4_fragments(udp(payload, *ends), "192.0.2.1", "192.0.2.2", size=8, identification=len(frames))
            frames += [ethernet(piece, "192.0.2.1", "192.0.2.2") for piece in pieces]
    seen = collected(capture(tmp_path, frames))
    assert [(src, dst, which, payload) for src, dst, _, _, which, payload in seen.rtcp] == [
        (("192.0.2.1", 4000), ("192.0.2.2", 4002), 0, RTCP)
    ]
    (check,) = seen.unpacker.checks.finish()
    assert (check.src, check.dst, check.stun_requests, check.dtls_hellos) == (*seen.rtcp[0][:2], 1, 1)


def test_icmp_is_told_in_fragments_too(tmp_path: pathlib.Path) -> None:
    message = bytes([3, 3]) + bytes(6) + ABOUT
    whole = ethernet(ipv4(message, "192.0.2.2", "192.0.2.1", 1), "192.0.2.2", "192.0.2.1")
    pieces = ipv4_fragments(message, "192.0.2.2", "192.0.2.1", 1, size=16, identification=5)
    seen = collected(capture(tmp_path, [whole, *(ethernet(piece, "192.0.2.2", "192.0.2.1") for piece in pieces)]))
    (error,) = seen.unpacker.icmp.finish()
    assert (error.sender, error.src, error.dst, error.count) == (
        "192.0.2.2", ("192.0.2.1", 4000), ("192.0.2.2", 4002), 2,
    )  # fmt: skip


def msrp(body: str, tid: str = "d93kswow") -> bytes:
    head = (
        f"MSRP {tid} SEND\r\nTo-Path: msrp://b:2855/bob;tcp\r\nFrom-Path: msrp://a:2855/alice;tcp\r\nMessage-ID: 1\r\n"
    )
    return f"{head}Content-Type: text/plain\r\n\r\n{body}\r\n-------{tid}$\r\n".encode()


@pytest.mark.parametrize("from_the_beginning", [True, False])
def test_msrp_on_tcp_is_counted_and_its_faults_are_the_connections(
    tmp_path: pathlib.Path, from_the_beginning: bool
) -> None:
    ends = ("192.0.2.1", 2855, "192.0.2.2", 2855)
    back = (*ends[2:], *ends[:2])
    answer = b"MSRP d93kswow 200 OK\r\nTo-Path: msrp://a:2855/alice;tcp\r\nFrom-Path: msrp://b:2855/bob;tcp\r\n"
    frames = [tcp_frame(b"", *ends, seq=99, flags=SYN), tcp_frame(b"", *back, seq=499, ack=100, flags=SYN | ACK)]
    if not from_the_beginning:
        frames = [tcp_frame(b"the end of something\r\n-------abcd$\r\n", *ends, seq=64)]
    first, second = msrp("hello"), msrp("again", "other123")
    frames += [
        tcp_frame(first[:70], *ends, seq=100), tcp_frame(first[70:] + second, *ends, seq=170),
        tcp_frame(answer + b"-------d93kswow$\r\n", *back, seq=500, ack=100 + len(first + second)),
        tcp_frame(b"", *back, seq=500 + len(answer) + 18, ack=100 + len(first + second), flags=RST | ACK),
    ]  # fmt: skip
    seen = collected(capture(tmp_path, frames))
    (session,) = seen.unpacker.msrp()
    assert (session.src, session.dst, session.messages, session.bytes) == (ends[:2], ends[2:], 2, 10)
    assert (session.from_path, session.to_path) == ("msrp://a:2855/alice;tcp", "msrp://b:2855/bob;tcp")
    found = seen.unpacker.connections.finish((), seen.end)
    assert [one.fault for one in found] == (["reset"] if from_the_beginning else [])
