"""Streams that lose and delay packets, told in a line, for the tests of quality from outside; and what is read of them.

Knows nothing of how sipanalyzer works: only `sipanalyzer.analyze` and its tables are looked at.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import sipanalyzer
from tests.builders import Packet, receiver_report, report_block, sender_report
from tests.tape import PCMA, A, B, Tape, records, sdp

BEGIN = 2.1
"""Seconds from the capture's beginning to the first packet of most streams here."""
SINCE = round(BEGIN * 1e9) + 1_767_225_600_000_000_000


def call(end: float = 60.0, formats: Sequence[str] = PCMA, **words: Any) -> Tape:
    """An answered call between A:4000 and B:5000, media to be added from 2.1 s on."""
    tape = Tape()
    tape.set_up(sdp(A, 4000, formats, **words), sdp(B, 5000, formats, **words))
    tape.bye(end)
    return tape


def talk(count: int = 1000, *, formats: Sequence[str] = PCMA, end: float = 60.0, **words: Any) -> Tape:
    """That call with one stream from A to B."""
    return call(end, formats).talk(BEGIN, A, 4000, B, 5000, count, **words)


def bare(count: int, **words: Any) -> Tape:
    """The stream without any SIP."""
    return Tape().talk(BEGIN, A, 4000, B, 5000, count, **words)


def some(row: dict[str, Any], names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names.split())


def discarded(tape: Tape, **options: Any) -> int:
    """Packets of the only stream that came too late, from the share that the table has."""
    row = tape.stream(**options)
    return round(row["discarded_percent"] * row["expected"] / 100)


QUALITY = "r_factor mos mos_min mos_scale mos_basis"


def isolated(percent: int, count: int) -> range:
    """Every n-th packet, never the first or the last."""
    return range(5, count, 100 // percent) if percent else range(0)


def in_order(tape: Tape) -> list[Packet]:
    return sorted(tape.packets, key=lambda packet: packet.time_ns)


LOSSY = 1500


def lossy() -> Tape:
    """Two streams both ways with loss in runs, lateness, copies, a restart, a key press and RTCP."""
    rng = random.Random(11)
    tape = call(80.0)
    for way, (ssrc, seq) in enumerate(((0x11, 64_000), (0x22, 9_000))):
        ends = ((A, 4000), (B, 5000)) if way == 0 else ((B, 5000), (A, 4000))
        (src, port), (dst, to) = ends
        gone = {k + j for k in range(30, LOSSY - 60, 37) for j in range(rng.choice((0, 1, 1, 3)))}
        slow = {k: rng.uniform(0.0, 0.13) for k in range(5, LOSSY - 5)}
        tape.talk(BEGIN + way * 0.003, src, port, dst, to, LOSSY, ssrc=ssrc, seq=seq, lost=gone, late=slow,
                  twice=range(10, LOSSY, 91))  # fmt: skip
        tape.talk(BEGIN + LOSSY * 0.02 + way * 0.003, src, port, dst, to, LOSSY, ssrc=ssrc, seq=30_000,
                  timestamp=70_000_000, lost=gone)  # fmt: skip
        end = BEGIN + 2 * LOSSY * 0.02 + way * 0.003
        tape.key(end, src, port, dst, to, "7", seq=30_000 + LOSSY, timestamp=70_000_000 + LOSSY * 160, ssrc=ssrc)
    for k in range(10):
        block = report_block(0x11, fraction=3, lost=10 * k, highest=64_000 + 250 * k, jitter=80 + k)
        tape.udp(BEGIN + 5 * k + 1, B, 5001, A, 4001, receiver_report(0x22, [block]))
    return tape


TABLES = ("calls", "streams", "intervals", "rtcp", "findings")


def figures(analysis: sipanalyzer.Analysis) -> dict[str, list[dict[str, Any]]]:
    """All tables that speak of quality, without the names of files and numbers of frames."""
    left_out = {"capture", "first_frame", "last_frame", "frame", "evidence"}
    return {
        name: [{key: value for key, value in row.items() if key not in left_out} for row in records(analysis, name)]
        for name in TABLES
    }


def stamp(seconds: float) -> int:
    """64 bits of NTP time whose middle 32 are known."""
    whole = 3_976_214_400 + int(seconds)
    return whole << 32 | int((seconds - int(seconds)) * 2**32)


def middle(seconds: float) -> int:
    return stamp(seconds) >> 16 & 0xFFFFFFFF


def two_ways(count: int = 1000) -> Tape:
    """Media both ways, SSRC 0x11 from A to B and 0x22 back."""
    tape = call()
    tape.talk(BEGIN, A, 4000, B, 5000, count, ssrc=0x11)
    return tape.talk(BEGIN, B, 5000, A, 4000, count, ssrc=0x22, seq=7000)


def by_ssrc(tape: Tape, **options: Any) -> dict[str, dict[str, Any]]:
    return {row["ssrc"]: row for row in tape.streams(**options)}


def ask_and_answer(
    tape: Tape, at: float, trip: float, *, way: str = "AB", held: float = 0.5, ports: tuple[int, int] = (4001, 5001),
    more: bytes = b"", **figures: int,
) -> None:  # fmt: skip
    """A sender report, and the receiver's answer, which passes the capture `trip` + `held` seconds later."""
    ssrc, other = (0x11, 0x22) if way == "AB" else (0x22, 0x11)
    near, far = ((A, ports[0]), (B, ports[1])) if way == "AB" else ((B, ports[1]), (A, ports[0]))
    tape.udp(at, *near, *far, sender_report(ssrc, stamp(at), 0, 100, 16_000))
    block = report_block(ssrc, lsr=middle(at), dlsr=round(held * 65_536), **figures)
    tape.udp(at + trip + held, *far, *near, receiver_report(other, [block]) + more)
