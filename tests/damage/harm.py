"""Ways in which a capture file comes to harm, each a function of a file's pieces and a random number generator.

What goes out is the damaged file and the packets (indices among the file's records) that were touched; all others are
as they were. :data:`KINDS` names them all.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.damage.records import Pieces, at_time, time_of

YEAR = 365 * 86_400 * 10**9


@dataclass(frozen=True)
class Harm:
    """A damaged file."""

    data: bytes
    touched: frozenset[int]
    """Records that are not as they were, or not there."""


def flipped_packets(pieces: Pieces, random_: random.Random) -> Harm:
    """Bits flipped in the bytes of one packet in a hundred."""
    return _flipped(pieces, random_, lambda record: pieces.packet_at(record))


def flipped_heads(pieces: Pieces, random_: random.Random) -> Harm:
    """Bits flipped in the record headers (the blocks' lengths and times) of one packet in a hundred."""
    return _flipped(pieces, random_, lambda record: (0, pieces.packet_at(record)[0]))


def _flipped(pieces: Pieces, random_: random.Random, where: Callable[[bytes], tuple[int, int]]) -> Harm:
    records = list(pieces.records)
    chosen = _one_percent(pieces, random_)
    for number in chosen:
        changed = bytearray(records[number])
        at, size = where(records[number])
        for _ in range(random_.choice((1, 1, 1, 2, 8)) if size else 0):
            changed[at + random_.randrange(size)] ^= 1 << random_.randrange(8)
        records[number] = bytes(changed)
    return Harm(pieces.bytes(records), frozenset(chosen))


def flipped_anywhere(pieces: Pieces, random_: random.Random) -> Harm:
    """Bits flipped anywhere behind the file's first bytes; what they touch is anything."""
    data = bytearray(pieces.bytes())
    begin = 24 if not pieces.pcapng else len(pieces.records[0])
    for _ in range(max(1, len(pieces.records) // 100)):
        if begin < len(data):
            data[random_.randrange(begin, len(data))] ^= 1 << random_.randrange(8)
    return Harm(bytes(data), frozenset(range(len(pieces.records))))


def lying_lengths(pieces: Pieces, random_: random.Random) -> Harm:
    """Lengths of one record in a hundred (in pcapng, of any kind) that say something else: too small, too large."""
    records = list(pieces.records)
    first = 1 if pieces.pcapng else 0
    count = max(1, len(records) // 100)
    chosen = random_.sample(range(first, len(records)), min(count, len(records) - first)) if records[first:] else []
    for number in chosen:
        each = records[number]
        places = (4, 20, len(each) - 4) if pieces.pcapng and len(each) >= 32 else (4,) if pieces.pcapng else (8, 12)
        place = random_.choice(places)
        (was,) = struct.unpack_from(pieces.order + "I", each, place)
        now = random_.choice(
            (0, 1, 3, 11, 12, was + 1, was - 1, was + 4, was * 2, was // 2, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
        )
        records[number] = each[:place] + struct.pack(pieces.order + "I", now & 0xFFFFFFFF) + each[place + 4 :]
    return Harm(pieces.bytes(records), frozenset(chosen))


def shuffled(pieces: Pieces, random_: random.Random) -> Harm:
    """The packets' records in random order."""
    records = list(pieces.records)
    places = pieces.packets()
    order = places.copy()
    random_.shuffle(order)
    for place, number in zip(places, order, strict=True):
        records[place] = pieces.records[number]
    return Harm(pieces.bytes(records), frozenset(places))


def removed(pieces: Pieces, random_: random.Random) -> Harm:
    """A tenth of the packets' records gone."""
    gone = {number for number in pieces.packets() if random_.random() < 0.1}
    return Harm(pieces.bytes(each for n, each in enumerate(pieces.records) if n not in gone), frozenset(gone))


def doubled(pieces: Pieces, random_: random.Random) -> Harm:
    """A tenth of the records of packets twice, the second time somewhere behind."""
    records = list(pieces.records)
    for number in pieces.packets():
        if random_.random() < 0.1:
            records.insert(random_.randrange(number, len(records)) + 1, pieces.records[number])
    return Harm(pieces.bytes(records), frozenset(pieces.packets()))


def overwritten(pieces: Pieces, random_: random.Random) -> Harm:
    """A sector of 512 bytes that is zeros, ones, or something else."""
    data = bytearray(pieces.bytes())
    begin = pieces.boundaries()[1 if pieces.pcapng else 0]
    at = random_.randrange(begin, max(begin + 1, len(data) - 512))
    size = min(512, len(data) - at)
    data[at : at + size] = random_.choice((bytes(size), b"\xff" * size, random_.randbytes(size)))
    edges = pieces.boundaries()
    hit = [n for n in range(len(pieces.records)) if edges[n] < at + size and edges[n + 1] > at]
    return Harm(bytes(data), frozenset(hit))


def lost_stretch(pieces: Pieces, random_: random.Random) -> Harm:
    """A stretch of the file that is not there, wherever records begin and end."""
    data = pieces.bytes()
    begin = pieces.boundaries()[1 if pieces.pcapng else 0]
    at = random_.randrange(begin, max(begin + 1, len(data) - 1))
    size = min(random_.randrange(1, 5000), len(data) - at)
    edges = pieces.boundaries()
    hit = [n for n in range(len(pieces.records)) if edges[n] < at + size and edges[n + 1] > at]
    return Harm(data[:at] + data[at + size :], frozenset(hit))


def stepped(pieces: Pieces, random_: random.Random) -> Harm:
    """A clock that steps, forward or back or to the end of the world, once or more often, and on from there."""
    packets = pieces.packets()
    if not packets:
        return Harm(pieces.bytes(), frozenset())
    now = time_of(pieces, pieces.records[packets[0]])
    steps = (-3600 * 10**9, 3600 * 10**9, -YEAR, YEAR, -now, 4_294_967_000 * 10**9 - now, 2**63 - now, 2**64 - now)
    records = list(pieces.records)
    at = {random_.randrange(len(packets)): random_.choice(steps) for _ in range(random_.choice((1, 1, 2, 5)))}
    touched, offset = [], 0
    for place, number in enumerate(packets):
        offset += at.get(place, 0)
        if offset:
            records[number] = at_time(pieces, records[number], time_of(pieces, records[number]) + offset)
            touched.append(number)
    return Harm(pieces.bytes(records), frozenset(touched))


def scattered_times(pieces: Pieces, random_: random.Random) -> Harm:
    """One packet in a hundred at any time at all."""
    records, chosen = list(pieces.records), _one_percent(pieces, random_)
    for number in chosen:
        records[number] = at_time(pieces, records[number], random_.choice((0, 2**63, 2**64 - 1, 2**32 * 10**9 - 1)))
    return Harm(pieces.bytes(records), frozenset(chosen))


def _one_percent(pieces: Pieces, random_: random.Random) -> list[int]:
    packets = pieces.packets()
    return sorted(random_.sample(packets, min(len(packets), max(1, len(packets) // 100))))


def cuts(pieces: Pieces, random_: random.Random, count: int) -> Iterator[int]:
    """Where a file is cut: at every boundary of records, and at `count` random places."""
    size = len(pieces.bytes())
    yield from pieces.boundaries()
    for _ in range(count):
        yield random_.randrange(size)


KINDS: dict[str, Callable[[Pieces, random.Random], Harm]] = {
    "bits flipped in 1 % of packets": flipped_packets,
    "bits flipped in 1 % of record headers": flipped_heads,
    "bits flipped anywhere": flipped_anywhere,
    "lying lengths": lying_lengths,
    "records in random order": shuffled,
    "records removed": removed,
    "records doubled": doubled,
    "a sector overwritten": overwritten,
    "a stretch missing": lost_stretch,
    "a clock that steps": stepped,
    "single packets at any time": scattered_times,
}
"""What is said of each kind in tables, and what makes it."""
