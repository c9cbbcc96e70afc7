"""SIP messages for tests: made from words, and taken from the captures of others."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import dpkt
from hypothesis import strategies as st

START = re.compile(rb"[\r\n]*(?:[A-Za-z0-9.!%*_+`'~-]+ [^\r\n]+ SIP/\d\.\d|SIP/\d\.\d \d{3})")
_LINKS: dict[int, Any] = {
    0: dpkt.loopback.Loopback, 1: dpkt.ethernet.Ethernet, 12: dpkt.ip.IP, 101: dpkt.ip.IP, 113: dpkt.sll.SLL,
    276: dpkt.sll2.SLL2,
}  # fmt: skip


def datagrams(path: pathlib.Path) -> Iterator[tuple[int, bytes]]:
    """Frame number and payload of the UDP datagrams that begin like SIP, as dpkt decodes them."""
    with path.open("rb") as file:
        try:
            reader = dpkt.pcap.UniversalReader(file)
            link = _LINKS.get(reader.datalink())
            for frame, (_, data) in enumerate(reader, 1):
                if link is None:
                    return
                try:
                    packet = link(data)
                    while not isinstance(packet, dpkt.udp.UDP | bytes):
                        packet = packet.data
                except (dpkt.UnpackError, AttributeError, IndexError):
                    continue
                if isinstance(packet, dpkt.udp.UDP) and START.match(bytes(packet.data)):
                    yield frame, bytes(packet.data)
        except (dpkt.UnpackError, ValueError, KeyError):
            return


_NAMES = """
    Via v VIA Call-ID i CALL-id From f fRom To t CSeq cseq Contact m Content-Length l Content-Type c User-Agent Server
    Subject s X Allow-Events u call-idx
"""
_VALUES = [
    "SIP/2.0/UDP h:5060;branch=z9hG4bK1;rport",
    'SIP / 2.0 / TCP [::1] ; Branch = "b;1" , SIP/2.0/UDP x;branch=2',
    "<sip:a@b;tag=no>;tag=yes",
    '"A \\" B;tag=1" <sip:%41@b>;x;tag=2;tag=3',
    "sip:a@b;tag=4",
    "sip:a,b@c ;tag= 5",
    "*",
    '"open <sip:a@b>;tag=6',
    "<sip:open@b;tag=7",
    "a <b> ;tag=8 <c;d>;tag=9",
    '"a" <sip:q> ;tag="q;r" z',
    "7 INVITE",
    "008\r\n BYE",
    "INVITE",
    "9INVITE x",
    "99999999999 ACK",
    "0",
    "3",
    "4294967296",
    "-1",
    "application/sdp",
    "multipart/mixed;boundary=x",
    "a\r\n\tfold",
    "  ",
    "a@b",
    "é\xa0\u2028",
    ";;,,;tag",
    ";tag=;tag=x",
    "<>;tag=z",
    ",,<sip:late>",
    "tag=1;branch=2",
]

_value = st.lists(st.sampled_from(_VALUES), min_size=1, max_size=2).map("".join)
_header = st.tuples(
    st.sampled_from(_NAMES.split()), st.sampled_from(["", " ", "\t "]), st.sampled_from(["", " ", "\r\n "]), _value
).map(lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}{parts[3]}")
_line = st.one_of(_header, _header, _header, st.sampled_from(["no colon", " fold", ": empty", "\tx: y", "x\r: y"]))
_start = st.sampled_from(
    ["INVITE sip:a@b SIP/2.0", "BYE sip:a b SIP/2.0", "ACK  sip:a\tSIP/2.0 ", "SIP/2.0 200 OK", "SIP/2.0 180",
     "SIP/3.0\t404  Not Found ", "SIP/2.0 20 x", "SIP/2.0 2000", "REGISTER", "X y", "", " INVITE sip:a SIP/2.0"]
)  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Messages with everything in them that a reader may stumble over."""
    ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n"])
    lines = [draw(_start), *draw(st.lists(_line, max_size=10))]
    data = b"".join(line.encode() + draw(ends) for line in lines)
    data += draw(st.sampled_from([b"\r\n", b"\n", b""])) + draw(
        st.sampled_from([b"", b"v=0\r\n", b"\r\nabc", b"\xff\0"])
    )
    noise = draw(
        st.lists(st.tuples(st.integers(0, max(0, len(data) - 1)), st.binary(min_size=1, max_size=2)), max_size=3)
    )
    for at, piece in noise:
        data = data[:at] + piece + data[at + len(piece) :]
    return data


def invite(number: int = 1, body: bytes = b"", **changes: str) -> bytes:
    """A plain INVITE; `changes` replace header values by name (underscores for hyphens), None leaves one out."""
    headers = {
        "Via": f"SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK{number}", "Max-Forwards": "70",
        "From": '"Alice" <sip:alice@example.com>;tag=a1', "To": "<sip:bob@example.com>",
        "Call-ID": f"call{number}@example.com", "CSeq": "1 INVITE", "Contact": "<sip:alice@10.0.0.1>",
        "User-Agent": "words", "Content-Length": str(len(body)),
    }  # fmt: skip
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
    return ("INVITE sip:bob@example.com SIP/2.0\r\n" + "".join(lines) + "\r\n").encode() + body
