"""Slow obvious twin of the stream kernel: one stream's packets as a list, everything remembered, nothing clever."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Packet:
    time: int  # ns
    seq: int
    stamp: int
    marker: bool = False
    event: bool = False  # telephone-event or comfort noise
    size: int = 160


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

    @property
    def lost(self) -> int:
        return self.expected - self.distinct


def judge(packets: list[Packet], clock: int, default_ticks: int, video: bool = False) -> Truth:
    truth = Truth(packets=len(packets))
    segments: list[dict[int, int]] = []  # extended number -> timestamp, one dict a segment
    highest = 0
    pending: Packet | None = None
    last_time = first_time = 0
    timing = Timing(clock, default_ticks, video, truth)

    def take(packet: Packet, extended: int) -> None:
        nonlocal highest
        seen = segments[-1]
        if extended > highest - 128 and seen.get(extended) == packet.stamp:
            truth.duplicates += 1
            return
        if seen and extended < highest:
            truth.out_of_order += 1
        seen[extended] = packet.stamp
        highest = max(seen)
        timing.packet(packet, extended)

    for packet in packets:
        if not segments:
            segments.append({})
            first_time = last_time = packet.time
            take(packet, 65536 + packet.seq)
            continue
        nearest = min(
            (highest // 65536 * 65536 + packet.seq + k * 65536 for k in (-1, 0, 1)), key=lambda e: abs(e - highest)
        )
        if nearest - highest == -32768:  # either way is as near; forward is not within reach, so it does not matter
            nearest += 65536
        confirms = pending is not None and packet.seq == (pending.seq + 1) % 65536
        if -100 <= nearest - highest <= 3000 and not confirms:
            if pending is not None:
                truth.strays += 1
                pending = None
            take(packet, nearest)
        elif pending is None:
            pending = packet
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
                segments.append({})
                timing.broken = True
                take(pending, base + pending.seq)
                take(packet, base + pending.seq + 1)
            else:
                from_here = highest + explained
                take(pending, from_here)
                take(packet, from_here + 1)
            pending = None
        else:
            truth.strays += 1
            pending = packet
        if pending is None:
            last_time = packet.time
    if pending is not None:
        truth.strays += 1
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

    def packet(self, packet: Packet, extended: int) -> None:
        if packet.event:
            self.broken = True
            return
        broken = self.broken or self.before is None
        step = 0
        if self.before is not None:
            earlier, number = self.before
            step = (packet.stamp - earlier.stamp + 2**31) % 2**32 - 2**31
            gap = packet.time - earlier.time
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
                if abs(step - (extended - number) * usual) > usual or (packet.marker and gap > 200_000_000):
                    broken = True
        self.before = (packet, extended)
        self.broken = False
        if broken:
            self.anchor = (packet.time, 0)
            self.ticks = 0
            return
        self.truth.deltas.append(gap)
        self.jitter += (abs(gap * 1e-6 - step * 1000.0 / self.clock) - self.jitter) / 16.0
        self.truth.jitters.append(self.jitter)
        self.ticks += step
        self.truth.skews.append((packet.time - self.anchor[0]) * 1e-6 - self.ticks * 1000.0 / self.clock)
