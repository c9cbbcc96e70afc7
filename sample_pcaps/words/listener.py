"""What a listener has of a stream: packets too late, bursts of loss, and what the E-model makes of it, by hand.

Owns: the obvious counts of quality, and the published grid of R. In: packets as they arrived. Out: facts about a
stream. Nothing here is quick and nothing is shared with sipanalyzer, so that both can be compared. Sources: RFC 3611
4.7.2, ITU-T G.107 (7-29), G.113 (09/2024) table I.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from .media import EVENT, MS, Arrival

DEPTH_NS = 60 * MS
"""Of the jitter buffer."""
GMIN = 16
"""Good packets in a row that part two bursts."""


class Grid(NamedTuple):
    """A codec in G.113 and in the grid of R over one-way delay."""

    ie: float
    bpl: float
    best: dict[int, float]
    """R without loss, by delay in ms."""


GRIDS = {
    "PCMA": Grid(0, 25.1, {0: 93.2, 50: 91.8, 100: 90.7, 150: 89.5, 200: 85.8, 300: 72.7, 400: 62.2}),
    "PCMU": Grid(0, 25.1, {0: 93.2, 50: 91.8, 100: 90.7, 150: 89.5, 200: 85.8, 300: 72.7, 400: 62.2}),
    "G729": Grid(11, 19.0, {0: 82.2, 50: 80.8, 100: 79.7, 150: 78.5, 200: 74.8, 300: 61.7, 400: 51.2}),
}
"""G.711 with packet-loss concealment; G.729A with VAD."""


def pattern(arrivals: Sequence[Arrival], clock_rate: int, step: int, settled_us: Sequence[int] | None) -> str:
    """The stream packet by packet in order of sending: ``1`` in time, ``L`` late, ``0`` lost."""
    arrived: dict[tuple[int, int], str] = {}
    anchor: Arrival | None = None
    before: Arrival | None = None
    for arrival in arrivals:
        sent = arrival.sent
        key = (sent.segment, sent.number)
        if key in arrived:
            continue
        arrived[key] = "1"
        if sent.codec == EVENT:
            anchor = before = None
            continue
        if before is not None:
            off = abs(
                sent.timestamp - before.sent.timestamp - (sent.number - before.sent.number) * step
            )  # a timestamp that does not follow the sequence begins anew
            spurt = sent.marker and arrival.time_ns - before.time_ns > 200 * MS
            if sent.segment != before.sent.segment or off > step or spurt:
                anchor = None
        before = arrival
        if anchor is None:
            anchor = arrival
        ticks = sent.timestamp - anchor.sent.timestamp
        late_ns = arrival.time_ns - anchor.time_ns - ticks * 10**9 // clock_rate
        if settled_us is not None:
            late_ns -= 1000 * settled_us[sent.number - arrivals[0].sent.number]
        if late_ns > DEPTH_NS:
            arrived[key] = "L"
    text = ""
    for segment in sorted({key[0] for key in arrived}):
        numbers = [number for part, number in arrived if part == segment]
        text += "".join(arrived.get((segment, number), "0") for number in range(min(numbers), max(numbers) + 1))
    return text


def listen(
    arrivals: Sequence[Arrival], clock_rate: int, step: int, settled_us: Sequence[int] | None = None
) -> dict[str, Any]:
    """Columns of quality that follow from the packets alone.

    `settled_us`: by packet sent, the delay that a jitter buffer has come to expect, where the path's delay changed for
    good in mid-stream.
    """
    text = pattern(arrivals, clock_rate, step, settled_us)
    bad = len(text) - text.count("1")
    parts = [part.strip("1") for part in re.split("1" * GMIN + "+", text)]
    bursts = [part for part in parts if len(part) > 1]
    in_bursts = sum(len(burst) for burst in bursts)
    bad_in_bursts = sum(len(burst) - burst.count("1") for burst in bursts)
    return {
        "loss_percent": round(100 * text.count("0") / len(text), 6),
        "discarded_percent": round(100 * text.count("L") / len(text), 6),
        "effective_loss_percent": round(100 * bad / len(text), 6),
        "loss_bursts": len(bursts),
        "burst_density_percent": round(100 * bad_in_bursts / in_bursts, 6) if bursts else 0.0,
        "gap_density_percent": round(100 * (bad - bad_in_bursts) / (len(text) - in_bursts), 6),
        "max_consecutive_lost": max((len(run) for run in re.split("[1L]", text)), default=0),
        "burst_ratio": round(burst_ratio(text), 6),
    }


def burst_ratio(text: str) -> float:
    """Mean run of bad packets over that of random loss (ITU-T G.107 BurstR), at least 1."""
    runs = [run for run in text.split("1") if run]
    bad = sum(len(run) for run in runs)
    if not runs:
        return 1.0
    random_run = 1 / (1 - bad / len(text))
    return max(1.0, bad / len(runs) / random_run)


def rated(codec: str, facts: dict[str, Any], delay_ms: int) -> dict[str, Any]:
    """R at a delay of the grid, less what loss takes (7-29), and its MOS (annex B)."""
    grid = GRIDS[codec]
    loss = facts["effective_loss_percent"]
    taken = (95 - grid.ie) * loss / (loss / facts["burst_ratio"] + grid.bpl)
    r = grid.best[delay_ms] - taken
    mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6
    return {"one_way_delay_ms": delay_ms, "r_factor": round(r, 1), "mos": round(mos, 2)}
