"""Slow, obvious readers of whole captures in memory, with unbounded integers: twins of the walking kernels."""

from __future__ import annotations

import heapq
import struct
from dataclasses import dataclass, field
from fractions import Fraction

MAX_RECORD = 262_144
MAX_BLOCK = 64 << 20
MAX_SECONDS = 4_600_000_000
NUMBERED = (9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221)


MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000, 0),
    b"\xa1\xb2\xc3\xd4": (">", 1000, 0),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 0),
    b"\xa1\xb2\x3c\x4d": (">", 1, 0),
    b"\x34\xcd\xb2\xa1": ("<", 1000, 8),
    b"\xa1\xb2\xcd\x34": (">", 1000, 8),
}


@dataclass
class Read:
    """What stands in a capture."""

    records: list[tuple[int, int, int, bytes, int]] = field(default_factory=list)
    """Frame, time, link type, captured bytes, length on the wire."""
    damaged_at: int | None = None
    refused: bool = False
    bad_blocks: int = 0
    bad_interfaces: int = 0
    bad_times: int = 0
    dropped: int | None = None
    timed: list[int] = field(default_factory=list)
    """Frames with a time of their own."""
    strung_at: list[int] = field(default_factory=list)
    """Frames before which another file header stands."""

    @property
    def cut(self) -> int:
        return sum(len(data) < wire for _, _, _, data, wire in self.records)


def read_pcap(data: bytes, max_record: int = MAX_RECORD) -> Read:
    """A whole pcap file."""
    read = Read()
    order, tick, extra = MAGICS[data[:4]]
    major, minor = struct.unpack(order + "HH", data[4:8])
    link = struct.unpack(order + "I", data[20:24])[0] & 0xFFFF
    at = 24
    frame = 0
    while at < len(data):
        if not any(data[at:]):
            break
        header = data[at : at + 16 + extra]
        if len(header) < 16 + extra:
            read.damaged_at = at
            break
        seconds, fraction, captured, wire = struct.unpack(order + "IIII", header[:16])
        if (major, minor) == (543, 0) or minor < 3 or (minor == 3 and captured > wire):
            captured, wire = wire, captured
        body = data[at + len(header) : at + len(header) + captured]
        if captured == 0 and any(
            header[:8] == magic + struct.pack(each[0] + "HH", 2, 4) for magic, each in MAGICS.items()
        ):
            another = data[at : at + 24]
            if len(another) < 24:
                read.damaged_at = at
                break
            order, tick, extra = MAGICS[header[:4]]
            major, minor = 2, 4
            link = struct.unpack(order + "I", another[20:24])[0] & 0xFFFF
            read.strung_at.append(frame + 1)
            at += 24
            continue
        if captured > max_record or len(body) < captured or not any(header[:16]):
            read.damaged_at = at
            break
        frame += 1
        read.records.append((frame, seconds * 10**9 + fraction * tick, link, body, max(captured, wire)))
        read.timed.append(frame)
        at += len(header) + captured
    return read


def nanoseconds(ticks: int, resolution: int, offset_s: int) -> int | None:
    """A pcapng time with exact arithmetic; None where it is beyond belief."""
    unit = Fraction(1, 2 ** (resolution & 0x7F) if resolution & 0x80 else 10 ** (resolution & 0x7F))
    exact = ticks * unit
    seconds = exact.__floor__() + offset_s
    if abs(seconds) > MAX_SECONDS:
        return None
    return ((exact + offset_s) * 10**9).__floor__()


def read_pcapng(data: bytes, max_record: int = MAX_RECORD, max_block: int = MAX_BLOCK) -> Read:
    """A whole pcapng file."""
    read = Read()
    order = "<"
    section = 0
    interfaces: list[tuple[int, int, int, int]] = []
    drops: dict[tuple[int, int], int] = {}
    epb_drops: int | None = None
    at = frame = previous = 0
    while at < len(data) and any(data[at:]):
        kind_bytes = data[at : at + 4]
        is_section = kind_bytes == b"\x0a\x0d\x0d\x0a"
        if len(data) - at < (12 if is_section else 8):
            read.damaged_at = at
            break
        if is_section:
            if data[at + 8 : at + 12] not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
                read.damaged_at = at
                break
            block_order = ">" if data[at + 8] == 0x1A else "<"
        else:
            block_order = order
        kind, total = struct.unpack(block_order + "II", data[at : at + 8])
        packet = kind in (2, 3, 6)
        limit = max_record + (64 << 10) if packet else max_block
        if total < 12 or total > limit or (kind, total) == (0, 0):
            read.damaged_at = at
            break
        size = (total + 3) // 4 * 4
        if at + size > len(data):
            read.damaged_at = at
            break
        (again,) = struct.unpack(block_order + "I", data[at + size - 4 : at + size])
        if again not in (total, size):
            python = is_section or kind in (1, 5)
            if not python and size != total and data[at + total - 4 : at + total] == struct.pack(order + "I", total):
                size = total
            else:
                read.bad_blocks += 1
        block = data[at : at + size]
        body = block[8:-4]
        at += size
        if is_section:
            order, section, interfaces = block_order, section + 1, []
        elif kind == 1:
            if len(body) < 8:
                read.bad_blocks += 1
                body = body + bytes(8 - len(body)) if len(body) >= 2 else bytes(8)
            link, _, snaplen = struct.unpack(order + "HHI", body[:8])
            resolution, offset = 6, 0
            for code, value in options(body[8:], order):
                if code == 9 and len(value) == 1:
                    resolution = value[0]
                elif code == 14 and len(value) == 8:
                    (offset,) = struct.unpack(order + "q", value)
            interfaces.append((link, snaplen, resolution, offset))
        elif kind == 5:
            which = struct.unpack(order + "I", body[:4])[0] if len(body) >= 4 else None
            if which is None or which >= len(interfaces):
                read.bad_blocks += 1
                continue
            found = [
                struct.unpack(order + "Q", v)[0] for c, v in options(body[12:], order) if c in (5, 7) and len(v) == 8
            ]
            if found:
                drops[section, which] = sum(found)
        elif packet:
            frame += 1
            fixed = 4 if kind == 3 else 20
            if len(body) < fixed:
                read.bad_blocks += 1
                continue
            which = 0
            if kind == 6:
                which, high, low, captured, wire = struct.unpack(order + "IIIII", body[:20])
            elif kind == 2:
                which, lost, high, low, captured, wire = struct.unpack(order + "HHIIII", body[:20])
            else:
                (wire,) = struct.unpack(order + "I", body[:4])
            if which >= len(interfaces):
                read.bad_interfaces += 1
                continue
            link, snaplen, resolution, offset = interfaces[which]
            if kind == 3:
                captured = min(wire, len(body) - 4, snaplen or wire)
                time: int | None = previous
            else:
                if captured > len(body) - 20:
                    read.bad_blocks += 1
                    continue
                time = nanoseconds(high << 32 | low, resolution, offset)
                if time is None:
                    read.bad_times += 1
                    time = previous
                else:
                    read.timed.append(frame)
                    previous = time
            if captured > max_record:
                read.bad_blocks += 1
                continue
            if kind == 6:
                for code, value in options(body[20 + (captured + 3) // 4 * 4 :], order):
                    if code == 4 and len(value) == 8:
                        epb_drops = (epb_drops or 0) + (struct.unpack(order + "Q", value)[0] & (1 << 60) - 1)
            elif kind == 2 and lost != 0xFFFF:
                epb_drops = (epb_drops or 0) + lost
            read.records.append((frame, time, link, body[fixed : fixed + captured], max(captured, wire)))
        elif kind in NUMBERED:
            frame += 1
    read.dropped = sum(drops.values()) if drops else epb_drops
    return read


def options(data: bytes, order: str) -> list[tuple[int, bytes]]:
    """pcapng options up to the end of options."""
    found = []
    while len(data) >= 4:
        code, length = struct.unpack(order + "HH", data[:4])
        if code == 0 or len(data) < 4 + length:
            break
        found.append((code, data[4 : 4 + length]))
        data = data[4 + (length + 3) // 4 * 4 :]
    return found


def queue_order(times: list[int], capacity: int, sort_ns: int) -> list[int]:
    """Indices of rows in the order in which a bounded queue lets them out, epoch by epoch."""
    out: list[int] = []
    held: list[tuple[int, int]] = []
    highest: int | None = None
    for index, time in enumerate(times):
        if highest is None or highest - time > sort_ns:
            out.extend(index for _, index in sorted(held))
            held = []
            highest = time
        highest = max(highest, time)
        heapq.heappush(held, (time, index))
        if len(held) > capacity:
            out.append(heapq.heappop(held)[1])
    out.extend(index for _, index in sorted(held))
    return out


def clock(times: list[int], sort_ns: int) -> tuple[int, int]:
    """How many records are out of order, and how many clock steps there are."""
    highest: int | None = None
    late = steps = 0
    for time in times:
        if highest is not None and time < highest:
            if highest - time > sort_ns:
                steps += 1
                highest = time
            else:
                late += 1
        else:
            highest = time
    return late, steps
