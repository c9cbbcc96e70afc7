"""Fuzz targets: RTCP, and the state of RTP streams."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import numpy as np

from sipanalyzer import kernels
from sipanalyzer.errors import ParseError
from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels.row import row_hash
from sipanalyzer.options import Options
from sipanalyzer.rtp.dtmf import merge_events
from sipanalyzer.rtp.rtcp import parse_rtcp
from sipanalyzer.rtp.streams import StreamTable
from tests.builders import receiver_report, report_block, rtcp_bye, sender_report, source_description
from tests.fuzz.checked import checking
from tests.fuzz.drawing import Draw
from tests.rtp.words import describe

_MS = 1_000_000
_SMALL = Options(
    probation_candidates=8,
    max_streams=6,
    max_intervals=50,
    max_outages=20,
    max_digits=20,
    silence_split_ns=10**9,
    interval_ns=10**9,
)
_STEPS_MS = (0, 20, 20, 20, 1, 40, 60, 200, -20, -300, 500, 1_500, 3_000, 12_000, 70_000, 400_000_000)


def rtcp(data: bytes) -> None:
    """Compound packets, plain and sealed."""
    for encrypted in (False, True):
        try:
            packets = parse_rtcp(data, encrypted=encrypted)
        except ParseError:
            continue
        for packet, part in itertools.product(packets, ("extended",)):
            for each in getattr(packet, part, None) or ():
                assert all(value == value for _, value in each.values)


def streams(data: bytes) -> None:
    """Random rows, in batches of any size, go through the stream table: compiled and interpreted, to the bit."""
    found = []
    for compiled in (False, True) if kernels.available() else (False,):
        before = kernels.compiled()
        kernels.set_compiled(compiled)
        try:
            with checking():
                found.append(_table_of(Draw(data)))
        finally:
            kernels.set_compiled(before)
    assert all(each == found[0] for each in found)


def _table_of(draw: Draw) -> Any:
    about = draw.number()
    rows, time, last = [], 10**18, {}
    while draw and len(rows) < 150:
        how, what = draw.number(), draw.number()
        which = how >> 6
        sequence, stamp = last.get(which, (1_000, 5_000))
        time += _STEPS_MS[how & 15] * _MS
        step = 1
        if what & 0x80:
            step = struct.unpack(">h", draw.take(2).ljust(2, b"\0"))[0]
        if what & 0x40:
            stamp += struct.unpack(">i", draw.take(4).ljust(4, b"\0"))[0]
        for _ in range(1 + (draw.number() % 100 if what & 0x20 else 0)):
            sequence, stamp = (sequence + step) & 0xFFFF, (stamp + 160 * step) & 0xFFFFFFFF
            line = [0] * row.WIDTH
            line[row.TIME], line[row.FRAME], line[row.KIND] = time, len(rows) + 1, row.RTP
            line[row.SRC_LO], line[row.DST_LO] = 0xFFFF0A000001, 0xFFFF0A000002
            line[row.PORTS], line[row.SSRC] = 5000 << 16 | 4000 + which % 2, which
            line[row.SEQ], line[row.STAMP], line[row.SIZE] = sequence, stamp, 160
            payload_type = (8, 101, 13, 97, 26, 8, 8, 8)[what & 7]
            line[row.PT] = (0x80 if what & 8 else 0) | payload_type
            line[row.EVENT] = (what & 0x1F) << 24 | stamp & 0xFFFF
            line[row.HASH] = row_hash(0, line[row.SRC_LO], 0, line[row.DST_LO], line[row.PORTS], which)
            rows.append(line)
            time += 20 * _MS if what & 0x20 else 0
        last[which] = sequence, stamp
    matrix = np.array(rows, np.int64).reshape(-1, row.WIDTH)
    table = StreamTable(_SMALL, describe)
    if about & 1:
        table.announce((0, 0xFFFF0A000002, 4000))
    size = 1 + (about >> 1)
    for number, at in enumerate(range(0, len(matrix), size)):
        some = matrix[at : at + size].copy()
        table.feed(some, 0, len(some), 0)
        if table.count and number % 5 == 4 and about & 2:
            which = range(table.count)
            table.interrupt(which) if about & 4 else table.forget_formats(which)
            table.split(0) if about & 8 else None
    figures = table.finish()
    for each in figures:
        assert each.packets >= 0 <= each.lost and each.expected >= each.lost
    events = table.events()
    merge_events(events, dict.fromkeys(range(table.count), 8_000))
    intervals = table.intervals()
    return (
        repr(figures),
        events.tolist(),
        table.outages().tolist(),
        repr(intervals),
        table.missed(),
        repr(table.turns()),
    )


# ---- what to begin with


def rtcp_seeds() -> list[bytes]:
    """One of each kind."""
    block = report_block(7, fraction=3, lost=5, highest=9, jitter=1, lsr=2, dlsr=3)
    voip = struct.pack(">BBH", 7, 0, 8) + bytes(range(32))
    summary = struct.pack(">BBH", 6, 0xE0, 9) + bytes(36)
    extended = struct.pack(">BBHI", 0x80, 207, 21, 7) + voip + summary + struct.pack(">BBHII", 4, 0, 2, 1, 2)
    feedback = struct.pack(">BBHIIHH", 0x81, 205, 3, 1, 2, 3, 4) + struct.pack(">BBHII", 0x81, 206, 2, 1, 2)
    named = struct.pack(">BBHI", 0x80, 204, 3, 7) + b"nameabcd"
    return [
        sender_report(7, 10**18, 160, 1, 160, [block]) + source_description(7, "a@b"),
        receiver_report(7, [block, block]),
        receiver_report(7) + rtcp_bye(7),
        extended,
        feedback,
        named,
        receiver_report(7)[:8] + bytes(14),
    ]


def stream_seeds() -> list[bytes]:
    """Steady, with losses, restarts, key presses and silences."""
    steady = bytes([0x01, 0x00] * 40)
    many = bytes([0x01, 0x20, 120])
    lost = bytes([1, 0x80, 0, 5]) * 3 + bytes([1, 0x80, 0xFF, 0x80, 1, 0x80, 0x20, 0])
    pressed = bytes([0x01, 0x01, 0x01, 0x41, 0xFF, 0xFF, 0xFF, 0x60]) * 4
    jumps = bytes([0x01, 0x40, 0, 1, 0, 0, 0x0C, 8, 0x0E, 0])
    two = bytes([0x01, 0, 0x40, 0, 0x81, 3, 0xC1, 4] * 20)
    return [
        bytes([about]) + part
        for about, part in (
            (1, steady + lost + many),
            (0xFF, steady + pressed + steady),
            (4, many * 3 + jumps + many),
            (0x0E, two),
            (7, many + lost + many),
        )
    ]
