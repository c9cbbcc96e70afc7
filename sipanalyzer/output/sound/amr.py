"""AMR and AMR-WB payload becomes the frames of their storage format. Floor 8.

Source: RFC 4867 sections 4.3 (bandwidth-efficient), 4.4 (octet-aligned) and 5 (storage). Which of the two a payload
follows is in its SDP; here it is seen from the payload itself, since an octet-aligned one fits its length exactly.
"""

from __future__ import annotations

__all__ = ["storage_frames"]

_BITS = {
    False: (95, 103, 118, 134, 148, 159, 204, 244, 39),
    True: (132, 177, 253, 285, 317, 365, 397, 461, 477, 40),
}
"""Speech bits by frame type, comfort noise last; narrowband and wideband."""


def storage_frames(payload: bytes, *, wideband: bool) -> list[bytes]:
    """Frames of a payload, each a byte of type and quality and its speech bits.

    Parameters
    ----------
    payload : bytes
        Of one RTP packet.
    wideband : bool
        AMR-WB.

    Returns
    -------
    list of bytes
        Empty where it follows neither format. Frames without data (type 15) are left out.
    """
    bits = _BITS[wideband]
    aligned = _octet_aligned(payload, bits)
    return aligned if aligned is not None else _bandwidth_efficient(payload, bits)


def _octet_aligned(payload: bytes, bits: tuple[int, ...]) -> list[bytes] | None:
    if len(payload) < 2 or payload[0] & 15:
        return None
    heads, at = [], 1
    while at < len(payload):
        heads.append(payload[at])
        at += 1
        if not heads[-1] & 0x80:
            break
    found = []
    for head in heads:
        kind = head >> 3 & 15
        if head & 3 or len(bits) <= kind < 14:
            return None
        size = -(-bits[kind] // 8) if kind < len(bits) else 0
        if at + size > len(payload):
            return None
        if size:
            found.append(bytes([head & 0x7C]) + payload[at : at + size])
        at += size
    return found if at == len(payload) else None


def _bandwidth_efficient(payload: bytes, bits: tuple[int, ...]) -> list[bytes]:
    total = 8 * len(payload)
    whole = int.from_bytes(payload, "big")

    def take(begin: int, count: int) -> int:
        return whole >> (total - begin - count) & ((1 << count) - 1)

    heads, at = [], 4
    while at + 6 <= total:
        heads.append(take(at, 6))
        at += 6
        if not heads[-1] & 0x20:
            break
    found = []
    for head in heads:
        kind = head >> 1 & 15
        if len(bits) <= kind < 14:
            return []
        count = bits[kind] if kind < len(bits) else 0
        if at + count > total:
            return []
        if count:
            size = -(-count // 8)
            speech = take(at, count) << (8 * size - count)
            found.append(bytes([kind << 3 | (head & 1) << 2]) + speech.to_bytes(size, "big"))
        at += count
    return found
