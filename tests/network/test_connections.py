"""TCP connections that fail, and as many that look alike and do not."""

from __future__ import annotations

import dataclasses
import pathlib
import struct
import time as clock
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import Connection, Endpoint
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.connections import ConnectionWatch
from sipanalyzer.options import Options
from tests.collecting import collected, packet_row

FIN, SYN, RST, ACK = 1, 2, 4, 16
MS, S = 1_000_000, 1_000_000_000
C, D = ("192.0.2.1", 40_000), ("192.0.2.2", 5060)
INVITE, TRYING = b"INVITE sip:b@h SIP/2.0\r\n", b"SIP/2.0 100 Trying\r\n"


def record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BHH", kind, 0x0303, len(content)) + content


CLIENT_HELLO = record(22, b"\x01" + bytes(180))
SERVER_HELLO = record(22, b"\x02" + bytes(80)) + record(22, b"\x0b" + bytes(900)) + record(22, b"\x0e\0\0\0")
CHANGE = record(20, b"\x01")
FINISHED = record(22, bytes(40))
DATA = record(23, bytes(300))


def alert(number: int, level: int = 2) -> bytes:
    return record(21, bytes([level, number]))


class Wire:
    """Two ends of one connection, and others: each segment a method call, time in milliseconds."""

    def __init__(self, **options: int) -> None:
        self.anomalies = Anomalies()
        self.watch = ConnectionWatch(dataclasses.replace(Options(), **options), self.anomalies)
        self.frame = 0
        self.next: dict[tuple[Endpoint, Endpoint], int] = {}

    def send(
        self, at: float, src: Endpoint, dst: Endpoint, flags: int, payload: bytes = b"", *, seq: int | None = None,
        wire: int = 0, capture: int = 0, captured: bool = True,
    ) -> None:  # fmt: skip
        way, back = (src, dst), (dst, src)
        if seq is None:
            seq = self.next.get(way, 1000)
            wire = max(wire, len(payload))
            self.next[way] = (seq + wire + bool(flags & (SYN | FIN))) % 2**32
        if not captured:
            return
        self.frame += 1
        packet = packet_row(
            row.TCP, src, dst, time=round(at * MS), frame=self.frame, size=len(payload), TCP_SEQ=seq,
            TCP_ACK=self.next.get(back, 0) if flags & ACK else 0, TCP_FLAGS=flags, TCP_WIRE=max(wire, len(payload)),
        )  # fmt: skip
        key = packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO], packet[row.PORTS]
        self.watch.add(key, packet, payload, capture)

    def up(self, at: float = 0, client: Endpoint = C, server: Endpoint = D) -> None:
        self.send(at, client, server, SYN)
        self.send(at + 1, server, client, SYN | ACK)

    def found(self, end: float = 60_000, sockets: Any = ()) -> list[tuple[str, int, str | None, int]]:
        return [(one.fault, one.frame, one.detail, one.count) for one in self.finish(end, sockets)]

    def finish(self, end: float = 60_000, sockets: Any = ()) -> tuple[Connection, ...]:
        return self.watch.finish(sockets, round(end * MS))


# ---- beginnings
def test_a_reset_that_answers_the_syn_refuses() -> None:
    wire = Wire()
    wire.send(10, C, D, SYN)
    wire.send(11, D, C, RST | ACK)
    assert wire.finish() == (Connection(11 * MS, 2, 0, C, D, "refused", None, 1, True),)


def test_attempts_of_one_host_count_together_and_copies_do_not() -> None:
    wire = Wire()
    for attempt in range(3):
        client = (C[0], C[1] + attempt)
        for copy in range(2):  # a mirror port
            wire.send(attempt * 1000, client, D, SYN, seq=500)
            wire.next[client, D] = 501
            wire.send(attempt * 1000 + 1 + copy, D, client, RST | ACK)
    assert wire.found() == [("refused", 2, None, 3)]


def test_a_reset_of_an_earlier_connection_refuses_nothing() -> None:
    wire = Wire()
    wire.send(0, C, D, SYN)
    wire.send(1, D, C, RST)
    wire.next[C, D] = 90_000_000
    wire.send(2, D, C, RST | ACK)
    wire.next[C, D] = 1001
    assert not wire.watch._faults
    wire.send(3, D, C, RST | ACK)
    assert wire.found() == [("refused", 4, None, 1)]


def test_a_syn_sent_again_that_nobody_answers() -> None:
    wire = Wire()
    for at in (0, 1000, 3000, 7000):
        wire.send(at, C, D, SYN, seq=77)
    found = wire.finish(end=7000)
    assert [(one.fault, one.time, one.frame, one.count) for one in found] == [("no-answer", 0, 1, 1)]
    assert found[0].detail == "4 SYNs; nothing else from that host was captured either"


@pytest.mark.parametrize(("end", "found"), [(2999, 0), (3000, 1)])
def test_without_an_answer_the_capture_must_go_on(end: int, found: int) -> None:
    wire = Wire()
    wire.send(0, C, D, SYN, seq=77)
    wire.send(1000, C, D, SYN, seq=77)
    assert len(wire.finish(end)) == found


def test_what_else_the_host_sent_is_told() -> None:
    wire = Wire()
    wire.send(0, D, ("192.0.2.7", 9), ACK, b"another connection")
    wire.send(0, C, D, SYN, seq=77)
    wire.send(1000, C, D, SYN, seq=77)
    assert wire.found() == [("no-answer", 2, "2 SYNs", 1)]
    wire = Wire()
    wire.send(0, C, D, SYN, seq=77)
    wire.send(1000, C, D, SYN, seq=77)
    assert wire.found(sockets=[(D[0], 5090)]) == [("no-answer", 1, "2 SYNs", 1)]


def test_a_single_syn_or_its_copy_says_nothing() -> None:
    wire = Wire()
    wire.send(0, C, D, SYN, seq=77)
    wire.send(10, C, D, SYN, seq=77)
    assert wire.found() == []


def test_where_only_the_client_was_captured_its_data_show_that_it_was_answered() -> None:
    wire = Wire()
    wire.send(0, C, D, SYN, seq=77)
    wire.send(1000, C, D, SYN, seq=77)
    wire.next[C, D] = 78
    wire.send(1010, C, D, ACK, INVITE)
    wire.send(5000, C, D, RST | ACK)
    assert wire.found() == []


def test_a_client_that_tries_again_from_the_same_port_counts_again() -> None:
    wire = Wire()
    for begin, isn in ((0, 5), (20_000, 6_000_000)):
        for at in (0, 1000, 3000):
            wire.send(begin + at, C, D, SYN, seq=isn)
    assert wire.found() == [("no-answer", 1, "6 SYNs; nothing else from that host was captured either", 2)]


def test_both_ends_may_ask_at_once() -> None:
    wire = Wire()
    wire.send(0, C, D, SYN, seq=5)
    wire.send(0, D, C, SYN, seq=9)
    wire.send(1000, C, D, SYN, seq=5)
    assert wire.found() == []


# ---- resets
def talking() -> Wire:
    wire = Wire()
    wire.up()
    wire.send(10, C, D, ACK, INVITE)
    wire.send(20, D, C, ACK, TRYING)
    return wire


def test_a_server_that_resets_while_something_may_be_under_way() -> None:
    wire = talking()
    wire.send(5000, D, C, RST | ACK)
    assert wire.found() == [("reset", 5, "by the server", 1)]


def test_a_request_that_draws_a_reset() -> None:
    for side, other, flags, detail in (
        (D, C, RST | ACK, "by the server"), (C, D, RST | ACK, "by the client"),
        (D, C, RST, "the server no longer knew the connection"),
    ):  # fmt: skip
        wire = talking()
        wire.send(3000, C, D, ACK, INVITE)
        wire.send(3001, side, other, flags)
        assert wire.found() == [("reset", 6, detail, 1)]


def test_a_client_that_no_longer_knows_the_connection() -> None:
    wire = talking()
    wire.send(90_000, D, C, ACK, INVITE)
    wire.send(90_010, C, D, RST)
    assert wire.found(200_000) == [("reset", 6, "the client no longer knew the connection", 1)]


@pytest.mark.parametrize(
    ("at", "side", "flags"),
    [(100, C, RST | ACK), (40_000, D, RST | ACK), (40_000, C, RST | ACK), (40_000, D, RST), (5000, C, RST)],
)
def test_closing_by_a_reset_is_no_fault(at: int, side: Endpoint, flags: int) -> None:
    wire = talking()
    wire.send(at, side, D if side == C else C, flags)
    assert wire.found(90_000) == []


def test_a_keep_alive_asks_for_nothing() -> None:
    wire = talking()
    wire.send(30_000, C, D, ACK, b"\r\n\r\n")
    wire.send(60_000, C, D, RST | ACK)
    assert wire.found(90_000) == []


@pytest.mark.parametrize("first", [C, D])
def test_a_reset_after_a_fin_is_no_fault(first: Endpoint) -> None:
    other = D if first == C else C
    wire = talking()
    wire.send(100, first, other, FIN | ACK)
    wire.send(110, other, first, ACK, b"late data of some length")
    wire.send(111, first, other, RST)
    wire.send(112, other, first, RST | ACK)
    assert wire.found() == []


def test_a_connection_without_data_may_be_reset() -> None:
    for side, other in ((C, D), (D, C)):
        wire = Wire()
        wire.up()
        wire.send(5, side, other, RST | ACK)
        assert wire.found() == []


@pytest.mark.parametrize("missing", ["beginning", "client", "server"])
def test_a_capture_of_less_than_the_whole_connection_says_nothing(missing: str) -> None:
    wire = Wire()
    for at, src, dst, flags, payload in (
        (0, C, D, SYN, b""), (1, D, C, SYN | ACK, b""), (10, C, D, ACK, INVITE), (20, D, C, ACK, TRYING),
        (30, C, D, ACK, INVITE), (31, D, C, RST | ACK, b""), (32, D, C, RST | ACK, b""),
    ):  # fmt: skip
        seen = at > 1 if missing == "beginning" else src != (C if missing == "client" else D)
        wire.send(at, src, dst, flags, payload, captured=seen)
    assert wire.found() == []


# ---- TLS
def greeting(hello_at: float = 10) -> Wire:
    wire = Wire()
    wire.up(server=D)
    wire.send(hello_at, C, D, ACK, CLIENT_HELLO)
    return wire


@pytest.mark.parametrize("cut", [1, 5, 6, 7])
def test_a_fatal_alert_of_the_server(cut: int) -> None:
    wire = greeting()
    wire.send(20, D, C, ACK, alert(40)[:cut])
    wire.send(21, D, C, ACK | FIN, alert(40)[cut:])
    wire.send(22, C, D, FIN | ACK)
    assert wire.found() == [("tls-alert", 4 if cut == 7 else 5, "handshake_failure from the server", 1)]


def test_a_fatal_alert_of_the_client() -> None:
    wire = greeting()
    wire.send(20, D, C, ACK, SERVER_HELLO)
    wire.send(30, C, D, ACK, alert(48))
    wire.send(31, C, D, RST | ACK)
    assert wire.found() == [("tls-alert", 5, "unknown_ca from the client", 1)]


def test_an_alert_after_the_clients_change_is_still_in_the_clear() -> None:
    wire = greeting()
    wire.send(20, D, C, ACK, SERVER_HELLO)
    wire.send(30, C, D, ACK, CHANGE + FINISHED)
    wire.send(40, D, C, ACK, alert(42))
    assert wire.found() == [("tls-alert", 6, "bad_certificate from the server", 1)]


def done(wire: Wire, tls13: bool = False) -> Wire:
    if tls13:
        wire.send(20, D, C, ACK, record(22, b"\x02" + bytes(80)) + CHANGE + DATA + DATA)
        wire.send(30, C, D, ACK, CHANGE + record(23, bytes(53)))
    else:
        wire.send(20, D, C, ACK, SERVER_HELLO)
        wire.send(30, C, D, ACK, CHANGE + FINISHED)
        wire.send(40, D, C, ACK, CHANGE + FINISHED)
    return wire


@pytest.mark.parametrize("tls13", [False, True])
def test_a_handshake_that_is_done_is_no_fault_however_it_closes(tls13: bool) -> None:
    for closing in (FIN | ACK, RST | ACK):
        wire = done(greeting(), tls13)
        wire.send(50, C, D, ACK, DATA)
        wire.send(60, D, C, ACK, DATA)
        wire.send(70, C, D, ACK, record(23 if tls13 else 21, bytes(19 if tls13 else 26)))  # close_notify
        wire.send(71, C, D, closing)
        wire.send(72, D, C, RST)
        assert wire.found() == []
    wire = done(greeting(), tls13)
    wire.send(50, C, D, ACK, DATA)
    wire.send(60, D, C, RST | ACK)
    assert [fault for fault, *_ in wire.found()] == ["reset"]


@pytest.mark.parametrize(
    ("answer", "last", "detail"),
    [
        (b"", b"", "by the server after the ClientHello"),
        (SERVER_HELLO, b"", "by the server after the ServerHello"),
        (SERVER_HELLO, CHANGE + record(23, bytes(19)), "by the server after an encrypted alert from the client"),
        (b"SIP/2.0 400 Bad Request\r\n\r\n", b"", "by the server: the server does not speak TLS"),
    ],
)
def test_a_handshake_that_is_closed(answer: bytes, last: bytes, detail: str) -> None:
    for closing in (FIN | ACK, RST | ACK, RST):
        wire = greeting()
        if answer:
            wire.send(20, D, C, ACK, answer)
        if last:
            wire.send(30, C, D, ACK, last)
        wire.send(40, D, C, closing)
        assert wire.found() == [("tls-closed", wire.frame, detail, 1)]


def test_a_hello_that_is_not_answered() -> None:
    assert greeting().found(end=5010) == [("tls-no-answer", 3, None, 1)]
    assert greeting().found(end=5009) == []
    wire = greeting()
    wire.send(7000, C, D, FIN | ACK)
    assert wire.found() == [("tls-no-answer", 3, None, 1)]


def test_a_handshake_under_way_at_the_end_is_no_fault() -> None:
    wire = greeting()
    wire.send(20, D, C, ACK, SERVER_HELLO)
    assert wire.found() == []


def test_warnings_and_a_polite_end_are_no_faults() -> None:
    wire = greeting()
    wire.send(20, D, C, ACK, alert(112, 1))
    done(wire)
    assert wire.found() == []
    wire = greeting()
    wire.send(20, D, C, ACK, alert(0, 1))
    wire.send(21, D, C, FIN | ACK)
    assert wire.found() == []


@pytest.mark.parametrize("lost", ["server", "client"])
def test_missing_segments_end_the_judging_of_tls(lost: str) -> None:
    for later in (True, False):
        wire = greeting()
        wire.send(20, D, C, ACK, SERVER_HELLO, captured=lost != "server")
        wire.send(30, C, D, ACK, CHANGE + FINISHED, captured=lost != "client")
        if later:
            wire.send(40, D, C, ACK, CHANGE + FINISHED)
            wire.send(50, C, D, ACK, alert(40))  # what looks like one may stand amid anything
        wire.send(60, C, D, FIN | ACK)
        assert wire.found() == []


def test_other_protocols_are_not_tls() -> None:
    for payload in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x01\x02", b"\x16" * 40, b"\x80\x2e\x01\x03\x01"):
        wire = Wire()
        wire.up()
        wire.send(10, C, D, ACK, payload)
        wire.send(20, C, D, FIN | ACK)
        assert wire.found() == []


@pytest.mark.parametrize("size", range(1, len(CLIENT_HELLO) + 1, 20))
def test_a_hello_in_two_segments_is_one(size: int) -> None:
    wire = Wire()
    wire.up()
    wire.send(10, C, D, ACK, CLIENT_HELLO[:size])
    wire.send(11, C, D, ACK, CLIENT_HELLO[size:])
    wire.send(20, D, C, ACK, alert(70))
    assert [(fault, detail) for fault, _, detail, _ in wire.found()] == [
        ("tls-alert", "protocol_version from the server")
    ]


# ---- whose
@pytest.mark.parametrize(
    ("server", "sockets", "sip"),
    [
        (("192.0.2.2", 5060), (), True), (("192.0.2.2", 5061), (), True), (("192.0.2.2", 5080), (), True),
        (("192.0.2.2", 443), (), False), (("192.0.2.2", 443), [("192.0.2.2", 443)], True),
        (("192.0.2.2", 443), {("192.0.2.2", 5060): 0}, False),
    ],
)  # fmt: skip
def test_sip_is_known_by_port_or_socket(server: Endpoint, sockets: Any, sip: bool) -> None:
    wire = Wire()
    wire.send(10, C, server, SYN)
    wire.send(11, server, C, RST | ACK)
    assert [one.sip for one in wire.finish(sockets=sockets)] == [sip]


# ---- sizes and limits
def test_large_segments_are_counted_by_capture() -> None:
    wire = Wire()
    wire.up()
    wire.send(10, C, D, ACK, b"x" * 2000)
    wire.send(11, C, D, ACK, b"x" * 2001)
    wire.send(12, C, D, ACK, b"", wire=2896, capture=1)
    wire.send(13, ("192.0.2.5", 1), ("192.0.2.5", 2), ACK, b"x" * 9000)
    wire.send(14, ("192.0.2.5", 1), ("192.0.2.6", 2), ACK, b"x" * 9000)
    assert wire.watch.large_frames == {0: 2, 1: 1}


def test_a_flood_of_syns_costs_bounded_memory_and_time() -> None:
    wire = Wire(max_tcp_connections=1000)
    began = clock.perf_counter()
    for n in range(20_000):
        wire.send(n, (f"10.0.{n >> 8 & 255}.{n & 255}", 1000 + n), D, SYN)
    assert clock.perf_counter() - began < 5
    assert len(wire.watch._known) <= 2000
    assert wire.anomalies.counts() == {"fault-limit": 19_000}
    assert wire.found() == []


def test_more_faults_than_the_limit_are_not_remembered() -> None:
    wire = Wire(max_faults=2)
    for n in range(4):
        server = (D[0], 5000 + n)
        wire.send(n, C, server, SYN)
        wire.send(n + 0.5, server, C, RST | ACK)
    assert [one.server[1] for one in wire.finish()] == [5000, 5001]
    assert wire.anomalies.counts() == {"fault-limit": 2}


def test_without_room_for_a_connection_nothing_breaks() -> None:
    wire = Wire(max_tcp_connections=0)
    wire.up()
    wire.send(10, C, D, ACK, INVITE)
    assert wire.found() == []


SEGMENT = st.tuples(
    st.booleans(), st.sampled_from([SYN, SYN | ACK, ACK, RST, RST | ACK, FIN | ACK]),
    st.sampled_from([b"", b"\r\n", INVITE, CLIENT_HELLO, SERVER_HELLO, alert(40), CHANGE + FINISHED, DATA, b"\x16"]),
    st.integers(-3, 3), st.integers(0, 9000), st.integers(0, 1),
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(SEGMENT, max_size=25))
def test_any_order_of_segments_is_taken(segments: list[tuple[bool, int, bytes, int, int, int]]) -> None:
    wire, at = Wire(), 0
    for forward, flags, payload, shift, later, capture in segments:
        at += later
        src, dst = (C, D) if forward else (D, C)
        seq = (wire.next.get((src, dst), 1000) + shift) % 2**32 if shift else None
        wire.send(at, src, dst, flags, payload, seq=seq, capture=capture)
    for one in wire.finish(at + 10_000):
        assert one.fault in {"refused", "no-answer", "reset", "tls-alert", "tls-no-answer", "tls-closed"}
        assert one.count >= 1 and one.sip == (one.server == D)


@given(st.lists(SEGMENT, max_size=25))
def test_other_connections_between_change_nothing(segments: list[tuple[bool, int, bytes, int, int, int]]) -> None:
    plain, mixed = Wire(), Wire()
    for forward, flags, payload, *_ in segments:
        src, dst = (C, D) if forward else (D, C)
        for wire in (plain, mixed):
            wire.send(len(wire.next), src, dst, flags, payload)
        mixed.frame -= 1
        mixed.send(0, ("10.1.1.1", 1), ("10.1.1.2", 2), ACK, b"something else entirely")
    assert plain.found() == mixed.found()


# ---- captures by others
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pentesteracademy__voipshark__SIP-RTP-Normal_Call_two_parties.pcap", [("refused", 66, 1, True)]),
        ("negbie__heplify__rtp_rtcp_sip_ipv4_udp.pcap", [("refused", 16, 1, False)]),
        ("ntop__nDPI__rtsp.pcap", [("reset", 103, 3, False), ("refused", 293, 1, False)]),
        ("negbie__heplify__sip_ipv4_tcp_retrans.pcap", []),
        ("ajbanjara__Wireshark__nb6-startup.pcap", []),
    ],
)
def test_what_fails_in_captures_by_others(
    corpus: pathlib.Path, name: str, expected: list[tuple[str, int, int, bool]]
) -> None:
    """Read frame by frame in Wireshark; unanswered SYNs left out."""
    seen = collected(corpus / name)
    found = seen.unpacker.connections.finish((), seen.end)
    assert [(one.fault, one.frame, one.count, one.sip) for one in found if one.fault != "no-answer"] == expected


def test_hellos_without_an_answer_in_a_capture_by_others(corpus: pathlib.Path) -> None:
    seen = collected(corpus / "ntop__nDPI__webex.pcap")
    found = seen.unpacker.connections.finish((), seen.end)
    told = {one.frame: (one.fault, one.detail) for one in found}
    assert told[427] == ("tls-closed", "by the client after the ClientHello")
    assert told[431] == ("tls-closed", "by the client after the ServerHello")
    assert told[509] == ("tls-no-answer", None)
    assert seen.unpacker.connections.large_frames == {0: 68}
