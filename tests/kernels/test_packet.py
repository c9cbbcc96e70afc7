"""The packet decoder against packets that scapy builds, a slow twin, and captures of others."""

from __future__ import annotations

import pathlib
import random
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer import kernels
from sipanalyzer.kernels import columns as c
from sipanalyzer.kernels.link import ODD_LINKS
from sipanalyzer.kernels.packet import decode_one
from tests.decoding import DST, DST6, INVITE, RTP, SRC, SRC6, assert_twin, carriers, decode, udp_frame


@pytest.fixture
def compiled() -> Iterator[None]:
    """Kernels compiled during the test."""
    if not kernels.set_compiled(True):
        pytest.skip("numba is not installed")
    yield
    kernels.set_compiled(False)


CARRIED = carriers(RTP)
CARRIED_SIP = carriers(INVITE)


def words(text: str) -> tuple[int, int]:
    import ipaddress

    address = ipaddress.ip_address(text)
    value = int(address) | (0xFFFF << 32 if address.version == 4 else 0)
    return (value >> 64) - (1 << 64 if value >> 127 else 0), (value & (1 << 64) - 1) - (
        1 << 64 if value >> 63 & 1 else 0
    )


@pytest.mark.parametrize("name", CARRIED)
def test_the_innermost_packet_is_decoded_whatever_carries_it(name: str) -> None:
    link, packet = CARRIED[name]
    kind, row = decode(packet, link)
    assert kind == c.RTP
    ends = ((row[c.SRC_HI], row[c.SRC_LO]), (row[c.DST_HI], row[c.DST_LO]))
    assert ends in ((words(SRC), words(DST)), (words(SRC6), words(DST6)))
    assert row[c.PORTS] == 5080 << 16 | 5062
    assert row[c.SSRC : c.EVENT + 1] == [0xDEADBEEF, 4711, 160, 160, 0x88, 0x00010203]
    assert row[c.TRAFFIC] >> 8 in (0, 78)  # VLAN 77 where there is one
    link, packet = CARRIED_SIP[name]
    kind, row = decode(packet, link)
    assert kind == c.SIP
    assert packet[row[c.AT] : row[c.AT] + row[c.LENGTH]] == INVITE
    assert row[c.WIRE_LENGTH] == len(INVITE)


@pytest.mark.parametrize("name", CARRIED)
def test_a_packet_cut_anywhere_is_decoded_as_far_as_it_goes(name: str) -> None:
    for link, packet in (CARRIED[name], CARRIED_SIP[name]):
        for size in range(len(packet)):  # the buffer ends with the packet: reading on would be an IndexError
            assert_twin(packet[:size], link, wire=len(packet))


@pytest.mark.parametrize("name", CARRIED)
def test_what_stands_around_a_packet_does_not_matter(name: str) -> None:
    link, packet = CARRIED_SIP[name]
    for size in (len(packet), len(packet) - 9):
        alone = decode(packet[:size], link, wire=len(packet))
        kind, row = decode(packet[:size], link, len(packet), before=b"\xaa" * 5, after=b"\x80" * 50)
        row[c.AT] -= 5
        assert (kind, row) == alone


@settings(max_examples=300)
@given(st.data())
def test_any_bytes_are_decoded_like_the_slow_twin_does(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(CARRIED)))
    link, packet = data.draw(st.sampled_from([CARRIED[name], CARRIED_SIP[name]]))
    mutable = bytearray(packet)
    for at, value in data.draw(
        st.lists(st.tuples(st.integers(0, min(len(packet), 140) - 1), st.integers(0, 255)), max_size=4)
    ):
        mutable[at] = value
    size = data.draw(st.integers(0, len(packet)))
    depth = data.draw(st.sampled_from([8, 0, 1]))
    wire = data.draw(st.sampled_from([len(packet), size, 0, 2000]))
    assert_twin(bytes(mutable[:size]), link, wire, depth)
    assert_twin(bytes(mutable), link, None, depth)


def test_compiled_and_interpreted_rows_are_the_same(compiled: None) -> None:
    chance = random.Random(7)
    cases = []
    for link, packet in [*CARRIED.values(), *CARRIED_SIP.values()]:
        cases.append((packet, link, len(packet)))
        for _ in range(12):
            broken = bytearray(packet)
            broken[chance.randrange(min(len(packet), 120))] = chance.randrange(256)
            cases.append((bytes(broken[: chance.randrange(len(packet) + 1)]), link, len(packet)))
    fast = [decode(packet, link, wire) for packet, link, wire in cases]
    kernels.set_compiled(False)
    slow = [decode(packet, link, wire) for packet, link, wire in cases]
    assert fast == slow
    assert len({kind for kind, _ in fast}) >= 4


@pytest.mark.parametrize("port", [4789, 8472, 4790, 6081, 2152])
def test_a_tunnel_port_with_another_header_is_plain_udp(port: int) -> None:
    assert decode(udp_frame(INVITE, dport=port))[0] == c.SIP
    assert decode(udp_frame(RTP, dport=port))[0] == c.RTP
    _, row = decode(udp_frame(RTP, dport=port))
    assert row[c.PORTS] == 5080 << 16 | port


@pytest.mark.parametrize("message", [1, 2, 26, 31, 253, 254])
def test_gtp_signalling_is_of_no_interest(message: int) -> None:
    rtp = bytes([0x32, message]) + (len(RTP) + 4).to_bytes(2, "big") + bytes(8) + RTP
    assert decode(udp_frame(rtp, dport=2152))[0] == c.OTHER
    assert decode(udp_frame(INVITE, dport=2152))[0] == c.SIP


def test_media_in_turn_channel_data_are_media_and_anything_else_is_not_written() -> None:
    channel = struct.pack(">HH", 0x4001, len(RTP))
    kind, row = decode(udp_frame(channel + RTP, dport=3478))
    assert (kind, row[c.SIZE], row[c.PORTS] & 0xFFFF) == (c.RTP, 160, 3478)
    assert row[c.SSRC] == int.from_bytes(RTP[8:12], "big")
    padded = udp_frame(struct.pack(">HH", 0x4001, len(RTP) - 1) + RTP, dport=3478)
    assert decode(padded)[1][c.SIZE] == 159
    assert decode(udp_frame(struct.pack(">HH", 0x4001, len(INVITE)) + INVITE))[0] == c.TURN


def test_ethernet_padding_is_no_payload() -> None:
    kind, row = decode(udp_frame(RTP[:12]) + bytes(6))
    assert (kind, row[c.SIZE]) == (c.RTP, 0)


def test_a_total_length_of_zero_means_the_whole_frame() -> None:
    frame = bytearray(udp_frame(RTP))
    frame[16:18] = bytes(2)
    assert decode(bytes(frame))[1][c.SIZE] == 160


def ipv4(protocol: int, payload: bytes, place: int = 0) -> bytes:
    total = 20 + len(payload)
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, total, 1, place, 64, protocol, 0)
        + bytes([10, 0, 0, 1, 10, 0, 0, 2])
        + payload
    )


def test_sip_quoted_in_an_icmp_error_is_icmp() -> None:
    quoted = bytes.fromhex("0303000000000000") + ipv4(17, struct.pack(">HHHH", 1, 2, 8 + len(INVITE), 0) + INVITE)
    kind, row = decode(ipv4(1, quoted), 101)
    assert (kind, row[c.AT], row[c.LENGTH], row[c.PORTS]) == (c.ICMP, 20, len(quoted), 0)


def test_fragments_are_handed_on_whole() -> None:
    for place in (0x2000, 0x2005, 0x0005):
        packet = ipv4(17, bytes(64), place)
        kind, row = decode(bytes(12) + b"\x08\0" + packet + b"trailer")
        assert (kind, row[c.AT], row[c.LENGTH], row[c.PORTS]) == (c.FRAGMENT, 14, len(packet), 0)
        assert row[c.SRC_LO] == 0xFFFF0A000001
    assert decode(ipv4(17, bytes(64), 0x4000), 101)[0] != c.FRAGMENT


@pytest.mark.parametrize(
    ("place", "kind"), [(0x0001, c.FRAGMENT), (0x0008, c.FRAGMENT), (0x0009, c.FRAGMENT), (0, c.RTP)]
)
def test_ipv6_fragments_are_handed_on_whole_but_for_atomic_ones(place: int, kind: int) -> None:
    udp = struct.pack(">BBHIHHHH", 17, 0, place, 99, 5080, 5062, 8 + len(RTP), 0) + RTP
    packet = struct.pack(">IHBB", 6 << 28, len(udp), 44, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + udp
    found, row = decode(packet + b"trailer", 101)
    assert found == kind
    assert (row[c.SRC_HI], row[c.SRC_LO], row[c.DST_LO]) == (0, 1, 2)
    if kind == c.FRAGMENT:
        assert (row[c.AT], row[c.LENGTH], row[c.PORTS]) == (0, len(packet), 0)


def test_sctp_packets_are_handed_on() -> None:
    sctp = struct.pack(">HHII", 5060, 5062, 1, 2) + bytes(20)
    kind, row = decode(ipv4(132, sctp), 101)
    assert (kind, row[c.AT], row[c.LENGTH], row[c.WIRE_LENGTH]) == (c.SCTP, 20, 32, 32)
    assert row[c.PORTS] == 5060 << 16 | 5062


@pytest.mark.parametrize(
    ("packet", "link", "code"),
    [
        (bytes(13), 1, c.BAD_LINK),
        (bytes(12) + b"\x81\0\0", 1, c.BAD_LINK),
        (bytes(15), 113, c.BAD_LINK),
        (b"", 101, c.BAD_IP),
        (b"\x50" * 40, 101, c.BAD_IP),
        (b"\x44" + bytes(40), 101, c.BAD_IP),
        (b"\x60" + bytes(38), 101, c.BAD_IP),
        (ipv4(17, bytes(7)), 101, c.BAD_TRANSPORT),
        (ipv4(17, struct.pack(">HHHH", 1, 2, 7, 0)), 101, c.BAD_TRANSPORT),
        (ipv4(6, bytes(20)), 101, c.BAD_TRANSPORT),
        (ipv4(47, bytes(3)), 101, c.BAD_TUNNEL),
    ],
)
def test_malformed_packets_say_where(packet: bytes, link: int, code: int) -> None:
    kind, row = decode(packet, link)
    assert (kind, row[c.LAYER]) == (c.MALFORMED, code)


@pytest.mark.parametrize("ethertype", [0x0806, 0x88CC, 46, 1500, 0x0600])
def test_ethernet_without_ip_is_of_no_interest(ethertype: int) -> None:
    assert decode(bytes(12) + ethertype.to_bytes(2, "big") + bytes(46))[0] == c.OTHER


def test_link_types_are_odd_or_unknown_or_known() -> None:
    for link in ODD_LINKS:
        kind, row = decode(b"whatever", link)
        assert (kind, row[c.LAYER], row[c.AT], row[c.LENGTH]) == (c.ODD, link, 0, 8)
    kind, row = decode(b"whatever", 147)
    assert (kind, row[c.LAYER]) == (c.UNKNOWN, 147)


def test_tunnels_nested_too_deep_are_given_up() -> None:
    packet = ipv4(17, struct.pack(">HHHH", 1, 2, 8 + len(RTP), 0) + RTP)
    for _ in range(8):
        packet = ipv4(4, packet)
    assert decode(packet, 101)[0] == c.RTP
    kind, row = decode(ipv4(4, packet), 101)
    assert (kind, row[c.LAYER]) == (c.MALFORMED, c.TOO_DEEP)


def capture_counts(path: pathlib.Path) -> np.ndarray:
    """Kinds of all packets of a capture, walked by dpkt."""
    import dpkt

    counts = np.zeros(c.COUNTERS, np.int64)
    rows = np.zeros((1, c.WIDTH), np.int64)
    with path.open("rb") as file:
        reader = (dpkt.pcapng if path.suffix == ".pcapng" else dpkt.pcap).Reader(file)
        for _, packet in reader:
            data = np.frombuffer(packet, np.uint8).copy()
            decode_one(data, 0, len(packet), len(packet), reader.datalink(), 0, 1, 8, rows, counts)
    return counts


@pytest.mark.parametrize(
    ("name", "sip"),
    [
        ("0xSp3ctra__RTP-PARSING__voip.pcap", 28),
        ("NormB__sipnab__b2bua-asterisk.pcapng", 60),
        ("OISF__suricata-verify__public-cloudshark-sip-s0.pcap", 10),
        ("SECCON__SECCON2016_online_CTF__voip.pcap", 14),
        ("ajbanjara__Wireshark__filenameGRE199---fax-iz-InLife-G711---OK___.cap", 91),
        ("ajbanjara__Wireshark__mikey.pcap", 2),
        ("ajbanjara__Wireshark__nb6-startup.pcap", 4),
        ("irontec__sngrep__aaa.pcap", 81),
        ("negbie__heplify__sip_ipv6_udp.pcap", 6),
        ("ntop__nDPI__gre.pcapng", 1),
        ("odedshimon__BruteShark__h263-over-rtp.pcap", 4),
        ("pentesteracademy__voipshark__SIP-RTP-Normal_Call_two_parties.pcap", 48),
        ("profuzzbench__profuzzbench__sip-1.pcap", 16),
        ("seladb__PcapPlusPlus__sip_reqs.pcap", 4),
        ("zeek__zeek__sip-long-request-response-paths.pcap", 2),
    ],
)
def test_as_many_sip_messages_as_tshark_finds(corpus: pathlib.Path, name: str, sip: int, compiled: None) -> None:
    assert capture_counts(corpus / name)[c.SIP] == sip
