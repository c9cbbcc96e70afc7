"""IP addresses are replaced by others, alike in text and on the wire. Floor 3.

In: IPv4 and IPv6 addresses as numbers or as text. Out: others that share a prefix where the originals did, of the same
kind (private, shared, link-local, multicast) and with as many characters, so that a message that names one keeps its
length. Sources: RFC 6890 (special-purpose addresses), RFC 4291 2.2 (text of IPv6), RFC 6052 (IPv4 in IPv6).
"""

from __future__ import annotations

import ipaddress
import re

from .keyed import Keyed

__all__ = ["Addresses"]

_REMEMBERED = 1 << 16
_FIXED = frozenset({0, 10, 100, 127, 169, 172, 192, *range(224, 256)})
"""First octets that stay, since ranges with a meaning begin so."""
_SECOND: dict[int, tuple[range, ...]] = {
    100: (range(64, 128),), 169: (range(254, 255),), 172: (range(16, 32),), 192: (range(168, 169),)
}  # fmt: skip
"""Ranges of the second octet with a meaning: RFC 6598, RFC 3927, RFC 1918."""
_STAY = frozenset({0, 0x7F000001, 0xFFFFFFFF})
"""0.0.0.0 (held media), 127.0.0.1, 255.255.255.255: nobody's."""
_LENGTHS = (range(10), range(10, 100), range(100, 256))
_FOUR = re.compile(r"(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}", re.ASCII)
_NIBBLES = "0123456789abcdef"


class Addresses:
    """Replacements of addresses under one key."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed
        self._octets: dict[tuple[bytes, int], dict[int, int]] = {}
        self._four: dict[int, int] = {}
        self._six: dict[int, int] = {}

    # ---- IPv4
    def four(self, address: int) -> int:
        """Another IPv4 address."""
        known = self._four.get(address)
        if known is None:
            if len(self._four) >= _REMEMBERED:
                self._four.clear()
                self._octets.clear()
            known = self._four[address] = (
                address if address in _STAY or address >> 8 == 0xE00000 else self._new(address)
            )
        return known

    def _new(self, address: int) -> int:
        octets = address.to_bytes(4, "big")
        new = bytes(self._octet(octets[:i], octets[i]) for i in range(4))
        if int.from_bytes(new, "big") in _STAY:  # 127.0.0.1: taken; its own place is free
            new = bytes(self._octet(new[:i], new[i]) for i in range(4))
        return int.from_bytes(new, "big")

    def _octet(self, before: bytes, octet: int) -> int:
        """Another octet behind some others."""
        if not before and octet in _FIXED:
            return octet
        ends = before[:1] == b"\xff"
        which = next(i for i, length in enumerate(_LENGTHS) if octet in length)
        special = -1
        if len(before) == 1:
            ranges = _SECOND.get(before[0], ())
            special = next((i for i, each in enumerate(ranges) if octet in each), -1)
        table = self._octets.get((before, which << 8 | special + 1))
        if table is None:
            values = [each for each in _LENGTHS[which] if before or each not in _FIXED]
            if len(before) == 1:
                ranges = _SECOND.get(before[0], ())
                values = [
                    each for each in values
                    if next((i for i, some in enumerate(ranges) if each in some), -1) == special
                ]  # fmt: skip
            new = values if ends else self._keyed.shuffled(b"ipv4", before, values)
            table = self._octets[before, which << 8 | special + 1] = dict(zip(values, new, strict=True))
        return table[octet]

    # ---- IPv6
    def six(self, address: int) -> int:
        """Another IPv6 address; one that contains an IPv4 address contains the other one's."""
        known = self._six.get(address)
        if known is None:
            if len(self._six) >= _REMEMBERED:
                self._six.clear()
            known = self._six[address] = self._new_six(address)
        return known

    def _new_six(self, address: int) -> int:
        if address < 2:  # :: and ::1
            return address
        if address >> 32 == 0xFFFF or address >> 32 == 0x64FF9B << 64:  # ::ffff:0:0/96, 64:ff9b::/96
            return address & ~0xFFFFFFFF | self.four(address & 0xFFFFFFFF)
        text = "".join(f"{address >> shift & 0xFFFF:04x}" for shift in range(112, -1, -16))
        first = int(text[:4], 16)
        kept = 4 if first & 0xFE00 == 0xFC00 or first & 0xFFC0 == 0xFE80 or first >> 8 == 0xFF else 0
        if first in (0x0064, 0x2002):
            kept = 4
        new = text[:kept]
        for at in range(kept, 32):
            hextet = at // 4 * 4
            leading = not text[hextet:at].strip("0")  # only zeros before it in its group
            if text[at] == "0" and leading:
                new += "0"
                continue
            order = self._keyed.shuffled(b"ipv6", text[:at].encode(), _NIBBLES[1:] if leading else _NIBBLES)
            choices = _NIBBLES[1:] if leading else _NIBBLES
            if at < 4 and not kept:  # what is global stays global
                order = list(choices) if at == 0 else order
            new += order[choices.index(text[at])]
        return int(new, 16)

    # ---- text
    def text(self, text: str) -> str | None:
        """Another address as text, as long; None where it is none.

        Parameters
        ----------
        text : str
            IPv4, or IPv6 without brackets and zone, in any notation.
        """
        if _FOUR.fullmatch(text):
            try:
                return str(ipaddress.IPv4Address(self.four(int(ipaddress.IPv4Address(text)))))
            except ValueError:
                return None
        if ":" not in text:
            return None
        try:
            new = self.six(int(ipaddress.IPv6Address(text)))
        except ValueError:
            return None
        return _written_like(text, new)


def _written_like(text: str, address: int) -> str | None:
    """An IPv6 address, written as another one is: zeros left out, capitals, the end as IPv4."""
    groups = [f"{address >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    head, gap, tail = text.partition("::")
    parts = tail if gap else head
    dotted = "." in parts
    front = head.split(":") if gap and head else [] if gap else head.split(":")
    back = (tail.split(":") if tail else []) if gap else []
    numbers = groups
    if dotted:
        numbers = [*groups[:6], str(ipaddress.IPv4Address(address & 0xFFFFFFFF))]
    new_front = [_like(old, new) for old, new in zip(front, numbers, strict=False)]
    new_back = [_like(old, new) for old, new in zip(back, numbers[len(numbers) - len(back) :], strict=True)]
    new_text = ":".join(new_front) + gap + ":".join(new_back)
    return new_text if len(new_text) == len(text) else None


def _like(old: str, new: str) -> str:
    new = new.rjust(len(old), "0") if "." not in new else new
    return new.upper() if old.isupper() or any(character.isupper() for character in old) else new
