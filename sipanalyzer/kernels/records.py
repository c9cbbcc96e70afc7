"""Walking the records of a capture file: pcap records and pcapng blocks, each handed to the packet decoder. Floor 1.

Comes in: a stretch of a file's bytes, what its headers said, and state that goes on from stretch to stretch. Goes out:
rows of the packets of interest, counters, and the reason why the walk stopped. What is rare (pcapng sections,
interfaces, statistics) is left to Python. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng (the obsolete
packet block: its appendix), libpcap's sf-pcap.c for the oldest versions.
"""

from __future__ import annotations

from sipanalyzer.kernels import kernel, rare_helper
from sipanalyzer.kernels.columns import CUT, KIND, RTP
from sipanalyzer.kernels.octets import Matrix, Octets
from sipanalyzer.kernels.packet import decode_packet
from sipanalyzer.kernels.refilling import keep_few, refill
from sipanalyzer.kernels.walkstate import (
    BYTES,
    DROPPED,
    DROPPED_SAID,
    END,
    FEW,
    FOUND,
    FRAME,
    LIMIT,
    MAX_DROPPED,
    NEEDED,
    NO_TIME,
    NOTE_BLOCK,
    NOTE_CUT,
    NOTE_INTERFACE,
    NOTE_TIME,
    PACKETS,
    POSITION,
    PREVIOUS,
    ROWS,
    TRUSTED,
    note,
    read16,
    read32,
    tick,
    to_nanoseconds,
)

__all__ = ["walk_pcap", "walk_pcapng"]

# reasons to stop
USED_UP = 0  # what is left is no whole record (`NEEDED`: bytes that the record at `POSITION` has)
ROWS_FULL = 1
ABSURD = 2  # a length that cannot be believed (`FOUND`)
PADDING = 3  # a record header of zeros
ENOUGH = 4  # `LIMIT` frames were walked
BLOCK = 5  # pcapng: a block that Python must handle
FILE_HEADER = 6  # pcap: a file header where a record should begin: files strung together
DOUBTFUL = 7  # a record that contradicts itself: what follows it must say whether it is one

USUAL = 16_384  # bytes of a packet; what follows a larger one must bear it out

# what a pcap file header begins with, as a record header of a file of the same and of the other byte order reads it:
# the magic number as seconds (one of six between 1998 and 2083), version 2.4 as their fraction, no byte of packet
MAGIC_MICRO = 0xA1B2C3D4
MAGIC_NANO = 0xA1B23C4D
MAGIC_PATCHED = 0xA1B2CD34
MAGIC_MICRO_SWAPPED = 0xD4C3B2A1
MAGIC_NANO_SWAPPED = 0x4D3CB2A1
MAGIC_PATCHED_SWAPPED = 0x34CDB2A1
VERSION_LITTLE = 0x00040002
VERSION_BIG = 0x00020004
VERSION_LITTLE_SWAPPED = 0x04000200
VERSION_BIG_SWAPPED = 0x02000400

# columns of the table of interfaces, int64[m, INTERFACE]
IF_LINK = 0
IF_BINARY = 1  # 1: a tick is 2^-exponent s, 0: 10^-exponent s
IF_EXPONENT = 2
IF_OFFSET_S = 3
IF_SNAPLEN = 4  # 0: no limit
INTERFACE = 5

# pcapng block types
INTERFACE_DESCRIPTION = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6
SECTION_HEADER = 0x0A0D0D0A
# blocks that hold no packet, but get a frame number from Wireshark
JOURNAL = 9
CUSTOM = 0x00000BAD
CUSTOM_NO_COPY = 0x40000BAD
SYSDIG_EVENT = 0x204
SYSDIG_EVENT_V2 = 0x216
SYSDIG_EVENT_V2_LARGE = 0x221


@kernel
def walk_pcap(
    data: Octets,
    start: int,
    slack: int,
    big: bool,
    tick_ns: int,
    extra: int,
    swapped: int,
    link: int,
    max_record: int,
    max_depth: int,
    sort_ns: int,
    rows: Matrix,
    few: Matrix,
    kept: Octets,
    counts: Matrix,
    state: Matrix,
    notes: Matrix,
) -> int:
    """Decode the pcap records in ``data[start:]``.

    Parameters
    ----------
    data : uint8[n]
        Bytes of the file.
    start : int
        Where in `data` a record header begins; ``state[END]`` says where the bytes end.
    slack : int
        Where in `data` a stretch goes that the kernel reads by itself (:mod:`sipanalyzer.kernels.refilling`).
    big : bool
        Whether the file is big-endian.
    tick_ns : int
        1 in nanosecond files, else 1000.
    extra : int
        Bytes between a record's header and its packet (8 in Kuznetzov's modified files).
    swapped : int
        1: the lengths stand the other way round (before version 2.3), 2: where the first is the larger (2.3).
    link : int
        Link type of all packets.
    max_record : int
        Largest captured length believed.
    max_depth, sort_ns : int
        Options.max_tunnel_depth and sort_ns.
    rows : int64[m, 16]
        Rows are written from ``state[ROWS]`` on.
    few : int64[m]
        Gets the numbers of those that are not RTP, from ``state[FEW]`` on.
    kept : uint8[k]
        Gets their bytes, as long as there is room: ``state[FEW_KEPT]`` says of how many.
    counts, state, notes : int64
        As `columns.COUNTERS`, `STATE` and `NOTES` say; moved on in place.

    Returns
    -------
    int
        Why it stopped: `USED_UP`, `ROWS_FULL`, `ABSURD`, `PADDING`, `ENOUGH`, `FILE_HEADER`, or `DOUBTFUL` for a record
        with more bytes than there were on the wire or than is usual, with none, or with a second in its fraction.
    """
    at = start
    end = int(state[END])
    n = int(state[ROWS])
    few_count = int(state[FEW])
    frame = int(state[FRAME])
    captured_bytes = int(state[BYTES])
    limit = int(state[LIMIT])
    header = 16 + extra
    reason = USED_UP
    while True:
        if at + header > end:
            state[NEEDED] = header
            again = refill(data, at, slack, rows, few, few_count, kept, state)
            if again < 0:
                break
            at = again
            end = int(state[END])
            continue
        if n >= rows.shape[0]:
            reason = ROWS_FULL
            break
        if frame >= limit:
            reason = ENOUGH
            break
        seconds = read32(data, at, big)
        fraction = read32(data, at + 4, big)
        captured = read32(data, at + 8, big)
        wire = read32(data, at + 12, big)
        if swapped == 1 or (swapped == 2 and captured > wire):
            held = captured
            captured = wire
            wire = held
        if captured > max_record:
            state[FOUND] = captured
            reason = ABSURD
            break
        if captured == 0:
            if wire == 0 and seconds == 0 and fraction == 0:
                reason = PADDING
                break
            if big:
                same = fraction == VERSION_BIG
                other = fraction == VERSION_BIG_SWAPPED
            else:
                same = fraction == VERSION_LITTLE
                other = fraction == VERSION_LITTLE_SWAPPED
            if (same and (seconds == MAGIC_MICRO or seconds == MAGIC_NANO or seconds == MAGIC_PATCHED)) or (
                other
                and (
                    seconds == MAGIC_MICRO_SWAPPED or seconds == MAGIC_NANO_SWAPPED or seconds == MAGIC_PATCHED_SWAPPED
                )
            ):
                reason = FILE_HEADER
                break
        nanos = fraction * tick_ns
        if (captured > wire or not 0 < captured <= USUAL or nanos >= 1_000_000_000) and frame >= int(state[TRUSTED]):
            state[NEEDED] = header + captured
            reason = DOUBTFUL
            break
        begin = at + header
        if begin + captured > end:
            state[NEEDED] = header + captured
            again = refill(data, at, slack, rows, few, few_count, kept, state)
            if again < 0:
                break
            at = again
            end = int(state[END])
            continue
        frame += 1
        time = seconds * 1_000_000_000 + nanos
        tick(state, notes, time, frame, sort_ns)
        if captured < wire:
            counts[CUT] += 1
            note(notes, NOTE_CUT, frame)
        else:
            wire = captured
        captured_bytes += captured
        at = begin + captured
        after = decode_packet(data, begin, at, wire, link, time, frame, max_depth, rows, n, counts)
        if after > n and int(rows[n, KIND]) != RTP:
            few[few_count] = n
            few_count += 1
        n = after
    keep_few(data, rows, few, few_count, kept, state)
    state[POSITION] = at
    state[ROWS] = n
    state[FEW] = few_count
    state[PACKETS] += frame - int(state[FRAME])
    state[FRAME] = frame
    state[BYTES] = captured_bytes
    return reason


@rare_helper
def _add_drops(data: Octets, at: int, end: int, big: bool, state: Matrix) -> None:
    """Add epb_dropcount (option 4) of the options in ``data[at:end]``."""
    while at + 4 <= end:
        code = read16(data, at, big)
        length = read16(data, at + 2, big)
        at += 4
        if code == 0 or at + length > end:
            return
        if code == 4 and length == 8:
            first = read32(data, at, big)
            second = read32(data, at + 4, big)
            high = first if big else second
            low = second if big else first
            state[DROPPED_SAID] = 1
            state[DROPPED] = min(MAX_DROPPED, int(state[DROPPED]) + ((high & 0xFFFFFFF) << 32 | low))
        at += (length + 3) & ~3


@kernel
def walk_pcapng(
    data: Octets,
    start: int,
    slack: int,
    big: bool,
    interfaces: Matrix,
    interface_count: int,
    max_packet_block: int,
    max_block: int,
    max_record: int,
    max_depth: int,
    sort_ns: int,
    rows: Matrix,
    few: Matrix,
    kept: Octets,
    counts: Matrix,
    state: Matrix,
    notes: Matrix,
) -> int:
    """Decode the pcapng blocks in ``data[start:]``, which belong to one section.

    Parameters
    ----------
    data : uint8[n]
        Bytes of the file.
    start, slack : int
        As in :func:`walk_pcap`.
    big : bool
        Whether the section is big-endian.
    interfaces : int64[m, INTERFACE]
        The section's interfaces.
    interface_count : int
        How many of them were described so far.
    max_packet_block : int
        Largest packet block believed, with its options.
    max_block : int
        Largest block of another kind believed.
    max_record, max_depth, sort_ns, rows, few, kept, counts, state, notes
        As in :func:`walk_pcap`.

    Returns
    -------
    int
        Why it stopped: `USED_UP`, `ROWS_FULL`, `ABSURD` (a block length), `PADDING`, `ENOUGH`, `DOUBTFUL` (a second
        length that differs from the first), or `BLOCK` for a section header, interface or statistics block, or another
        one that the data do not hold to its end.

    Notes
    -----
    A length that is no multiple of four is rounded up, as Wireshark does; a second length that differs from the first
    is counted and the first believed where a block follows (Wireshark stops there). A simple packet has no time: it
    gets that of the packet before it.
    """
    at = start
    end = int(state[END])
    n = int(state[ROWS])
    few_count = int(state[FEW])
    frame = int(state[FRAME])
    limit = int(state[LIMIT])
    reason = USED_UP
    while True:
        if at + 8 > end:
            state[NEEDED] = 12
            moved = refill(data, at, slack, rows, few, few_count, kept, state)
            if moved < 0:
                break
            at = moved
            end = int(state[END])
            continue
        if n >= rows.shape[0]:
            reason = ROWS_FULL
            break
        if frame >= limit:
            reason = ENOUGH
            break
        kind = read32(data, at, big)
        total = read32(data, at + 4, big)
        if kind == SECTION_HEADER:
            reason = BLOCK
            break
        if kind == 0 and total == 0:
            reason = PADDING
            break
        is_packet = kind == ENHANCED_PACKET or kind == SIMPLE_PACKET or kind == OLD_PACKET
        if total < 12 or total > (max_packet_block if is_packet else max_block):
            state[FOUND] = total
            reason = ABSURD
            break
        if kind == INTERFACE_DESCRIPTION or kind == INTERFACE_STATISTICS:
            reason = BLOCK
            break
        size = (total + 3) & ~3
        if at + size > end:
            state[NEEDED] = size
            moved = refill(data, at, slack, rows, few, few_count, kept, state)
            if moved < 0:
                if not is_packet:
                    reason = BLOCK
                break
            at = moved
            end = int(state[END])
            continue
        again = read32(data, at + size - 4, big)
        wrong = again != total and again != size
        if wrong and size != total and read32(data, at + total - 4, big) == total:
            size = total
            wrong = False
        if wrong:
            if frame >= int(state[TRUSTED]):
                state[NEEDED] = size
                reason = DOUBTFUL
                break
            note(notes, NOTE_BLOCK, frame + 1)
        body = at + 8
        stop = at + size - 4
        at += size
        if not is_packet:
            if kind == JOURNAL or kind == CUSTOM or kind == CUSTOM_NO_COPY:
                frame += 1
            elif kind == SYSDIG_EVENT or kind == SYSDIG_EVENT_V2 or kind == SYSDIG_EVENT_V2_LARGE:
                frame += 1
            continue
        frame += 1
        header = 4 if kind == SIMPLE_PACKET else 20
        if body + header > stop:
            note(notes, NOTE_BLOCK, frame)
            continue
        which = 0
        if kind == ENHANCED_PACKET:
            which = read32(data, body, big)
        elif kind == OLD_PACKET:
            which = read16(data, body, big)
        if which >= interface_count:
            note(notes, NOTE_INTERFACE, frame)
            continue
        room = stop - body - header
        if kind == SIMPLE_PACKET:
            wire = read32(data, body, big)
            captured = min(wire, room)
            if interfaces[which, IF_SNAPLEN] > 0:
                captured = min(captured, int(interfaces[which, IF_SNAPLEN]))
            time = int(state[PREVIOUS])
        else:
            captured = read32(data, body + 12, big)
            wire = read32(data, body + 16, big)
            if captured > room:
                note(notes, NOTE_BLOCK, frame)
                continue
            time = to_nanoseconds(
                read32(data, body + 4, big),
                read32(data, body + 8, big),
                int(interfaces[which, IF_BINARY]),
                int(interfaces[which, IF_EXPONENT]),
                int(interfaces[which, IF_OFFSET_S]),
            )
            if time == NO_TIME:
                note(notes, NOTE_TIME, frame)
                time = int(state[PREVIOUS])
            else:
                tick(state, notes, time, frame, sort_ns)
        if captured > max_record:
            note(notes, NOTE_BLOCK, frame)
            continue
        begin = body + header
        if kind == ENHANCED_PACKET:
            options = begin + ((captured + 3) & ~3)
            if options + 4 <= stop:
                _add_drops(data, options, stop, big, state)
        elif kind == OLD_PACKET:
            drops = read16(data, body + 2, big)
            if drops != 0xFFFF:
                state[DROPPED_SAID] = 1
                state[DROPPED] = min(MAX_DROPPED, int(state[DROPPED]) + drops)
        if captured < wire:
            counts[CUT] += 1
            note(notes, NOTE_CUT, frame)
        else:
            wire = captured
        state[PACKETS] += 1
        state[BYTES] += captured
        link = int(interfaces[which, IF_LINK])
        after = decode_packet(data, begin, begin + captured, wire, link, time, frame, max_depth, rows, n, counts)
        if after > n and int(rows[n, KIND]) != RTP:
            few[few_count] = n
            few_count += 1
        n = after
    keep_few(data, rows, few, few_count, kept, state)
    state[POSITION] = at
    state[ROWS] = n
    state[FEW] = few_count
    state[FRAME] = frame
    return reason
