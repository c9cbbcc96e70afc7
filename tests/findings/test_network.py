"""Findings about the capture and the network below: for each code where it is raised, and a look-alike where not."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest

import sipanalyzer
from tests.builders import START_NS, Packet, ethernet, ipv4, pcap_bytes, tcp, udp
from tests.tape import A, B, Tape, records, sdp

Made = Callable[[], bytes]
ACKED, RESET, SYN = 0x10, 0x14, 0x02


def call(*, answered: bool = True, lost: range = range(0), lost_back: range = range(0)) -> Tape:
    tape = Tape()
    if answered:
        tape.set_up(sdp(A, 4000), sdp(B, 5000))
        tape.talk(2.1, A, 4000, B, 5000, 500, ssrc=0xA, lost=lost)
        tape.talk(2.1, B, 5000, A, 4000, 500, ssrc=0xB, lost=lost_back)
        tape.bye(13)
    else:
        for at in (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5):
            tape.request(at, A, B, "INVITE", sdp(A, 4000), initial=True)
        tape.request(70, "10.0.0.7", "10.0.0.8", "OPTIONS", call="other", initial=True)
    return tape


def found(capture: bytes) -> dict[str, dict[str, object]]:
    """Findings by code."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analysis = sipanalyzer.analyze(io.BytesIO(capture))
    return {str(row["code"]): row for row in records(analysis, "findings")}


def with_frames(tape: Tape, *frames: tuple[float, bytes]) -> bytes:
    packets = tape.packets + [Packet(START_NS + round(at * 1e9), frame, 0, len(frame)) for at, frame in frames]
    return pcap_bytes(sorted(packets, key=lambda each: each.time_ns), nanoseconds=True)


def unreachable(src: str, src_port: int, dst: str, dst_port: int, *, sender: str | None = None, code: int = 3) -> bytes:
    """A frame with ICMP destination unreachable about a UDP datagram from src to dst."""
    quoted = ipv4(udp(b"x" * 20, src, src_port, dst, dst_port), src, dst, 17)[:28]
    return ethernet(ipv4(struct.pack("!BBHI", 3, code, 0, 0) + quoted, sender or dst, src, 1))


def segment(src: str, sport: int, dst: str, dport: int, flags: int, seq: int, ack: int = 0, data: bytes = b"") -> bytes:
    return ethernet(ipv4(tcp(data, src, sport, dst, dport, seq=seq, ack=ack, flags=flags), src, dst, 6))


def hello() -> bytes:
    body = bytes(40)
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake


def alert(code: int) -> bytes:
    return b"\x15\x03\x03\x00\x02\x02" + bytes([code])


def tls(*, failed: bool) -> bytes:
    """A TLS connection for SIP: ClientHello, and a fatal alert or ServerHello and application data."""
    answer = alert(40) if failed else b"\x16\x03\x03\x00\x04\x02\x00\x00\x00" + b"\x17\x03\x03\x00\x64" + bytes(100)
    size = len(hello())
    frames = [
        (1.0, segment(A, 40000, B, 5061, SYN, 100)),
        (1.01, segment(B, 5061, A, 40000, 0x12, 500, 101)),
        (1.02, segment(A, 40000, B, 5061, ACKED, 101, 501)),
        (1.03, segment(A, 40000, B, 5061, 0x18, 101, 501, hello())),
        (1.04, segment(B, 5061, A, 40000, 0x18, 501, 101 + size, answer)),
    ]
    if not failed:
        frames.append(
            (
                1.05,
                segment(A, 40000, B, 5061, 0x18, 101 + size, 501 + len(answer), b"\x17\x03\x03\x00\x64" + bytes(100)),
            )
        )
    frames.append((1.06, segment(B, 5061, A, 40000, 0x11, 501 + len(answer), 101 + size)))
    return with_frames(call(), *frames)


def one_side(*, whole: bool) -> bytes:
    tape = call()
    if not whole:
        tape.packets = [each for each in tape.packets if each.data[26:30] == bytes([10, 0, 0, 1])]
    return tape.bytes()


def cut(size: int | None) -> bytes:
    packets = call().packets
    return pcap_bytes([each._replace(data=each.data[:size], original_length=len(each.data)) for each in packets])


CASES: dict[str, tuple[Made, Made]] = {
    "truncated-capture": (lambda: call().bytes()[:-20], lambda: call().bytes()),
    "truncated-capture snaplen": (lambda: cut(100), lambda: cut(None)),
    "capture-drops": (
        lambda: call(lost=range(100, 120), lost_back=range(101, 119)).bytes(),
        lambda: call(lost=range(100, 120), lost_back=range(200, 220)).bytes(),  # each at another time
    ),
    "capture-drops one way": (
        lambda: call(lost=range(100, 120), lost_back=range(101, 119)).bytes(),
        lambda: call(lost=range(100, 120)).bytes(),
    ),
    "capture-duplicates": (lambda: call().doubled().bytes(), lambda: call().bytes()),
    "one-sided-capture": (lambda: one_side(whole=False), lambda: one_side(whole=True)),
    "one-sided-capture dead peer": (lambda: one_side(whole=False), lambda: call(answered=False).bytes()),
    "clock-step": (
        lambda: call().bytes() + pcap_bytes([Packet(START_NS - 10**12, call().packets[0].data)], nanoseconds=True)[24:],
        lambda: call().bytes(),
    ),
    "icmp-unreachable": (
        lambda: with_frames(call(answered=False), (0.01, unreachable(A, 5060, B, 5060))),
        lambda: with_frames(call(answered=False), (0.01, unreachable(A, 5353, "10.0.0.77", 53))),
    ),
    "icmp-unreachable media": (
        lambda: with_frames(call(), (3.0, unreachable(B, 5000, A, 4000))),
        lambda: with_frames(call(), (3.0, unreachable(B, 5999, A, 4999))),  # nobody's media
    ),
    "tcp-connect-failed": (
        lambda: with_frames(
            call(), (1.0, segment(A, 40000, B, 5060, SYN, 100)), (1.01, segment(B, 5060, A, 40000, RESET, 0, 101))
        ),
        lambda: with_frames(
            call(), (1.0, segment(A, 40000, B, 443, SYN, 100)), (1.01, segment(B, 443, A, 40000, RESET, 0, 101))
        ),
    ),
    "tls-handshake-failure": (lambda: tls(failed=True), lambda: tls(failed=False)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_capture_and_the_network_lack_is_found_and_what_looks_alike_is_not(case: str) -> None:
    code = case.split()[0]
    raised, quiet = CASES[case]
    assert code in found(raised())
    assert code not in found(quiet())


def test_a_port_that_closes_after_the_call_is_no_fault() -> None:
    ended = found(with_frames(call(), (13.1, unreachable(B, 5000, A, 4000))))
    assert ended["icmp-unreachable"]["severity"] == "info"
    assert ended["icmp-unreachable"]["call_id"] == "one"


def test_an_unreachable_host_explains_the_call_that_it_failed() -> None:
    rows = found(with_frames(call(answered=False), (0.01, unreachable(A, 5060, B, 5060))))
    finding = rows["icmp-unreachable"]
    assert finding["call_id"] == "one"
    assert "10.0.0.2 answered SIP over UDP from 10.0.0.1:5060 to 10.0.0.2:5060" in str(finding["explanation"])


@pytest.mark.parametrize("answered", [0, 3])
def test_ice_that_fails_is_found_and_ice_that_succeeds_is_not(answered: int) -> None:
    candidates = ["ice-ufrag:u", "ice-pwd:p" * 11, "candidate:1 1 UDP 1 10.0.0.1 4000 typ host"]
    tape = Tape()
    tape.set_up(
        sdp(A, 4000, profile="UDP/TLS/RTP/SAVPF", lines=candidates),
        sdp(
            B, 5000, profile="UDP/TLS/RTP/SAVPF", lines=[*candidates[:2], "candidate:1 1 UDP 1 10.0.0.2 5000 typ host"]
        ),
    )
    for k in range(8):
        transaction = bytes([k]) * 12
        attribute = struct.pack("!HHI", 0x24, 4, 1) + struct.pack("!HH", 6, 4) + b"u:v\0"
        tape.udp(2.1 + k / 10, A, 4000, B, 5000, struct.pack("!HHI", 1, 16, 0x2112A442) + transaction + attribute)
        if k < answered:
            mapped = struct.pack("!HHBBHI", 0x20, 8, 0, 1, 1, 1)
            tape.udp(2.15 + k / 10, B, 5000, A, 4000, struct.pack("!HHI", 0x101, 12, 0x2112A442) + transaction + mapped)
    tape.bye(20)
    assert ("ice-or-dtls-failed" in found(tape.bytes())) == (answered == 0)


def test_a_file_that_breaks_off_is_to_be_copied_again_and_cut_packets_to_be_captured_whole() -> None:
    broken, short = found(call().bytes()[:-20])["truncated-capture"], found(cut(100))["truncated-capture"]
    assert str(broken["advice"]).startswith("Copy the file again")
    assert "tcpdump -s 0" in str(short["advice"])
