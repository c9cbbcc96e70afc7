"""RTCP read bit by bit, as the figures of RFC 3550 section 6 draw it: a twin of `sipanalyzer.rtp.rtcp` for reports."""

from __future__ import annotations

Block = tuple[int, int, int, int, int, int, int]


class Bits:
    """Numbers taken from a string of ones and zeros."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)

    def take(self, count: int) -> int:
        assert count <= len(self.text)
        number, self.text = int(self.text[:count], 2), self.text[count:]
        return number


def read_report(packet: bytes) -> tuple[str, int, tuple[int, int, int, int] | None, list[Block]]:
    """Name, sender, sender information and report blocks of one whole SR or RR without padding."""
    bits = Bits(packet)
    assert bits.take(2) == 2
    assert bits.take(1) == 0
    count, kind = bits.take(5), bits.take(8)
    assert (bits.take(16) + 1) * 4 == len(packet)
    ssrc = bits.take(32)
    info = (bits.take(64), bits.take(32), bits.take(32), bits.take(32)) if kind == 200 else None
    blocks = []
    for _ in range(count):
        source, fraction, lost = bits.take(32), bits.take(8), bits.take(24)
        signed = lost - 2**24 if lost >= 2**23 else lost
        blocks.append((source, fraction, signed, bits.take(32), bits.take(32), bits.take(32), bits.take(32)))
    return {200: "SR", 201: "RR"}[kind], ssrc, info, blocks
