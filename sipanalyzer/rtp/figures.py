"""A stream's state, closed, becomes figures. Floor 4. Sources: RFC 3550 A.3 (expected, lost), A.8 (jitter)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels import streamstate as state
from ..result import Measures
from .formats import Use

__all__ = ["Figures", "Socket", "finish_figures", "main_use"]

Socket = tuple[int, int, int]
"""High and low half of an address, and a port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Measures):
    """One stream's figures, finished; nothing yet about the call it belongs to."""

    index: int
    ssrc: int
    src: Socket
    dst: Socket
    uses: tuple[Use, ...]
    """Its payload types and what they meant, in order of first use."""
    clock_rate_hz: int | None
    strays: int
    reused: int

    @property
    def payload_types(self) -> tuple[int, ...]:
        """In order of first use."""
        return tuple(dict.fromkeys(use.payload_type for use in self.uses))


def finish_figures(
    s: int,
    i: list[int],
    r: list[float],
    prints: npt.NDArray[np.uint32],
    uses: Sequence[Use],
    capture: int,
    noted: list[str],
) -> Figures:
    """A stream's state, closed, as figures.

    Parameters
    ----------
    s : int
        Number of the stream.
    i, r : list
        Its row, read as integers and as numbers.
    prints : uint32[50]
        First payload bytes of its first packets.
    uses : sequence of Use
        In order of first use.
    capture : int
        File of its first packet.
    noted : list of str
        Anomalies noted while it passed.
    """
    expected = i[state.EXPECTED_BEFORE] + i[state.HIGHEST] - i[state.LOWEST] + 1
    used = main_use(uses)
    main = None if used is None else used.format
    clock = main.clock_rate_hz if main is not None and main.clock_rate_hz else None
    usual_count, usual = max(
        (i[state.STEP_0_COUNT], i[state.STEP_0]),
        (i[state.STEP_1_COUNT], i[state.STEP_1]),
        (i[state.STEP_2_COUNT], i[state.STEP_2]),
    )
    ptime = 1000.0 * usual / clock if clock and usual_count and main is not None and main.media != "video" else None
    traffic = i[state.TRAFFIC_0]
    if i[state.TRAFFIC_1_COUNT] > i[state.TRAFFIC_0_COUNT]:
        traffic = i[state.TRAFFIC_1]
    jitters = i[state.JITTER_COUNT]
    drift = None
    if i[state.DRIFT_SPAN] >= 5_000_000_000 and r[state.DRIFT_XX] > 0 and ptime is not None:
        drift = 0.0 - 1000.0 * r[state.DRIFT_XY] / r[state.DRIFT_XX]  # ms a second of arrival, to ppm
    anomalies = list(noted)
    lateness: tuple[int, ...] = ()
    judged = jitters + i[state.ANCHORS] - i[state.TIMED_VIDEO]  # audio that was timed, and what began each schedule
    if clock and main is not None and main.media in ("audio", None) and judged > 0:
        late = i[state.LATE + 1 : state.LATE + state.LATE_CLASSES]
        lateness = (judged - sum(late), *late)
    anomalies += ["rtp-stray"] * (i[state.STRAYS] > 0) + ["rtp-sequence-reused"] * (i[state.REUSED] > 0)
    return Figures(
        index=s,
        ssrc=i[state.KEY_SSRC],
        src=(i[state.KEY_SRC_HI], i[state.KEY_SRC_LO], i[state.KEY_PORTS] >> 16),
        dst=(i[state.KEY_DST_HI], i[state.KEY_DST_LO], i[state.KEY_PORTS] & 0xFFFF),
        uses=tuple(uses),
        clock_rate_hz=clock,
        ptime_ms=ptime,
        dscp=traffic & 0xFF,
        vlan=(traffic >> 8) - 1 if traffic >> 8 else None,
        start=i[state.FIRST_TIME],
        end=i[state.LAST_TIME],
        packets=i[state.PACKETS],
        bytes=i[state.BYTES],
        expected=expected,
        lost=max(0, expected - i[state.DISTINCT]),
        duplicates=i[state.DUPLICATES],
        out_of_order=i[state.OUT_OF_ORDER],
        restarts=i[state.RESTARTS],
        mean_jitter_ms=r[state.JITTER_SUM] / jitters if jitters else None,
        max_jitter_ms=r[state.JITTER_TOP] if jitters else None,
        mean_delta_ms=i[state.DELTA_SUM] / jitters / 1e6 if jitters else None,
        max_delta_ms=i[state.DELTA_MAX] / 1e6 if jitters else None,
        max_skew_ms=r[state.SKEW_MAX] if jitters else None,
        clock_drift_ppm=drift,
        capture=capture,
        first_frame=i[state.FIRST_FRAME],
        last_frame=i[state.LAST_FRAME],
        discarded=i[state.DISCARDED] if lateness else None,
        lateness=lateness,
        bursts=i[state.BURSTS],
        burst_packets=i[state.BURST_PACKETS],
        burst_bad=i[state.BURST_BAD],
        bad=i[state.BAD],
        bad_runs=i[state.RUNS],
        max_consecutive_lost=i[state.MAX_LOST],
        loss_runs=tuple(i[state.LOSS_RUNS : state.LOSS_RUNS + state.RUN_CLASSES]),
        first_sequence=i[state.FIRST_EXT] & 0xFFFF if i[state.PRINTED] else 0,
        first_stamp=i[state.FIRST_STAMP],
        last_sequence=i[state.TOP_EXT] & 0xFFFF,
        last_stamp=i[state.TOP_STAMP],
        fingerprint=tuple(prints[: i[state.PRINTED]].tolist()),
        strays=i[state.STRAYS],
        reused=i[state.REUSED],
        anomalies=tuple(anomalies),
    )


def main_use(uses: Iterable[Use]) -> Use | None:
    """The format of most packets, audio and video before events and comfort noise; None without any."""
    several = tuple(uses)
    if len(several) == 1:
        return several[0]
    return max(several, key=lambda use: (use.format.role in (state.AUDIO, state.VIDEO), use.packets), default=None)
