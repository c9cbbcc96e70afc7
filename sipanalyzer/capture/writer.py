"""Packets into a pcapng file. Floor 2, standard library only.

Comes in: interfaces, then packets with their interface, in any order. Goes out: one section, little-endian, of enhanced
packet blocks. Nothing is computed: ticks, lengths, bytes and options are written as they are given. Source:
draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import IO

__all__ = ["COMMENT", "DESCRIPTION", "Options", "PcapngWriter"]

Options = Iterable[tuple[int, bytes]]
"""Code and value of each, multi-byte numbers little-endian."""

COMMENT = 1
"""Code of a comment, in every kind of block."""
DESCRIPTION = 3
"""Code of an interface's description (if_description)."""

_APPLICATION = 4
_SECTION_HEADER, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_LONGEST = 0xFFFF
_HEAD = struct.Struct("<7I")
_LENGTH = struct.Struct("<I")


def _options(options: Options) -> bytes:
    """Options with the end mark behind them; nothing at all where there are none."""
    out = b"".join(struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options)
    return out + bytes(4) if out else b""


def _text(text: str) -> bytes:
    """UTF-8, cut between two characters where an option would not hold it."""
    return text.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore").encode()


class PcapngWriter:
    """Writes one section.

    Parameters
    ----------
    stream : binary file
        Where to; the section header is written at once.
    comment : str
        Stands on the section, for people.
    application : str
        What wrote it.
    """

    def __init__(self, stream: IO[bytes], comment: str = "", application: str = "") -> None:
        self._stream = stream
        self._interfaces = 0
        texts = ((COMMENT, comment), (_APPLICATION, application))
        options = [(code, _text(text)) for code, text in texts if text]
        self._block(_SECTION_HEADER, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options(options))

    def interface(self, link: int, snaplen: int, options: Options = ()) -> int:
        """Describe an interface; its number, for :meth:`packet`.

        Parameters
        ----------
        link : int
            Link type, a number of tcpdump's registry.
        snaplen : int
            Bytes that were captured of a packet at most; 0: no limit.
        options : sequence of (int, bytes)
            As they are to stand in the file; its clock among them (if_tsresol, if_tsoffset; microseconds without).
        """
        self._block(_INTERFACE, struct.pack("<HHI", link, 0, snaplen) + _options(options))
        self._interfaces += 1
        return self._interfaces - 1

    def packet(self, interface: int, ticks: int, data: bytes, wire_length: int, options: Options = ()) -> None:
        """Write a packet.

        Parameters
        ----------
        interface : int
            What :meth:`interface` gave.
        ticks : int
            Its time in units of the interface's clock, 64 bits.
        data : bytes
            As captured.
        wire_length : int
            Bytes that it had on the wire.
        options : sequence of (int, bytes)
            As they are to stand in the file.

        Raises
        ------
        ValueError
            If there is no such interface.
        """
        if not 0 <= interface < self._interfaces:
            raise ValueError(f"there is no interface {interface}; there are {self._interfaces}")
        size = len(data)
        rest = bytes(-size % 4) + _options(options)
        total = 32 + size + len(rest)
        self._stream.write(
            _HEAD.pack(_PACKET, total, interface, ticks >> 32, ticks & 0xFFFFFFFF, size, wire_length)
            + data
            + rest
            + _LENGTH.pack(total)
        )

    def _block(self, kind: int, body: bytes) -> None:
        length = _LENGTH.pack(12 + len(body))
        self._stream.write(_LENGTH.pack(kind) + length + body + length)
