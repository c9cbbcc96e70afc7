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
from sipanalyzer.kernels.row import row_hash
from tests.naive import packet as naive

SRC, DST = "10.38.17.11", "10.224.0.92"
SRC6, DST6 = "2001:db8::5", "2001:db8:1::92"
INVITE = b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n"
RTP = struct.pack(">BBHII", 0x80, 0x80 | 8, 4711, 160, 0xDEADBEEF) + bytes(range(160))
RTCP = struct.pack(">BBHIII", 0x81, 201, 7, 1, 2, 3) + bytes(20)


def decode(
    data: bytes, link: int = 1, wire: int | None = None, max_depth: int = 8, before: bytes = b"", after: bytes = b""
) -> tuple[int, list[int]]:
    """Kind and row (empty where there is none) of one packet."""
    buffer = np.frombuffer(before + data + after, np.uint8).copy()
    rows, counts = np.full((1, c.WIDTH), -77, np.int64), np.zeros(c.COUNTERS, np.int64)
    length = len(data) if wire is None else wire
    start = len(before)
    n = decode_one(buffer, start, start + len(data), length, link, 5, 6, max_depth, rows, counts)
    assert counts.sum() == 1
    kind = int(counts.argmax())
    assert (n == 1) == (kind in naive.WRITTEN)
    if n:
        assert rows[0, c.TIME] == 5 and rows[0, c.FRAME] == 6 and rows[0, c.KIND] == kind
        assert 0 <= rows[0, c.HASH] < 1 << 32
    return kind, rows[0].tolist() if n else []


def assert_twin(data: bytes, link: int = 1, wire: int | None = None, max_depth: int = 8) -> None:
    """The kernel's row is the naive decoder's; of malformed packets all but the place is compared."""
    kind, row = decode(data, link, wire, max_depth)
    other, columns = naive.decode(data, len(data) if wire is None else wire, link, max_depth)
    assert kind == other
    for column, value in columns.items():
        if kind != c.MALFORMED or column not in (c.AT, c.LENGTH):
            assert row[column] == value, column


@pytest.fixture
def compiled() -> Iterator[None]:
    """Kernels compiled during the test."""
    if not kernels.set_compiled(True):
        pytest.skip("numba is not installed")
    yield
    kernels.set_compiled(False)


def carriers(payload: bytes) -> dict[str, tuple[int, bytes]]:
    """Packets of every link layer and tunnel around one UDP payload, built by scapy: name to link type and bytes."""
    from scapy.contrib.geneve import GENEVE
    from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
    from scapy.contrib.mpls import MPLS
    from scapy.layers.inet import IP, UDP, IPOption
    from scapy.layers.inet6 import (
        IPv6,
        IPv6ExtHdrDestOpt,
        IPv6ExtHdrFragment,
        IPv6ExtHdrHopByHop,
        IPv6ExtHdrRouting,
        PadN,
    )
    from scapy.layers.ipsec import AH
    from scapy.layers.l2 import GRE, LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Ether, Loopback
    from scapy.layers.ppp import HDLC, PPP, PPPoE
    from scapy.layers.vxlan import VXLAN
    from scapy.packet import Raw

    udp = UDP(sport=5080, dport=5062) / Raw(payload)
    four = IP(src=SRC, dst=DST, tos=46 << 2) / udp
    six = IPv6(src=SRC6, dst=DST6, tc=46 << 2) / udp
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    outer = ether / IP(src="192.0.2.1", dst="192.0.2.2")
    inner = Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04") / Dot1Q(vlan=77) / four
    plain = Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04") / four

    gre1 = struct.pack(">HHHHI", 0x3001, 0x880B, len(four) + 4, 1, 2) + b"\xff\x03\0\x21"

    def tunnelled(port: int, header: bytes, carried: object) -> object:
        return outer / UDP(sport=40000, dport=port) / Raw(header + bytes(carried))  # type: ignore[call-overload]

    erspan2 = struct.pack(">HHI", 1 << 12 | 100, 5, 0)
    erspan3 = struct.pack(">HHIHH", 2 << 12 | 100, 5, 0, 0, 0)
    erspan3_sub = struct.pack(">HHIHH", 2 << 12 | 100, 5, 0, 0, 1) + bytes(8)
    extensions = IPv6ExtHdrHopByHop(options=[PadN(optdata=b"x" * 12)]) / IPv6ExtHdrRouting(addresses=["::9"])
    packets = {
        "ethernet": (1, ether / four),
        "ethernet and IPv6": (1, ether / six),
        "padding behind IP": (1, bytes(ether / four) + b"\x55" * 12),
        "802.1Q": (1, ether / Dot1Q(vlan=77) / four),
        "QinQ": (1, ether / Dot1AD(vlan=1000) / Dot1Q(vlan=77) / six),
        "old QinQ": (1, ether / Dot1Q(vlan=3, type=0x9100) / Dot1Q(vlan=77) / four),
        "SNAP": (1, Dot3(src="02:00:00:00:00:01") / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x0800) / four),
        "MPLS": (1, ether / MPLS(label=16, s=0, ttl=9) / MPLS(label=17, s=1, ttl=9) / four),
        "MPLS pseudowire": (1, ether / MPLS(label=16, s=1, ttl=9) / Raw(bytes(4) + bytes(inner))),
        "MPLS pseudowire without control word": (1, ether / MPLS(label=16, s=1, ttl=9) / Raw(bytes(plain))),
        "PPPoE": (1, ether / PPPoE(sessionid=5) / PPP(proto=0x21) / four),
        "PPPoE and IPv6": (1, ether / PPPoE(sessionid=5) / PPP(proto=0x57) / six),
        "cooked": (113, CookedLinux() / four),
        "cooked, 802.1Q": (113, CookedLinux(proto=0x8100) / Dot1Q(vlan=77) / four),
        "cooked 2": (276, CookedLinuxV2() / six),
        "null": (0, Loopback(type=2) / four),
        "null, other order": (0, b"\x02\0\0\0" + bytes(four)),
        "null and IPv6": (0, b"\x1e\0\0\0" + bytes(six)),
        "loop": (108, b"\0\0\0\x02" + bytes(four)),
        "raw 12": (12, four),
        "raw 14": (14, six),
        "raw 101": (101, six),
        "raw IPv4": (228, four),
        "raw IPv6": (229, six),
        "PPP": (9, PPP(proto=0x21) / four),
        "PPP, HDLC": (50, HDLC() / PPP(proto=0x21) / four),
        "PPP, compressed": (9, b"\x21" + bytes(four)),
        "PPP, Cisco": (50, b"\x0f\0\x08\0" + bytes(four)),
        "PPPoE as link": (51, PPPoE(sessionid=5) / PPP(proto=0x21) / four),
        "Cisco HDLC": (104, b"\x0f\0\x08\0" + bytes(four)),
        "IPv4 options": (1, ether / IP(src=SRC, dst=DST, tos=46 << 2, options=[IPOption(b"\x01\x01\x01\x00")]) / udp),
        "IPv6 extensions": (1, ether / IPv6(src=SRC6, dst=DST6) / extensions / IPv6ExtHdrDestOpt() / udp),
        "IPv6 atomic fragment": (1, ether / IPv6(src=SRC6, dst=DST6) / IPv6ExtHdrFragment(id=9) / udp),
        "AH": (1, ether / IP(src=SRC, dst=DST) / AH(nh=17, icv=b"x" * 12, payloadlen=4) / udp),
        "AH and IPv6": (1, ether / IPv6(src=SRC6, dst=DST6) / AH(nh=17, icv=b"x" * 12, payloadlen=4) / udp),
        "IP in IP": (1, outer / four),
        "6in4": (1, outer / six),
        "4in6": (1, ether / IPv6(src="::1", dst="::2") / four),
        "6in6": (1, ether / IPv6(src="::1", dst="::2") / six),
        "GRE": (1, outer / GRE() / four),
        "GRE with everything": (1, outer / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=5) / six),
        "GRE, Ethernet": (1, outer / GRE(proto=0x6558) / inner),
        "PPTP": (1, ether / IP(src="192.0.2.1", proto=47) / Raw(gre1 + bytes(four))),
        "ERSPAN I": (1, outer / GRE(proto=0x88BE) / inner),
        "ERSPAN II": (1, outer / GRE(proto=0x88BE, seqnum_present=1) / Raw(erspan2 + bytes(inner))),
        "ERSPAN III": (1, outer / GRE(proto=0x22EB, seqnum_present=1) / Raw(erspan3 + bytes(inner))),
        "ERSPAN III, subheader": (1, outer / GRE(proto=0x22EB, seqnum_present=1) / Raw(erspan3_sub + bytes(inner))),
        "VXLAN": (1, outer / UDP(sport=5, dport=4789) / VXLAN(vni=7, flags=8) / inner),
        "VXLAN-GPE": (1, tunnelled(4790, b"\x0c\0\0\x01\0\0\x07\0", four)),
        "GENEVE": (1, outer / UDP(sport=5, dport=6081) / GENEVE(vni=7, proto=0x6558) / inner),
        "GENEVE with options": (1, tunnelled(6081, b"\x02\0\x65\x58\0\0\x07\0" + b"\x01\x02\x03\x01abcd", inner)),
        "GTP-U": (1, outer / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=9, gtp_type=255) / four),
        "GTP-U, 5G": (
            1,
            outer / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=9) / GTPPDUSessionContainer(type=0, QFI=1) / six,
        ),
        "GTP-U, Ethernet": (1, tunnelled(2152, struct.pack(">BBHI", 0x30, 255, len(plain), 9), plain)),
        "VXLAN in GRE": (1, outer / GRE() / IP(src="1.1.1.1") / UDP(dport=4789) / VXLAN(vni=7, flags=8) / inner),
    }
    return {name: (link, bytes(packet)) for name, (link, packet) in packets.items()}  # type: ignore[call-overload]


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


@settings(max_examples=300, deadline=None)
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


def udp_frame(payload: bytes, sport: int = 5080, dport: int = 5062) -> bytes:
    """Ethernet, IPv4, UDP by hand."""
    udp = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    ends = bytes([10, 38, 17, 11, 10, 224, 0, 92])
    return bytes(12) + b"\x08\0" + struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + ends + udp


def rtp(first: int, second: int = 0, rest: bytes = bytes(20)) -> bytes:
    return struct.pack(">BBHII", first, second, 1, 2, 3) + rest


HEP_OLD = struct.pack(">BBBBHH", 1, 16, 2, 17, 5060, 5060) + bytes(8)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (rtp(0x80), c.RTP),
        (rtp(0x80, 0, b""), c.RTP),
        (rtp(0x80)[:11], c.OTHER),
        (rtp(0x40), c.OTHER),
        (rtp(0xC0), c.OTHER),
        (rtp(0x8F, 0, bytes(59)), c.OTHER),  # 15 CSRCs need 60 bytes
        (rtp(0x8F, 0, bytes(60)), c.RTP),
        (rtp(0x90, 0, b"\xbe\xde\0\x05" + bytes(19)), c.OTHER),  # an extension of 20 bytes
        (rtp(0x90, 0, b"\xbe\xde\0\x05" + bytes(20)), c.RTP),
        (RTCP, c.RTCP),
        (struct.pack(">BBHI", 0x80, 203, 1, 9), c.RTCP),
        (struct.pack(">BBH", 0x80, 203, 0), c.OTHER),
        (struct.pack(">BBHII", 0x80, 0x80 | 72, 9999, 2, 3) + bytes(160), c.RTP),  # payload type 72 with a marker
        (INVITE, c.SIP),
        (b"\r\n\r\n" + INVITE, c.SIP),
        (b"SIP/2.0 200 OK\r\n\r\n", c.SIP),
        (b"\r\n\r\n", c.OTHER),
        (b"\r\n", c.OTHER),
        (b"\0", c.OTHER),
        (b"", c.OTHER),
        (b"\0" * 4, c.OTHER),
        (bytes.fromhex("0001000c2112a442") + bytes(24), c.STUN),
        (bytes.fromhex("000100082112a443") + bytes(20), c.STUN),  # RFC 3489
        (bytes.fromhex("000100092112a443") + bytes(20), c.OTHER),
        (bytes.fromhex("001100082112a443") + bytes(20), c.OTHER),
        (bytes.fromhex("16fefd0000000000000000001001") + bytes(15), c.DTLS),
        (bytes.fromhex("16fefe0000000000000000001001") + bytes(15), c.OTHER),
        (b"\x40\x01\x00\x04abcd", c.TURN),
        (b"\x40\x01\x00\x05abcd", c.OTHER),
        (b"\x40\x01\x00\x05abcde\0\0\0", c.TURN),
        (b"\x50\x01\x00\x04abcd", c.OTHER),
        (b"HEP3\x00\x10" + bytes(10), c.HEP),
        (b"HEP3\x00\x20" + bytes(10), c.OTHER),
        (HEP_OLD + b"x", c.HEP),
        (HEP_OLD, c.OTHER),
        (b"\x02" + HEP_OLD[1:] + bytes(12) + b"x", c.HEP),
        (b"\x02" + HEP_OLD[1:] + bytes(12), c.OTHER),
        (b"\x03" + HEP_OLD[1:] + b"x" * 30, c.OTHER),
        (b"\x01\x10\x0a\x11" + HEP_OLD[4:] + b"x" * 30, c.OTHER),  # an IPv6 family with an IPv4 length
    ],
)
def test_udp_payloads_are_told_apart_by_content(payload: bytes, kind: int) -> None:
    assert decode(udp_frame(payload))[0] == kind
    assert_twin(udp_frame(payload))


@pytest.mark.parametrize("port", [4789, 8472, 4790, 6081, 2152])
def test_a_tunnel_port_with_another_header_is_plain_udp(port: int) -> None:
    assert decode(udp_frame(INVITE, dport=port))[0] == c.SIP
    assert decode(udp_frame(RTP, dport=port))[0] == c.RTP
    _, row = decode(udp_frame(RTP, dport=port))
    assert row[c.PORTS] == 5080 << 16 | port


def test_gtp_echo_is_of_no_interest() -> None:
    assert decode(udp_frame(bytes.fromhex("3201000400000000000100000e00"), dport=2152))[0] == c.OTHER


def test_rtp_payload_leaves_out_csrc_extension_and_padding() -> None:
    header = struct.pack(">BBHII", 0x80 | 0x20 | 0x10 | 2, 96, 1, 2, 3) + bytes(8)  # 2 CSRCs
    extension = b"\xbe\xde\0\x01" + bytes(4)
    payload = header + extension + b"PAYLOAD" + b"\0\0\0\x04"
    kind, row = decode(udp_frame(payload))
    assert (kind, row[c.SIZE], row[c.PT]) == (c.RTP, 7, 96)
    assert row[c.EVENT] == int.from_bytes(b"PAYL", "big")
    # cut: the padding's length is not there, so only the UDP length speaks
    frame = udp_frame(payload)
    kind, row = decode(frame[:-1], wire=len(frame))
    assert (kind, row[c.SIZE]) == (c.RTP, 11)
    # padding longer than the packet is an encrypted packet's last byte
    assert decode(udp_frame(payload[:-1] + b"\xff"))[1][c.SIZE] == 11
    # padding alone
    assert decode(udp_frame(struct.pack(">BBHII", 0xA0, 96, 1, 2, 3) + b"\0\0\0\x04"))[1][c.SIZE] == 0


def test_a_cut_rtp_packet_has_its_size_on_the_wire() -> None:
    frame = udp_frame(RTP)
    kind, row = decode(frame[:54], wire=len(frame))  # 14 + 20 + 8 + 12
    assert (kind, row[c.SIZE], row[c.EVENT]) == (c.RTP, 160, 0)
    assert decode(frame[:53], wire=len(frame))[0] == c.OTHER


def test_ethernet_padding_is_no_payload() -> None:
    kind, row = decode(udp_frame(rtp(0x80, 0, b"")) + bytes(6))
    assert (kind, row[c.SIZE]) == (c.RTP, 0)


def test_a_total_length_of_zero_means_the_whole_frame() -> None:
    frame = bytearray(udp_frame(RTP))
    frame[16:18] = bytes(2)
    assert decode(bytes(frame))[1][c.SIZE] == 160


def tcp_frame(flags: int, payload: bytes = b"", options: bytes = b"") -> bytes:
    offset = (20 + len(options)) // 4 << 4
    tcp = struct.pack(">HHIIBBHHH", 5060, 40000, 7, 8, offset, flags, 1000, 0, 0) + options + payload
    ends = bytes([10, 0, 0, 1, 10, 0, 0, 2])
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + ends
    return bytes(12) + b"\x08\0" + ip + tcp


def test_tcp_rows_hold_sequence_flags_and_payload() -> None:
    frame = tcp_frame(0x18, INVITE, bytes(12))
    kind, row = decode(frame)
    assert kind == c.TCP
    assert frame[row[c.AT] : row[c.AT] + row[c.LENGTH]] == INVITE
    assert row[c.TCP_SEQ : c.TCP_WIRE + 1] == [7, 8, 0x18 | c.SIP_START, len(INVITE)]
    assert row[c.PORTS] == 5060 << 16 | 40000
    assert decode(tcp_frame(0x18, b"x"))[1][c.TCP_FLAGS] == 0x18  # a keep-alive probe's byte is payload
    assert decode(tcp_frame(0x10))[0] == c.OTHER
    for flags in (0x02, 0x12, 0x11, 0x04):
        kind, row = decode(tcp_frame(flags) + bytes(6))
        assert (kind, row[c.LENGTH], row[c.TCP_ACK]) == (c.TCP, 0, 8 if flags & 0x10 else 0)


def test_a_cut_tcp_segment_says_how_long_it_was() -> None:
    frame = tcp_frame(0x18, INVITE, bytes(12))
    for cut in (14 + 20 + 32 + 10, 14 + 20 + 32, 14 + 20 + 24):
        kind, row = decode(frame[:cut], wire=len(frame))
        assert (kind, row[c.TCP_WIRE], row[c.LENGTH]) == (c.TCP, len(INVITE), max(cut - 66, 0))


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


def test_hashes_spread_in_their_low_bits() -> None:
    low = 0xFFFF0A000000
    hashes = [
        row_hash(0, low + src, 0, low + 500, (10_000 + 2 * port) << 16 | 20_000, ssrc)
        for src in range(32)
        for port in range(64)
        for ssrc in range(4)
    ]
    assert len(set(hashes)) == len(hashes)
    buckets = np.bincount(np.array(hashes) & 0x1FFF, minlength=0x2000)  # 8,192 keys in as many places
    assert 0.33 < np.mean(buckets == 0) < 0.41  # e^-1 where they fall by chance
    assert buckets.max() <= 8


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
