"""Every RTP packet moves its stream's row on, in place; nothing keeps a row per packet. Floor 1.

Comes in: rows of kind RTP (:mod:`.columns`) in order of time. Goes out: the matrices of :mod:`.streamstate`, and beside
them ``ring`` (which sequence numbers were seen), ``formats`` and ``counts`` (by payload type). What needs a decision (a
new stream, a payload type seen for the first time, an unknown clock) is handed back to Python with a reason.
"""

from __future__ import annotations

from . import kernel
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
from .probation import C_COUNT, C_RUN, HOLD, is_announced, probe
from .sequence import drop_pending, outage_step, start_segment, take
from .streamstate import (
    ANNOUNCED,
    BYTES,
    DUPLICATES,
    FIRST_FRAME,
    FIRST_TIME,
    FORMAT_CLOCK,
    FORMAT_ROLE,
    FRAME_BEFORE_PENDING,
    HIGHEST,
    KEY_DST_HI,
    KEY_DST_LO,
    KEY_PORTS,
    KEY_SRC_HI,
    KEY_SRC_LO,
    KEY_SSRC,
    LAST_FRAME,
    LAST_TIME,
    LOWEST,
    PACKETS,
    PENDING,
    PENDING_EVENT,
    PENDING_FRAME,
    PENDING_PT,
    PENDING_SIZE,
    PENDING_STAMP,
    PENDING_TIME,
    PENDING_TRAFFIC,
    RESTARTS,
    REUSED,
    SPLIT,
    TRAFFIC_0,
    TRAFFIC_0_COUNT,
    TRAFFIC_1,
    TRAFFIC_1_COUNT,
)
from .timing import close_group

_MAX_DROPOUT = 3000
_MAX_MISORDER = 100
_STRAGGLE_NS = 100_000_000
"""A stream that goes on without such a pause is still that of the call which ended, whatever call comes next."""

# ---- why update_streams came back, in out[0]
DONE = 0
NEW_ANNOUNCED = 1  # first packet of a stream at a socket that SDP announced; go on at this row
NEW_PROMOTED = 2  # a candidate ended its probation; out[1]: its first held row, out[2]: how many; go on behind this row
NEW_FORMAT = 3  # stream out[1] has a payload type that is not settled; go on at this row
EARLY_FULL = 4  # stream out[1] has as many early packets as are kept; go on behind this row
SPLIT_STREAM = 5  # stream out[1] ended, its key begins a new stream; go on at this row
SPLIT_PENDING = 6  # likewise, and its pending packet is the new stream's first


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
        if int(ints[s, SPLIT]) != 0 and (
            int(rows[i, TIME]) - int(ints[s, LAST_TIME]) > _STRAGGLE_NS
            or (int(rows[i, SEQ]) - int(ints[s, HIGHEST]) + _MAX_MISORDER) & 0xFFFF > 2 * _MAX_MISORDER
        ):
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
        full = jumped = False
        if int(ints[s, PACKETS]) == 0:
            ext = 65536 + sequence
            ints[s, HIGHEST] = ext - 1
            ints[s, LOWEST] = ext
            ints[s, FIRST_TIME] = now
            ints[s, FIRST_FRAME] = rows[i, FRAME]
            full = take(s, ext, now, stamp, second, clock, role, ints, reals, ring, early)
        else:
            highest = int(ints[s, HIGHEST])
            step = ((sequence - highest + 32768) & 0xFFFF) - 32768
            if (  # 100 back is within reach, but not where it confirms a jump of 101
                step <= _MAX_DROPOUT
                and step >= -_MAX_MISORDER
                and (step > -_MAX_MISORDER or sequence != (int(ints[s, PENDING]) + 1) & 0xFFFF)
            ):
                drop_pending(s, ints)
                full = take(s, highest + step, now, stamp, second, clock, role, ints, reals, ring, early)
            elif int(ints[s, PENDING]) < 0:
                jumped = True
            elif sequence == int(ints[s, PENDING]):
                if stamp == int(ints[s, PENDING_STAMP]):
                    ints[s, DUPLICATES] = int(ints[s, DUPLICATES]) + 1  # of the pending packet (a mirror port)
                else:
                    ints[s, REUSED] = int(ints[s, REUSED]) + 1
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
                jumped = True
            if jumped:
                ints[s, PENDING] = sequence
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
def close_streams(end: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """After the last packet: pending packets are strays, regression sums are closed."""
    for s in range(end):
        if int(ints[s, PENDING]) >= 0:
            ints[s, LAST_TIME] = ints[s, PENDING_TIME]
        drop_pending(s, ints)
        close_group(s, ints, reals)
