"""ICMP errors: what they say, which of them are the same, and what is none."""

from __future__ import annotations

import dataclasses
import pathlib
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import IcmpError
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.endpoints import address_words
from sipanalyzer.network.icmp import IcmpErrors, Quoted, parse_icmp
from sipanalyzer.options import Options
from tests.builders import ipv4, ipv6, udp
from tests.collecting import collected, packet_row

A, B, R = "192.0.2.1", "192.0.2.2", "198.51.100.9"
A6, B6 = "2001:db8::1", "2001:db8::2"
PORTS4 = ((A, 5060), (B, 5061))
PORTS6 = ((A6, 5060), (B6, 5061))


def head(kind: int, code: int) -> bytes:
    return bytes([kind, code]) + bytes(6)


UDP4 = udp(b"INVITE sip:x SIP/2.0\r\n", A, 5060, B, 5061)
ABOUT4 = ipv4(UDP4, A, B)
ABOUT6 = ipv6(udp(b"hello", A6, 5060, B6, 5061), A6, B6)


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (3, 0, "net-unreachable"), (3, 1, "host-unreachable"), (3, 2, "protocol-unreachable"),
        (3, 3, "port-unreachable"), (3, 4, "fragmentation-needed"), (3, 5, "source-route-failed"),
        (3, 6, "net-unreachable"), (3, 7, "host-unreachable"), (3, 9, "administratively-prohibited"),
        (3, 10, "administratively-prohibited"), (3, 13, "administratively-prohibited"), (3, 77, "unreachable"),
        (11, 0, "time-exceeded"), (11, 1, "reassembly-time-exceeded"),
    ],
)  # fmt: skip
def test_what_icmp_says(kind: int, code: int, said: str) -> None:
    assert parse_icmp(head(kind, code) + ABOUT4, 4) == Quoted(said, "UDP", *PORTS4)


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (1, 0, "net-unreachable"), (1, 1, "administratively-prohibited"), (1, 3, "host-unreachable"),
        (1, 4, "port-unreachable"), (1, 5, "administratively-prohibited"), (1, 99, "unreachable"),
        (2, 0, "fragmentation-needed"), (3, 0, "time-exceeded"), (3, 1, "reassembly-time-exceeded"),
    ],
)  # fmt: skip
def test_what_icmpv6_says(kind: int, code: int, said: str) -> None:
    assert parse_icmp(head(kind, code) + ABOUT6, 6) == Quoted(said, "UDP", *PORTS6)


@pytest.mark.parametrize(("kind", "code"), [(0, 0), (8, 0), (4, 0), (5, 1), (12, 0), (11, 2)])
def test_what_is_no_error_says_nothing(kind: int, code: int) -> None:
    assert parse_icmp(head(kind, code) + ABOUT4, 4) is None
    assert parse_icmp(head(128, 0) + ABOUT6, 6) is None
    assert parse_icmp(head(3, 2) + ABOUT6, 6) is None


@pytest.mark.parametrize(("protocol", "name"), [(6, "TCP"), (17, "UDP"), (132, "SCTP")])
def test_the_ports_of_each_transport_are_read(protocol: int, name: str) -> None:
    quoted = parse_icmp(head(3, 3) + ipv4(struct.pack(">HH", 5060, 5061) + bytes(4), A, B, protocol), 4)
    assert quoted == Quoted("port-unreachable", name, *PORTS4)
    assert parse_icmp(head(3, 3) + ipv4(bytes(8), A, B, 47), 4) is None


def test_options_of_the_quoted_header_are_passed_over() -> None:
    quoted = parse_icmp(head(3, 3) + ipv4(UDP4, A, B, options=bytes([1, 1, 1, 0] * 10)), 4)
    assert quoted is not None and (quoted.src, quoted.dst) == PORTS4


def test_extension_headers_of_the_quoted_packet_are_passed_over() -> None:
    transport = struct.pack(">HHHH", 5060, 5061, 8, 0)
    hop = bytes([60, 0, 1, 4, 0, 0, 0, 0])  # next: destination options
    destination = bytes([51, 1]) + bytes(14)  # 16 bytes, next: AH
    ah = bytes([44, 4]) + bytes(22)  # 24 bytes, next: fragment
    fragment = bytes([17, 0, 0, 1, 0, 0, 0, 9])  # the first one
    about = ipv6(hop + destination + ah + fragment + transport, A6, B6, 0)
    assert parse_icmp(head(1, 4) + about, 6) == Quoted("port-unreachable", "UDP", *PORTS6)
    later = ipv6(bytes([17, 0, 0, 0x10, 0, 0, 0, 9]) + transport, A6, B6, 44)
    assert parse_icmp(head(1, 4) + later, 6) is None


def test_a_later_fragment_has_no_ports() -> None:
    assert parse_icmp(head(11, 1) + ipv4(UDP4, A, B, more=True), 4) is not None
    assert parse_icmp(head(11, 1) + ipv4(UDP4, A, B, offset=8), 4) is None


@pytest.mark.parametrize(("about", "version", "kind", "needed"), [(ABOUT4, 4, 3, 8 + 24), (ABOUT6, 6, 1, 8 + 44)])
def test_an_error_cut_anywhere_says_all_or_nothing(about: bytes, version: int, kind: int, needed: int) -> None:
    message = head(kind, 3) + about
    whole = parse_icmp(message, version)
    for size in range(len(message)):
        assert parse_icmp(message[:size], version) == (whole if size >= needed else None)


@given(st.binary(max_size=120), st.sampled_from([4, 6]), st.integers(0, 12), st.integers(0, 16))
def test_any_bytes_are_read_without_harm(data: bytes, version: int, kind: int, code: int) -> None:
    for about in (data, (ABOUT4 if version == 4 else ABOUT6)[: len(data)] + data):
        quoted = parse_icmp(bytes([kind, code]) + about, version)
        assert quoted is None or quoted.protocol in ("UDP", "TCP", "SCTP")


def test_scapy_builds_the_same_errors() -> None:
    from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
    from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, IPv6ExtHdrDestOpt
    from scapy.packet import Raw

    inner = IP(src=A, dst=B, options=[IPOption(b"\x01\x01\x01\x00")]) / UDP(sport=5060, dport=5061) / Raw(b"x" * 30)
    assert parse_icmp(bytes(ICMP(type=3, code=3) / inner), 4) == Quoted("port-unreachable", "UDP", *PORTS4)
    syn = IP(src=A, dst=B) / TCP(sport=5060, dport=5061)
    assert parse_icmp(bytes(ICMP(type=11) / bytes(syn)[:28]), 4) == Quoted("time-exceeded", "TCP", *PORTS4)
    six = IPv6(src=A6, dst=B6) / IPv6ExtHdrDestOpt() / UDP(sport=5060, dport=5061)
    whole = IPv6(src=R, dst=A6) if ":" in R else IPv6(src="2001:db8::9", dst=A6)
    assert parse_icmp(bytes(whole / ICMPv6DestUnreach(code=4) / six)[40:], 6) == Quoted(
        "port-unreachable", "UDP", *PORTS6
    )


def error(errors: IcmpErrors, sender: str, message: bytes, time: int, capture: int = 0) -> None:
    errors.add(packet_row(row.ICMP, (sender, 0), (A, 0), time=time, frame=time, size=len(message)), message, capture)


def test_what_is_the_same_is_counted_together_in_order_of_time() -> None:
    errors = IcmpErrors(Options())
    port = head(3, 3) + ABOUT4
    error(errors, B, port, 20)
    error(errors, R, port, 10)
    error(errors, B, port, 30)
    error(errors, B, head(3, 13) + ABOUT4, 40, 1)
    error(errors, B, head(8, 0) + ABOUT4, 50)
    assert errors.finish() == (
        IcmpError(10, 10, 0, R, "port-unreachable", "UDP", *PORTS4, 1, 10),
        IcmpError(20, 20, 0, B, "port-unreachable", "UDP", *PORTS4, 2, 30),
        IcmpError(40, 40, 1, B, "administratively-prohibited", "UDP", *PORTS4, 1, 40),
    )


def test_the_version_follows_from_the_address() -> None:
    errors = IcmpErrors(Options())
    error(errors, "2001:db8::9", head(1, 4) + ABOUT6, 1)
    assert [found.src for found in errors.finish()] == [(A6, 5060)]
    assert address_words(B)[0] == 0


def test_more_different_errors_than_the_limit_are_not_remembered() -> None:
    anomalies = Anomalies()
    errors = IcmpErrors(dataclasses.replace(Options(), max_faults=3), anomalies)
    for port in range(1, 6):
        error(errors, B, head(3, 3) + ipv4(udp(b"", A, port, B, 9), A, B), port)
    error(errors, B, head(3, 3) + ipv4(udp(b"", A, 2, B, 9), A, B), 9)
    assert [(found.src[1], found.count) for found in errors.finish()] == [(1, 1), (2, 2), (3, 1)]
    assert anomalies.counts() == {"fault-limit": 2}


@pytest.mark.parametrize(
    "name",
    [
        "SECCON__SECCON2016_online_CTF__voip.pcap",
        "odedshimon__BruteShark__metasploit-sip-invite-spoof.pcap",
        "pentesteracademy__voipshark__SIP-RTP-Normal_Call_two_parties.pcap",
        "veondigital__srtp_decoder__WebRTC_PCMA_p2p_SDES_Call_1.pcap",
        "ntop__nDPI__whatsapp_login_call.pcap",
    ],
)
def test_as_many_errors_as_tshark_finds(corpus: pathlib.Path, name: str) -> None:
    try:
        said = subprocess.run(
            ["tshark", "-r", str(corpus / name), "-Y", "icmp.type==3 || icmp.type==11 || icmpv6.type<4",
             "-T", "fields", "-e", "frame.number", "-E", "occurrence=f"],
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no tshark")
    found = collected(corpus / name).unpacker.icmp.finish()
    assert sum(each.count for each in found) == len(said) > 0
    assert {str(each.frame) for each in found} <= set(said)
