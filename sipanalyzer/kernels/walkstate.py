"""State that goes through a whole capture file while its records are walked: numbers, times, first examples. Floor 1.

Owns the places in the state and the notes, and what turns a record's time stamp into nanoseconds. Comes in: integers of
record headers. Goes out: state moved on in place. Sources: draft-ietf-opsawg-pcapng (if_tsresol, if_tsoffset).
"""

from __future__ import annotations

from sipanalyzer.kernels import helper, rare_helper
from sipanalyzer.kernels.octets import Matrix, Octets, be16, be32, le16, le32

__all__ = [
    "MAX_DROPPED",
    "MAX_OFFSET_S",
    "MAX_SECONDS",
    "NOTES",
    "NO_TIME",
    "STATE",
    "note",
    "read16",
    "read32",
    "tick",
    "to_nanoseconds",
]

# places in the state, int64[STATE]; all but the first four go on through the whole file
POSITION = 0  # where to go on in the bytes
ROWS = 1  # rows written
NEEDED = 2
FOUND = 3
FRAME = 4  # frames numbered so far
PACKETS = 5  # packets read so far
BYTES = 6  # captured bytes of these
FIRST = 7  # earliest time
LAST = 8  # latest time
TIMED = 9  # 1 once a packet had a time
PREVIOUS = 10  # time of the packet before
HIGHEST = 11  # latest time since the clock was set back
LIMIT = 12  # stop after this many frames
DROPPED = 13  # sum of what pcapng packets say was dropped before them
DROPPED_SAID = 14  # 1 once one of them said so
FEW = 15  # rows written that are not RTP
TRUSTED = 16  # odd records among this many first frames are believed
DESCRIPTOR = 17  # of the file that the bytes are from, where the kernel may read on by itself; else -1
TO_READ = 18  # bytes that it may still read
END = 19  # where the bytes end
FEW_KEPT = 20  # so many of the few have their bytes where they can stay
KEPT = 21  # bytes there
READ = 22  # bytes that it read
STATE = 23

# places in the notes, int64[NOTES, 1 + EXAMPLES]: a count, then the first frames
NOTE_CUT = 0
NOTE_ORDER = 1
NOTE_STEP = 2
NOTE_BLOCK = 3
NOTE_INTERFACE = 4
NOTE_TIME = 5
NOTES = 6

MAX_SECONDS = 4_600_000_000
"""Times further than this from 1970 (years 1824 and 2115) are not believed; so the difference of two fits int64."""
NO_TIME = -(1 << 63)
MAX_OFFSET_S = 1 << 40
"""An if_tsoffset beyond is cut to this, which is not believed anyway."""
MAX_DROPPED = 1 << 60


@helper
def read32(data: Octets, at: int, big: bool) -> int:
    """Unsigned 32 bits at `at` in the file's byte order."""
    return be32(data, at) if big else le32(data, at)


@helper
def read16(data: Octets, at: int, big: bool) -> int:
    """Unsigned 16 bits at `at` in the file's byte order."""
    return be16(data, at) if big else le16(data, at)


@helper
def to_nanoseconds(high: int, low: int, binary: int, exponent: int, offset_s: int) -> int:
    """Time of a pcapng packet in ns since 1970, rounded down; :data:`NO_TIME` where it cannot be believed.

    Parameters
    ----------
    high, low : int
        Halves of the 64-bit unsigned count of ticks.
    binary, exponent : int
        A tick is ``2**-exponent`` s where `binary` is 1, else ``10**-exponent`` s; exponent 0-127 (if_tsresol).
    offset_s : int
        if_tsoffset, at most :data:`MAX_OFFSET_S` from 0.

    Notes
    -----
    Every intermediate value fits int64: the 64-bit count is divided in halves, and by two smaller divisors one after
    the other where one would be too large (rounding down twice is rounding down once).
    """
    if binary == 1:
        if exponent <= 32:
            top = high >> exponent
            if top > 4:
                return NO_TIME
            rest = high & ((1 << exponent) - 1)
            seconds = (top << 32) | (rest << (32 - exponent)) | (low >> exponent)
            nanos = ((low & ((1 << exponent) - 1)) * 1_000_000_000) >> exponent
        else:
            shift = exponent - 32
            if shift < 32:
                seconds = high >> shift
                rest = high & ((1 << shift) - 1)
            else:
                seconds = 0
                rest = high
            nanos = rest * 1_000_000_000 + ((low * 1_000_000_000) >> 32)
            nanos = nanos >> shift if shift < 63 else 0
    elif exponent <= 9:
        ticks_a_second = 1
        for _ in range(exponent):
            ticks_a_second *= 10
        top = high // ticks_a_second
        if top > 4:
            return NO_TIME
        rest = ((high % ticks_a_second) << 32) | low
        seconds = (top << 32) + rest // ticks_a_second
        nanos = (rest % ticks_a_second) * (1_000_000_000 // ticks_a_second)
    else:
        first = 1
        for _ in range(min(exponent - 9, 9)):
            first *= 10
        nanos = ((high // first) << 32) + ((((high % first) << 32) | low) // first)
        for _ in range(min(exponent - 18, 20)):
            nanos = nanos // 10
        seconds = nanos // 1_000_000_000
        nanos = nanos % 1_000_000_000
    seconds += offset_s
    if seconds > MAX_SECONDS or seconds < -MAX_SECONDS:
        return NO_TIME
    return seconds * 1_000_000_000 + nanos


@rare_helper
def note(notes: Matrix, which: int, frame: int) -> None:
    """Count one more of `which`, and keep the frame while there is room."""
    count = int(notes[which, 0])
    if count + 1 < notes.shape[1]:
        notes[which, 1 + count] = frame
    notes[which, 0] = count + 1


@helper
def tick(state: Matrix, notes: Matrix, time: int, frame: int, sort_ns: int) -> None:
    """Move first, last and highest time on, and see whether the clock was set back."""
    if state[TIMED] == 0:
        state[TIMED] = 1
        state[FIRST] = time
        state[LAST] = time
        state[HIGHEST] = time
    else:
        behind = int(state[HIGHEST]) - time
        if behind <= 0:
            state[HIGHEST] = time
        elif behind > sort_ns:
            state[HIGHEST] = time
            note(notes, NOTE_STEP, frame)
        else:
            note(notes, NOTE_ORDER, frame)
        if time > state[LAST]:
            state[LAST] = time
        if time < state[FIRST]:
            state[FIRST] = time
    state[PREVIOUS] = time
