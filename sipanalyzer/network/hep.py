"""Homer's encapsulation, HEP: packets that a capture agent saw elsewhere and sent here. Floor 3.

Comes in: the payload of a UDP datagram that the kernel took for HEP. Goes out: what the agent saw (addresses, ports,
time, payload), and a packet built of it. Sources: "HEP/EEP Network Protocol Specification" of the SIPCAPTURE project
for version 3, and for versions 1 and 2 the structures ``hep_hdr``, ``hep_iphdr`` and ``hep_timehdr`` that Kamailio and
captagent send as they lie in memory.
"""

from __future__ import annotations

import ipaddress
import struct
import zlib
from dataclasses import dataclass

from sipanalyzer.errors import ParseError
from sipanalyzer.network.synthetic import udp_packet
from sipanalyzer.options import Options

__all__ = ["Hep", "hep_packet", "parse_hep"]

_DEFAULTS = Options()

# generic chunk types of version 3 (vendor 0)
_FAMILY, _PROTOCOL, _SRC4, _DST4, _SRC6, _DST6, _SPORT, _DPORT, _SECONDS, _MICROSECONDS, _TYPE, _AGENT = range(1, 13)
_PAYLOAD, _COMPRESSED, _CORRELATION = 15, 16, 17
_SIZES = {_FAMILY: 1, _PROTOCOL: 1, _SRC4: 4, _DST4: 4, _SRC6: 16, _DST6: 16, _SPORT: 2, _DPORT: 2, _SECONDS: 4}
_SIZES |= {_MICROSECONDS: 4, _TYPE: 1, _AGENT: 4}


@dataclass(frozen=True, slots=True)
class Hep:
    """One packet that a capture agent saw."""

    version: int
    """1, 2 or 3."""
    src: str
    """Source address on the wire where the agent listened."""
    sport: int
    """Source port."""
    dst: str
    """Destination address."""
    dport: int
    """Destination port."""
    ip_protocol: int
    """6 TCP, 17 UDP, 132 SCTP."""
    time_ns: int | None
    """When the agent saw it, ns since 1970; version 1 does not say."""
    protocol_type: int
    """1 SIP, 5 RTCP, and so on (version 3); 1 in older versions."""
    correlation_id: str | None
    """What ties it to other packets (a Call-ID, mostly)."""
    capture_agent: int | None
    """Number of the agent."""
    payload: bytes
    """What stood behind the transport's header."""


def _inflate(compressed: bytes, most: int) -> bytes:
    """Undo zlib or gzip, up to a limit."""
    inflater = zlib.decompressobj(wbits=47)
    try:
        payload = inflater.decompress(compressed, most + 1)  # one more tells more from as much; 0 would be no limit
    except zlib.error as error:
        raise ParseError("hep", "compressed payload cannot be inflated") from error
    if len(payload) > most:
        raise ParseError("hep", f"compressed payload is larger than {most} bytes")
    return payload


def _parse_chunks(payload: bytes, most: int) -> Hep:
    total = int.from_bytes(payload[4:6], "big")
    end = min(total, len(payload))  # cut by the snapshot length: what is there is read
    chunks: dict[int, bytes] = {}
    at = 6
    while at + 6 <= end:
        vendor, kind, size = struct.unpack_from(">HHH", payload, at)
        if size < 6:
            raise ParseError("hep", "chunk shorter than its header", at)
        if at + size > end and (total <= len(payload) or kind != _PAYLOAD):
            raise ParseError("hep", "chunk longer than the packet", at)
        value = payload[at + 6 : min(at + size, end)]
        if vendor == 0:
            if _SIZES.get(kind, len(value)) != len(value):
                raise ParseError("hep", f"chunk {kind} of {len(value)} bytes", at)
            chunks.setdefault(kind, value)
        at += size
    number = {kind: int.from_bytes(chunks[kind], "big") for kind in _SIZES if kind in chunks}
    src, dst = chunks.get(_SRC4) or chunks.get(_SRC6), chunks.get(_DST4) or chunks.get(_DST6)
    if src is None or dst is None:
        raise ParseError("hep", "no addresses")
    body = chunks.get(_PAYLOAD)
    if body is None and _COMPRESSED in chunks:
        body = _inflate(chunks[_COMPRESSED], most)
    if body is None:
        raise ParseError("hep", "no payload")
    time_ns = None
    if _SECONDS in number:
        time_ns = number[_SECONDS] * 1_000_000_000 + number.get(_MICROSECONDS, 0) * 1_000
    return Hep(
        version=3,
        src=str(ipaddress.ip_address(src)),
        sport=number.get(_SPORT, 0),
        dst=str(ipaddress.ip_address(dst)),
        dport=number.get(_DPORT, 0),
        ip_protocol=number.get(_PROTOCOL, 17),
        time_ns=time_ns,
        protocol_type=number.get(_TYPE, 1),
        correlation_id=chunks[_CORRELATION].decode("utf-8", "replace") if _CORRELATION in chunks else None,
        capture_agent=number.get(_AGENT),
        payload=body,
    )


def _parse_structures(payload: bytes) -> Hep:
    if len(payload) < 8:
        raise ParseError("hep", "header cut", len(payload))
    version, length, family, protocol, sport, dport = struct.unpack_from(">BBBBHH", payload)
    size = 4 if family == 2 else 16
    at = 8 + 2 * size
    timed = 12 if version == 2 else 0
    if family not in (2, 10, 24, 28, 30) or length not in (at, at + timed):
        raise ParseError("hep", f"header of {length} bytes for address family {family}", 1)
    if len(payload) <= at + timed:
        raise ParseError("hep", "header cut", len(payload))
    time_ns = agent = None
    if timed:  # in the byte order of the agent's machine: the one in which the microseconds are fewer than a million
        for order in "<>":
            seconds, microseconds, agent = struct.unpack_from(f"{order}IIH", payload, at)
            time_ns = seconds * 1_000_000_000 + microseconds * 1_000
            if microseconds < 1_000_000:
                break
    return Hep(
        version=version,
        src=str(ipaddress.ip_address(payload[8 : 8 + size])),
        sport=sport,
        dst=str(ipaddress.ip_address(payload[8 + size : at])),
        dport=dport,
        ip_protocol=protocol,
        time_ns=time_ns,
        protocol_type=1,
        correlation_id=None,
        capture_agent=agent,
        payload=payload[at + timed :],
    )


def parse_hep(payload: bytes, max_inflated_bytes: int = _DEFAULTS.max_hep_inflated_bytes) -> Hep:
    """Read a HEP packet of any version.

    Parameters
    ----------
    payload : bytes
        The UDP payload.
    max_inflated_bytes : int
        Bytes that a compressed payload may become.

    Returns
    -------
    Hep
        What the capture agent saw. A payload chunk that the snapshot length cut is there as far as it was captured.

    Raises
    ------
    ParseError
        If lengths do not fit, addresses or payload are missing, or a compressed payload cannot be inflated or becomes
        larger than `max_inflated_bytes`.
    """
    if payload[:4] == b"HEP3":
        return _parse_chunks(payload, max_inflated_bytes)
    if payload[:1] in (b"\x01", b"\x02"):
        return _parse_structures(payload)
    raise ParseError("hep", "neither HEP3 nor version 1 or 2")


def hep_packet(hep: Hep) -> bytes:
    """Build a raw IP and UDP packet (link type 101) with the addresses, ports and payload that the agent saw.

    It is UDP whatever the transport was: a HEP packet holds one message whole.
    """
    return udp_packet(hep.src, hep.sport, hep.dst, hep.dport, hep.payload)
