"""What a payload is wrapped in, from UDP or TCP out to the record in a capture file. All checksums are right."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

MACS = b"\x02\0\0\0\0\2\x02\0\0\0\0\1"  # destination, source
LINKS = {"ethernet": 1, "sll2": 276}  # LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL2


@dataclass(frozen=True)
class Shape:
    """How the packets of a capture are wrapped."""

    container: str = "pcap"
    vlan: int | None = None
    ipv6: bool = False
    link: str = "ethernet"
    tunnel: str = ""
    """``gtp``, ``vxlan`` or none."""

    def address(self, side: int, host: int) -> str:
        """Address of a host on the caller's (1) or the gateway's (2) side."""
        if self.ipv6:
            return f"fd00::{side}:{host + 1:x}"
        return f"10.{side}.{host // 250}.{host % 250 + 1}"

    def host(self, address: str) -> str:
        """An address as it stands in a SIP header."""
        return f"[{address}]" if self.ipv6 else address

    def frame(self, src: tuple[str, int], dst: tuple[str, int], payload: bytes) -> bytes:
        """Frame with `payload` in UDP; the payload stands at its end."""
        return self.wrap(udp_packet(src, dst, payload, checksum=True), self.ipv6)

    def wrap(self, packet: bytes, ipv6: bool) -> bytes:
        """Frame with an IP packet at its end, in the tunnel where there is one."""
        if self.tunnel:  # outside, IPv4; RFC 768 lets the outer checksum be absent
            port, header = tunnel_header(self.tunnel, packet, ipv6)
            packet = udp_packet(("10.255.0.1", port), ("10.255.0.2", port), header + packet, checksum=False)
            ipv6 = False
        kind = b"\x86\xdd" if ipv6 else b"\x08\0"
        if self.link == "sll2":  # protocol, interface 2, ARPHRD_ETHER, sent to us, six bytes of address
            return kind + b"\0\0\0\0\0\2\0\1\0\6" + MACS[6:] + b"\0\0" + packet
        tag = b"" if self.vlan is None else struct.pack("!HH", 0x8100, self.vlan)
        return MACS + tag + kind + packet

    def header(self) -> bytes:
        """What stands before the first record."""
        if self.container == "pcap":
            return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, LINKS[self.link])
        return struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + struct.pack(
            "<IIHHII", 1, 20, LINKS[self.link], 0, 262_144, 20
        )

    def record(self, frame: bytes, time_us: int) -> bytes:
        """A packet's record."""
        size = len(frame)
        if self.container == "pcap":
            return struct.pack("<IIII", *divmod(time_us, 1_000_000), size, size) + frame
        total = 32 + size + -size % 4
        time = (time_us >> 32, time_us & 0xFFFFFFFF)
        return (
            struct.pack("<IIIIIII", 6, total, 0, *time, size, size)
            + frame
            + bytes(-size % 4)
            + struct.pack("<I", total)
        )

    def set_times(self, records: Bytes, times_us: Ints) -> None:
        """Write the time of each row of `records`."""
        if self.container == "pcap":
            at, high, low = 0, times_us // 1_000_000, times_us % 1_000_000
        else:
            at, high, low = 12, times_us >> 32, times_us & 0xFFFFFFFF
        set_columns(records, at, high, "<u4")
        set_columns(records, at + 4, low, "<u4")


def ones_sum(data: bytes) -> int:
    """Sum of 16-bit words, folded to 16 bits but not inverted (RFC 1071)."""
    total = int(np.frombuffer(data + bytes(len(data) % 2), ">u2").sum(dtype=np.int64))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def tunnel_header(kind: str, packet: bytes, ipv6: bool) -> tuple[int, bytes]:
    """UDP port of a tunnel, and what stands before a packet in it."""
    if kind == "gtp":  # TS 29.281: version 1, no options, G-PDU
        return 2152, struct.pack("!BBHI", 0x30, 255, len(packet), 0x1234)
    return 4789, struct.pack("!II", 8 << 24, 42 << 8) + MACS + (b"\x86\xdd" if ipv6 else b"\x08\0")  # RFC 7348


def udp_packet(src: tuple[str, int], dst: tuple[str, int], payload: bytes, *, checksum: bool) -> bytes:
    """An IP packet with UDP in it; IPv6 where the addresses are."""
    header = struct.pack("!HHHH", src[1], dst[1], 8 + len(payload), 0)
    return ip_packet(src[0], dst[0], 17, header, payload, 6 if checksum else None)


def tcp_packet(
    src: tuple[str, int], dst: tuple[str, int], flags: int, seq: int, ack: int, payload: bytes = b""
) -> bytes:
    """An IP packet with a TCP segment in it (RFC 9293); a SYN says how large segments may be."""
    options = b"\x02\x04\x05\xb4" if flags & 2 else b""  # maximum segment size 1460
    header = struct.pack("!HHIIBBHHH", *(src[1], dst[1], seq, ack), *((20 + len(options)) << 2, flags, 64_000, 0, 0))
    return ip_packet(src[0], dst[0], 6, header + options, payload, 16)


def ip_packet(src: str, dst: str, protocol: int, header: bytes, payload: bytes, sum_at: int | None) -> bytes:
    """An IP packet with what `protocol` means in it; its checksum goes to `sum_at` of `header`."""
    a, b = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    size = len(header) + len(payload)
    if sum_at is not None:
        value = 0xFFFF ^ ones_sum(a + b + struct.pack("!HH", protocol, size) + header + payload)
        header = header[:sum_at] + struct.pack("!H", value or 0xFFFF) + header[sum_at + 2 :]
    if len(a) == 16:
        outer = struct.pack("!IHBB", 6 << 28 | 184 << 20, size, protocol, 64) + a + b
    else:
        outer = struct.pack("!BBHHHBBH", 0x45, 184, 20 + size, 0, 0x4000, 64, protocol, 0) + a + b
        outer = outer[:10] + struct.pack("!H", 0xFFFF ^ ones_sum(outer)) + outer[12:]
    return outer + header + payload


def set_columns(records: Bytes, at: int, values: Ints, dtype: str) -> None:
    """Write one field of each row."""
    width = np.dtype(dtype).itemsize
    records[:, at : at + width] = values.astype(dtype).view(np.uint8).reshape(len(values), width)
