"""Capture files from packets: pcap and pcapng as bytes.

Owns: the two formats. In: :class:`Packet` objects, in the order of the file. Out: bytes. Sources:
draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

ETHERNET, RAW_IP, LINUX_SLL = 1, 101, 113


class Packet(NamedTuple):
    """One record of a capture."""

    time_ns: int
    """Since 1970, UTC."""
    data: bytes
    """From the link header on."""
    interface: int = 0
    """Index of the pcapng interface."""
    original_length: int | None = None
    """Length on the wire, where the record holds less."""


class Interface(NamedTuple):
    """One interface of a pcapng section."""

    link_type: int = ETHERNET
    resolution: int | None = 6
    """Negative power of ten of the time unit: 6 for microseconds, 9 for nanoseconds; None: no option, which means 6."""
    offset_s: int = 0
    name: str | None = None
    snaplen: int = 262_144


def pcap_bytes(
    packets: Iterable[Packet | tuple[int, bytes]],
    *,
    nanoseconds: bool = False,
    big_endian: bool = False,
    link_type: int = ETHERNET,
    snaplen: int = 262_144,
) -> bytes:
    """A pcap file; packets longer than `snaplen` are cut."""
    order = ">" if big_endian else "<"
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link_type)]
    for packet in (Packet(*given) for given in packets):
        seconds, rest = divmod(packet.time_ns, 10**9)
        data = packet.data[:snaplen]
        length = len(packet.data) if packet.original_length is None else packet.original_length
        out.append(
            struct.pack(order + "IIII", seconds, rest if nanoseconds else rest // 1000, len(data), length) + data
        )
    return b"".join(out)


def pcapng_bytes(
    packets: Iterable[Packet | tuple[int, bytes]],
    interfaces: Sequence[Interface] = (Interface(),),
    *,
    big_endian: bool = False,
    comment: str | None = None,
) -> bytes:
    """A pcapng file of one section with Enhanced Packet Blocks, each with its interface's time unit and offset."""
    order = ">" if big_endian else "<"

    def option(code: int, value: bytes) -> bytes:
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    def block(kind: int, body: bytes) -> bytes:
        length = 12 + len(body)
        return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)

    section = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
    if comment is not None:
        section += option(1, comment.encode()) + option(0, b"")
    out = [block(0x0A0D0D0A, section)]
    for interface in interfaces:
        options = b""
        if interface.name is not None:
            options += option(2, interface.name.encode())
        if interface.resolution is not None:
            options += option(9, bytes([interface.resolution]))
        if interface.offset_s:
            options += option(14, struct.pack(order + "q", interface.offset_s))
        if options:
            options += option(0, b"")
        out.append(block(1, struct.pack(order + "HHI", interface.link_type, 0, interface.snaplen) + options))
    for packet in (Packet(*given) for given in packets):
        interface = interfaces[packet.interface]
        unit = 10 ** (9 - (6 if interface.resolution is None else interface.resolution))
        ticks = (packet.time_ns - interface.offset_s * 10**9) // unit
        data = packet.data[: interface.snaplen]
        length = len(packet.data) if packet.original_length is None else packet.original_length
        head = struct.pack(order + "IIIII", packet.interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length)
        out.append(block(6, head + data + bytes(-len(data) % 4)))
    return b"".join(out)
