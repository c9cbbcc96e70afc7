"""State of RTP streams: columns of the matrices, one row a stream, and of what stands beside them. Floor 1.

``ints`` is int64[m, INTS], ``reals`` float64[m, REALS] and ``tally`` int64[m, TALLY]; ``early`` keeps packets of
streams whose clock rate is not known yet; ``control`` is int64[CONTROL], the same for all streams. Times are ns,
timestamps and steps ticks of the stream's clock, extended sequence numbers begin at 65536. All of these hold 64 bits:
reading them needs no ``int()``, which numba takes long to compile.
"""

from __future__ import annotations

# ---- columns of ints; every packet touches the first 32 of them: four cache lines
(
    KEY_SRC_HI, KEY_SRC_LO, KEY_DST_HI, KEY_DST_LO, KEY_PORTS, KEY_SSRC, NEXT_TIME, PENDING,
    HIGHEST, PACKETS, BYTES, DISTINCT, LAST_TIME, LAST_FRAME, TRAFFIC_0, TRAFFIC_0_COUNT,
    REFERENCE_TIME, REFERENCE_STAMP, REFERENCE_EXT, REFERENCE_CLOCK, BREAK, PTIME_TICKS, STEP_0, STEP_0_COUNT,
    DELTA_SUM, JITTER_COUNT, DELTA_MAX, OPEN_BAD, ANCHOR_TIME, OFFSET_TICKS, PREVIOUS_STEP, SPLIT,
    FIRST_TIME, FIRST_FRAME, DUPLICATES, OUT_OF_ORDER, RESTARTS, STRAYS, REUSED, LOWEST, EXPECTED_BEFORE,
    PENDING_TIME, PENDING_STAMP, PENDING_SIZE, PENDING_PT, PENDING_FRAME, PENDING_EVENT, PENDING_TRAFFIC,
    FRAME_BEFORE_PENDING,
    DEFAULT_TICKS, STEP_1, STEP_1_COUNT, STEP_2, STEP_2_COUNT, TRAFFIC_1, TRAFFIC_1_COUNT, DRIFT_SPAN,
    EARLY, EARLY_COUNT, ANNOUNCED, REPLACED, HASH_COLUMN,
) = range(62)  # fmt: skip
INTS = 64
"""Columns of `ints`. From `NEXT_TIME` on something seldom is due: a window or an interval ends, the stream is to be
split, or its first packets are being remembered; `OPEN_BAD` is the lowest number that may be bad and is not final."""

# ---- columns of reals
(
    JITTER, JITTER_SUM, JITTER_MAX, SKEW_MAX, GROUP_X, GROUP_Y, GROUP_XX, GROUP_XY,
    NOTABLE, LEAST, BASE, DRIFT_XX, DRIFT_XY, JITTER_TOP, NOTABLE_LEAST,
) = range(15)  # fmt: skip
REALS = 16
"""Columns of `reals` (the last is spare). Jitter and skew in ms; drift sums in s and ms. `JITTER_MAX` is the highest of
the interval under way, `JITTER_TOP` of those before. Above the skew `NOTABLE` (`NOTABLE_LEAST` above the base) a packet
is looked at more closely; the rest is below the lowest class of lateness, and in time."""

# ---- columns of tally: what moves seldom
LATE_CLASSES, RUN_CLASSES = 13, 8
(
    DEPTH, DEPTH_LEAST, DEPTH_MOST, WINDOW_FIRST, WINDOW_END, WINDOW_LATE, DISCARDED, ANCHORS, TIMED_VIDEO,
    LAST_BAD, BAD_END, CLUSTER_START, CLUSTER_BAD, LOST_END, LOST_RUN,
    BURSTS, BURST_PACKETS, BURST_BAD, BAD, RUNS, MAX_LOST,
    INTERVAL_END, MARK_PACKETS, MARK_EXPECTED, MARK_DISTINCT, MARK_DISCARDED, MARK_RUNS, MARK_JITTERS, GROUP_FROM,
    PACKETS_BEFORE_PENDING, EVENT_ROW, EVENT_KEY, PRINTED, FIRST_EXT, FIRST_STAMP, TOP_EXT, TOP_STAMP,
) = range(37)  # fmt: skip
LATE = 37
"""First of the classes of lateness (the lowest is not counted: it is what remains)."""
LOSS_RUNS = LATE + LATE_CLASSES
"""First of the classes of runs of lost packets."""
TALLY = LOSS_RUNS + RUN_CLASSES
"""Columns of `tally`. `MARK_*` are running figures as they stood when the interval under way began."""

RING = 128
"""Sequence numbers remembered behind the highest; more than the 100 that RFC 3550 A.1 lets a packet be late. An entry
is 31 bits of the extended sequence number and the timestamp; inverted (negative) where the packet came too late."""
EXT_BITS = 0x7FFFFFFF

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
