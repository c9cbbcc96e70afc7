"""TCP reassembly as one would do it by hand: put every byte where its sequence number says, the first one stays."""

from __future__ import annotations


def bytes_in_sequence(segments: list[tuple[int, bytes]], first: int) -> list[tuple[int, bytes]]:
    """Runs of bytes without a hole, with their offsets from `first`, of (sequence number, payload) in order of arrival.

    Knows all segments at once. Sequence numbers are 32 bits; all must be within 2**31 of `first`.
    """
    stream: dict[int, int] = {}
    for seq, payload in segments:
        offset = (seq - first) % 2**32
        if offset >= 2**31:
            offset -= 2**32
        for i, byte in enumerate(payload):
            if offset + i >= 0 and offset + i not in stream:
                stream[offset + i] = byte
    runs: list[tuple[int, bytearray]] = []
    for offset in sorted(stream):
        if not runs or runs[-1][0] + len(runs[-1][1]) != offset:
            runs.append((offset, bytearray()))
        runs[-1][1].append(stream[offset])
    return [(offset, bytes(data)) for offset, data in runs]
