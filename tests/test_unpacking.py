"""What Python unwraps: nesting is bounded, nothing readable is lost, what stood outside is kept."""

from __future__ import annotations

import pathlib

from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from tests.builders import ethernet, hep3, ipv4_fragments, spaced, udp, udp_frame, write_pcap

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
