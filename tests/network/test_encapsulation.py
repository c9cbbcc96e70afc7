"""Odd link layers: what scapy builds, what is cut, and a capture of others."""

from __future__ import annotations

import pathlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.errors import ParseError
from sipanalyzer.kernels import columns as c
from sipanalyzer.kernels.link import ODD_LINKS
from sipanalyzer.kernels.packet import decode_one
from sipanalyzer.network.encapsulation import LINKS, unwrap
from tests.builders import udp_packet

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n"
IP = udp_packet(MESSAGE, "10.0.0.1", 5060, "10.0.0.2", 5062)
LLC = b"\xaa\xaa\x03\0\0\0\x08\0"
A, B, AP, WDS = (bytes([2, 0, 0, 0, 0, n]) for n in (1, 2, 3, 4))


def dot11(
    kind: int = 0x08, flags: int = 0x01, rest: bytes = b"", sequence: int = 0x10, body: bytes = LLC + IP
) -> bytes:
    """A data frame from a station (A) by its access point to B."""
    return struct.pack("<BBH", kind, flags, 0) + AP + A + B + struct.pack("<H", sequence) + rest + body


def from_scapy() -> dict[str, tuple[int, bytes]]:
    from scapy.layers.dot11 import Dot11, Dot11FCS, Dot11QoS, RadioTap
    from scapy.packet import Raw

    llc = Raw(LLC + IP)
    data = Dot11(type=2, FCfield=1, addr1="02:00:00:00:00:03", addr2="02:00:00:00:00:01", addr3="02:00:00:00:00:02")
    qos = Dot11(type=2, subtype=8, FCfield=2, addr1="02:00:00:00:00:02", addr3="02:00:00:00:00:01") / Dot11QoS()
    checked = Dot11FCS(type=2, FCfield=1, addr1="02:00:00:00:00:03", addr2="02:00:00:00:00:01") / llc
    radio = RadioTap(present="TSFT+Flags+Rate", mac_timestamp=5, Flags="FCS", Rate=2)
    return {
        "802.11": (105, bytes(data / llc)),
        "802.11 QoS": (105, bytes(qos / llc)),
        "radiotap": (127, bytes(radio / checked)),
        "PPI": (192, struct.pack("<BBHI", 0, 0, 8, 105) + bytes(data / llc)),
    }


def nflog(order: str) -> bytes:
    def field(kind: int, value: bytes) -> bytes:
        return struct.pack(order + "HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)

    return b"\x02\0\0\x05" + field(10, b"prefix\0") + field(9, IP)


def exported(tags: list[tuple[int, bytes]], body: bytes = MESSAGE) -> bytes:
    return b"".join(struct.pack(">HH", kind, len(value)) + value for kind, value in tags) + bytes(4) + body


SIP_TAGS = [(12, b"sip\0"), (20, bytes([10, 0, 0, 1])), (21, bytes([10, 0, 0, 2])), (24, b"\0\0\0\2")]
SIP_TAGS += [(25, b"\0\0\x13\xc4"), (26, b"\0\0\x13\xc6")]
SUBFRAME = B + A + struct.pack(">H", len(LLC + IP)) + LLC + IP
PRISM = struct.pack("<II", 0x44, 144) + bytes(136)
AVS = struct.pack(">II", 0x80211001, 64) + bytes(56)

WRAPPED = from_scapy() | {
    "802.11, between access points": (105, dot11(flags=3, rest=WDS)),
    "802.11 QoS, between access points": (105, dot11(0x88, 3, WDS + b"\0\0")),
    "802.11 QoS, HT control": (105, dot11(0x88, 0x81, b"\0\0" + bytes(4))),
    "802.11 A-MSDU": (105, dot11(0x88, 1, b"\x80\0", body=SUBFRAME + bytes(2) + SUBFRAME)),
    "radiotap, padded": (127, b"\0\0\x0a\0\x02\0\0\0\x20\0" + dot11(0x88, 1, b"\0\0" + bytes(2))),
    "radiotap, two present words": (127, b"\0\0\x0e\0\x02\0\0\x80\0\0\0\0\x00\0" + dot11()),
    "Prism": (119, PRISM + dot11()),
    "AVS": (163, AVS + dot11()),
    "AVS as Prism": (119, AVS + dot11()),
    "token ring": (6, b"\x10\x40" + B + A + LLC + IP),
    "token ring, routed": (6, b"\x10\x40" + B + b"\x82" + A[1:] + b"\x06\x30\0\x11\0\x20" + LLC + IP),
    "FDDI": (10, b"\x50" + B + A + LLC + IP),
    "PPP with direction": (204, b"\x01\xff\x03\0\x21" + IP),
    "Cisco HDLC with direction": (205, b"\x00\x0f\x00\x08\x00" + IP),
    "pppd": (166, b"\x01\x03\0\x21" + IP),
    "NFLOG": (239, nflog("<")),
    "NFLOG, big-endian": (239, nflog(">")),
    "PPI around Ethernet": (192, struct.pack("<BBHI", 0, 0, 8, 1) + B + A + b"\x08\0" + IP),
    "exported": (252, exported(SIP_TAGS)),
    "exported IP": (252, exported([(12, b"ip\0\0")], IP)),
}


def decode(packet: bytes, link: int) -> list[int]:
    rows, counts = np.zeros((1, c.WIDTH), np.int64), np.zeros(c.COUNTERS, np.int64)
    data = np.frombuffer(packet, np.uint8).copy()
    assert decode_one(data, 0, len(packet), len(packet), link, 0, 1, 8, rows, counts) == 1
    return rows[0].tolist()


@pytest.mark.parametrize("name", WRAPPED)
def test_what_is_inside_comes_out(name: str) -> None:
    link, packet = WRAPPED[name]
    inner = unwrap(packet, link)
    assert inner is not None
    row = decode(*inner)
    assert row[c.KIND] == c.SIP
    assert inner[0][row[c.AT] : row[c.AT] + row[c.LENGTH]] == MESSAGE
    assert row[c.PORTS] == 5060 << 16 | 5062
    assert (row[c.SRC_LO], row[c.DST_LO]) == (0xFFFF0A000001, 0xFFFF0A000002)


@pytest.mark.parametrize("name", WRAPPED)
def test_a_packet_cut_anywhere_is_a_parse_error_or_less(name: str) -> None:
    link, packet = WRAPPED[name]
    for size in range(len(packet)):
        try:
            inner = unwrap(packet[:size], link)
        except ParseError as error:
            assert error.layer == "link"
        else:
            assert inner is None or inner[1] not in LINKS


@given(st.sampled_from(ODD_LINKS), st.binary(max_size=80))
def test_any_bytes_are_unwrapped_or_refused(link: int, packet: bytes) -> None:
    try:
        inner = unwrap(packet, link)
    except ParseError:
        return
    assert inner is None or inner[1] not in LINKS


def test_addresses_of_the_ethernet_frame_are_the_stations() -> None:
    inner = unwrap(dot11(), 105)
    assert inner is not None and inner[0][:12] == B + A
    inner = unwrap(dot11(flags=3, rest=WDS), 105)
    assert inner is not None and inner[0][:12] == B + WDS


@pytest.mark.parametrize(
    "frame",
    [
        dot11(0x80),  # beacon
        dot11(0xD4),  # acknowledgement
        dot11(0x48),  # null function
        dot11(flags=0x41),  # encrypted
        dot11(flags=0x05),  # a fragment
        dot11(sequence=0x11),  # its next
        dot11(body=b"\x42\x42\x03" + bytes(40)),  # spanning tree
    ],
)
def test_frames_without_readable_data_are_of_no_interest(frame: bytes) -> None:
    assert unwrap(frame, 105) is None


def test_a_frame_whose_checksum_failed_is_of_no_interest() -> None:
    assert unwrap(b"\0\0\x0a\0\x02\0\0\0\x40\0" + dot11(), 127) is None


def test_the_kernel_and_this_module_agree_which_links_are_odd() -> None:
    assert sorted(LINKS) == sorted(ODD_LINKS)
    with pytest.raises(ParseError):
        unwrap(b"", 147)


def test_link_headers_around_themselves_come_to_an_end() -> None:
    with pytest.raises(ParseError, match="more than"):
        unwrap(struct.pack("<BBHI", 0, 0, 8, 192) * 10, 192)


def test_an_nflog_capture_has_its_packets_of_tcp(corpus: pathlib.Path) -> None:
    import dpkt

    with (corpus / "zeek__zeek__nflog-http.pcap").open("rb") as file:
        kinds = []
        for _, packet in dpkt.pcap.Reader(file):
            inner = unwrap(packet, 239)
            assert inner is not None and inner[1] == 101
            kinds.append(dpkt.ip.IP(inner[0]).p)
    assert kinds == [6] * 13
