"""Slow obvious twin of the stream kernel: one stream's packets as a list, everything remembered, nothing clever.

First every packet is judged as it comes (:func:`judge`); what came too late, bursts and intervals are then worked out
from what was remembered (:func:`playout`, :func:`bursts`, :func:`intervals`).
"""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

LATENESS_MS = (5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500)
RUN_LENGTHS = (1, 2, 3, 4, 9, 19, 49)
WINDOW = 2_000_000_000


@dataclass
class Packet:
    time: int  # ns
    seq: int
    stamp: int
    marker: bool = False
    event: bool = False  # telephone-event or comfort noise
    size: int = 160
    payload: int = 0  # its first four bytes


@dataclass
class Taken:
    """A packet that is no duplicate and belongs to a segment."""

    packet: Packet
    extended: int
    segment: int
    new: bool  # nothing else had its number
    interval: int
    frame: int
    late: bool = False
    highest: int = 0  # of its segment, itself included
    lowest: int = 0


@dataclass
class Truth:
    packets: int = 0
    distinct: int = 0
    expected: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    restarts: int = 0
    strays: int = 0
    jitters: list[float] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)
    skews: list[float] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    segments: list[dict[int, int]] = field(default_factory=list)
    schedules: list[list[tuple[int, float | None, Taken | None]]] = field(default_factory=list)
    holes: list[tuple[int, int, int]] = field(default_factory=list)
    events: list[list[int]] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)  # interval of each packet, when it was decided
    due: list[int] = field(default_factory=list)  # interval of each number expected
    jitter_rows: dict[int, float] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)  # numbers of the intervals that have a row
    last_whole: bool = False

    @property
    def lost(self) -> int:
        return self.expected - self.distinct

    @property
    def audio(self) -> list[Taken]:
        return [t for t in self.taken if not t.packet.event]


def judge(
    packets: list[Packet], clock: int, default_ticks: int, video: bool = False, interval_ns: int = 10**10
) -> Truth:
    truth = Truth(packets=len(packets))
    segments = truth.segments  # extended number -> timestamp, one dict a segment
    highest = 0
    pending: Packet | None = None
    waiting = 0
    last_time = first_time = 0
    timing = Timing(clock, default_ticks, video, truth)
    interval = 0
    frame = 0

    def pass_time(now: int, missing: int) -> None:
        """It is `now`, and `missing` numbers ahead of the highest the next packet comes."""
        nonlocal interval
        timing.see(now)
        ends = []
        before = interval
        while now >= first_time + (interval + 1) * interval_ns:
            interval += 1
            ends.append(first_time + interval * interval_ns)
        if interval > before:  # of the empty ones, no more than sixty have rows
            truth.rows += [*range(before + 1, min(interval, before + 61)), interval]
        gap = now - last_time
        unit = next(u for u in (1, 10**3, 10**6, 10**9) if gap < u << 36)
        elapsed = [(end - last_time) // unit for end in ends]
        for number in range(1, missing + 1):  # in which row it was due
            row = before + bisect.bisect_right(elapsed, number * (gap // unit) // (missing + 1))
            truth.due.append(row if row == interval else min(row, before + 60))

    def take(packet: Packet, extended: int, frame: int) -> None:
        nonlocal highest
        seen = segments[-1]
        if extended > highest - 128 and seen.get(extended) == packet.stamp:
            truth.duplicates += 1
            return
        if seen and extended < highest:
            truth.out_of_order += 1
        if seen and extended > highest + 5:
            truth.holes.append((last_time, max(last_time, packet.time), extended - highest - 1))
        taken = Taken(packet, extended, len(segments) - 1, extended not in seen, interval, frame)
        if not seen or extended > max(seen):
            truth.due.append(interval)  # what is missing before it was told by `pass_time`
        elif extended < min(seen):
            truth.due += [interval] * (min(seen) - extended)
        seen[extended] = packet.stamp
        highest = max(seen)
        taken.highest, taken.lowest = highest, min(seen)
        truth.taken.append(taken)
        if packet.event and packet.size >= 4:
            event, end, duration = packet.payload >> 24, packet.payload >> 23 & 1, packet.payload & 0xFFFF
            if not truth.events or (truth.events[-1][1], truth.events[-1][2]) != (packet.stamp, event):
                truth.events.append([packet.time, packet.stamp, event, 0, 0, int(packet.marker), frame, 0])
            row = truth.events[-1]
            row[3], row[4], row[7] = max(row[3], duration), row[4] | end, packet.time
        if not packet.event:
            moved = timing.packet(packet, extended, taken)
            if moved is not None:
                truth.jitter_rows[interval] = max(truth.jitter_rows.get(interval, 0.0), moved)
        else:
            timing.broken = True

    for frame, packet in enumerate(packets, 1):
        if not segments:
            segments.append({})
            truth.rows.append(0)
            first_time = last_time = packet.time
            take(packet, 65536 + packet.seq, frame)
            truth.arrivals.append(0)
            continue
        nearest = min(
            (highest // 65536 * 65536 + packet.seq + k * 65536 for k in (-1, 0, 1)), key=lambda e: abs(e - highest)
        )
        if nearest - highest == -32768:  # either way is as near; forward is not within reach, so it does not matter
            nearest += 65536
        confirms = pending is not None and packet.seq == (pending.seq + 1) % 65536
        if -100 <= nearest - highest <= 3000 and not confirms:
            pass_time(packet.time, max(0, nearest - highest - 1))
            if pending is not None:
                truth.strays += 1
                pending = None
            take(packet, nearest, frame)
        elif pending is None:
            pending, pending_frame = packet, frame
        elif packet.seq == pending.seq:
            truth.duplicates += packet.stamp == pending.stamp
        elif confirms:
            usual = timing.usual
            lowest = min(segments[-1])
            packet_time = usual * 1e9 / clock if usual else 0.0
            if not packet_time:
                steps = highest - lowest
                packet_time = (last_time - first_time) / steps if steps else default_ticks * 1e9 / clock
            gap = pending.time - last_time
            explained = None
            step = (pending.seq - highest) % 65536
            if gap > 0:
                for rounds in range(1000):
                    candidate = step + 65536 * rounds
                    if abs(candidate * packet_time - gap) <= 0.2 * gap and (
                        explained is None or abs(candidate * packet_time - gap) < abs(explained * packet_time - gap)
                    ):
                        explained = candidate
                    if candidate * packet_time > 2 * gap:
                        break
            if explained is None:
                truth.restarts += 1
                base = (highest // 65536 + 2) * 65536
                pass_time(pending.time, 0)
                segments.append({})
                timing.broken = True
                from_here = base + pending.seq
            else:
                pass_time(pending.time, max(0, explained - 1))
                from_here = highest + explained
            take(pending, from_here, pending_frame)
            truth.arrivals += [interval] * waiting
            waiting = 0
            pass_time(packet.time, 0)
            take(packet, from_here + 1, frame)
            pending = None
        else:
            truth.strays += 1
            pending, pending_frame = packet, frame
            truth.arrivals += [interval] * waiting  # those that waited before belong to nothing
            waiting = 0
        if pending is None:
            last_time = packet.time
            truth.arrivals += [interval] * (waiting + 1)
            waiting = 0
        else:
            waiting += 1
    if pending is not None:
        truth.strays += 1
        pass_time(pending.time, 0)
        last_time = pending.time
        truth.arrivals += [interval] * waiting
    if packets:
        steps = highest - min(segments[-1])
        packet_time = timing.usual * 1e9 / clock if timing.before and timing.usual else 0.0
        if not packet_time:
            default = default_ticks * 1e9 / clock if timing.before else 0.0
            packet_time = (last_time - first_time) / steps if steps else default
        truth.last_whole = packet_time >= first_time + (interval + 1) * interval_ns - last_time
    for seen in segments:
        truth.expected += max(seen) - min(seen) + 1
        truth.distinct += len(seen)
    return truth


class Timing:
    def __init__(self, clock: int, default_ticks: int, video: bool, truth: Truth) -> None:
        self.clock, self.default, self.video, self.truth = clock, default_ticks, video, truth
        self.broken = True
        self.before: tuple[Packet, int] | None = None
        self.usual = 0
        self.previous_step = 0
        self.jitter = 0.0
        self.anchor: tuple[int, int] = (0, 0)
        self.ticks = 0

    def see(self, now: int) -> None:
        if self.truth.schedules:
            self.truth.schedules[-1].append((now, None, None))

    def packet(self, packet: Packet, extended: int, taken: Taken) -> float | None:
        """Jitter after it, where there was a difference to take."""
        broken = self.broken or self.before is None
        step = 0
        if self.before is not None:
            earlier, number = self.before
            step = (packet.stamp - earlier.stamp + 2**31) % 2**32 - 2**31
            gap = packet.time - earlier.time
            broken = broken or abs(gap) > 2**53
            if not self.video and not broken:
                if extended - number == 1 and step > 0:
                    plausible = abs(step - self.default) <= self.default or (
                        step * 100 % self.clock == 0 and step * 5 <= self.clock
                    )
                    usual = self.usual
                    if not self.usual:
                        usual = step
                        if plausible:
                            self.usual = step
                        else:
                            broken = True
                    elif step != self.usual and step == self.previous_step and step * 5 <= self.clock:
                        usual = self.usual = step
                    self.previous_step = step
                else:
                    usual = self.usual
                usual = usual or self.default
                unusual = abs(step - (extended - number) * usual) > usual
                if unusual or (packet.marker and gap > 200_000_000) or gap < 0:
                    broken = True
        self.before = (packet, extended)
        self.broken = False
        if broken:
            self.anchor = (packet.time, 0)
            self.ticks = 0
            self.truth.schedules.append([(packet.time, 0.0, taken)])
            return None
        self.truth.deltas.append(gap)
        self.jitter += (abs(gap * 1e-6 - step * 1000.0 / self.clock) - self.jitter) / 16.0
        self.truth.jitters.append(self.jitter)
        self.ticks += step
        skew = (packet.time - self.anchor[0]) * 1e-6 - self.ticks * 1000.0 / self.clock
        self.truth.skews.append(skew)
        self.truth.schedules[-1].append((packet.time, skew, taken))
        return self.jitter


# ---- what is worked out afterwards


def playout(truth: Truth, depth_ms: float = 60.0, most_ms: float | None = None) -> list[int]:
    """Mark what came too late; how many packets there were of each class of lateness."""
    classes = [0] * (len(LATENESS_MS) + 1)
    least_depth = depth = round(depth_ms * 1e6)
    most = depth if most_ms is None else max(depth, round(most_ms * 1e6))
    for schedule in truth.schedules:
        base = 0.0
        end = schedule[0][0] + WINDOW
        window: list[tuple[int, float, bool]] = []
        previous = schedule[0][0]
        for time, skew, taken in schedule:
            if time >= end:
                if window:
                    least = min(s for _, s, _ in window)
                    if least < base:
                        base = max(least, base - 1.0)
                    elif previous - window[0][0] >= WINDOW // 2:
                        base = least
                    if not any(late for _, _, late in window):
                        depth -= (depth - least_depth) // 10
                window = []
                while end <= time:
                    end += WINDOW
            if skew is None or taken is None:
                continue
            late = max(0, int(min(skew - base, 1e6) * 1e6 + 0.5))
            classes[sum(late >= limit * 1_000_000 for limit in LATENESS_MS)] += 1
            too_late = late > depth
            window.append((time, skew, too_late))
            previous = time
            if too_late:
                taken.late = taken.new
                depth = max(depth, min(late, most))
    return classes


def bursts(truth: Truth, gmin: int = 16) -> dict[str, Any]:
    """RFC 3611 4.7.2 by the letter, over all numbers of all segments; :func:`playout` comes first."""
    found: Counter[str] = Counter()
    lost_runs: list[int] = []
    late = {(t.segment, t.extended) for t in truth.taken if t.late}
    for k, seen in enumerate(truth.segments):
        flags = "".join(
            "D" if (k, number) in late else "." if number in seen else "L" for number in range(min(seen), max(seen) + 1)
        )
        lost_runs += [len(run) for run in flags.replace("D", ".").split(".") if run]
        found["bad_runs"] += sum(1 for run in flags.split(".") if run)
        for cluster in ("." * gmin + flags + "." * gmin).split("." * gmin):
            trimmed = cluster.strip(".")
            bad = len(trimmed) - trimmed.count(".")
            found["bad"] += bad
            if bad > 1:
                found["bursts"] += 1
                found["burst_packets"] += len(trimmed)
                found["burst_bad"] += bad
    classes = [0] * (len(RUN_LENGTHS) + 1)
    for length in lost_runs:
        classes[sum(length > limit for limit in RUN_LENGTHS)] += 1
    names = ("bursts", "burst_packets", "burst_bad", "bad", "bad_runs")
    return {
        **{name: found[name] for name in names},
        "max_consecutive_lost": max(lost_runs, default=0),
        "loss_runs": tuple(classes),
    }


def intervals(truth: Truth) -> list[dict[str, Any]]:
    """Rows of the intervals in order of time; :func:`playout` comes first."""
    packets, due = Counter(truth.arrivals), Counter(truth.due)
    rows = []
    runs_before = 0
    for number in truth.rows:
        here = [t for t in truth.taken if t.interval == number]
        runs = _runs([t for t in truth.taken if t.interval <= number])
        rows.append(
            {
                "number": number, "packets": packets[number], "expected": due[number],
                "lost": due[number] - sum(t.new for t in here), "discarded": sum(t.late for t in here),
                "runs": runs - runs_before, "max_jitter_ms": truth.jitter_rows.get(number),
                "whole": number != truth.rows[-1] or truth.last_whole,
            }
        )  # fmt: skip
        runs_before = runs
    for a, b in reversed(list(itertools.pairwise(rows))):
        over = max(0, b["discarded"] - (b["expected"] - max(0, b["lost"])))
        for name, much in (("lost", min(0, b["lost"])), ("runs", min(0, b["runs"])), ("discarded", over)):
            a[name] += much
            b[name] -= much
    for row in rows:
        bad = row["lost"] + row["discarded"]
        row["runs"] = min(bad, max(row["runs"], bad > 0))
    return rows


def _runs(taken: list[Taken]) -> int:
    """Runs of numbers lost or late, as far as was known after these."""
    total = 0
    for segment in {t.segment for t in taken}:
        good = {t.extended for t in taken if t.segment == segment}
        good -= {t.extended for t in taken if t.segment == segment and t.late}
        last = [t for t in taken if t.segment == segment][-1]
        edge = [last.lowest - 1, *sorted(good), last.highest + 1]
        total += sum(b - a > 1 for a, b in itertools.pairwise(edge))
    return total
