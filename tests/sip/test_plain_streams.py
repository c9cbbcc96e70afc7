"""The short way of plain SIP over TCP: it must give what the long way gives, to the bit, whatever comes."""

from __future__ import annotations

import dataclasses
import itertools
import random
from typing import Any

import numpy as np
import pytest

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels import tcpstreams as kernel
from sipanalyzer.network.tcp import ACK, FIN, RST, SYN
from sipanalyzer.network.tcpstate import Direction
from sipanalyzer.options import Options
from sipanalyzer.sip import plain_streams
from sipanalyzer.sip.framer import StreamFramer
from sipanalyzer.sip.spans import MessageStore
from sipanalyzer.unpacking import AnomaliesOfCaptures, Unpacker
from tests.collecting import packet_row

MS = 1_000_000
Packet = tuple[list[int], bytes]  # row, payload


def message(number: int, body: bytes = b"", line: str = "INVITE sip:bob@example.com SIP/2.0", more: str = "") -> bytes:
    return (
        f"{line}\r\nVia: SIP/2.0/TCP pc33.example.com;branch=z9hG4bK{number}\r\nFrom: <sip:a@h>;tag={number}\r\n"
        f"To: <sip:b@h>\r\n{more}Call-ID: {number}@h\r\nCSeq: {number} INVITE\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def take(packets: list[Packet], batches: list[int], short: bool, options: Options) -> dict[str, Any]:
    """Everything that can be told of packets that came in batches of these sizes."""
    anomalies = AnomaliesOfCaptures()
    anomalies.each += [Anomalies(), Anomalies()]
    store = MessageStore(options, anomalies.each)
    unpacker = Unpacker(options, store, anomalies)
    unpacker.short_way = short
    events: list[tuple[int, int]] = []
    many = at = 0

    def note(base: int) -> None:
        here = [(base + place, int(index)) for place, _, index in unpacker.events]
        for places, before, indices in unpacker.followed:
            nonlocal many
            many += len(places)
            assert (before == places // 2).all()
            here += zip((base + places).tolist(), indices.tolist(), strict=True)
        events.extend(sorted(here, key=lambda event: event[0]))

    for size in batches:
        some = packets[at : at + size]
        if some:
            rows = np.array([packet for packet, _ in some], np.int64)
            lengths = rows[:, row.LENGTH]
            rows[:, row.AT] = np.cumsum(lengths) - lengths
            data = bytearray(b"".join(payload for _, payload in some) + b"\0")
            places = np.arange(len(some))
            captures = rows[:, row.HASH] if at % 2 else 0
            unpacker.begin()
            unpacker.take(places, places // 2, rows, data, captures)
            note(at)
        at += size
    unpacker._plain.leave_all()
    known = [
        (key, *(getattr(direction, name) for name in Direction.__slots__ if name not in ("behind", "held", "hole")))
        for key, direction in unpacker._tcp.directions.items()
    ]
    unpacker.finish()
    note(at)
    columns = ("time", "frame", "capture", "transport", "src", "dst", "truncated", "malformed", "status", "call_id")
    return {
        "events": events,
        "messages": [store.raw(i) for i in range(len(store))],
        "columns": {name: store.column(name).tolist() for name in columns},
        "anomalies": [
            {"code": code} | dataclasses.asdict(each[code]) for each in anomalies.each for code in sorted(each.counts())
        ],
        "connections": unpacker.connections.finish((), 10**12),
        "directions": known,
        "large": unpacker.connections.large_frames,
        "many": many,
    }  # fmt: skip


def same(packets: list[Packet], batches: list[int] | None = None, **limits: int) -> dict[str, Any]:
    """What both ways give, having compared it."""
    options = dataclasses.replace(Options(), **limits)
    batches = batches or [len(packets)]
    short, long = (take(packets, batches, way, options) for way in (True, False))
    assert long.pop("many") == 0
    many = short.pop("many")
    assert short == long
    return short | {"many": many}


class Side:
    """One host's end of a connection."""

    def __init__(self, own: tuple[str, int], other: tuple[str, int], seq: int) -> None:
        self.own, self.other, self.seq = own, other, seq


class Tape:
    """Packets in order of time."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.time = 0

    def segment(
        self, side: Side, back: Side, payload: bytes = b"", flags: int = ACK, *, seq: int | None = None, cut: int = 0
    ) -> Packet:
        """Make one; `seq`: other than what is next; `cut`: so many bytes were not captured."""
        self.time += MS
        begin = side.seq if seq is None else seq
        packet = packet_row(
            row.TCP, side.own, side.other, time=self.time, frame=len(self.packets) + 1, size=len(payload) - cut,
            TCP_SEQ=begin & 0xFFFFFFFF, TCP_ACK=back.seq & 0xFFFFFFFF if flags & ACK else 0, TCP_WIRE=len(payload),
            TCP_FLAGS=flags | (row.SIP_START if payload[:4] in (b"INVI", b"SIP/") else 0), HASH=len(self.packets) % 2,
        )  # fmt: skip
        if seq is None:
            side.seq += len(payload) + (1 if flags & (SYN | FIN) else 0)
        self.packets.append((packet, payload[: len(payload) - cut]))
        return self.packets[-1]

    def open(self, port: int = 40_000, isn: int = 1_000, host: str = "192.0.2.1") -> tuple[Side, Side]:
        """A connection with its beginning."""
        a = Side((host, port), ("192.0.2.2", 5060), isn)
        b = Side(a.other, a.own, isn * 3 + 7)
        self.segment(a, b, flags=SYN)
        self.segment(b, a, flags=SYN | ACK)
        return a, b


def conversation(isn: int = 1_000, cuts: tuple[int, ...] = (), number: int = 6) -> Tape:
    """Requests and answers in turn, each in a segment or cut at these places."""
    tape = Tape()
    a, b = tape.open(isn=isn)
    for k in range(number):
        for side, back, text in (
            (a, b, message(k, b"v=0\r\n" * (k % 3))),
            (b, a, message(k, line="SIP/2.0 200 OK") + b"\r\n\r\n" * (k % 2)),
        ):
            edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
            for begin, end in itertools.pairwise(edges):
                tape.segment(side, back, text[begin:end])
    return tape


def test_plain_messages_go_the_short_way(way: str) -> None:
    seen = same(conversation().packets)
    assert len(seen["messages"]) == 12
    assert seen["many"] == 10  # but the first of each direction
    assert seen["columns"]["transport"] == [1] * 12


def test_a_long_message_under_way_is_not_copied_with_each_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    hand_over = StreamFramer.hand_over

    def counting(framer: StreamFramer) -> tuple[bytes, int, int]:
        handed = hand_over(framer)
        copied.append(len(handed[0]))
        return handed

    monkeypatch.setattr(StreamFramer, "hand_over", counting)
    text, tape = message(1, bytes(120_000)), Tape()
    a, b = tape.open()
    for begin in range(0, len(text), 1_200):
        tape.segment(a, b, text[begin : begin + 1_200])
        tape.segment(b, a)
    assert len(same(tape.packets, [2] * len(tape.packets))["messages"]) == 1
    assert sum(copied) < len(text)


@pytest.mark.parametrize("isn", [0xFFFFFFFF, 0xFFFFFF00, 0xFFFFF000, 0x7FFFFFF0, 0])
def test_sequence_numbers_begin_anew(way: str, isn: int) -> None:
    seen = same(conversation(isn).packets)
    assert len(seen["messages"]) == 12
    assert seen["many"] == 10


def test_a_message_may_be_cut_anywhere(way: str) -> None:
    for cut in range(1, len(message(1)) - 1, 1 if way == "compiled" else 29):
        seen = same(conversation(cuts=(cut,), number=3).packets)
        assert len(seen["messages"]) == 6
        assert seen["many"] >= 4  # the first of a direction once its start line is there


def test_a_message_may_come_byte_by_byte(way: str) -> None:
    seen = same(conversation(cuts=tuple(range(400)), number=2).packets)
    assert len(seen["messages"]) == 4
    assert seen["many"] >= 2


def test_every_segment_may_be_missing(way: str) -> None:
    packets = conversation(cuts=(100, 200), number=3).packets
    for k in range(0, len(packets), 1 if way == "compiled" else 5):
        same(packets[:k] + packets[k + 1 :])
        same(packets[:k] + packets[k + 1 :], [7] * 10, tcp_hole_timeout_ns=5 * MS)


def test_every_segment_may_come_twice_or_late(way: str) -> None:
    packets = conversation(cuts=(100, 200), number=3).packets
    for k in range(0, len(packets), 1 if way == "compiled" else 5):
        for later in (1, 4):
            rest = packets[:k] + packets[k + 1 :]
            same([*rest[: k + later], packets[k], *rest[k + later :]])
            same([*packets[: k + later], packets[k], *packets[k + later :]])
            wrong = packets[k][0], packets[k][1].swapcase()
            same([*packets[: k + later], wrong, *packets[k + later :]])


def test_what_is_written_otherwise_is_read_as_ever(way: str) -> None:
    body = b"v=0\r\n"
    for text in (
        message(1, body).replace(b"Content-Length", b"l"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length:5 "),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length: 5\r\nContent-Length: 5"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length: 5\r\nl: 7"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length: x"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length: -5"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length: 5\r\n 6"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length:\r\n 5"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length : 5"),
        message(1, body).replace(b"Content-Length: 5", b"Content-Length: 99999999999"),
        message(1, body).replace(b"Content-Length: 5\r\n", b""),
        message(1, body).replace(b"\r\n", b"\n"),
        message(1, body).replace(b"\r\nTo", b"\r\n folded: x\r\nTo"),
        message(1, body).replace(b"\r\nTo", b"\r\nno header\r\nTo"),
        message(1, body).replace(b"\r\nTo", b"\r\nINVITE sip:a SIP/2.0\r\nTo"),
        message(1, body).replace(b"\r\nTo", b"\r\nX : SIP/2.0\r\nTo"),
        message(1, body).replace(b"\r\nTo", b"\r\nSIP/2.0 200 OK\r\nTo"),
        message(1, body).replace(b"\r\nTo", b"\r\n: x\r\nTo"),
        message(1, body).replace(b"\r\nTo", b"\r\n\rTo"),
        message(1, body, "INVITE  sip:b SIP/2.0"),
        message(1, body, "INVITE sip:b c SIP/2.0"),
        message(1, body, "INVITE SIP/2.0"),
        message(1, body, "INVITE  SIP/2.0"),
        message(1, body, "INVITE sip:b SIP/3.0"),
        message(1, body, "invite sip:b sip/2.0"),
        message(1, body, "SIP/2.0 2000 OK"),
        message(1, body, "SIP/2.0 200"),
        message(1, body, "SIP/2.0 200OK"),
        message(1, body, "SIP/1.0 200 OK"),
        message(1, body, "X" * 64 + " sip:b SIP/2.0"),
        message(1, body, "X" * 65 + " sip:b SIP/2.0"),
        b"\r\n \t\0" + message(1, body),
        b"junk" + message(1, body),
        message(1, body) + b"\x81\x05hello",
        message(1, body) + b"MSRP 1 SEND\r\n",
        message(1, body, more="X: " + "x" * 9_000 + "\r\n"),
        message(1, body * 2_000),
        message(1, body, more="X: " + "x" * 500 + "\r\n"),
    ):
        for cut in (0, 8, 60, len(text) - 8, len(text) - 1):
            tape = Tape()
            a, b = tape.open()
            tape.segment(a, b, message(0))
            tape.segment(b, a, message(0, line="SIP/2.0 200 OK"))
            for piece in (text[:cut], text[cut:], message(2), message(3)):
                if piece:
                    tape.segment(a, b, piece)
            tape.segment(b, a, message(3, line="SIP/2.0 200 OK"))
            same(tape.packets)
            same(tape.packets, max_sip_message_bytes=400)
            for limit in (len(text) - 1, len(text), cut):
                same(tape.packets, [6, 5], max_sip_message_bytes=max(1, limit))


def test_what_is_stored_no_more_and_what_is_large_is_counted_alike(way: str) -> None:
    packets = conversation(number=8).packets
    for limit in (500, 1_000, 1_500):
        assert "sip-limit" in {each["code"] for each in same(packets, max_sip_bytes=limit)["anomalies"]}
    assert sum(same(packets, large_segment_bytes=100)["large"].values()) == 16


def test_connections_that_were_silent_longest_are_dropped_alike(way: str) -> None:
    dice = random.Random(4)
    for most in (1, 2, 3, 5, 8):
        tape = Tape()
        sides = []
        for k in range(160):
            if len(sides) < 6 or dice.random() < 0.1:
                sides.append(tape.open(40_000 + k, 77 * k))
            a, b = dice.choice(sides[-7:])
            text = message(k)
            cut = dice.choice((0, 0, 50))
            if cut:
                tape.segment(a, b, text[:cut])
            tape.segment(a, b, text[cut:])
            a, b = dice.choice(sides[-7:])
            tape.segment(b, a, message(k, line="SIP/2.0 200 OK"))
        seen = same(tape.packets, [50] * 20, max_tcp_connections=most)
        assert seen["many"] > 20 or most < 5


def _anything(dice: random.Random) -> list[Packet]:
    """Connections on which everything happens that may happen."""
    tape = Tape()
    ends: list[tuple[Side, Side]] = []
    trouble = dice.choice((0.02, 0.1, 0.4))
    for k in range(dice.randrange(20, 90)):
        if not ends or dice.random() < 0.07:
            port, isn = dice.choice((40_000, 40_001, 40_002, 5060)), dice.choice((1, 0xFFFFFF80, dice.getrandbits(32)))
            if dice.random() < 0.7:
                ends.append(tape.open(port, isn, dice.choice(("192.0.2.1", "192.0.2.2"))))
            else:
                a = Side(("192.0.2.1", port), ("192.0.2.2", 5060), isn)
                ends.append((a, Side(a.other, a.own, isn + 5)))
        a, b = dice.choice(ends[-4:])
        if dice.random() < 0.4:
            a, b = b, a
        text = b"".join(
            dice.choice(
                (
                    message(k, b"v=0\r\n" * dice.randrange(4)),
                    message(k, line="SIP/2.0 180 Ringing"),
                    message(k, more="X: " + "x" * dice.choice((1, 300, 2_000)) + "\r\n"),
                    b"\r\n\r\n",
                    b"\0",
                    message(k)[:-40] if dice.random() < trouble else message(k),
                    bytes(dice.choices(b"INVITE \r\n:\x81\x02\x16\x03", k=9)) if dice.random() < trouble else b"\r\n",
                    b"\x16\x03\x01\x00\x05hello" if dice.random() < trouble else message(k),
                )
            )
            for _ in range(dice.choice((1, 1, 1, 2, 5)))
        )
        edges = sorted({0, len(text), *(dice.randrange(len(text) + 1) for _ in range(dice.choice((0, 0, 1, 3))))})
        for begin, end in itertools.pairwise(edges):
            flags = ACK if dice.random() < 0.9 else 0
            cut = dice.randrange(end - begin) if dice.random() < trouble / 4 else 0
            tape.segment(a, b, text[begin:end], flags, cut=cut)
            if dice.random() < trouble / 2:
                a.seq += dice.choice((1, 700, 5 << 20, -3))
        if dice.random() < trouble / 2:
            tape.segment(a, b, flags=dice.choice((FIN | ACK, RST, RST | ACK, SYN)))
        if dice.random() < trouble / 2:
            tape.segment(a, b, dice.choice((b"", b"x")), seq=a.seq - 1)
        if dice.random() < trouble:
            b.seq += dice.choice((0, -100, 9_999))
    packets = tape.packets
    for _ in range(int(len(packets) * trouble / 2)):
        k = dice.randrange(len(packets))
        packet = packets[k] if dice.random() < 0.5 else packets.pop(k)
        if dice.random() < 0.7:
            packets.insert(min(len(packets), k + dice.randrange(12)), packet)
    for k, (packet, _) in enumerate(packets):  # in order of time
        packet = packet.copy()
        packet[row.TIME], packet[row.FRAME] = k * dice.choice((MS, 40 * MS)), k + 1
        packets[k] = packet, packets[k][1]
    return sorted(packets, key=lambda one: one[0][row.TIME])


def _both_ways(dice: random.Random, rounds: int) -> int:
    many = 0
    for _ in range(rounds):
        packets = _anything(dice)
        limits = dice.choice(
            (
                {},
                {"max_tcp_connections": dice.randrange(1, 4)},
                {"max_sip_message_bytes": dice.choice((200, 300, 1_000))},
                {"tcp_hole_timeout_ns": 3 * MS, "max_tcp_pending_bytes": 700},
                {"max_sip_bytes": 3_000},
                {"large_segment_bytes": 300},
            )
        )
        batches: list[int] = []
        while sum(batches) < len(packets):
            batches.append(dice.choice((1, 3, 40, 1_000)))
        many += same(packets, batches, **limits)["many"]
    return many


@pytest.mark.parametrize("seed", range(20))
def test_anything_gives_the_same_either_way(way: str, seed: int) -> None:
    many = _both_ways(random.Random(seed), 12 if way == "compiled" else 1)
    assert many > 0 or way == "interpreted"


@pytest.mark.parametrize("seed", range(20))
def test_anything_gives_the_same_where_there_is_little_room(
    way: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_OUT_BYTES", 16_000), ("_FOUND", 12), ("_POOL_BYTES", 26_000), ("_SPARE", 24_000)):
        monkeypatch.setattr(plain_streams, name, value)
    monkeypatch.setattr(plain_streams, "_FEW", 4)
    _both_ways(random.Random(seed), 12 if way == "compiled" else 1)


def test_a_connection_of_which_one_side_was_captured_is_followed_after_a_while(way: str) -> None:
    packets = [packet for packet in conversation(number=40).packets if packet[0][row.PORTS] >> 16 != 5060]
    seen = same(packets)
    assert len(seen["messages"]) == 40
    assert seen["many"] > 15


def test_a_key_that_finds_no_place_goes_the_long_way(way: str) -> None:
    slots = np.zeros((2 * kernel.PROBES, kernel.DIRECTION), np.int64)  # all of one key
    table = np.zeros(4 * kernel.PROBES, np.int64)
    entered = [kernel.enter(slots, table, first) for first in range(0, 2 * kernel.PROBES, 2)]
    assert entered == [1] * (kernel.PROBES // 2) + [0] * (kernel.PROBES // 2)
    assert np.count_nonzero(table) == kernel.PROBES
