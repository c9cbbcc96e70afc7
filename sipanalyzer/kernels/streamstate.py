"""State of RTP streams: the columns of their matrix, one row a stream, and of what stands beside it. Floor 1.

A row is one piece of memory, so that a packet finds all that it needs in few cache lines next to each other. It is read
in two ways: ``ints`` is int64[m, WIDTH] and ``reals`` the same memory as float64[m, WIDTH]; a column is one or the
other. ``early`` keeps packets of streams whose clock rate is not known yet; ``control`` is int64[CONTROL], the same for
all streams. Times are ns, timestamps and steps ticks of the stream's clock, extended sequence numbers begin at 65536.
All of these hold 64 bits: reading them needs no ``int()``, which numba takes long to compile.
"""

from __future__ import annotations

RING = 128
"""Sequence numbers remembered behind the highest; more than the 100 that RFC 3550 A.1 lets a packet be late. An entry
is 31 bits of the extended sequence number and the timestamp; inverted (negative) where the packet came too late."""
EXT_BITS = 0x7FFFFFFF

# ---- all that a plain packet (:mod:`.plain`) needs: four cache lines
(
    KEY_SRC_HI, KEY_SRC_LO, KEY_DST_HI, KEY_DST_LO, KEY_PORTS, KEY_SSRC, NEXT_TIME, PLAIN,
    HIGHEST, REFERENCE_STAMP, REFERENCE_TIME, PTIME_TICKS, TRAFFIC_0, OPEN_BAD, PLAIN_COUNT, BYTES,
    LAST_FRAME, DELTA_MAX, ANCHOR_TIME, OFFSET_TICKS, REFERENCE_CLOCK,
) = range(21)  # fmt: skip
"""From `NEXT_TIME` on something seldom is due: a window or an interval ends, the stream is to be split, or its first
packets are being remembered; `OPEN_BAD` is the lowest number that may be bad and is not final."""
(
    PLAIN_MS, NOTABLE, LEAST, JITTER, JITTER_SUM, JITTER_MAX, SKEW_MAX, GROUP_X, GROUP_Y, GROUP_XX, GROUP_XY,
) = range(21, 32)  # fmt: skip
"""Of `reals`. Jitter and skew in ms. `JITTER_MAX` is the highest of the interval under way. Above the skew `NOTABLE` a
packet is looked at more closely; the rest is below the lowest class of lateness, and in time."""

RING_AT = 32
"""First of the `RING` columns that remember sequence numbers."""

# ---- what other packets need, and what moves seldom
LATE_CLASSES, RUN_CLASSES = 13, 8
(
    PENDING, PACKETS, DISTINCT, LAST_TIME, TRAFFIC_0_COUNT, REFERENCE_EXT, BREAK, STEP_0,
    STEP_0_COUNT, DELTA_SUM, JITTER_COUNT, PREVIOUS_STEP, SPLIT, PLAIN_TYPE, PLAIN_FROM, DEFAULT_TICKS,
    FIRST_TIME, FIRST_FRAME, DUPLICATES, OUT_OF_ORDER, RESTARTS, STRAYS, REUSED, LOWEST, EXPECTED_BEFORE,
    PENDING_TIME, PENDING_STAMP, PENDING_SIZE, PENDING_PT, PENDING_FRAME, PENDING_EVENT, PENDING_TRAFFIC,
    FRAME_BEFORE_PENDING, STEP_1, STEP_1_COUNT, STEP_2, STEP_2_COUNT, TRAFFIC_1, TRAFFIC_1_COUNT, DRIFT_SPAN,
    EARLY, EARLY_COUNT, ANNOUNCED, REPLACED, HASH_COLUMN,
    DEPTH, DEPTH_LEAST, DEPTH_MOST, WINDOW_FIRST, WINDOW_END, WINDOW_LATE, DISCARDED, ANCHORS, TIMED_VIDEO,
    LAST_BAD, BAD_END, CLUSTER_START, CLUSTER_BAD, LOST_END, LOST_RUN,
    BURSTS, BURST_PACKETS, BURST_BAD, BAD, RUNS, MAX_LOST,
    INTERVAL_END, MARK_PACKETS, MARK_EXPECTED, MARK_DISTINCT, MARK_DISCARDED, MARK_RUNS, MARK_JITTERS, GROUP_FROM,
    PACKETS_BEFORE_PENDING, EVENT_ROW, EVENT_KEY, PRINTED, FIRST_EXT, FIRST_STAMP, TOP_EXT, TOP_STAMP,
) = range(RING_AT + RING, RING_AT + RING + 82)  # fmt: skip
"""`MARK_*` are running figures as they stood when the interval under way began."""
BASE, DRIFT_XX, DRIFT_XY, JITTER_TOP, NOTABLE_LEAST = range(TOP_STAMP + 1, TOP_STAMP + 6)
"""Of `reals`: drift sums in s and ms; `JITTER_TOP` is the highest jitter of the intervals before; `NOTABLE_LEAST` above
the base a skew is notable."""
LATE = NOTABLE_LEAST + 1
"""First of the classes of lateness (the lowest is not counted: it is what remains)."""
LOSS_RUNS = LATE + LATE_CLASSES
"""First of the classes of runs of lost packets."""
COLD = PENDING
"""First of the columns behind the ring."""
WIDTH = 8 * -(-(LOSS_RUNS + RUN_CLASSES) // 8)
"""Columns of a row, in whole cache lines."""

FINGERPRINT = 50
"""Packets whose first payload bytes are remembered."""

# ---- columns of format_table
FORMAT_CLOCK, FORMAT_ROLE = 0, 1
AUDIO, VIDEO, TELEPHONE_EVENT, COMFORT_NOISE = 0, 1, 2, 3

# ---- rows of early (packets of streams whose clock rate is not known yet)
EARLY_TIME, EARLY_STAMP, EARLY_EXT, EARLY_MARKER, EARLY_BREAK = range(5)
EARLY_WIDTH = 5
EARLY_PACKETS = 500
"""Packets of one stream that are kept until its clock rate is settled."""

# ---- columns of intervals, of holes and of events: rows that streams leave behind
(
    I_STREAM, I_START, I_PACKETS, I_EXPECTED, I_DISTINCT, I_DISCARDED, I_RUNS, I_JITTERS, I_WHOLE,
) = range(9)  # fmt: skip
INTERVAL_WIDTH = 9
H_STREAM, H_BEFORE, H_AFTER, H_MISSING = range(4)
HOLE_WIDTH = 4
E_STREAM, E_FIRST, E_STAMP, E_EVENT, E_DURATION, E_ENDED, E_MARKER, E_FRAME, E_LAST = range(9)
EVENT_WIDTH = 9

# ---- control: settings, and how full those three tables are
GMIN, INTERVAL_NS = 0, 1
INTERVALS_COUNT, INTERVALS_ROOM, INTERVALS_MISSED = 2, 3, 4
HOLES_COUNT, HOLES_ROOM, HOLES_MISSED = 5, 6, 7
EVENTS_COUNT, EVENTS_ROOM, EVENTS_MISSED = 8, 9, 10
CONTROL = 11
"""`*_ROOM`: from this count on Python is asked for room (never, at the limit); `*_MISSED`: what had no room."""

NEVER = 1 << 62
AT_ONCE = -(1 << 62)
