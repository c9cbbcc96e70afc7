"""State of RTP streams: columns of the two matrices, one row a stream, and of what stands beside them. Floor 1.

``ints`` is int64[m, INTS] and ``reals`` float64[m, REALS]; ``early`` keeps packets of streams whose clock rate is not
known yet. Times are ns, timestamps and steps ticks of the stream's clock, extended sequence numbers begin at 65536.
"""

from __future__ import annotations

# ---- columns of ints; every packet touches the first 32 of them: four cache lines
(
    KEY_SRC_HI, KEY_SRC_LO, KEY_DST_HI, KEY_DST_LO, KEY_PORTS, KEY_SSRC, SPLIT, PENDING,
    HIGHEST, PACKETS, BYTES, DISTINCT, LAST_TIME, LAST_FRAME, TRAFFIC_0, TRAFFIC_0_COUNT,
    REFERENCE_TIME, REFERENCE_STAMP, REFERENCE_EXT, REFERENCE_CLOCK, BREAK, PTIME_TICKS, STEP_0, STEP_0_COUNT,
    DELTA_SUM, DELTA_COUNT, DELTA_MAX, JITTER_COUNT, ANCHOR_TIME, OFFSET_TICKS, GROUP_COUNT, PREVIOUS_STEP,
    FIRST_TIME, FIRST_FRAME, DUPLICATES, OUT_OF_ORDER, RESTARTS, STRAYS, REUSED, LOWEST, EXPECTED_BEFORE,
    PENDING_TIME, PENDING_STAMP, PENDING_SIZE, PENDING_PT, PENDING_FRAME, PENDING_EVENT, PENDING_TRAFFIC,
    FRAME_BEFORE_PENDING,
    DEFAULT_TICKS, STEP_1, STEP_1_COUNT, STEP_2, STEP_2_COUNT, TRAFFIC_1, TRAFFIC_1_COUNT, DRIFT_SPAN,
    EARLY, EARLY_COUNT, ANNOUNCED, REPLACED, HASH_COLUMN,
) = range(62)  # fmt: skip
INTS = 64
"""Columns of `ints` (the last are spare)."""

# ---- columns of reals
(JITTER, JITTER_SUM, JITTER_MAX, SKEW_MAX, GROUP_X, GROUP_Y, GROUP_XX, GROUP_XY, DRIFT_XX, DRIFT_XY) = range(10)
REALS = 12
"""Columns of `reals` (the last are spare). Jitter and skew in ms; drift sums in s and ms."""

RING = 128
"""Sequence numbers remembered behind the highest; more than the 100 that RFC 3550 A.1 lets a packet be late."""

# ---- columns of format_table
FORMAT_CLOCK, FORMAT_ROLE = 0, 1
AUDIO, VIDEO, TELEPHONE_EVENT, COMFORT_NOISE = 0, 1, 2, 3


# ---- rows of early (packets of streams whose clock rate is not known yet)
EARLY_TIME, EARLY_STAMP, EARLY_EXT, EARLY_MARKER, EARLY_BREAK = range(5)
EARLY_WIDTH = 5
EARLY_PACKETS = 500
"""Packets of one stream that are kept until its clock rate is settled."""
