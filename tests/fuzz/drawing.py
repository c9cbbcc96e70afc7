"""Decisions out of bytes: what a fuzzer changes is both the input of a parser and how it is handed over."""

from __future__ import annotations


class Draw:
    """Takes bytes from the front; zeros once there are none."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def number(self, size: int = 1) -> int:
        """An integer of `size` bytes."""
        return int.from_bytes(self.take(size).ljust(size, b"\0"), "big")

    def take(self, size: int) -> bytes:
        """The next bytes, as many as there are."""
        out = self.data[self.at : self.at + size]
        self.at += size
        return out

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(max(0, len(self.data) - self.at))

    def pieces(self) -> list[bytes]:
        """All that is left, each piece behind two bytes that say its length."""
        out = []
        while self:
            out.append(self.take(self.number(2)))
        return out


def pieces(*parts: bytes) -> bytes:
    """What :meth:`Draw.pieces` takes apart."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def divided(data: bytes, cuts: bytes) -> list[bytes]:
    """Bytes divided at places that `cuts` gives, each a distance from the one before."""
    out, at = [], 0
    for cut in cuts:
        out.append(data[at : at + cut])
        at += cut
    return [*out, data[at:]]
