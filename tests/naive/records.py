"""Slow, obvious readers of whole captures in memory, with unbounded integers: twins of the walking kernels."""

from __future__ import annotations

import functools
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
    damaged_after: int = 0
    """Packets before the first damage."""
    again_at: list[int] = field(default_factory=list)
    """Where it was read on."""
    refused: bool = False
    bad_blocks: int = 0
    bad_interfaces: int = 0
    bad_times: int = 0
    dropped: int | None = None
    timed: list[int] = field(default_factory=list)
    """Frames with a time of their own."""
    strung_at: list[int] = field(default_factory=list)
    """Frames before which another file header stands."""

    def broken(self, at: int, again: int | None) -> bool:
        """Note damage; whether it is read on."""
        if self.damaged_at is None:
            self.damaged_at, self.damaged_after = at, len(self.records)
        if again is not None:
            self.again_at.append(again)
        return again is not None

    @property
    def cut(self) -> int:
        return sum(len(data) < wire for _, _, _, data, wire in self.records)


def next_record(data: bytes, at: int, order: str, tick: int, extra: int, version: int, max_record: int) -> int | None:
    """Where behind `at` a record begins that another one follows, or the file's end."""
    size = 16 + extra

    def good(place: int) -> tuple[int, int] | None:
        """Seconds, and where the next would begin."""
        seconds, fraction, captured, wire = struct.unpack(order + "IIII", data[place : place + 16])
        if version:
            captured, wire = sorted((captured, wire))
        fine = fraction * tick < 10**9 and 0 < captured <= wire <= max_record
        return (seconds, place + size + captured) if fine else None

    for place in range(at + 1, len(data) - size + 1):
        first = good(place)
        if first is None or first[1] > len(data):
            continue
        if len(data) - first[1] < size:
            return place
        second = good(first[1])
        if second is not None and abs(second[0] - first[0]) <= 86_400:
            return place
        if is_file_header(data[first[1] : first[1] + 24]):
            return place
    return None


def is_file_header(head: bytes) -> bool:
    if len(head) < 24 or head[:4] not in MAGICS:
        return False
    version = struct.unpack(MAGICS[head[:4]][0] + "HH", head[4:8])
    return version[0] == 2 or version == (543, 0)


def next_block(data: bytes, at: int, order: str, max_record: int) -> int | None:
    """Where behind `at` a block begins that has one length twice, or a section header."""
    least = {1: 20, 2: 32, 3: 16, 5: 24, 6: 32}
    for place in range(at + 1, len(data) - 11):
        if data[place : place + 4] == b"\x0a\x0d\x0d\x0a" and data[place + 8 : place + 12] in (
            b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a",
        ):  # fmt: skip
            return place
        kind, total = struct.unpack(order + "II", data[place : place + 8])
        if kind not in (1, 2, 3, 4, 5, 6, 9, 10) or total % 4 or total > max_record + (64 << 10):
            continue
        again = data[place + total - 4 : place + total]
        if total >= least.get(kind, 12) and place + total <= len(data) and again == data[place + 4 : place + 8]:
            return place
    return None


def read_pcap(data: bytes, max_record: int = MAX_RECORD) -> Read:
    """A whole pcap file."""
    read = Read()
    order, tick, extra = MAGICS[data[:4]]
    major, minor = struct.unpack(order + "HH", data[4:8])
    link = struct.unpack(order + "I", data[20:24])[0] & 0xFFFF
    at = 24
    frame = odd = 0
    trusted = -1
    while at < len(data):
        if not any(data[at:]):
            break
        header = data[at : at + 16 + extra]
        swapped = 1 if (major, minor) == (543, 0) or minor < 3 else 2 if minor == 3 else 0
        again = functools.partial(next_record, data, at, order, tick, extra, swapped, max_record)
        if len(header) < 16 + extra:
            read.broken(at, None)
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
                read.broken(at, None)
                break
            order, tick, extra = MAGICS[header[:4]]
            major, minor = 2, 4
            link = struct.unpack(order + "I", another[20:24])[0] & 0xFFFF
            read.strung_at.append(frame + 1)
            at += 24
            continue
        bad = captured > max_record or len(body) < captured or not any(header[:16])
        if not bad and (captured > wire or not 0 < captured <= 16_384 or fraction * tick >= 10**9) and frame >= trusted:
            after = data[at + len(header) + captured :][:24]
            if len(after) >= 16 and any(after[:16]) and not is_file_header(after):
                later, part, *lengths = struct.unpack(order + "IIII", after[:16])
                kept, sent = sorted(lengths) if swapped else lengths
                plain = 0 < kept <= min(sent, 16_384) and part * tick < 10**9
                large = fraction * tick < 10**9 and (swapped or captured <= wire)
                near = abs(later - seconds) <= 86_400 and (large or kept <= 16_384)
                bad = max(lengths) > max_record or not (near or plain)
            if not bad:
                odd = odd + 1 if frame == trusted else 0
                trusted = frame + 4**odd
        if bad:
            place = again()
            if not read.broken(at, place):
                break
            at = place
            continue
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
    at = frame = previous = odd = 0
    trusted = -1
    while at < len(data) and any(data[at:]):
        kind_bytes = data[at : at + 4]
        is_section = kind_bytes == b"\x0a\x0d\x0d\x0a"
        if len(data) - at < (12 if is_section else 8):
            read.broken(at, None)
            break
        again_at = functools.partial(next_block, data, at, order, max_record)
        if is_section:
            if data[at + 8 : at + 12] not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
                place = again_at()
                if not read.broken(at, place):
                    break
                at = place
                continue
            block_order = ">" if data[at + 8] == 0x1A else "<"
        else:
            block_order = order
        kind, total = struct.unpack(block_order + "II", data[at : at + 8])
        packet = kind in (2, 3, 6)
        limit = max_record + (64 << 10) if packet else max_block
        size = (total + 3) // 4 * 4
        bad = total < 12 or total > limit or at + size > len(data)
        if not bad:
            (again,) = struct.unpack(block_order + "I", data[at + size - 4 : at + size])
            whole = size != total and data[at + total - 4 : at + total] == struct.pack(order + "I", total)
            lone = again not in (total, size) and not (whole and kind not in (1, 5) and not is_section)
            after = data[at + size : at + size + 12]
            if lone and frame >= trusted:
                if len(after) == 12 and any(after) and after[:4] != b"\x0a\x0d\x0d\x0a":
                    next_kind, next_total = struct.unpack(block_order + "II", after[:8])
                    bad = not ((next_kind < 0x1000 or next_kind == 0x40000BAD) and 12 <= next_total <= max_block)
                if not bad:
                    odd = odd + 1 if frame == trusted else 0
                    trusted = frame + 4**odd
        if bad:
            place = again_at()
            if not read.broken(at, place):
                break
            at = place
            continue
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
