"""Stream state: every RTP packet moves its stream's row on, in place; nothing keeps a row per packet.

Floor 1. Comes in: rows of kind RTP (:mod:`.columns`) in order of time. Goes out: two matrices, one row a stream:
``ints`` (int64[m, INTS]) and ``reals`` (float64[m, REALS]), whose columns are named here, and beside them ``ring``
(which sequence numbers were seen), ``formats`` and ``counts`` (by payload type). What needs a decision (a new stream, a
payload type seen for the first time, an unknown clock) is handed back to Python with a reason.

Sources: RFC 3550 A.1 (sequence numbers, probation), A.3 (expected), A.8 (jitter); the timing rules of
``docs/columns.md``: in audio a *break* takes the reference anew.
"""

from __future__ import annotations

from . import helper, kernel
from .columns import (
    DST_HI,
    DST_LO,
    EVENT,
    FRAME,
    HASH,
    KIND,
    PORTS,
    PT,
    RTP,
    SEQ,
    SIZE,
    SRC_HI,
    SRC_LO,
    SSRC,
    STAMP,
    TIME,
    TRAFFIC,
)

# ---- columns of ints
(
    KEY_SRC_HI, KEY_SRC_LO, KEY_DST_HI, KEY_DST_LO, KEY_PORTS, KEY_SSRC,
    FIRST_TIME, LAST_TIME, FIRST_FRAME, LAST_FRAME,
    PACKETS, BYTES, DISTINCT, DUPLICATES, OUT_OF_ORDER, RESTARTS, STRAYS, REUSED,
    HIGHEST, LOWEST, EXPECTED_BEFORE,
    PENDING, PENDING_TIME, PENDING_STAMP, PENDING_SIZE, PENDING_PT, PENDING_FRAME, PENDING_EVENT, PENDING_TRAFFIC,
    REFERENCE_TIME, REFERENCE_STAMP, REFERENCE_EXT, REFERENCE_CLOCK, BREAK,
    PTIME_TICKS, PREVIOUS_STEP, DEFAULT_TICKS,
    STEP_0, STEP_0_COUNT, STEP_1, STEP_1_COUNT, STEP_2, STEP_2_COUNT,
    TRAFFIC_0, TRAFFIC_0_COUNT, TRAFFIC_1, TRAFFIC_1_COUNT,
    DELTA_SUM, DELTA_COUNT, DELTA_MAX, JITTER_COUNT,
    ANCHOR_TIME, OFFSET_TICKS, GROUP_COUNT, DRIFT_SPAN,
    EARLY, EARLY_COUNT, SPLIT, ANNOUNCED, REPLACED, HASH_COLUMN, FRAME_BEFORE_PENDING,
) = range(62)  # fmt: skip
INTS = 64
"""Columns of `ints` (the last are spare)."""

# ---- columns of reals
(JITTER, JITTER_SUM, JITTER_MAX, SKEW_MAX, GROUP_X, GROUP_Y, GROUP_XX, GROUP_XY, DRIFT_XX, DRIFT_XY) = range(10)
REALS = 12
"""Columns of `reals` (the last are spare). Jitter and skew in ms; drift sums in s and ms."""

RING = 128
"""Sequence numbers remembered behind the highest; more than the 100 that RFC 3550 A.1 lets a packet be late."""
_MAX_DROPOUT = 3000
_MAX_MISORDER = 100

# ---- columns of format_table
FORMAT_CLOCK, FORMAT_ROLE = 0, 1
AUDIO, VIDEO, TELEPHONE_EVENT, COMFORT_NOISE = 0, 1, 2, 3

# ---- why update_streams came back, in out[0]
DONE = 0
NEW_ANNOUNCED = 1  # first packet of a stream at a socket that SDP announced; go on at this row
NEW_PROMOTED = 2  # a candidate ended its probation; out[1]: its first held row, out[2]: how many; go on behind this row
NEW_FORMAT = 3  # stream out[1] has a payload type that is not settled; go on at this row
EARLY_FULL = 4  # stream out[1] has as many early packets as are kept; go on behind this row
SPLIT_STREAM = 5  # stream out[1] ended, its key begins a new stream; go on at this row
SPLIT_PENDING = 6  # likewise, and its pending packet is the new stream's first

# ---- rows of early (packets of streams whose clock rate is not known yet)
EARLY_TIME, EARLY_STAMP, EARLY_EXT, EARLY_MARKER, EARLY_BREAK = range(5)
EARLY_WIDTH = 5
EARLY_PACKETS = 500
"""Packets of one stream that are kept until its clock rate is settled."""

HOLD = 8
"""Packets that a candidate in probation keeps."""

# ---- probation: int64[4]
YOUNG, YOUNG_COUNT = 0, 1
# ---- columns of candidates
C_COUNT, C_RUN = 0, 1

_MARKER_GAP_NS = 200_000_000


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


@helper
def close_group(s: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """Add the regression sums since the last break to the stream's (each group has a mean of its own)."""
    n = int(ints[s, GROUP_COUNT])
    if n > 1:
        x = reals[s, GROUP_X]
        reals[s, DRIFT_XX] += reals[s, GROUP_XX] - x * x / n
        reals[s, DRIFT_XY] += reals[s, GROUP_XY] - x * reals[s, GROUP_Y] / n
        ints[s, DRIFT_SPAN] = int(ints[s, DRIFT_SPAN]) + int(ints[s, REFERENCE_TIME]) - int(ints[s, ANCHOR_TIME])
    ints[s, GROUP_COUNT] = 0
    reals[s, GROUP_X] = 0.0
    reals[s, GROUP_Y] = 0.0
    reals[s, GROUP_XX] = 0.0
    reals[s, GROUP_XY] = 0.0


@helper
def count_step(s: int, step: int, ints) -> None:  # type: ignore[no-untyped-def]
    """Count a timestamp step between packets in sequence (space saving, three places); the usual one is packet time."""
    if step == int(ints[s, STEP_0]):
        ints[s, STEP_0_COUNT] = int(ints[s, STEP_0_COUNT]) + 1
    elif step == int(ints[s, STEP_1]):
        ints[s, STEP_1_COUNT] = int(ints[s, STEP_1_COUNT]) + 1
    elif step == int(ints[s, STEP_2]):
        ints[s, STEP_2_COUNT] = int(ints[s, STEP_2_COUNT]) + 1
    elif int(ints[s, STEP_0_COUNT]) == 0:
        ints[s, STEP_0] = step
        ints[s, STEP_0_COUNT] = 1
    elif int(ints[s, STEP_1_COUNT]) == 0:
        ints[s, STEP_1] = step
        ints[s, STEP_1_COUNT] = 1
    elif int(ints[s, STEP_1_COUNT]) < int(ints[s, STEP_2_COUNT]):
        ints[s, STEP_1] = step
        ints[s, STEP_1_COUNT] = int(ints[s, STEP_1_COUNT]) + 1
    else:
        ints[s, STEP_2] = step
        ints[s, STEP_2_COUNT] = int(ints[s, STEP_2_COUNT]) + 1


@helper
def move_timing(s: int, now: int, stamp: int, ext: int, marker: int, clock: int, video: bool, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """Delta, jitter, skew and drift (RFC 3550 A.8 and the timing rules) for one packet that is no duplicate."""
    broken = int(ints[s, BREAK]) != 0 or int(ints[s, REFERENCE_CLOCK]) != clock
    gap = now - int(ints[s, REFERENCE_TIME])
    step = (stamp - int(ints[s, REFERENCE_STAMP]) + 0x80000000) % 0x100000000 - 0x80000000
    if not video and not broken:
        sequence_step = ext - int(ints[s, REFERENCE_EXT])
        usual = int(ints[s, PTIME_TICKS])
        if sequence_step == 1 and step > 0:
            count_step(s, step, ints)
            if step != usual:
                if usual == 0:
                    default = int(ints[s, DEFAULT_TICKS])
                    if abs(step - default) <= default or (step * 100 % clock == 0 and step * 5 <= clock):
                        ints[s, PTIME_TICKS] = step
                    else:
                        broken = True
                    usual = step
                elif step == int(ints[s, PREVIOUS_STEP]) and step * 5 <= clock:
                    ints[s, PTIME_TICKS] = step
                    usual = step
            ints[s, PREVIOUS_STEP] = step
        if usual == 0:
            usual = int(ints[s, DEFAULT_TICKS])
        if abs(step - sequence_step * usual) > usual or (marker != 0 and gap > _MARKER_GAP_NS):
            broken = True
    if broken:
        close_group(s, ints, reals)
        ints[s, BREAK] = 0
        ints[s, REFERENCE_CLOCK] = clock
        ints[s, ANCHOR_TIME] = now
        ints[s, OFFSET_TICKS] = 0
    else:
        ints[s, DELTA_SUM] = int(ints[s, DELTA_SUM]) + gap
        ints[s, DELTA_COUNT] = int(ints[s, DELTA_COUNT]) + 1
        if gap > int(ints[s, DELTA_MAX]):
            ints[s, DELTA_MAX] = gap
        jitter = reals[s, JITTER]
        jitter += (abs(gap * 1e-6 - step * 1000.0 / clock) - jitter) / 16.0
        reals[s, JITTER] = jitter
        reals[s, JITTER_SUM] += jitter
        ints[s, JITTER_COUNT] = int(ints[s, JITTER_COUNT]) + 1
        if jitter > reals[s, JITTER_MAX]:
            reals[s, JITTER_MAX] = jitter
        offset = int(ints[s, OFFSET_TICKS]) + step
        ints[s, OFFSET_TICKS] = offset
        since = now - int(ints[s, ANCHOR_TIME])
        skew = since * 1e-6 - offset * 1000.0 / clock
        if abs(skew) > abs(reals[s, SKEW_MAX]):
            reals[s, SKEW_MAX] = skew
        x = since * 1e-9
        reals[s, GROUP_X] += x
        reals[s, GROUP_Y] += skew
        reals[s, GROUP_XX] += x * x
        reals[s, GROUP_XY] += x * skew
    ints[s, GROUP_COUNT] = int(ints[s, GROUP_COUNT]) + 1
    ints[s, REFERENCE_TIME] = now
    ints[s, REFERENCE_STAMP] = stamp
    ints[s, REFERENCE_EXT] = ext


@helper
def packet_time_ns(s: int, clock: int, ints) -> float:  # type: ignore[no-untyped-def]
    """Packet time in ns: the usual timestamp step, or the mean gap of arrival where that is not known; 0 if neither."""
    if clock > 0 and int(ints[s, PTIME_TICKS]) > 0:
        return int(ints[s, PTIME_TICKS]) * 1e9 / clock
    steps = int(ints[s, HIGHEST]) - int(ints[s, LOWEST])
    if steps > 0:
        return (int(ints[s, LAST_TIME]) - int(ints[s, FIRST_TIME])) / steps
    return int(ints[s, DEFAULT_TICKS]) * 1e9 / clock if clock > 0 else 0.0


@helper
def outage_step(s: int, sequence: int, time: int, clock: int, ints) -> int:  # type: ignore[no-untyped-def]
    """Sequence steps that the arrival gap before a jump explains (an outage), or -1: a restart.

    The step may have gone round the 16 bits more than once; it explains the gap when it is within 20 % of it.
    """
    gap = float(time - int(ints[s, LAST_TIME]))
    packet_time = packet_time_ns(s, clock, ints)
    step = (sequence - int(ints[s, HIGHEST])) & 0xFFFF
    if packet_time <= 0.0 or gap <= 0.0:
        return -1
    rounds = int((gap / packet_time - step) / 65536.0 + 0.5)
    if rounds > 0 and rounds < 1000:
        step += rounds * 65536
    if abs(step * packet_time - gap) > 0.2 * gap:
        return -1
    return step


@helper
def take(  # type: ignore[no-untyped-def]
    s: int, ext: int, time: int, stamp: int, second: int, clock: int, role: int, ints, reals, ring, early
) -> bool:
    """Count a packet whose extended sequence number is settled; True when its stream's early packets are full."""
    at = ext & (RING - 1)
    seen = int(ring[s, at])
    if seen >> 32 == ext:
        if seen & 0xFFFFFFFF == stamp:
            ints[s, DUPLICATES] = int(ints[s, DUPLICATES]) + 1
        else:
            ints[s, REUSED] = int(ints[s, REUSED]) + 1
        return False
    ring[s, at] = (ext << 32) | stamp
    ints[s, DISTINCT] = int(ints[s, DISTINCT]) + 1
    if ext > int(ints[s, HIGHEST]):
        ints[s, HIGHEST] = ext
    else:
        ints[s, OUT_OF_ORDER] = int(ints[s, OUT_OF_ORDER]) + 1
        if ext < int(ints[s, LOWEST]):
            ints[s, LOWEST] = ext
    if role >= TELEPHONE_EVENT:
        ints[s, BREAK] = 1
        return False
    if clock > 0:
        move_timing(s, time, stamp, ext, second >> 7, clock, role == VIDEO, ints, reals)
        return False
    count = int(ints[s, EARLY_COUNT])
    if count < EARLY_PACKETS and int(ints[s, EARLY]) >= 0:
        row = int(ints[s, EARLY]) * EARLY_PACKETS + count
        early[row, EARLY_TIME] = time
        early[row, EARLY_STAMP] = stamp
        early[row, EARLY_EXT] = ext
        early[row, EARLY_MARKER] = second >> 7
        early[row, EARLY_BREAK] = ints[s, BREAK]
        ints[s, BREAK] = 0
        ints[s, EARLY_COUNT] = count + 1
        return count + 1 == EARLY_PACKETS
    return False


@helper
def start_segment(s: int, sequence: int, ints) -> int:  # type: ignore[no-untyped-def]
    """Begin a segment at this sequence number, far from what came before; its extended sequence number."""
    highest = int(ints[s, HIGHEST])
    ext = ((highest >> 16) + 2) * 65536 + sequence
    ints[s, EXPECTED_BEFORE] = int(ints[s, EXPECTED_BEFORE]) + highest - int(ints[s, LOWEST]) + 1
    ints[s, HIGHEST] = ext - 1
    ints[s, LOWEST] = ext
    ints[s, BREAK] = 1
    return ext


@helper
def drop_pending(s: int, ints) -> None:  # type: ignore[no-untyped-def]
    """The pending packet was not confirmed: it is a stray, received but in no segment."""
    if int(ints[s, PENDING]) >= 0:
        ints[s, STRAYS] = int(ints[s, STRAYS]) + 1
        ints[s, PENDING] = -1


@kernel
def update_streams(  # type: ignore[no-untyped-def]
    rows, start: int, end: int, slots, ints, reals, ring, formats, counts, format_table, early,
    sockets, candidate_slots, held, candidates, probation, needed: int, silence_ns: int, out,
) -> int:  # fmt: skip
    """Move every stream of rows[start:end] on; the row at which it came back, with the reason in out[0].

    Parameters
    ----------
    rows : int64[n, 16]
        Packets in order; rows of other kinds are passed over.
    start, end : int
        Which of them.
    slots : int32[power of two]
        Hash table: stream number or -1.
    ints, reals, ring, formats, counts
        State, one row a stream.
    format_table : int64[k, 2]
        Clock rate (0: not known) and role of each format; `formats` holds 1 + its row, 0 where not settled.
    early : int64[k * EARLY_PACKETS, EARLY_WIDTH]
        Packets of streams whose clock is not known.
    sockets : int64[power of two, 3]
        Destinations announced by SDP.
    candidate_slots, held, candidates, probation
        Probation.
    needed : int
        Packets in sequence that end it.
    silence_ns : int
        A stream without SDP that restarts after this silence is a new one.
    out : int64[4]
        Reason and what belongs to it.
    """
    mask = slots.shape[0] - 1
    for i in range(start, end):
        if int(rows[i, KIND]) != RTP:
            continue
        slot = int(rows[i, HASH]) & mask
        s = -1
        while int(slots[slot]) >= 0:
            r = int(slots[slot])
            if (
                int(ints[r, KEY_SSRC]) == int(rows[i, SSRC])
                and int(ints[r, KEY_PORTS]) == int(rows[i, PORTS])
                and int(ints[r, KEY_SRC_LO]) == int(rows[i, SRC_LO])
                and int(ints[r, KEY_DST_LO]) == int(rows[i, DST_LO])
                and int(ints[r, KEY_SRC_HI]) == int(rows[i, SRC_HI])
                and int(ints[r, KEY_DST_HI]) == int(rows[i, DST_HI])
            ):
                s = r
                break
            slot = (slot + 1) & mask
        if s < 0:
            if is_announced(sockets, int(rows[i, DST_HI]), int(rows[i, DST_LO]), int(rows[i, PORTS]) & 0xFFFF):
                out[0] = NEW_ANNOUNCED
                return i
            candidate = probe(rows, i, candidate_slots, held, candidates, probation, needed)
            if candidate >= 0:
                out[0] = NEW_PROMOTED
                out[1] = candidate * HOLD
                out[2] = candidates[candidate, C_COUNT]
                candidates[candidate, C_COUNT] = 0  # Python reads what it kept before the next packet comes
                candidates[candidate, C_RUN] = 0
                return i
            continue
        if int(ints[s, SPLIT]) != 0:
            out[0] = SPLIT_STREAM
            out[1] = s
            return i
        second = int(rows[i, PT])
        payload_type = second & 127
        form = int(formats[s, payload_type])
        if form == 0:
            out[0] = NEW_FORMAT
            out[1] = s
            return i
        clock = int(format_table[form - 1, FORMAT_CLOCK])
        role = int(format_table[form - 1, FORMAT_ROLE])
        now = int(rows[i, TIME])
        sequence = int(rows[i, SEQ])
        stamp = int(rows[i, STAMP])
        full = False
        if int(ints[s, PACKETS]) == 0:
            ext = 65536 + sequence
            ints[s, HIGHEST] = ext - 1
            ints[s, LOWEST] = ext
            ints[s, FIRST_TIME] = now
            ints[s, FIRST_FRAME] = rows[i, FRAME]
            full = take(s, ext, now, stamp, second, clock, role, ints, reals, ring, early)
        else:
            highest = int(ints[s, HIGHEST])
            step = (sequence - highest + 32768) % 65536 - 32768
            if step <= _MAX_DROPOUT and step >= -_MAX_MISORDER:
                drop_pending(s, ints)
                full = take(s, highest + step, now, stamp, second, clock, role, ints, reals, ring, early)
            elif int(ints[s, PENDING]) < 0:
                ints[s, PENDING] = sequence
            elif sequence == int(ints[s, PENDING]):
                ints[s, DUPLICATES] = int(ints[s, DUPLICATES]) + 1  # of the pending packet (a mirror port)
            elif sequence == (int(ints[s, PENDING]) + 1) & 0xFFFF:
                pending = int(ints[s, PENDING])
                pending_time = int(ints[s, PENDING_TIME])
                steps = outage_step(s, pending, pending_time, clock, ints)
                if steps < 0 and int(ints[s, ANNOUNCED]) == 0 and pending_time - int(ints[s, LAST_TIME]) > silence_ns:
                    out[0] = SPLIT_PENDING
                    out[1] = s
                    return i
                ext = highest + steps if steps >= 0 else start_segment(s, pending, ints)
                if steps < 0:
                    ints[s, RESTARTS] = int(ints[s, RESTARTS]) + 1
                ints[s, PENDING] = -1
                held_pt = int(ints[s, PENDING_PT])
                held_form = int(formats[s, held_pt & 127])
                if held_form > 0:
                    clock_then = int(format_table[held_form - 1, FORMAT_CLOCK])
                    role_then = int(format_table[held_form - 1, FORMAT_ROLE])
                else:
                    clock_then, role_then = clock, role
                full = take(
                    s, ext, pending_time, int(ints[s, PENDING_STAMP]), held_pt, clock_then, role_then,
                    ints, reals, ring, early,
                )  # fmt: skip
                if take(s, ext + 1, now, stamp, second, clock, role, ints, reals, ring, early):
                    full = True
            else:
                drop_pending(s, ints)
                ints[s, PENDING] = sequence
            if int(ints[s, PENDING]) == sequence:
                ints[s, PENDING_TIME] = now
                ints[s, FRAME_BEFORE_PENDING] = ints[s, LAST_FRAME]
                ints[s, PENDING_STAMP] = stamp
                ints[s, PENDING_SIZE] = rows[i, SIZE]
                ints[s, PENDING_PT] = second
                ints[s, PENDING_FRAME] = rows[i, FRAME]
                ints[s, PENDING_EVENT] = rows[i, EVENT]
                ints[s, PENDING_TRAFFIC] = rows[i, TRAFFIC]
        ints[s, PACKETS] = int(ints[s, PACKETS]) + 1
        ints[s, BYTES] = int(ints[s, BYTES]) + int(rows[i, SIZE])
        counts[s, payload_type] = int(counts[s, payload_type]) + 1
        if int(ints[s, PENDING]) < 0:  # the gap before a jump is measured from the last packet in sequence
            ints[s, LAST_TIME] = now
        ints[s, LAST_FRAME] = rows[i, FRAME]
        traffic = int(rows[i, TRAFFIC])
        if traffic == int(ints[s, TRAFFIC_0]):
            ints[s, TRAFFIC_0_COUNT] = int(ints[s, TRAFFIC_0_COUNT]) + 1
        elif int(ints[s, TRAFFIC_0_COUNT]) == 0:
            ints[s, TRAFFIC_0] = traffic
            ints[s, TRAFFIC_0_COUNT] = 1
        elif traffic == int(ints[s, TRAFFIC_1]):
            ints[s, TRAFFIC_1_COUNT] = int(ints[s, TRAFFIC_1_COUNT]) + 1
        elif int(ints[s, TRAFFIC_1_COUNT]) == 0:
            ints[s, TRAFFIC_1] = traffic
            ints[s, TRAFFIC_1_COUNT] = 1
        else:  # space saving: the rarer place goes to the newcomer with its count
            ints[s, TRAFFIC_1] = traffic
            ints[s, TRAFFIC_1_COUNT] = int(ints[s, TRAFFIC_1_COUNT]) + 1
        if full:
            out[0] = EARLY_FULL
            out[1] = s
            return i
    out[0] = DONE
    return end


@kernel
def replay_early(s: int, clock: int, video: bool, ints, reals, early) -> None:  # type: ignore[no-untyped-def]
    """Give the packets that stream `s` kept while its clock rate was unknown to the timing figures."""
    first = int(ints[s, EARLY]) * EARLY_PACKETS
    after = int(ints[s, BREAK])
    for k in range(int(ints[s, EARLY_COUNT])):
        row = first + k
        ints[s, BREAK] = early[row, EARLY_BREAK]
        move_timing(
            s, int(early[row, EARLY_TIME]), int(early[row, EARLY_STAMP]), int(early[row, EARLY_EXT]),
            int(early[row, EARLY_MARKER]), clock, video, ints, reals,
        )  # fmt: skip
    ints[s, BREAK] = after
    ints[s, EARLY_COUNT] = 0


@kernel
def close_streams(end: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """After the last packet: pending packets are strays, regression sums are closed."""
    for s in range(end):
        drop_pending(s, ints)
        close_group(s, ints, reals)
