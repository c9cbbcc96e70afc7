"""Which UDP is RTP: sockets that SDP announced, and probation of what no SDP announces. Floor 1.

Comes in: rows of kind RTP without a stream. Goes out: whether their destination is announced, and candidates that have
ended their probation (RFC 3550 A.1), with the packets that they kept. Candidates stand in two generations of an exact
hash table, so that noise with ever new keys fills no memory and starves no stream.
"""

from __future__ import annotations

from . import helper
from .columns import DST_HI, DST_LO, HASH, PORTS, PT, SEQ, SRC_HI, SRC_LO, SSRC

HOLD = 8
"""Packets that a candidate in probation keeps."""

# ---- probation: int64[4]
YOUNG, YOUNG_COUNT = 0, 1
# ---- columns of candidates
C_COUNT, C_RUN = 0, 1


@helper
def socket_hash(high: int, low: int, port: int) -> int:
    """32 bits over one socket (also called from Python, which fills the table of announced sockets)."""
    h = port & 0xFFFF
    for word in (high, low):
        for shift in (32, 0):
            h = ((h ^ ((word >> shift) & 0xFFFFFFFF)) * 0x5BD1E995) & 0xFFFFFFFF
            h ^= h >> 15
    return h


@helper
def is_announced(sockets, high: int, low: int, port: int) -> bool:  # type: ignore[no-untyped-def]
    """Whether `sockets` (int64[k, 3], open addressing, port -1: empty) has this one."""
    mask = sockets.shape[0] - 1
    slot = socket_hash(high, low, port) & mask
    while int(sockets[slot, 2]) >= 0:
        if int(sockets[slot, 2]) == port and int(sockets[slot, 1]) == low and int(sockets[slot, 0]) == high:
            return True
        slot = (slot + 1) & mask
    return False


@helper
def same_key(a, i: int, b, j: int) -> bool:  # type: ignore[no-untyped-def]
    """Whether two rows of packets have the same source, destination and SSRC."""
    return (
        int(a[i, SSRC]) == int(b[j, SSRC])
        and int(a[i, PORTS]) == int(b[j, PORTS])
        and int(a[i, SRC_LO]) == int(b[j, SRC_LO])
        and int(a[i, DST_LO]) == int(b[j, DST_LO])
        and int(a[i, SRC_HI]) == int(b[j, SRC_HI])
        and int(a[i, DST_HI]) == int(b[j, DST_HI])
    )


@helper
def plausible_type(payload_type: int) -> bool:
    """Whether RFC 3551 and its successors let a stream without SDP have this payload type.

    64-95 would be RTCP with a marker (RFC 5761 section 4); the others left out were never assigned.
    """
    return (
        payload_type >= 96
        or (payload_type <= 34 and payload_type not in (1, 20, 21, 22, 23, 24, 27, 29, 30))
        or 35 <= payload_type < 64
    )


@helper
def find_candidate(slots, held, generation: int, half: int, rows, i: int) -> int:  # type: ignore[no-untyped-def]
    """The candidate of row i's key in one generation (slot number: generation * half + ...), or -1 - free slot."""
    mask = half * 2 - 1
    base = generation * half * 2
    slot = int(rows[i, HASH]) & mask
    while int(slots[base + slot]) >= 0:
        candidate = int(slots[base + slot])
        if same_key(held, candidate * HOLD, rows, i):
            return candidate
        slot = (slot + 1) & mask
    return -1 - (base + slot)


@helper
def hold_row(held, candidates, candidate: int, rows, i: int) -> None:  # type: ignore[no-untyped-def]
    """Append row i to what a candidate keeps; the oldest goes when it is full."""
    count = int(candidates[candidate, C_COUNT])
    first = candidate * HOLD
    if count == HOLD:
        for k in range(HOLD - 1):
            for column in range(16):
                held[first + k, column] = held[first + k + 1, column]
        count -= 1
    for column in range(16):
        held[first + count, column] = rows[i, column]
    candidates[candidate, C_COUNT] = count + 1


@helper
def probe(rows, i: int, slots, held, candidates, probation, needed: int) -> int:  # type: ignore[no-untyped-def]
    """Probation (RFC 3550 A.1) of a key without a stream; its candidate once it has `needed` in sequence, else -1.

    Two generations, both exact: when the young one is full it becomes the old one, and the older is forgotten.
    """
    payload_type = int(rows[i, PT]) & 127
    if not plausible_type(payload_type):
        return -1
    half = candidates.shape[0] // 2
    young = int(probation[YOUNG])
    candidate = find_candidate(slots, held, young, half, rows, i)
    if candidate < 0:
        free = -1 - candidate
        older = find_candidate(slots, held, 1 - young, half, rows, i)
        if int(probation[YOUNG_COUNT]) >= half:
            young = 1 - young
            for k in range(half * 2):
                slots[young * half * 2 + k] = -1
            probation[YOUNG] = young
            probation[YOUNG_COUNT] = 0
            free = young * half * 2 + (int(rows[i, HASH]) & (half * 2 - 1))
            if older >= 0:  # it stands in the generation that was just cleared; its rows are still there
                target = young * half
                for k in range(HOLD):
                    for column in range(16):
                        moved = held[older * HOLD + k, column]
                        held[older * HOLD + k, column] = held[target * HOLD + k, column]
                        held[target * HOLD + k, column] = moved
                count, run = int(candidates[older, C_COUNT]), int(candidates[older, C_RUN])
                candidates[target, C_COUNT] = count
                candidates[target, C_RUN] = run
                candidate = target
        elif older >= 0:
            candidate = young * half + int(probation[YOUNG_COUNT])
            for k in range(HOLD):
                for column in range(16):
                    held[candidate * HOLD + k, column] = held[older * HOLD + k, column]
            candidates[candidate, C_COUNT] = candidates[older, C_COUNT]
            candidates[candidate, C_RUN] = candidates[older, C_RUN]
        if older < 0:
            candidate = young * half + int(probation[YOUNG_COUNT])
            candidates[candidate, C_COUNT] = 0
            candidates[candidate, C_RUN] = 0
        slots[free] = candidate
        probation[YOUNG_COUNT] = int(probation[YOUNG_COUNT]) + 1
    count = int(candidates[candidate, C_COUNT])
    if count > 0:
        last = candidate * HOLD + count - 1
        step = (int(rows[i, SEQ]) - int(held[last, SEQ])) & 0xFFFF
        if step == 1:
            candidates[candidate, C_RUN] = int(candidates[candidate, C_RUN]) + 1
        elif step != 0:
            candidates[candidate, C_RUN] = 1
    else:
        candidates[candidate, C_RUN] = 1
    hold_row(held, candidates, candidate, rows, i)
    return candidate if int(candidates[candidate, C_RUN]) >= needed else -1
