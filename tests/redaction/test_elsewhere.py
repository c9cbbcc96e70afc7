"""What is personal outside the messages and streams that are read: wherever a packet or a file can hold it.

Every case holds a name, and often an address or an Ethernet address, in a place of its own. None of it may be found in
the redacted capture, neither as it was nor compressed nor as STUN mixes it.
"""

from __future__ import annotations

import gzip
import io
import ipaddress
import struct
import zlib

import pytest

from sample_pcaps.words.files import pcapng_bytes
from sample_pcaps.words.network import (
    CHECK,
    CHECKED,
    USERNAME,
    dtls_handshake,
    stun,
    tls_record,
    unreachable,
)
from sample_pcaps.words.packets import ethernet, ip, ipv4, ipv6, mac, tcp_frame, udp, udp_frame
from sipanalyzer.options import Options
from sipanalyzer.redaction.door import redacted
from tests.builders import ETHERNET, Packet, pcap_bytes, receiver_report, rtp, source_description

NAME = b"hildegard.knef"
ADDRESS, SIX = "198.51.100.77", "2001:db8:1234:5678:9abc:def0:1122:3344"
FOUR_BYTES, SIX_BYTES = ipaddress.ip_address(ADDRESS).packed, ipaddress.ip_address(SIX).packed
CARD = bytes.fromhex("3c0754a1b2c3")
MEDIA = rtp(seq=1, timestamp=160, ssrc=7)
MIXED = bytes(one ^ other for one, other in zip(FOUR_BYTES, struct.pack("!I", 0x2112A442), strict=True))

DESCRIPTION = b"v=0\r\no=- 1 1 IN IP4 %s\r\ns=%s\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n" % (
    ADDRESS.encode(), NAME, ADDRESS.encode(),
)  # fmt: skip


def invite(*headers: bytes, body: bytes = b"") -> bytes:
    head = (
        b"INVITE sip:1@x SIP/2.0", b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", b"From: <sip:2@x>;tag=1",
        b"To: <sip:1@x>", b"Call-ID: 1", b"CSeq: 1 INVITE", *headers, b"Content-Length: %d" % len(body), b"", b"",
    )  # fmt: skip
    return b"\r\n".join(head) + body


def parts(*bodies: tuple[bytes, bytes]) -> bytes:
    return b"".join(b"--b\r\nContent-Type: %s\r\n\r\n%s\r\n" % each for each in bodies) + b"--b--\r\n"


def chunk(kind: int, content: bytes) -> bytes:
    """A chunk of HEP version 3."""
    return struct.pack("!HHH", 0, kind, 6 + len(content)) + content


def hep(*chunks: bytes) -> bytes:
    fixed = (chunk(1, b"\x02"), chunk(2, b"\x11"), chunk(3, FOUR_BYTES), chunk(4, bytes((192, 0, 2, 9))))
    fixed += (chunk(7, b"\x13\xc4"), chunk(8, b"\x13\xc4"), chunk(9, bytes(4)), chunk(10, bytes(4)), chunk(11, b"\x01"))
    body = b"".join((*fixed, *chunks))
    return b"HEP3" + struct.pack("!H", 6 + len(body)) + body


def arp() -> bytes:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + CARD + FOUR_BYTES + bytes(6) + FOUR_BYTES
    return b"\xff" * 6 + CARD + b"\x08\x06" + body


def dns(name: bytes) -> bytes:
    labels = b"".join(bytes([len(each)]) + each for each in name.split(b"."))
    question = labels + b"\0\0\x01\0\x01"
    return struct.pack("!6H", 7, 0x8180, 1, 1, 0, 0) + question + b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + FOUR_BYTES


def app(content: bytes) -> bytes:
    """RTCP's APP (RFC 3550 6.7) behind a report."""
    content += bytes(-len(content) % 4)
    return receiver_report(7) + struct.pack("!BBHI", 0x80, 204, 2 + len(content) // 4, 7) + b"qtsi" + content


def record_route() -> bytes:
    options = bytes((7, 7, 8)) + FOUR_BYTES + b"\0"
    return ipv4(udp(MEDIA, "192.0.2.1", 4000, "192.0.2.2", 4002), "192.0.2.1", "192.0.2.2", options=options)


def routed() -> bytes:
    inner = udp(b"x" * 20, "2001:db8::1", 4000, "2001:db8::2", 4002)
    header = struct.pack("!BBBBI", 17, 2, 0, 1, 0) + SIX_BYTES
    return ipv6(header + inner, "2001:db8::1", "2001:db8::2", 43)


def quoted(message: bytes) -> bytes:
    """An ICMP error that quotes all of a datagram, as routers may (RFC 1812 4.3.2.3)."""
    datagram = ipv4(udp(message, ADDRESS, 5060, "192.0.2.2", 5060), ADDRESS, "192.0.2.2")
    return ipv4(struct.pack("!BBHI", 3, 3, 0, 0) + datagram, "192.0.2.2", ADDRESS, 1)


def frame(payload: bytes, port: int = 5060) -> bytes:
    return udp_frame(payload, src_port=port, dst_port=port)


SIPFRAG = b"SIP/2.0 200 OK\r\nTo: <sip:%s@%s>;tag=77\r\n" % (NAME, ADDRESS.encode())
CASES: dict[str, bytes] = {
    "HEP with a name of the node": frame(hep(chunk(19, NAME), chunk(14, NAME), chunk(15, invite(b"Subject: " + NAME)))),
    "HEP, compressed": frame(hep(chunk(16, zlib.compress(invite(b"Subject: " + NAME, body=DESCRIPTION))))),
    "HEP of something else": frame(hep(chunk(15, NAME), chunk(0x7FFF, NAME + FOUR_BYTES))),
    "gzip in a body": frame(
        invite(b"Content-Type: application/sdp", b"Content-Encoding: gzip", body=gzip.compress(DESCRIPTION, mtime=0))
    ),
    "deflate in a body": frame(invite(b"Content-Encoding: deflate", body=zlib.compress(b"<x>" + NAME + b"</x>"))),
    "a body of another kind": frame(
        invite(b"Content-Type: application/pidf+xml", body=b"<presence entity='%s'/>" % NAME)
    ),
    "multipart": frame(
        invite(
            b'Content-Type: multipart/mixed;boundary="b"',
            body=parts(
                (b"application/sdp", DESCRIPTION),
                (b"application/xml", NAME),
                (b"message/sipfrag", SIPFRAG),
                (b"application/isup", FOUR_BYTES + NAME),
            ),
        )
    ),
    "multipart with a preamble": frame(
        invite(b"Content-Type: multipart/mixed;boundary=b", body=NAME + b"\r\n" + parts((b"text/plain", NAME)) + NAME)
    ),
    "what follows a message in its datagram": frame(invite() + NAME),
    "STUN's user and software": frame(stun(CHECK, 1, (USERNAME, NAME + b":x"), (0x8022, NAME), (0x0014, NAME)), 3478),
    "STUN's addresses": frame(
        stun(
            CHECKED, 1, (1, b"\0\x01\x13\xc4" + FOUR_BYTES), (0x20, b"\0\x01\x32\xd6" + MIXED), (0x8023, FOUR_BYTES * 2)
        ),
        3478,
    ),
    "text where STUN has figures": frame(stun(CHECK, 1, (0x0024, NAME), (0x8029, NAME), (0x000A, NAME)), 3478),
    "a certificate of DTLS": frame(dtls_handshake(11, 1, b"\0\0\x30\0\0\x2d" + b"0\x2d" + b"CN=" + NAME), 4000),
    "a name asked for with DTLS": frame(dtls_handshake(1, 0, b"\xfe\xfd" + bytes(32) + NAME), 4000),
    "RTCP's APP": frame(app(NAME + FOUR_BYTES), 4001),
    "RTCP's SDES": frame(receiver_report(7) + source_description(7, NAME.decode() + "@" + ADDRESS), 4001),
    "a reason in RTCP's BYE": frame(
        receiver_report(7) + struct.pack("!BBHI", 0x81, 203, 5, 7) + bytes([14]) + NAME + b"\0", 4001
    ),
    "an extension of RTP": frame(
        b"\x90" + MEDIA[1:12] + struct.pack("!HH", 0xBEDE, 4) + b"\x1d" + NAME + b"\0" + bytes(20), 4000
    ),
    "contributing sources and padding": frame(b"\xa1" + MEDIA[1:12] + FOUR_BYTES + bytes(20) + NAME + b"\x0f", 4000),
    "an ICMP error": ethernet(unreachable(udp(MEDIA, ADDRESS, 4000, "192.0.2.2", 4002), ADDRESS, "192.0.2.2", ADDRESS)),
    "an ICMP error with a message": ethernet(quoted(invite(b"Subject: " + NAME))),
    "a ping": ethernet(ipv4(struct.pack("!BBHHH", 8, 0, 0, 1, 1) + NAME, ADDRESS, "192.0.2.2", 1)),
    "a neighbour": ethernet(
        ipv6(
            struct.pack("!BBHI", 135, 0, 0, 0) + SIX_BYTES + b"\x01\x01" + CARD, "2001:db8::1", "ff02::1:ff22:3344", 58
        )
    ),
    "DNS": frame(dns(NAME + b".example"), 53),
    "DHCP": frame(
        b"\x01\x01\x06\0"
        + bytes(8)
        + FOUR_BYTES * 3
        + CARD
        + bytes(202)
        + b"\x63\x82\x53\x63\x0c\x0e"
        + NAME
        + b"\xff",
        67,
    ),
    "syslog": frame(b"<34>Nov 24 phone: " + NAME + b" from " + ADDRESS.encode(), 514),
    "TFTP": frame(b"\0\x01" + NAME + b".cnf\0octet\0", 69),
    "NTP": frame(b"\x24\x01\0\0" + bytes(8) + FOUR_BYTES + bytes(32), 123),
    "HTTP": tcp_frame(b"GET /" + NAME + b" HTTP/1.1\r\nHost: " + ADDRESS.encode() + b"\r\n\r\n", dst_port=80, seq=1),
    "TLS": tcp_frame(tls_record(22, b"\x01\0\0\x40\x03\x03" + bytes(40) + NAME), dst_port=5061, seq=1),
    "keys behind SIP on a connection": tcp_frame(invite() + NAME * 3, seq=1),
    "ARP": arp(),
    "LLDP": CARD + CARD + b"\x88\xcc" + b"\x02\x07\x04" + CARD + b"\x0a\x0e" + NAME + b"\0\0",
    "EAP": CARD + CARD + b"\x88\x8e\x01\0\0\x13\x02\x01\0\x13\x01" + NAME,
    "a length instead of a type": CARD + CARD + struct.pack("!H", 3 + len(NAME)) + b"\xaa\xaa\x03" + NAME,
    "behind the IP packet": udp_frame(MEDIA) + NAME,
    "IPv4 options": ethernet(record_route()),
    "IPv6 routing header": ethernet(routed()),
    "a protocol that is not read": ethernet(ip(NAME + FOUR_BYTES, ADDRESS, "192.0.2.2", 89)),
    "PPPoE": CARD + CARD + b"\x88\x64\x11\0\0\x01\0\x16\xc0\x23\x01\x01\0\x14\x0e" + NAME + b"\0",
}
"""A frame for each place."""


def written(data: bytes) -> bytes:
    source = redacted([io.BytesIO(data)], Options(redact=True, redact_key="a key"))[0].open_()
    return source.read(1 << 24)


def inflated(data: bytes) -> bytes:
    """What can be unpacked of some bytes, wherever it begins."""
    out = b""
    for at in range(len(data)):
        if data[at : at + 1] == b"\x78" or data[at : at + 2] == b"\x1f\x8b":
            try:
                out += zlib.decompressobj(47).decompress(data[at:], 100_000)
            except zlib.error:
                continue
    return out


def personal(data: bytes) -> list[bytes]:
    """Which of the values stand in some bytes."""
    everything = data + inflated(data)
    values = (NAME, NAME.upper(), NAME.split(b".")[1], ADDRESS.encode(), FOUR_BYTES, SIX_BYTES, CARD, MIXED)
    return [value for value in values if value in everything]


@pytest.mark.parametrize("place", CASES)
def test_nothing_personal_stays(place: str) -> None:
    plain = pcap_bytes([Packet(10**18, CASES[place])], link_type=ETHERNET)
    assert personal(plain), "the case holds something to be found"
    data = written(plain)
    assert len(data) == len(plain)
    assert personal(data) == []


@pytest.mark.parametrize("keep", [40, 60, 80, 100])
@pytest.mark.parametrize("place", CASES)
def test_nothing_personal_stays_where_packets_are_cut(place: str, keep: int) -> None:
    whole = CASES[place]
    data = written(pcap_bytes([Packet(10**18, whole[:keep], 0, len(whole))], link_type=ETHERNET))
    assert personal(data) == []


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


def option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(data: bytes, *options: bytes) -> bytes:
    padded = data + bytes(-len(data) % 4)
    return block(6, struct.pack("<5I", 0, 0, 1, len(data), len(data)) + padded + b"".join(options) + bytes(4))


BLOCKS = {
    "a comment on the section": block(
        0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, NAME) + option(3, NAME) + bytes(4)
    ) + block(1, struct.pack("<HHI", 1, 0, 65535)),
    "an interface": block(
        1, struct.pack("<HHI", 1, 0, 65535) + option(2, NAME) + option(4, FOUR_BYTES * 2) + option(6, CARD)
        + option(11, b"\0host " + ADDRESS.encode()) + bytes(4),
    ),
    "names of addresses": block(
        4, struct.pack("<HH", 1, 4 + len(NAME) + 1) + FOUR_BYTES + NAME + b"\0" + bytes(1) + bytes(4)
    ),
    "secrets": block(10, struct.pack("<II", 0x544C534B, len(NAME)) + NAME),
    "a block of somebody's own": block(0xBAD, struct.pack("<I", 32473) + NAME + FOUR_BYTES),
    "the same, not to be copied": block(0x40000BAD, struct.pack("<I", 32473) + NAME),
    "a block nobody knows": block(0x7777, NAME + CARD),
    "statistics with a comment": block(5, struct.pack("<III", 0, 0, 1) + option(1, NAME) + bytes(4)),
    "a comment on a packet": enhanced(udp_frame(MEDIA), option(1, NAME)),
    "an option of somebody's own": enhanced(udp_frame(MEDIA), option(2988, struct.pack("<I", 32473) + NAME)),
    "a packet of the simple kind": block(3, struct.pack("<I", 60) + udp_frame(NAME)[:60].ljust(60, b"\0")),
}  # fmt: skip


@pytest.mark.parametrize("place", BLOCKS)
def test_nothing_personal_stays_in_a_pcapng_file(place: str) -> None:
    beginning = pcapng_bytes([Packet(10**18, udp_frame(MEDIA))])
    plain = beginning + BLOCKS[place] + enhanced(udp_frame(NAME))
    assert personal(plain)
    data = written(plain)
    assert len(data) == len(plain)
    assert personal(data) == []


def test_the_names_of_the_cases_are_found_where_nothing_is_redacted() -> None:
    assert personal(gzip.compress(NAME)) == [NAME, NAME.split(b".")[1]]
    assert personal(mac("x")) == []
