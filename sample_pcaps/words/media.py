"""RTP from words: what a sender sends, what the network does to it, and what a receiver must then count.

Owns: senders (:class:`Voice`), the path (:func:`deliver`), and the obvious count of a stream (:func:`count`), written
as plainly as the RFC has it so that it can be believed. In: words. Out: packets with times, and facts. Sources: RFC
3550 (A.1, A.3, A.8), RFC 3551, RFC 4733, ITU-T G.711.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .packets import rtp, telephone_event


class Codec(NamedTuple):
    """A payload format as the samples use it."""

    payload_type: int
    clock_rate: int
    payload_bytes: int
    """Bytes in 20 ms."""


CODECS = {
    "PCMU": Codec(0, 8000, 160), "PCMA": Codec(8, 8000, 160), "G722": Codec(9, 8000, 160), "G729": Codec(18, 8000, 20),
    "opus": Codec(111, 48000, 60), "AMR-WB": Codec(97, 16000, 34),
}  # fmt: skip
EVENT = "telephone-event"
MS = 1_000_000


class Sent(NamedTuple):
    """One RTP packet as it left its sender."""

    time_ns: int
    segment: int
    """How often the sender had restarted."""
    number: int
    """Sequence number before it is taken modulo 65536."""
    timestamp: int
    codec: str
    payload_type: int
    marker: bool
    payload: bytes


class Arrival(NamedTuple):
    """One RTP packet as it was captured."""

    time_ns: int
    sent: Sent

    def encode(self, ssrc: int) -> bytes:
        """Its bytes."""
        return rtp(
            self.sent.payload, seq=self.sent.number, timestamp=self.sent.timestamp, ssrc=ssrc,
            payload_type=self.sent.payload_type, marker=self.sent.marker,
        )  # fmt: skip


def g711(samples: Sequence[int], law: str) -> bytes:
    """16-bit samples in A-law or mu-law (ITU-T G.711)."""
    return bytes(_alaw(sample) if law == "PCMA" else _ulaw(sample) for sample in samples)


def _alaw(sample: int) -> int:
    sign, level = (0x80, sample) if sample >= 0 else (0, ~sample)
    level = min(level >> 4, 2047)
    exponent = max(level.bit_length() - 4, 0) if level >= 16 else 0
    mantissa = level >> max(exponent - 1, 0) & 15
    return (sign | exponent << 4 | mantissa) ^ 0x55


def _ulaw(sample: int) -> int:
    sign, level = (0, sample) if sample >= 0 else (0x80, -sample)
    level = min(level, 32635) + 132
    exponent = level.bit_length() - 8
    return ~(sign | exponent << 4 | level >> (exponent + 3) & 15) & 0xFF


class Voice:
    """A sender of RTP: one SSRC whose packets are told as a story.

    Times are in ms of the scene. The timestamp follows the wall clock through pauses unless a restart says otherwise.
    """

    def __init__(self, ssrc: int, codec: str = "PCMA", *, seq: int = 1, timestamp: int = 0, tone_hz: int = 440) -> None:
        self.ssrc, self.codec, self.tone_hz = ssrc, codec, tone_hz
        self.sent: list[Sent] = []
        self._number, self._timestamp, self._segment = seq, timestamp, 0
        self._due_ms: int | None = None

    @property
    def step(self) -> int:
        """Timestamp units in 20 ms."""
        return CODECS[self.codec].clock_rate // 50

    def talk(self, at_ms: int, until_ms: int, *, tones: Sequence[int] = (), quiet_marker: bool = False) -> Voice:
        """Send a packet every 20 ms from `at_ms` until before `until_ms`; `tones` in turn, 300 ms each."""
        self._reach(at_ms)
        marker = not quiet_marker and (not self.sent or at_ms - self.sent[-1].time_ns // MS > 40)
        for due_ms in range(at_ms, until_ms, 20):
            tone = tones[(due_ms - at_ms) // 300 % len(tones)] if tones else self.tone_hz
            self._put(due_ms, self.codec, CODECS[self.codec].payload_type, marker, self._payload(tone))
            self._timestamp += self.step
            marker = False
        return self

    def dial(self, at_ms: int, digit: str, key_ms: int = 100, payload_type: int = 101) -> Voice:
        """Press a key (RFC 4733): a packet every 20 ms with the key's first timestamp, the last one three times."""
        self._reach(at_ms)
        for part in range(1, key_ms // 20 + 1):
            duration, end = part * self.step, part == key_ms // 20
            for copy in range(3 if end else 1):
                payload = telephone_event(digit, duration, end=end)
                self._put(at_ms + (part - 1) * 20 + copy * 2, EVENT, payload_type, part == 1, payload)
        self._timestamp += key_ms // 20 * self.step
        self._due_ms = at_ms + key_ms
        return self

    def switch(self, codec: str) -> Voice:
        """Go on in another codec of the same clock rate."""
        self.codec = codec
        return self

    def restart(self, seq: int, timestamp: int) -> Voice:
        """Begin the sequence anew under the same SSRC."""
        self._number, self._timestamp, self._segment = seq, timestamp, self._segment + 1
        return self

    def _reach(self, at_ms: int) -> None:
        if self._due_ms is not None:
            self._timestamp += (at_ms - self._due_ms) * self.step // 20
        self._due_ms = at_ms

    def _put(self, at_ms: int, codec: str, payload_type: int, marker: bool, payload: bytes) -> None:
        self.sent.append(
            Sent(at_ms * MS, self._segment, self._number, self._timestamp, codec, payload_type, marker, payload)
        )
        self._number += 1
        self._due_ms = at_ms + 20

    def _payload(self, tone_hz: int) -> bytes:
        length = CODECS[self.codec].payload_bytes
        if self.codec in ("PCMA", "PCMU"):
            angles = (2 * math.pi * tone_hz * (self._timestamp + at) / 8000 for at in range(length))
            return g711([round(7919 * math.sin(angle)) for angle in angles], self.codec)
        if self.codec == "opus":  # a table of contents byte for one 20 ms CELT frame, fullband (RFC 6716 section 3.1)
            return b"\xf8" + noise(f"{self.ssrc} {self._number}", length - 1)
        if (
            self.codec == "AMR-WB"
        ):  # octet-aligned: no mode request, then one frame of 12.65 kbit/s (RFC 4867 section 4.4)
            bits = noise(f"{self.ssrc} {self._number}", length - 2)
            return b"\xf0\x14" + bits[:-1] + bytes([bits[-1] & 0xF8])
        return noise(f"{self.ssrc} {self._number}", length)


def noise(seed: str, length: int) -> bytes:
    """Bytes without meaning, the same for the same seed everywhere."""
    out = b""
    while len(out) < length:
        out += hashlib.sha256(f"{seed} {len(out)}".encode()).digest()
    return out[:length]


def chance(seed: str, number: int) -> float:
    """A number in [0, 1) that looks random, the same for the same seed everywhere."""
    return int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:6], "big") / 2**48


def deliver(
    sent: Sequence[Sent],
    *,
    delay_us: int | Sequence[int] = 0,
    lost: frozenset[int] | set[int] = frozenset(),
    late_us: Mapping[int, int] | None = None,
    again_us: Mapping[int, int] | None = None,
) -> list[Arrival]:
    """What the network makes of the packets: keys and members are their index in `sent`.

    `delay_us` for all, or one for each; `late_us` on top for some; `lost` never arrive; `again_us`: arrive a second
    time that much after the first.
    """
    arrivals = []
    for index, packet in enumerate(sent):
        if index in lost:
            continue
        delay = (delay_us if isinstance(delay_us, int) else delay_us[index]) + (late_us or {}).get(index, 0)
        arrivals.append(Arrival(packet.time_ns + delay * 1000, packet))
        if again_us and index in again_us:
            arrivals.append(Arrival(packet.time_ns + (delay + again_us[index]) * 1000, packet))
    return sorted(arrivals, key=lambda arrival: arrival.time_ns)


def count(arrivals: Sequence[Arrival], clock_rate: int, step: int) -> dict[str, Any]:
    """What a receiver must count: the columns of the table of streams that follow from the packets alone."""
    seen: set[tuple[int, int]] = set()
    highest: dict[int, int] = {}
    duplicates = out_of_order = 0
    for _, sent in arrivals:
        if (sent.segment, sent.number) in seen:
            duplicates += 1
            continue
        seen.add((sent.segment, sent.number))
        if sent.number < highest.get(sent.segment, sent.number):
            out_of_order += 1
        highest[sent.segment] = max(sent.number, highest.get(sent.segment, sent.number))
    expected = 0
    for segment in highest:
        numbers = [number for part, number in seen if part == segment]
        expected += max(numbers) - min(numbers) + 1
    return {
        "packets": len(arrivals),
        "bytes": sum(len(sent.payload) for _, sent in arrivals),
        "expected": expected,
        "lost": expected - len(seen),
        "duplicates": duplicates,
        "out_of_order": out_of_order,
        "restarts": len(highest) - 1,
        "max_jitter_ms": round(max(jitter(arrivals, clock_rate, step), default=0.0) / clock_rate * 1000, 6),
    }


def jitter(arrivals: Sequence[Arrival], clock_rate: int, step: int) -> list[float]:
    """The interarrival jitter after each packet, in timestamp units (RFC 3550 A.8).

    Duplicates and telephone-event move nothing. The reference is taken anew after a telephone-event, a restart, a
    marker after a gap of more than 200 ms, and a timestamp step that is off by more than one packet time.
    """
    values = []
    value = 0.0
    before: Arrival | None = None
    seen: set[tuple[int, int]] = set()
    for arrival in arrivals:
        sent = arrival.sent
        if (sent.segment, sent.number) in seen:
            continue
        seen.add((sent.segment, sent.number))
        if sent.codec == EVENT:
            before = None
            continue
        if before is not None:
            gap_ns = arrival.time_ns - before.time_ns
            ticks = sent.timestamp - before.sent.timestamp
            off = abs(ticks - (sent.number - before.sent.number) * step)
            broken = sent.segment != before.sent.segment or off > step or (sent.marker and gap_ns > 200 * MS)
            if not broken:
                value += (abs(gap_ns * clock_rate / 1e9 - ticks) - value) / 16
        values.append(value)
        before = arrival
    return values
