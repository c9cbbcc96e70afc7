"""Which format a capture has, by its first bytes. Floor 2.

Comes in: the first bytes of a capture. Goes out: what a pcap file header says, or that it is pcapng, or a
:class:`CaptureError` that names what was found instead. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng,
libpcap's sf-pcap.c (old and foreign versions), Wireshark's wiretap (magic numbers of other tools).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sipanalyzer.capture.source import Source
from sipanalyzer.errors import CaptureError, ForeignFileError

__all__ = ["HEAD_BYTES", "PcapHeader", "link_name", "parse_pcap_header", "recognise_format"]

HEAD_BYTES = 28
"""A pcap file header has 24 bytes, the smallest pcapng section header 28."""
NEEDED = "a pcap or pcapng file header"

_MAGICS = {  # little-endian: tick in ns, extra bytes in each record header
    0xA1B2C3D4: (1000, 0),
    0xA1B23C4D: (1, 0),
    0xA1B2CD34: (1000, 8),  # Kuznetzov's patched libpcap: interface, protocol and packet type
}
_PCAP_MAGICS = frozenset(magic.to_bytes(4, order) for magic in _MAGICS for order in ("big", "little"))

_OTHER_CAPTURES = (
    (b"snoop\0\0\0", "Solaris snoop"),
    (b"RTSS", "Microsoft NetMon 1.x"),
    (b"GMBU", "Microsoft NetMon 2.x"),
    (b"TRSNIFF data", "NetXRay or Sniffer"),
    (b"XCP\0", "NetXRay or Sniffer for Windows"),
    (b"iptrace 1.0", "AIX iptrace"),
    (b"iptrace 2.0", "AIX iptrace"),
    (b"\x1c\x00\x01\xac", "IXIA lcap"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (b"\x1f\x8b", "gzip, compressed twice"),
    (b"\x28\xb5\x2f\xfd", "zstd, compressed twice"),
    (b"\xfd7zXZ", "xz, compressed twice"),
    (b"BZh", "bzip2, compressed twice"),
)
"""Captures that this does not read, and what may well be one: never passed over."""

_FOREIGN = (
    (b"\x00\x01\x00\x01\x00\x00\x00", "a TrueType font or a database"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x9d", "data compressed with compress"),
    (b"\x7fELF", "an ELF program"),
    (b"%PDF", "a PDF document"),
    (b"RIFF", "a RIFF file"),
    (b"\x89PNG", "a PNG picture"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE", "HTML"),
    (b"<html", "HTML"),
)

_LINKS = {
    0: "BSD loopback",
    1: "Ethernet",
    6: "Token Ring",
    8: "SLIP",
    9: "PPP",
    12: "Raw IP",
    14: "Raw IP",
    50: "PPP in HDLC framing",
    51: "PPPoE",
    101: "Raw IP",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    107: "Frame Relay",
    108: "OpenBSD loopback",
    113: "Linux cooked v1",
    117: "OpenBSD pflog",
    119: "IEEE 802.11 with Prism header",
    127: "IEEE 802.11 with radiotap",
    163: "IEEE 802.11 with AVS header",
    192: "PPI",
    203: "LAPD",
    228: "Raw IPv4",
    229: "Raw IPv6",
    239: "NFLOG",
    252: "Wireshark upper PDU",
    276: "Linux cooked v2",
}


@dataclass(frozen=True, slots=True)
class PcapHeader:
    """What the file header of a pcap file says."""

    format: str
    """``pcap`` or ``pcap-ns``."""
    big: bool
    tick_ns: int
    extra: int
    """Bytes between a record's header and its packet."""
    swapped: int
    """1: original and captured length stand the other way round, 2: where the captured length is the larger."""
    link: int
    """Link type, a number of tcpdump's registry."""


def link_name(link: int) -> str:
    """Name of a link type for people."""
    return _LINKS.get(link, f"LINKTYPE {link}")


def recognise_format(source: Source, head: bytes) -> PcapHeader | None:
    """The pcap file header in `head`, or None where a pcapng section header stands there.

    Parameters
    ----------
    source : Source
        Where `head` was read from; for its name and damage.
    head : bytes
        The first :data:`HEAD_BYTES` bytes, fewer where there are no more.

    Raises
    ------
    CaptureError
        If it is neither, or not whole.
    """
    if head[:4] == b"\x0a\x0d\x0d\x0a":
        if len(head) >= 12 and head[8:12] not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
            _refuse(source, head, f"byte-order magic 0x{head[8:12].hex()} of no pcapng section")
        if len(head) < 28:
            _refuse(source, head, f"{len(head)} bytes of one")
        return None
    header = parse_pcap_header(head)
    if header is not None:
        return header
    if head[:4] in _PCAP_MAGICS:
        if len(head) < 24:
            _refuse(source, head, f"{len(head)} bytes of one")
        big = head[0] == 0xA1
        major, minor = (int.from_bytes(head[at : at + 2], "big" if big else "little") for at in (4, 6))
        raise CaptureError(
            source.name, "not a capture this reads", offset=4, needed="pcap version 2", found=f"{major}.{minor}"
        )
    _refuse(source, head, _describe(head), foreign=not head.startswith(tuple(magic for magic, _ in _OTHER_CAPTURES)))
    raise AssertionError("not reached")


def parse_pcap_header(head: bytes) -> PcapHeader | None:
    """The pcap file header at the beginning of `head`; None where none stands there, whole and of a version known."""
    if head[:4] not in _PCAP_MAGICS or len(head) < 24:
        return None
    big = head[0] == 0xA1
    order: Literal["big", "little"] = "big" if big else "little"
    major, minor = (int.from_bytes(head[at : at + 2], order) for at in (4, 6))
    if major != 2 and (major, minor) != (543, 0):  # 543.0: DG/UX tcpdump
        return None
    swapped = 0
    if major == 543 or minor < 3:
        swapped = 1
    elif minor == 3:
        swapped = 2
    tick_ns, extra = _MAGICS[int.from_bytes(head[:4], order)]
    # the upper 16 bits hold the length of the frame check sequence, and other things
    link = int.from_bytes(head[20:24], order) & 0xFFFF
    return PcapHeader("pcap-ns" if tick_ns == 1 else "pcap", big, tick_ns, extra, swapped, link)


def _refuse(source: Source, head: bytes, found: str, *, foreign: bool = False) -> None:
    if source.damage is not None:
        found = f"{found if head else 'nothing'} ({source.damage})"
    kind = ForeignFileError if foreign and source.damage is None else CaptureError
    raise kind(source.name, "not a capture", offset=0, needed=NEEDED, found=found)


def _describe(head: bytes) -> str:
    """What a foreign file's first bytes look like."""
    if not head:
        return "an empty file"
    for magic, name in (*_OTHER_CAPTURES, *_FOREIGN):
        if head.startswith(magic):
            return f"0x{head[:8].hex()} ({name})"
    if not head.strip(b"\0"):
        return "zeros"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return f"text {head.decode('ascii')!r}"
    return f"0x{head[:8].hex()}"
