"""One packet through the decoding kernel, held to its slow twin; and packets in everything that can carry them."""

from __future__ import annotations

import struct

import numpy as np

from sipanalyzer.kernels import columns as c
from sipanalyzer.kernels.packet import decode_one
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


def udp_frame(payload: bytes, sport: int = 5080, dport: int = 5062) -> bytes:
    """Ethernet, IPv4, UDP by hand."""
    udp = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    ends = bytes([10, 38, 17, 11, 10, 224, 0, 92])
    return bytes(12) + b"\x08\0" + struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + ends + udp


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
