"""Finding records by their numbers: the walk of :mod:`.records`, without looking into packets. Floor 1.

Comes in: a stretch of a file's bytes and the numbers of the frames wanted. Goes out: where their records stand. Frames
are numbered exactly as :mod:`.records` numbers them (a test holds both to each other), so that what an analysis names
is what is found here. Sources: as there.
"""

from __future__ import annotations

from sipanalyzer.kernels import kernel
from sipanalyzer.kernels.octets import Matrix, Octets
from sipanalyzer.kernels.records import (
    ABSURD,
    BLOCK,
    CUSTOM,
    CUSTOM_NO_COPY,
    DOUBTFUL,
    ENHANCED_PACKET,
    ENOUGH,
    FILE_HEADER,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    JOURNAL,
    MAGIC_MICRO,
    MAGIC_MICRO_SWAPPED,
    MAGIC_NANO,
    MAGIC_NANO_SWAPPED,
    MAGIC_PATCHED,
    MAGIC_PATCHED_SWAPPED,
    OLD_PACKET,
    PADDING,
    ROWS_FULL,
    SECTION_HEADER,
    SIMPLE_PACKET,
    SYSDIG_EVENT,
    SYSDIG_EVENT_V2,
    SYSDIG_EVENT_V2_LARGE,
    USED_UP,
    USUAL,
    VERSION_BIG,
    VERSION_BIG_SWAPPED,
    VERSION_LITTLE,
    VERSION_LITTLE_SWAPPED,
)
from sipanalyzer.kernels.walkstate import read32

__all__ = ["PICK", "STATE", "pick_pcap", "pick_pcapng"]

# places in the state, int64[STATE]
AT = 0  # where to go on in the bytes
PICKED = 1  # records found by this call
FRAME = 2  # frames numbered so far
NEXT = 3  # wanted frames that were passed
TRUSTED = 4  # odd records among this many first frames are believed
NEEDED = 5  # bytes of the record that is doubted
STATE = 6

# columns of what was picked, int64[n, PICK]
RECORD = 0  # where the record (pcap) or block (pcapng) begins
SIZE = 1  # bytes of the packet as captured (pcap), of the whole block (pcapng)
WIRE = 2  # bytes of the packet on the wire (pcap), the block's type (pcapng)
NUMBER = 3  # its frame
PICK = 4


@kernel
def pick_pcap(
    data: Octets,
    start: int,
    end: int,
    big: bool,
    tick_ns: int,
    extra: int,
    swapped: int,
    max_record: int,
    wanted: Matrix,
    picked: Matrix,
    state: Matrix,
) -> int:
    """Find records in ``data[start:end]`` by their numbers.

    Parameters
    ----------
    data : uint8[n]
        Bytes of the file.
    start, end : int
        Where a record header begins, and where the bytes end.
    big, tick_ns, extra, swapped, max_record
        As in :func:`~sipanalyzer.kernels.records.walk_pcap`.
    wanted : int64[m]
        Numbers of the frames wanted, ascending; empty: all of them.
    picked : int64[k, PICK]
        Where what was found is written.
    state : int64[STATE]
        Moved on in place.

    Returns
    -------
    int
        Why it stopped: as there.
    """
    at = start
    frame = int(state[FRAME])
    following = int(state[NEXT])
    many = wanted.shape[0]
    count = 0
    header = 16 + extra
    reason = USED_UP
    while at + header <= end:
        if following >= many and many > 0:
            reason = ENOUGH
            break
        if count >= picked.shape[0]:
            reason = ROWS_FULL
            break
        captured = read32(data, at + 8, big)
        wire = read32(data, at + 12, big)
        if swapped == 1 or (swapped == 2 and captured > wire):
            held = captured
            captured = wire
            wire = held
        if captured > max_record:
            reason = ABSURD
            break
        fraction = read32(data, at + 4, big)
        if captured == 0:
            seconds = read32(data, at, big)
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
        if captured > wire or not 0 < captured <= USUAL or fraction * tick_ns >= 1_000_000_000:
            if frame >= int(state[TRUSTED]):
                state[NEEDED] = header + captured
                reason = DOUBTFUL
                break
        if at + header + captured > end:
            break
        frame += 1
        while following < many and wanted[following] < frame:
            following += 1
        if many == 0 or (following < many and wanted[following] == frame):
            picked[count, RECORD] = at
            picked[count, SIZE] = captured
            picked[count, WIRE] = wire
            picked[count, NUMBER] = frame
            count += 1
        at += header + captured
    state[AT] = at
    state[PICKED] = count
    state[FRAME] = frame
    state[NEXT] = following
    return reason


@kernel
def pick_pcapng(
    data: Octets,
    start: int,
    end: int,
    big: bool,
    max_packet_block: int,
    max_block: int,
    wanted: Matrix,
    picked: Matrix,
    state: Matrix,
) -> int:
    """Find packet blocks in ``data[start:end]``, which belong to one section, by their numbers.

    Parameters
    ----------
    data, start, end, wanted, picked, state
        As in :func:`pick_pcap`.
    big, max_packet_block, max_block
        As in :func:`~sipanalyzer.kernels.records.walk_pcapng`.

    Returns
    -------
    int
        Why it stopped: as there; `BLOCK` for a section header, interface or statistics block, or a block (not of a
        packet) that the data do not hold to its end.
    """
    at = start
    frame = int(state[FRAME])
    following = int(state[NEXT])
    many = wanted.shape[0]
    count = 0
    reason = USED_UP
    while at + 8 <= end:
        if following >= many and many > 0:
            reason = ENOUGH
            break
        if count >= picked.shape[0]:
            reason = ROWS_FULL
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
            reason = ABSURD
            break
        if kind == INTERFACE_DESCRIPTION or kind == INTERFACE_STATISTICS:
            reason = BLOCK
            break
        size = (total + 3) & ~3
        if at + size > end:
            if not is_packet:
                reason = BLOCK
            break
        again = read32(data, at + size - 4, big)
        if again != total and again != size:
            if size != total and read32(data, at + total - 4, big) == total:
                size = total
            elif frame >= int(state[TRUSTED]):
                state[NEEDED] = size
                reason = DOUBTFUL
                break
        begin = at
        at += size
        if is_packet or kind == JOURNAL or kind == CUSTOM or kind == CUSTOM_NO_COPY:
            frame += 1
        elif kind == SYSDIG_EVENT or kind == SYSDIG_EVENT_V2 or kind == SYSDIG_EVENT_V2_LARGE:
            frame += 1
        while following < many and wanted[following] < frame:
            following += 1
        if is_packet and (many == 0 or (following < many and wanted[following] == frame)):
            picked[count, RECORD] = begin
            picked[count, SIZE] = size
            picked[count, WIRE] = kind
            picked[count, NUMBER] = frame
            count += 1
    state[AT] = at
    state[PICKED] = count
    state[FRAME] = frame
    state[NEXT] = following
    return reason
