"""Fuzz targets: one packet and what follows from several: links, tunnels, fragments, TCP, SCTP, ICMP, TLS, HEP."""

from __future__ import annotations

import itertools
import struct

import numpy as np

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.errors import ParseError
from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels.packet import decode_one
from sipanalyzer.network.checks import MediaChecks
from sipanalyzer.network.encapsulation import LINKS, unwrap
from sipanalyzer.network.fragments import FragmentReassembler
from sipanalyzer.network.handshake import Handshake
from sipanalyzer.network.hep import hep_packet, parse_hep
from sipanalyzer.network.icmp import parse_icmp
from sipanalyzer.network.sctp import SctpReassembler
from sipanalyzer.network.tcp import RST, SYN, TcpReassembler
from sipanalyzer.options import Options
from sipanalyzer.sip.spans import MessageStore
from sipanalyzer.unpacking import AnomaliesOfCaptures, Unpacker
from tests.fuzz.checked import checking, run_both
from tests.fuzz.drawing import Draw
from tests.naive import packet as naive

LINK_TYPES = (1, 113, 276, 101, 12, 14, 228, 229, 0, 108, 9, 50, 51, 104, *sorted(LINKS), 147)
ODD = sorted(LINKS)
_SMALL = Options(
    max_fragments=8,
    max_fragment_bytes=4_096,
    max_tcp_connections=8,
    max_tcp_pending_bytes=512,
    max_pending_bytes=2_048,
    max_sip_message_bytes=2_048,
    max_faults=8,
)
_KEY = (0, 0xFFFF0A000001, 0, 0xFFFF0A000002, 5060 << 16 | 5070)
_STREAM = b"".join(number.to_bytes(4, "big") for number in range(0x01010101, 0x01010101 + 0x3000 * 7, 7))


def decode(data: bytes) -> None:
    """One packet decoded compiled, interpreted, and by the slow twin."""
    draw = Draw(data)
    link, more, depth = LINK_TYPES[draw.number() % len(LINK_TYPES)], draw.number(), 1 + draw.number() % 9
    packet = draw.rest()
    wire = len(packet) + (more if more < 128 else 0)
    buffer = np.frombuffer(bytearray(packet), np.uint8)
    rows, counts = np.full((1, row.WIDTH), -77, np.int64), np.zeros(row.COUNTERS, np.int64)
    written, (_, rows, counts) = run_both(decode_one, buffer, 0, len(packet), wire, link, 5, 6, depth, rows, counts)
    assert counts.sum() == 1
    kind, columns = naive.decode(packet, wire, link, depth)
    assert kind == int(counts.argmax())
    assert (written == 1) == (kind in naive.WRITTEN)
    for column, value in columns.items() if written else ():
        if kind != row.MALFORMED or column not in (row.AT, row.LENGTH):
            assert rows[0, column] == value, column
    if written:
        assert 0 <= rows[0, row.AT] <= rows[0, row.AT] + max(0, rows[0, row.LENGTH]) <= len(packet) or kind == row.RTP


def odd_links(data: bytes) -> None:
    """Odd link headers are taken off, or refused."""
    draw = Draw(data)
    link = ODD[draw.number() % len(ODD)]
    try:
        inner = unwrap(draw.rest(), link)
    except ParseError:
        return
    assert inner is None or (len(inner[0]) <= len(data) + 48 and inner[1] not in LINKS)  # an exported PDU gets headers


def fragments(data: bytes) -> None:
    """What is put together of fragments of one datagram is a beginning of it."""
    draw = Draw(data)
    anomalies = Anomalies()
    reassembler = FragmentReassembler(_SMALL, anomalies)
    version, time = draw.number() & 1, 0
    for frame in itertools.count(1):
        if not draw:
            break
        how, start, size = draw.number(), draw.number() % 64, draw.number()
        time += (how >> 4) * 10**9
        part = _STREAM[8 * start : 8 * start + size]
        number = how & 1
        if version:
            head = struct.pack(">BBHI", 17, 0, 8 * start | how >> 1 & 1, number)
            packet = struct.pack(">IHBB", 6 << 28, 8 + len(part), 44, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + head
        else:
            place = (0x2000 if how & 2 else 0) | start
            packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(part), number, place, 64, 17, 0) + bytes(8)
        whole = reassembler.add((packet + part)[: -1 if how & 8 else None], time, frame)
        if whole is not None:
            assert _STREAM.startswith(whole[40 if version else 20 :])
    reassembler.finish()


def reassembly(data: bytes) -> None:
    """Segments of one stream, in any order, give its bytes in order, none twice."""
    draw = Draw(data)
    reassembler = TcpReassembler(_SMALL, Anomalies())
    isn, time, at, plain, chunks = draw.number(4), 0, 0, True, []
    for frame in itertools.count(1):
        if not draw:
            break
        how, start, size = draw.number(), draw.number(2) % 0x3000, draw.number()
        time += (how & 3) * 10**9
        if how & 4:  # where the one before ended
            start = at
        at = min(start + size, len(_STREAM))
        flags = 16 | (SYN if how == 0xFF else RST if how == 0xFE else 1 if how == 0xFD else 0)
        plain = plain and how < 0xFD
        part = _STREAM[start:at]
        got = part[: -1 if how & 8 else None]
        key = _KEY if not how & 16 else (*_KEY[:4], 1)
        chunks += reassembler.segment(key, time, frame, (isn + start) & 0xFFFFFFFF, 0, flags, got, len(part))
    chunks += reassembler.finish()
    if plain:
        for key in (_KEY, (*_KEY[:4], 1)):
            done = 0
            for chunk in chunks:
                if chunk.key == key and len(chunk.data) >= 8:
                    found = _STREAM.find(chunk.data, done)
                    assert found >= done, "bytes out of order, or twice"
                    done = found + len(chunk.data)


def sctp(data: bytes) -> None:
    """SCTP packets of any make; what is held is counted right."""
    reassembler = SctpReassembler(_SMALL, Anomalies())
    for frame, packet in enumerate(Draw(data).pieces(), 1):
        reassembler.packet(0, 1, 0, 2, frame, frame, packet)
        assert 0 <= reassembler._total <= _SMALL.max_pending_bytes + 70_000
    reassembler.finish()
    assert reassembler._total == 0


def icmp(data: bytes) -> None:
    """ICMP errors of either version."""
    for version in (4, 6):
        parse_icmp(data, version)


def checks(data: bytes) -> None:
    """STUN and DTLS between two sockets."""
    watch = MediaChecks(_SMALL, Anomalies())
    for frame, payload in enumerate(Draw(data).pieces(), 1):
        packet = [0] * row.WIDTH
        packet[row.FRAME], packet[row.PORTS] = frame, 1 << 16 | 2 if frame & 1 else 2 << 16 | 1
        packet[row.KIND] = row.DTLS if payload[:1] > b"\x10" else row.STUN
        if len(payload) >= (13 if packet[row.KIND] == row.DTLS else 20):
            watch.add(packet, payload, 0)
    watch.finish()


def tls(data: bytes) -> None:
    """Segments of either side of a TLS handshake."""
    draw = Draw(data)
    handshake, sent = Handshake(7, 2**32 - 3), [7, 2**32 - 3]
    for frame in itertools.count(1):
        if not draw:
            break
        how, size = draw.number(), draw.number()
        side, payload = how & 1, draw.take(size)
        packet = [0] * row.WIDTH
        packet[row.TIME] = packet[row.FRAME] = frame
        packet[row.TCP_SEQ] = (sent[side] + (how >> 4 if how & 8 else 0)) & 0xFFFFFFFF
        packet[row.TCP_WIRE] = len(payload) + (how >> 1 & 3)
        handshake.take(side, packet, payload)
        handshake.is_whole(side, packet[row.TCP_SEQ], 0)
        handshake.told(side)
        sent[side] = (sent[side] + packet[row.TCP_WIRE]) & 0xFFFFFFFF


def hep(data: bytes) -> None:
    """HEP of every version; what it holds becomes a packet that can be decoded."""
    try:
        found = parse_hep(data)
    except ParseError:
        return
    packet = hep_packet(found)
    rows, counts = np.zeros((1, row.WIDTH), np.int64), np.zeros(row.COUNTERS, np.int64)
    buffer = np.frombuffer(bytearray(packet), np.uint8)
    with checking():
        decode_one(buffer, 0, len(packet), len(packet), 101, 0, 1, 8, rows, counts)
    assert counts[row.MALFORMED] == 0


def unpack(data: bytes) -> None:
    """Packets of all kinds go through what puts payloads together; the short way of TCP and the long one agree."""
    packets = [
        (10**18 + frame * (piece[0] if piece else 0) * 10**7, piece[1:])
        for frame, piece in enumerate(Draw(data).pieces())
    ]
    found = [_unpacked(packets, short) for short in (False, True)]
    assert found[0] == found[1]


def _unpacked(packets: list[tuple[int, bytes]], short: bool) -> list[object]:
    anomalies = AnomaliesOfCaptures()
    anomalies.each.append(Anomalies())
    store = MessageStore(_SMALL, anomalies.each)
    reports: list[object] = []
    unpacker = Unpacker(_SMALL, store, anomalies, lambda *packet: reports.append(packet))
    unpacker.short_way = short
    rows, counts = np.zeros((len(packets), row.WIDTH), np.int64), np.zeros(row.COUNTERS, np.int64)
    blob, n = bytearray(), 0
    with checking():
        for frame, (time, packet) in enumerate(packets, 1):
            buffer = np.frombuffer(bytearray(packet), np.uint8)
            got = decode_one(buffer, 0, len(packet), len(packet), 101, time, frame, 8, rows[n : n + 1], counts)
            if got and rows[n, row.KIND] != row.RTP:
                at, size = int(rows[n, row.AT]), max(0, int(rows[n, row.LENGTH]))
                rows[n, row.AT] = len(blob)
                blob += packet[at : at + size]
                n += 1
        unpacker.begin()
        if n:
            unpacker.take(np.arange(n), np.arange(n) // 2, rows[:n], blob + b"\0", 0)
        unpacker._plain.leave_all()
        unpacker.finish()
        messages = [store.raw(i) for i in range(len(store))]
        times = store.column("time").tolist() if messages else []
    faults = (
        unpacker.connections.finish((), 2 * 10**18),
        unpacker.checks.finish(),
        unpacker.icmp.finish(),
        unpacker.msrp(),
    )
    return [messages, times, anomalies.each[0].counts(), faults, reports]
