"""A stream's state, closed, becomes figures. Floor 4. Sources: RFC 3550 A.3 (expected, lost), A.8 (jitter)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..frozen import opened
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


_COLUMNS = (
    state.KEY_SSRC, state.KEY_SRC_HI, state.KEY_SRC_LO, state.KEY_DST_HI, state.KEY_DST_LO, state.KEY_PORTS,
    state.EXPECTED_BEFORE, state.HIGHEST, state.LOWEST, state.DISTINCT, state.TRAFFIC_0, state.TRAFFIC_0_COUNT,
    state.TRAFFIC_1, state.TRAFFIC_1_COUNT, state.STEP_0, state.STEP_0_COUNT, state.STEP_1, state.STEP_1_COUNT,
    state.STEP_2, state.STEP_2_COUNT, state.JITTER_COUNT, state.DRIFT_SPAN, state.ANCHORS, state.TIMED_VIDEO,
    state.FIRST_TIME, state.LAST_TIME, state.PACKETS, state.BYTES, state.DUPLICATES, state.OUT_OF_ORDER,
    state.RESTARTS, state.DELTA_SUM, state.DELTA_MAX, state.FIRST_FRAME, state.LAST_FRAME, state.DISCARDED,
    state.BURSTS, state.BURST_PACKETS, state.BURST_BAD, state.BAD, state.RUNS, state.MAX_LOST, state.PRINTED,
    state.FIRST_EXT, state.FIRST_STAMP, state.TOP_EXT, state.TOP_STAMP, state.STRAYS, state.REUSED,
)  # fmt: skip
"""Columns of whole numbers that make figures, in the order in which :func:`finish_figures` names them."""
_REAL_COLUMNS = (
    state.DRIFT_XX, state.DRIFT_XY, state.JITTER_SUM, state.JITTER_TOP, state.SKEW_MAX,
)  # fmt: skip


def finish_figures(
    first: int,
    ints: npt.NDArray[np.int64],
    reals: npt.NDArray[np.float64],
    prints: npt.NDArray[np.uint32],
    uses: Sequence[Sequence[Use]],
    captures: Sequence[int],
    noted: Sequence[Sequence[str]],
) -> list[Figures]:
    """States of some streams, closed, as figures; all arguments of one length, an entry a stream.

    Parameters
    ----------
    first : int
        Number of the first of them.
    ints, reals : int64[m, WIDTH], float64[m, WIDTH]
        Their rows, read as integers and as numbers.
    prints : uint32[m, 50]
        First payload bytes of their first packets.
    uses : sequence of sequence of Use
        In order of first use.
    captures : sequence of int
        File of their first packet.
    noted : sequence of sequence of str
        Anomalies noted while they passed.
    """
    made: list[Figures] = []
    make = opened(Figures)
    lates = ints[:, state.LATE + 1 : state.LATE + state.LATE_CLASSES].tolist()
    runs = ints[:, state.LOSS_RUNS : state.LOSS_RUNS + state.RUN_CLASSES].tolist()
    known_runs: dict[tuple[int, ...], tuple[int, ...]] = {}
    values = zip(
        uses, captures, noted, lates, runs, prints.tolist(), ints[:, _COLUMNS].tolist(),
        reals[:, _REAL_COLUMNS].tolist(), strict=True,
    )  # fmt: skip
    for number, (used, capture, told, late, loss_runs, fingerprint, whole, (xx, xy, jitter_sum, jitter_top, skew)) in (
        enumerate(values, first)
    ):  # fmt: skip
        (
            ssrc, src_high, src_low, dst_high, dst_low, ports, before, highest, lowest, distinct, traffic, count_0,
            traffic_1, count_1, step, steps, step_1, steps_1, step_2, steps_2, jitters, span, anchors, video,
            start, end, packets, size, duplicates, out_of_order, restarts, delta_sum, delta_max, first_frame,
            last_frame, discarded, bursts, burst_packets, burst_bad, bad, bad_runs, most_lost, printed,
            first_ext, first_stamp, top_ext, top_stamp, strays, reused,
        ) = whole  # fmt: skip
        expected = before + highest - lowest + 1
        main = main_use(used)
        form = None if main is None else main.format
        clock = form.clock_rate_hz if form is not None and form.clock_rate_hz else None
        if steps_1 or steps_2:
            steps, step = max((steps, step), (steps_1, step_1), (steps_2, step_2))
        ptime = 1000.0 * step / clock if clock and steps and form is not None and form.media != "video" else None
        if count_1 > count_0:
            traffic = traffic_1
        drift = None
        if span >= 5_000_000_000 and xx > 0 and ptime is not None:
            drift = 0.0 - 1000.0 * xy / xx  # ms a second of arrival, to ppm
        lateness: tuple[int, ...] = ()
        judged = jitters + anchors - video  # audio that was timed, and what began each schedule
        if clock and form is not None and form.media in ("audio", None) and judged > 0:
            lateness = (judged - sum(late), *late)
        anomalies = tuple(told)
        if strays or reused:
            anomalies += ("rtp-stray",) * (strays > 0) + ("rtp-sequence-reused",) * (reused > 0)
        run = tuple(loss_runs)
        made.append(
            make(
                index=number,
                ssrc=ssrc,
                src=(src_high, src_low, ports >> 16),
                dst=(dst_high, dst_low, ports & 0xFFFF),
                uses=tuple(used),
                clock_rate_hz=clock,
                ptime_ms=ptime,
                dscp=traffic & 0xFF,
                vlan=(traffic >> 8) - 1 if traffic >> 8 else None,
                start=start,
                end=end,
                packets=packets,
                bytes=size,
                expected=expected,
                lost=max(0, expected - distinct),
                duplicates=duplicates,
                out_of_order=out_of_order,
                restarts=restarts,
                mean_jitter_ms=jitter_sum / jitters if jitters else None,
                max_jitter_ms=jitter_top if jitters else None,
                mean_delta_ms=delta_sum / jitters / 1e6 if jitters else None,
                max_delta_ms=delta_max / 1e6 if jitters else None,
                max_skew_ms=skew if jitters else None,
                clock_drift_ppm=drift,
                capture=capture,
                first_frame=first_frame,
                last_frame=last_frame,
                discarded=discarded if lateness else None,
                lateness=lateness,
                bursts=bursts,
                burst_packets=burst_packets,
                burst_bad=burst_bad,
                bad=bad,
                bad_runs=bad_runs,
                max_consecutive_lost=most_lost,
                loss_runs=known_runs.setdefault(run, run),
                first_sequence=first_ext & 0xFFFF if printed else 0,
                first_stamp=first_stamp,
                last_sequence=top_ext & 0xFFFF,
                last_stamp=top_stamp,
                fingerprint=tuple(fingerprint[:printed]),
                strays=strays,
                reused=reused,
                anomalies=anomalies,
            )
        )
    return made


def main_use(uses: Iterable[Use]) -> Use | None:
    """The format of most packets, audio and video before events and comfort noise; None without any."""
    several = uses if isinstance(uses, (tuple, list)) else tuple(uses)
    if len(several) == 1:
        only: Use = several[0]
        return only
    return max(several, key=lambda use: (use.format.role in (state.AUDIO, state.VIDEO), use.packets), default=None)
