"""Packets and capture files from words, for all tests: what `sample_pcaps/words` builds the samples from.

``from tests.builders import udp_frame, rtp, pcap_bytes``. The builders are plain functions on the standard library and
know nothing of sipanalyzer, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from sample_pcaps.words.files import ETHERNET, LINUX_SLL, RAW_IP, Interface, Packet, pcap_bytes, pcapng_bytes
from sample_pcaps.words.packets import (
    ACK,
    FIN,
    PSH,
    RST,
    SYN,
    TCP,
    UDP,
    checksum,
    ethernet,
    ip,
    ipv4,
    ipv4_fragments,
    ipv6,
    ipv6_fragments,
    mac,
    ntp,
    receiver_report,
    report_block,
    rtcp_bye,
    rtp,
    sender_report,
    source_description,
    tcp,
    tcp_frame,
    telephone_event,
    udp,
    udp_frame,
    udp_packet,
)
from sample_pcaps.words.tunnels import gre, gtp_u, hep3, vxlan, websocket

__all__ = [
    "ACK", "ETHERNET", "FIN", "LINUX_SLL", "PSH", "RAW_IP", "RST", "START_NS", "SYN", "TCP", "UDP", "Interface",
    "Packet", "checksum", "ethernet", "gre", "gtp_u", "hep3", "ip", "ipv4", "ipv4_fragments", "ipv6", "ipv6_fragments",
    "mac", "ntp", "pcap_bytes", "pcapng_bytes", "receiver_report", "report_block", "rtcp_bye", "rtp", "sender_report",
    "source_description", "spaced", "tcp", "tcp_frame", "telephone_event", "udp", "udp_frame", "udp_packet", "vxlan",
    "websocket", "write_pcap",
]  # fmt: skip

START_NS = 1_767_225_600_000_000_000
"""2026-01-01T00:00:00Z, where test captures begin unless they say otherwise."""


def spaced(frames: Iterable[bytes], step_ms: float = 20.0, start_ns: int = START_NS) -> list[Packet]:
    """Frames as packets at equal distances in time."""
    return [Packet(start_ns + round(number * step_ms * 1e6), frame) for number, frame in enumerate(frames)]


def write_pcap(
    path: pathlib.Path, packets: Iterable[Packet | tuple[int, bytes]], *, link_type: int = ETHERNET
) -> pathlib.Path:
    """Write a nanosecond pcap and return its path."""
    path.write_bytes(pcap_bytes(packets, nanoseconds=True, link_type=link_type))
    return path
