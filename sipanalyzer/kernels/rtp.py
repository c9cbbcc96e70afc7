"""Every RTP packet moves its stream's row on, in place; nothing keeps a row per packet. Floor 1.

Comes in: rows of kind RTP (:mod:`.columns`) in order of time. Goes out: the matrix of :mod:`.streamstate`, and beside
it ``formats`` and ``counts`` (by payload type). What needs a decision (a new stream, a payload type seen for the first
time, an unknown clock) is handed back to Python with a reason. Nearly all packets are plain (:mod:`.plain`).
"""

from __future__ import annotations

from . import kernel
from .bursts import close_run
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
from .events import note_last
from .intervals import end_intervals, turn, write_interval
from .plain import count_plain, expect_plain, is_plain, move_plain
from .probation import C_COUNT, C_RUN, HOLD, is_announced, probe
from .sequence import EARLY_IS_FULL, ROOM_IS_SHORT, drop_pending, outage_step, packet_time_ns, start_segment, take
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
    INTERVAL_END,
    INTERVAL_NS,
    INTERVALS_COUNT,
    INTERVALS_ROOM,
    KEY_DST_HI,
    KEY_DST_LO,
    KEY_PORTS,
    KEY_SRC_HI,
    KEY_SRC_LO,
    KEY_SSRC,
    LAST_FRAME,
    LAST_TIME,
    LOWEST,
    NEXT_TIME,
    PACKETS,
    PACKETS_BEFORE_PENDING,
    PENDING,
    PENDING_EVENT,
    PENDING_FRAME,
    PENDING_PT,
    PENDING_SIZE,
    PENDING_STAMP,
    PENDING_TIME,
    PENDING_TRAFFIC,
    PLAIN_COUNT,
    REFERENCE_CLOCK,
    REFERENCE_EXT,
    REFERENCE_STAMP,
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
ROOM = 7  # intervals, holes or events are nearly full; go on behind this row


@kernel
def update_streams(  # type: ignore[no-untyped-def]
    rows, start: int, end: int, slots, ints, reals, prints, formats, counts, format_table, early,
    sockets, candidate_slots, held, candidates, probation, needed: int, silence_ns: int,
    intervals, interval_reals, holes, events, control, out,
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
    ints, reals, prints, formats, counts
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
    intervals, interval_reals, holes, events, control
        Rows that streams leave behind, and how many there are.
    out : int64[4]
        Reason and what belongs to it.
    """
    mask = slots.shape[0] - 1
    i, ask = start, 0
    while i < end:
        if rows[i, KIND] != RTP:
            i += 1
            continue
        slot = rows[i, HASH] & mask
        s = -1
        while int(slots[slot]) >= 0:
            r = int(slots[slot])
            if (
                ints[r, KEY_SSRC] == rows[i, SSRC]
                and ints[r, KEY_PORTS] == rows[i, PORTS]
                and ints[r, KEY_SRC_LO] == rows[i, SRC_LO]
                and ints[r, KEY_DST_LO] == rows[i, DST_LO]
                and ints[r, KEY_SRC_HI] == rows[i, SRC_HI]
                and ints[r, KEY_DST_HI] == rows[i, DST_HI]
            ):
                s = r
                break
            slot = (slot + 1) & mask
        if s < 0:
            if is_announced(sockets, rows[i, DST_HI], rows[i, DST_LO], rows[i, PORTS] & 0xFFFF):
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
            i += 1
            continue
        if is_plain(rows, i, s, ints):
            move_plain(rows, i, s, ints, reals)
            i += 1
            continue
        if ints[s, PLAIN_COUNT] > 0:
            count_plain(s, ints, counts)
        now = rows[i, TIME]
        rare = now >= ints[s, NEXT_TIME]
        if (
            rare
            and ints[s, SPLIT] != 0
            and (
                now - ints[s, LAST_TIME] > _STRAGGLE_NS
                or (rows[i, SEQ] - ints[s, HIGHEST] + _MAX_MISORDER) & 0xFFFF > 2 * _MAX_MISORDER
            )
        ):
            out[0] = SPLIT_STREAM
            out[1] = s
            return i
        second = rows[i, PT]
        payload_type = second & 127
        form = int(formats[s, payload_type])
        if form == 0:
            out[0] = NEW_FORMAT
            out[1] = s
            return i
        clock = format_table[form - 1, FORMAT_CLOCK]
        role = format_table[form - 1, FORMAT_ROLE]
        sequence = rows[i, SEQ]
        stamp = rows[i, STAMP]
        payload, size, frame = rows[i, EVENT], rows[i, SIZE], rows[i, FRAME]
        ext, confirmed = -1, False
        if ints[s, PACKETS] == 0:
            ext = 65536 + sequence
            ints[s, HIGHEST] = ext - 1
            ints[s, LOWEST] = ext
            ints[s, FIRST_TIME] = now
            ints[s, FIRST_FRAME] = rows[i, FRAME]
            ints[s, INTERVAL_END] = now + control[INTERVAL_NS]
        else:
            highest = ints[s, HIGHEST]
            step = ((sequence - highest + 32768) & 0xFFFF) - 32768
            pending = ints[s, PENDING]
            if (  # 100 back is within reach, but not where it confirms a jump of 101
                step <= _MAX_DROPOUT
                and step >= -_MAX_MISORDER
                and (step > -_MAX_MISORDER or pending < 0 or sequence != (pending + 1) & 0xFFFF)
            ):
                if rare and turn(s, now, step - 1, ints, reals, intervals, interval_reals, control):
                    ask = ROOM_IS_SHORT
                drop_pending(s, ints)
                ext = highest + step
            elif pending >= 0 and sequence == pending:
                if stamp == ints[s, PENDING_STAMP]:
                    ints[s, DUPLICATES] = ints[s, DUPLICATES] + 1  # of the pending packet (a mirror port)
                else:
                    ints[s, REUSED] = ints[s, REUSED] + 1
            elif pending >= 0 and sequence == (pending + 1) & 0xFFFF:
                pending_time = ints[s, PENDING_TIME]
                steps = outage_step(s, pending, pending_time, clock, ints)
                if steps < 0 and ints[s, ANNOUNCED] == 0 and pending_time - ints[s, LAST_TIME] > silence_ns:
                    out[0] = SPLIT_PENDING
                    out[1] = s
                    return i
                if turn(s, pending_time, steps - 1, ints, reals, intervals, interval_reals, control):
                    ask = ROOM_IS_SHORT
                if steps >= 0:
                    ext = highest + steps
                else:
                    ext = start_segment(s, pending, ints, control)
                    ints[s, RESTARTS] = ints[s, RESTARTS] + 1
                ints[s, PENDING] = -1
                confirmed = True  # first the packet that waited; then this one again, which follows it
                now, stamp, second = pending_time, ints[s, PENDING_STAMP], ints[s, PENDING_PT]
                payload, size, frame = (
                    ints[s, PENDING_EVENT], ints[s, PENDING_SIZE], ints[s, PENDING_FRAME]
                )  # fmt: skip
                held_form = int(formats[s, second & 127])
                if held_form > 0:
                    clock = format_table[held_form - 1, FORMAT_CLOCK]
                    role = format_table[held_form - 1, FORMAT_ROLE]
            else:  # far outside: it waits for the next to confirm it
                drop_pending(s, ints)
                ints[s, PACKETS_BEFORE_PENDING] = ints[s, PACKETS]
                ints[s, PENDING] = sequence
                ints[s, PENDING_TIME] = now
                ints[s, FRAME_BEFORE_PENDING] = ints[s, LAST_FRAME]
                ints[s, PENDING_STAMP] = stamp
                ints[s, PENDING_SIZE] = size
                ints[s, PENDING_PT] = second
                ints[s, PENDING_FRAME] = frame
                ints[s, PENDING_EVENT] = payload
                ints[s, PENDING_TRAFFIC] = rows[i, TRAFFIC]
        if ext >= 0:
            ask |= take(
                s, ext, now, stamp, second, clock, role, payload, size, frame, rare,
                ints, reals, prints, early, holes, events, control,
            )  # fmt: skip
            if confirmed:
                continue
        ints[s, PACKETS] = ints[s, PACKETS] + 1
        ints[s, BYTES] = ints[s, BYTES] + size
        counts[s, payload_type] = int(counts[s, payload_type]) + 1
        if ints[s, PENDING] < 0:  # the gap before a jump is measured from the last packet in sequence
            ints[s, LAST_TIME] = now
        ints[s, LAST_FRAME] = frame
        traffic = rows[i, TRAFFIC]
        if traffic == ints[s, TRAFFIC_0]:
            ints[s, TRAFFIC_0_COUNT] = ints[s, TRAFFIC_0_COUNT] + 1
        elif ints[s, TRAFFIC_0_COUNT] == 0:
            ints[s, TRAFFIC_0] = traffic
            ints[s, TRAFFIC_0_COUNT] = 1
        elif traffic == ints[s, TRAFFIC_1]:
            ints[s, TRAFFIC_1_COUNT] = ints[s, TRAFFIC_1_COUNT] + 1
        elif ints[s, TRAFFIC_1_COUNT] == 0:
            ints[s, TRAFFIC_1] = traffic
            ints[s, TRAFFIC_1_COUNT] = 1
        else:  # space saving: the rarer place goes to the newcomer with its count
            ints[s, TRAFFIC_1] = traffic
            ints[s, TRAFFIC_1_COUNT] = ints[s, TRAFFIC_1_COUNT] + 1
        expect_plain(
            s, payload_type, format_table[form - 1, FORMAT_CLOCK], format_table[form - 1, FORMAT_ROLE], ints, reals
        )  # fmt: skip
        if ask != 0:
            out[0] = EARLY_FULL if ask & EARLY_IS_FULL != 0 else ROOM
            out[1] = s
            return i
        i += 1
    out[0] = DONE
    return end


@kernel
def close_streams(  # type: ignore[no-untyped-def]
    start: int, end: int, ints, reals, counts, intervals, interval_reals, control
) -> int:
    """After the last packet: close streams[start:end]; the stream to go on with once there is room, or `end`.

    Pending packets are strays; regression sums, runs of bad packets and intervals are closed.
    """
    for s in range(start, end):
        if control[INTERVALS_COUNT] >= control[INTERVALS_ROOM]:
            return s
        count_plain(s, ints, counts)
        if ints[s, PENDING] >= 0:
            if ints[s, PENDING_TIME] >= ints[s, INTERVAL_END]:
                end_intervals(
                    s, ints[s, PENDING_TIME], 0, ints, reals, intervals, interval_reals, control
                )  # fmt: skip
            ints[s, LAST_TIME] = ints[s, PENDING_TIME]
        drop_pending(s, ints)
        close_group(s, ints, reals)
        close_run(s, ints, control)
        note_last(s, ints[s, REFERENCE_EXT], ints[s, REFERENCE_STAMP], ints)
        if ints[s, PACKETS] > 0:
            left = ints[s, INTERVAL_END] - ints[s, LAST_TIME]
            whole = 1 if packet_time_ns(s, ints[s, REFERENCE_CLOCK], ints) >= left else 0
            write_interval(
                s, ints[s, PACKETS], 0, whole, ints, reals, intervals, interval_reals, control
            )  # fmt: skip
    return end
