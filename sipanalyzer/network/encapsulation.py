"""Link layers that only few captures have: taken off one packet at a time, down to one that the kernel knows. Floor 3.

Comes in: a whole packet of a row of kind `ODD`, or the UDP payload of a row of kind `HEP`. Goes out: the packet inside
and its link type, for :func:`sipanalyzer.kernels.packet.decode_one`. Link types are those of tcpdump's registry
(https://www.tcpdump.org/linktypes.html). Every length is checked here: dpkt's readers of these layers believe them.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable

from sipanalyzer.errors import ParseError
from sipanalyzer.network.hep import Hep, hep_packet, parse_hep
from sipanalyzer.network.synthetic import RAW_IP, udp_packet

__all__ = ["LINKS", "Hep", "hep_packet", "parse_hep", "unwrap"]

ETHERNET, PPP, CISCO_HDLC, IEEE_802_11 = 1, 9, 104, 105

_DEPTH = 4
"""Wrappers inside wrappers (PPI around IEEE 802.11 around Ethernet) that are taken off."""

Inner = tuple[bytes, int] | None
"""A packet and its link type, or None where it carries nothing of interest."""


def _need(packet: bytes, size: int, what: str) -> None:
    if len(packet) < size:
        raise ParseError("link", f"{what} cut: needed {size} bytes", len(packet))


def _ethernet(addresses: bytes, llc: bytes) -> Inner:
    """An Ethernet frame of two addresses and what stands behind an LLC and SNAP header (RFC 1042, IEEE 802.1H)."""
    if len(llc) < 8 or llc[:3] != b"\xaa\xaa\x03" or llc[3:6] not in (b"\0\0\0", b"\0\0\xf8"):
        return None
    return addresses + llc[6:], ETHERNET


def _ieee_802_11(packet: bytes, padded: bool = False) -> Inner:
    """A data frame (IEEE 802.11-2020 9.3.2); other, encrypted and fragmented frames are of no interest."""
    _need(packet, 10, "IEEE 802.11 header")
    kind, flags = packet[0], packet[1]
    if kind & 0x0F != 0x08 or kind & 0x40 or flags & 0x40:  # version 0, data, with a body, not protected
        return None
    _need(packet, 24, "IEEE 802.11 header")
    if flags & 0x04 or packet[22] & 0x0F:
        return None
    qos, to_ds, from_ds = bool(kind & 0x80), bool(flags & 0x01), bool(flags & 0x02)
    size = 24 + 6 * (to_ds and from_ds) + 2 * qos + 4 * (qos and bool(flags & 0x80))
    _need(packet, size, "IEEE 802.11 header")
    destination = packet[16:22] if to_ds else packet[4:10]
    source = packet[24:30] if to_ds and from_ds else packet[16:22] if from_ds else packet[10:16]
    aggregated = qos and packet[24 + 6 * (to_ds and from_ds)] & 0x80
    body = packet[(size + 3) // 4 * 4 if padded else size :]
    if not aggregated:
        return _ethernet(destination + source, body)
    _need(body, 14, "A-MSDU subframe header")  # the first of them; phones send one
    return _ethernet(body[:12], body[14 : 14 + int.from_bytes(body[12:14], "big")])


def _radiotap(packet: bytes) -> Inner:
    """Radiotap (radiotap.org): its length, and of its fields only the flags."""
    _need(packet, 8, "radiotap header")
    size = int.from_bytes(packet[2:4], "little")
    if packet[0] != 0 or size < 8:
        raise ParseError("link", f"radiotap version {packet[0]}, length {size}")
    _need(packet, size, "radiotap header")
    present = int.from_bytes(packet[4:8], "little")
    at, word = 8, present
    while word >> 31:
        if at + 4 > size:
            raise ParseError("link", "radiotap's present words run over its length", at)
        word = int.from_bytes(packet[at : at + 4], "little")
        at += 4
    if present & 1:  # TSFT, aligned to eight bytes
        at = (at + 7) // 8 * 8 + 8
    flags = packet[at] if present & 2 and at < size else 0
    if flags & 0x40:  # checksum failed: anything may stand there
        return None
    return _ieee_802_11(packet[size:], padded=bool(flags & 0x20))


def _prism_or_avs(packet: bytes) -> Inner:
    """Prism and AVS headers; either stands under either link type, in the byte order of the machine."""
    _need(packet, 8, "Prism header")
    if packet[:3] == b"\x80\x21\x10":
        size = int.from_bytes(packet[4:8], "big")
    else:
        size = min(int.from_bytes(packet[4:8], "little"), int.from_bytes(packet[4:8], "big"))
    if size < 8:
        raise ParseError("link", f"Prism header of {size} bytes", 4)
    _need(packet, size, "Prism header")
    return packet[size:], IEEE_802_11


def _ppi(packet: bytes) -> Inner:
    """Per-Packet Information: its length and the link type inside."""
    _need(packet, 8, "PPI header")
    size, link = struct.unpack_from("<2xHI", packet)
    if size < 8:
        raise ParseError("link", f"PPI header of {size} bytes", 2)
    _need(packet, size, "PPI header")
    return packet[size:], link


def _nflog(packet: bytes) -> Inner:
    """Linux netfilter log: type-length-value fields in the machine's byte order, the packet is field 9."""
    _need(packet, 4, "NFLOG header")
    if packet[0] not in (2, 10):  # AF_INET, AF_INET6
        return None
    at = 4
    while at + 4 <= len(packet):
        size, kind = struct.unpack_from("<HH", packet, at)
        if size > 0xFF and size & 0xFF == 0 and kind & 0xFF == 0:
            size, kind = struct.unpack_from(">HH", packet, at)
        if size < 4:
            raise ParseError("link", f"NFLOG field of {size} bytes", at)
        if kind == 9:
            return packet[at + 4 : at + size], RAW_IP
        at += (size + 3) // 4 * 4
    return None


def _token_ring(packet: bytes) -> Inner:
    """IEEE 802.5: a routing field where the source address has its first bit set."""
    _need(packet, 14, "token ring header")
    size = 14
    if packet[8] & 0x80:
        _need(packet, 16, "token ring header")
        size += packet[14] & 0x1F
    return _ethernet(packet[2:8] + bytes([packet[8] & 0x7F]) + packet[9:14], packet[size:])


def _fddi(packet: bytes) -> Inner:
    """FDDI: frame control, addresses, LLC."""
    _need(packet, 13, "FDDI header")
    return _ethernet(packet[1:13], packet[13:]) if packet[0] & 0x50 == 0x50 else None


def _behind_direction(link: int) -> Callable[[bytes], Inner]:
    """For link types that put a byte for the direction in front."""

    def take_off(packet: bytes) -> Inner:
        _need(packet, 1, "direction")
        return packet[1:], link

    return take_off


def _pppd(packet: bytes) -> Inner:
    """PPP as pppd logs it: a direction in place of the address byte."""
    _need(packet, 2, "PPP header")
    return b"\xff" + packet[1:], PPP


def _exported(packet: bytes) -> Inner:
    """What Wireshark exports as "PDUs to file": tags (exported_pdu_tlvs.h), then a message, decrypted if it was TLS."""
    tags: dict[int, bytes] = {}
    at = 0
    while True:
        _need(packet, at + 4, "exported PDU tags")
        kind, size = struct.unpack_from(">HH", packet, at)
        at += 4
        if kind == 0:
            break
        _need(packet, at + size, "exported PDU tags")
        tags.setdefault(kind, packet[at : at + size])
        at += size
    name = tags.get(12, b"").rstrip(b"\0").decode("latin-1")
    if name in ("ip", "ipv6"):
        return packet[at:], RAW_IP
    size, source, destination = (4, 20, 21) if 20 in tags else (16, 22, 23)
    ends = tags.get(source, bytes(size)), tags.get(destination, bytes(size))
    if any(len(end) != size for end in ends):
        raise ParseError("link", f"exported PDU with an address of other than {size} bytes")
    src, dst = (str(ipaddress.ip_address(end)) for end in ends)
    sport, dport = (int.from_bytes(tags.get(tag, b""), "big") & 0xFFFF for tag in (25, 26))
    return udp_packet(src, sport, dst, dport, packet[at:]), RAW_IP


LINKS: dict[int, Callable[[bytes], Inner]] = {
    6: _token_ring,
    10: _fddi,
    IEEE_802_11: _ieee_802_11,
    119: _prism_or_avs,
    127: _radiotap,
    163: _prism_or_avs,
    166: _pppd,
    192: _ppi,
    204: _behind_direction(PPP),
    205: _behind_direction(CISCO_HDLC),
    239: _nflog,
    252: _exported,
}
"""What takes off which link type."""


def unwrap(packet: bytes, link: int) -> Inner:
    """Take an odd link layer off a packet.

    Parameters
    ----------
    packet : bytes
        The whole packet as captured.
    link : int
        Its link type, a key of `LINKS`.

    Returns
    -------
    tuple of bytes and int, or None
        The packet inside and its link type, one that is none of `LINKS`; None where the packet holds nothing of
        interest: no data frame, encrypted, another protocol.

    Raises
    ------
    ParseError
        Layer ``link``: the header is cut or senseless, the link type is not one of `LINKS`, or wrappers nest too deep.
    """
    if link not in LINKS:
        raise ParseError("link", f"link type {link} is not decoded")
    for _ in range(_DEPTH):
        inner = LINKS[link](packet)
        if inner is None:
            return None
        packet, link = inner
        if link not in LINKS:
            return packet, link
    raise ParseError("link", f"more than {_DEPTH} link headers in each other")
