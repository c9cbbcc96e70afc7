"""One capture of many calls that have nothing in common, so that each can be harmed without the others.

Addresses, ports, Call-IDs, tags, branches and SSRCs of two calls differ in more bits than are flipped in a packet.
"""

from __future__ import annotations

import hashlib
import struct

from tests.builders import Packet, pcap_bytes
from tests.builders import pcapng_bytes as pcapng
from tests.tape import Tape, sdp


def name_of(call: int) -> str:
    """Call-ID of a call."""
    return hashlib.sha256(b"call %d" % call).hexdigest()[:24]


def many_calls(count: int, talked: int = 60, apart: float = 0.7) -> tuple[list[Packet], list[int]]:
    """Packets in order of time, and to which call each of them belongs.

    Parameters
    ----------
    count : int
        Calls; each takes 4 s.
    talked : int
        Packets of RTP in either direction.
    apart : float
        Seconds from call to call, so that several go on at a time.
    """
    told: list[tuple[Packet, int]] = []
    for call in range(count):
        noise = hashlib.sha256(b"hosts %d" % call).digest()
        hosts = [f"10.{noise[at]}.{noise[at + 1]}.{noise[at + 2]}" for at in (0, 3)]
        ports = [10_000 + 2 * (value % 20_000) for value in struct.unpack_from("!HH", noise, 6)]
        ssrcs = struct.unpack_from("!II", noise, 10)
        name = name_of(call)
        tags = (name[::-1], hashlib.sha256(name.encode()).hexdigest()[:20])
        tape, at = Tape(), call * (apart + 0.001_37)  # no two packets at one time
        offer, answer = (sdp(host, port) for host, port in zip(hosts, ports, strict=True))
        tape.set_up(offer, answer, at=at, src=hosts[0], dst=hosts[1], call=name, tags=tags)
        for way in (0, 1):
            tape.talk(
                at + 2.1 + 0.003 * way, hosts[way], ports[way], hosts[1 - way], ports[1 - way], talked, ssrc=ssrcs[way],
                payload=(noise * 5)[:160],
            )  # fmt: skip
        tape.bye(at + 4, hosts[0], hosts[1], call=name, tags=tags)
        told.extend((packet, call) for packet in tape.packets)
    told.sort(key=lambda each: each[0].time_ns)
    return [packet for packet, _ in told], [call for _, call in told]


def files(packets: list[Packet]) -> dict[str, bytes]:
    """The packets in every container."""
    return {
        "pcap": pcap_bytes(packets),
        "pcap-ns": pcap_bytes(packets, nanoseconds=True),
        "pcapng": pcapng(packets),
    }
