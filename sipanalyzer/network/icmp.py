"""ICMP errors: who complains, of what, and about which packet. Floor 3.

Comes in: ICMP and ICMPv6 messages. Goes out: :class:`~sipanalyzer.facts.IcmpError`, what is the same counted together.

An error quotes the packet that it is about: its IP header and at least eight bytes more (RFC 792), which are enough for
the ports of UDP, TCP and SCTP. What is quoted was not on the wire again. Sources: RFC 792, RFC 1812 5.2.7, RFC 4443,
RFC 6550 20.14, RFC 8883.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import Endpoint, IcmpError
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.endpoints import address_text
from sipanalyzer.options import Options

__all__ = ["IcmpErrors", "Quoted", "ip_version", "parse_icmp"]

_NET, _HOST, _PORT = "net-unreachable", "host-unreachable", "port-unreachable"
_PROHIBITED, _TOO_BIG, _EXPIRED = "administratively-prohibited", "fragmentation-needed", "time-exceeded"
_ROUTE, _PROTOCOL, _REASSEMBLY = "source-route-failed", "protocol-unreachable", "reassembly-time-exceeded"

_UNREACHABLE = {4: 3, 6: 1}
"""Message type of Destination Unreachable by IP version; a code that is not known there is ``unreachable``."""
_KINDS = {
    4: {
        (3, 0): _NET, (3, 1): _HOST, (3, 2): _PROTOCOL, (3, 3): _PORT, (3, 4): _TOO_BIG, (3, 5): _ROUTE, (3, 6): _NET,
        (3, 7): _HOST, (3, 8): _HOST, (3, 9): _PROHIBITED, (3, 10): _PROHIBITED, (3, 11): _NET, (3, 12): _HOST,
        (3, 13): _PROHIBITED, (3, 14): _PROHIBITED, (3, 15): _PROHIBITED, (11, 0): _EXPIRED, (11, 1): _REASSEMBLY,
    },
    6: {
        (1, 0): _NET, (1, 1): _PROHIBITED, (1, 2): _NET, (1, 3): _HOST, (1, 4): _PORT, (1, 5): _PROHIBITED,
        (1, 6): _PROHIBITED, (1, 7): _ROUTE, (2, 0): _TOO_BIG, (3, 0): _EXPIRED, (3, 1): _REASSEMBLY,
    },
}  # fmt: skip
_TRANSPORTS = {6: "TCP", 17: "UDP", 132: "SCTP"}
_EXTENSIONS = frozenset({0, 43, 44, 51, 60, 135})
_MAPPED = 0xFFFF


@dataclass(frozen=True, slots=True)
class Quoted:
    """What an ICMP error says."""

    kind: str
    """As in :class:`~sipanalyzer.facts.IcmpError`."""
    protocol: str
    """``UDP``, ``TCP`` or ``SCTP``."""
    src: Endpoint
    dst: Endpoint
    """Of the packet quoted."""


def ip_version(hi: int, lo: int) -> int:
    """4 or 6, by an address as a row has it."""
    return 4 if hi == 0 and lo >> 32 == _MAPPED else 6


def parse_icmp(message: bytes, version: int) -> Quoted | None:
    """Read an ICMP error.

    Parameters
    ----------
    message : bytes
        From the ICMP type on; may be cut.
    version : int
        4: ICMP, 6: ICMPv6.

    Returns
    -------
    Quoted or None
        None where it is no error (an echo, say), or quotes no ports: cut, a later fragment, another protocol.
    """
    if len(message) < 8:
        return None
    kind = _KINDS[version].get((message[0], message[1]))
    if kind is None:
        if message[0] != _UNREACHABLE[version]:
            return None
        kind = "unreachable"
    transport = (_ports_of_ipv4 if version == 4 else _ports_of_ipv6)(message)
    if transport is None:
        return None
    protocol, at = transport
    if protocol not in _TRANSPORTS or len(message) < at + 4:
        return None
    src, dst = _addresses(message, version)
    ports = int.from_bytes(message[at : at + 2], "big"), int.from_bytes(message[at + 2 : at + 4], "big")
    return Quoted(kind, _TRANSPORTS[protocol], (src, ports[0]), (dst, ports[1]))


def _addresses(message: bytes, version: int) -> tuple[str, str]:
    """Source and destination of the packet quoted."""
    if version == 4:
        words = (int.from_bytes(message[at : at + 4], "big") for at in (20, 24))
        src, dst = (address_text(0, _MAPPED << 32 | word) for word in words)
    else:
        halves = [int.from_bytes(message[at : at + 8], "big") for at in (16, 24, 32, 40)]
        src, dst = address_text(halves[0], halves[1]), address_text(halves[2], halves[3])
    return src, dst


def _ports_of_ipv4(message: bytes) -> tuple[int, int] | None:
    """Protocol of the IPv4 packet quoted at byte 8, and where its transport header begins."""
    if len(message) < 28 or message[8] >> 4 != 4:
        return None
    size = 4 * (message[8] & 15)
    if size < 20 or int.from_bytes(message[14:16], "big") & 0x1FFF:
        return None
    return message[17], 8 + size


def _ports_of_ipv6(message: bytes) -> tuple[int, int] | None:
    """Likewise of an IPv6 packet, behind its extension headers (RFC 8200 4)."""
    if len(message) < 48 or message[8] >> 4 != 6:
        return None
    protocol, at = message[14], 48
    while protocol in _EXTENSIONS:
        if len(message) < at + 8:
            return None
        if protocol == 44 and int.from_bytes(message[at + 2 : at + 4], "big") & 0xFFF8:
            return None
        size = 8 if protocol == 44 else 8 + (4 if protocol == 51 else 8) * message[at + 1]
        protocol, at = message[at], at + size
    return protocol, at


class _Same:
    """Errors of one kind from one host about one pair of sockets."""

    __slots__ = ("capture", "count", "frame", "last", "time")

    def __init__(self, time: int, frame: int, capture: int) -> None:
        self.time, self.frame, self.capture = time, frame, capture
        self.count, self.last = 1, time


class IcmpErrors:
    """Collects ICMP errors.

    Parameters
    ----------
    options : Options
        `max_faults` bounds how many different ones are remembered.
    anomalies : Anomalies, optional
        Gets ``fault-limit``.
    """

    def __init__(self, options: Options, anomalies: Anomalies | None = None) -> None:
        self._most, self._anomalies = options.max_faults, anomalies
        self._same: dict[tuple[int, int, Quoted], _Same] = {}

    def add(self, packet: Sequence[int], payload: bytes, capture: int) -> None:
        """Take a row of kind ICMP and its bytes; what is no error is passed over."""
        hi, lo = packet[row.SRC_HI], packet[row.SRC_LO]
        quoted = parse_icmp(payload, ip_version(hi, lo))
        if quoted is None:
            return
        time, frame = packet[row.TIME], packet[row.FRAME]
        same = self._same.get((hi, lo, quoted))
        if same is not None:
            same.count += 1
            same.last = max(same.last, time)
        elif len(self._same) < self._most:
            self._same[hi, lo, quoted] = _Same(time, frame, capture)
        elif self._anomalies is not None:
            self._anomalies.add("fault-limit", frame)

    def finish(self) -> tuple[IcmpError, ...]:
        """All of them, in order of time."""
        errors = [
            IcmpError(
                time=same.time, frame=same.frame, capture=same.capture, sender=address_text(hi, lo), kind=quoted.kind,
                protocol=quoted.protocol, src=quoted.src, dst=quoted.dst, count=same.count, last=same.last,
            )
            for (hi, lo, quoted), same in self._same.items()
        ]  # fmt: skip
        return tuple(sorted(errors, key=lambda error: (error.time, error.capture, error.frame)))
