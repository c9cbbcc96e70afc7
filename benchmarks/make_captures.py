"""Writes large captures of SIP and RTP, the same bytes every time, for the benchmarks and for tests of bounds.

Every call is INVITE, 100, 180, 200, ACK, BYE, 200 between a caller and a gateway; where a capture has media, G.711 of
20 ms goes both ways between ACK and BYE, up to 3 ms late at random, with nothing lost. Calls overlap, packets stand in
order of time, and all checksums are right. One line of JSON on standard output says what was written.

    python benchmarks/make_captures.py rtp-heavy            # 12 million packets, 2.75 GB
    python benchmarks/make_captures.py rtp-600k sip-heavy --folder /tmp --container pcapng --vlan 7 --ipv6 --gtp
    python benchmarks/make_captures.py sip-heavy --tcp 1000 --output /tmp/sip-tcp.pcap
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import pathlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from frames import Bytes, Ints, Shape, set_columns, tcp_packet

BEGIN_US = 1_704_067_200_000_000  # 2024-01-01T00:00:00Z
WINDOW_US = 1_000_000  # packets are made, sorted and written a second at a time
PTIME_US = 20_000
JITTER_US = 3_000
TICKS = 160  # timestamp units, and payload bytes, a packet
RTP_BYTES = 12 + TICKS
MEDIA_AFTER_US = 2_050_000  # from the INVITE


@dataclass(frozen=True)
class Load:
    """How many calls, how long, how many at a time, and whether their media was captured."""

    calls: int
    seconds: int
    concurrent: int
    media: bool
    connections: int = 0
    """TCP connections that carry the messages, in turn; 0 for UDP. Two calls each then begin together, so that
    several messages are sent at once."""

    def start_us(self, call: int) -> int:
        """Time of a call's INVITE."""
        if self.connections:
            call -= call % 2
        return BEGIN_US + call * self.seconds * 1_000_000 // self.concurrent


LOADS = {
    "rtp-heavy": Load(calls=2_000, seconds=60, concurrent=200, media=True),
    "rtp-600k": Load(calls=100, seconds=60, concurrent=20, media=True),
    "sip-heavy": Load(calls=50_000, seconds=60, concurrent=3_000, media=False),
}


# ---- signalling ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parties:
    """Addresses of one call: signalling and media of the caller, and of the gateway."""

    caller: tuple[str, int]
    callee: tuple[str, int]
    caller_media: tuple[str, int]
    callee_media: tuple[str, int]

    @classmethod
    def of(cls, call: int, shape: Shape, connections: int = 0) -> Parties:
        """Who takes part in call number `call`: 16 callers' hosts, 4 gateways; a port pair comes back late.

        Over TCP a caller's host holds one connection, to its own gateway.
        """
        number = call // 2 % connections if connections else call
        a, b = shape.address(1, number if connections else call % 16), shape.address(2, number % 4)
        port, gateway_port = 10_000 + 2 * (call // 16 % 20_000), 10_000 + 2 * (call // 4 % 20_000)
        return cls((a, 40_000 if connections else 5060), (b, 5060), (a, port), (b, gateway_port))


Sent = tuple[int, tuple[str, int], tuple[str, int], bytes]  # microseconds, from, to, message


def call_messages(call: int, load: Load, shape: Shape) -> Iterator[Sent]:
    """Each of a call's seven messages."""
    who = Parties.of(call, shape, load.connections)
    a, b = shape.host(who.caller[0]), shape.host(who.callee[0])
    via = f"{'TCP' if load.connections else 'UDP'} {a}:{who.caller[1]}"
    caller, callee = f"+4930{call:07d}", f"+4940{call:07d}"
    from_, to = f"<sip:{caller}@{a}>;tag=a{call:x}", f"<sip:{callee}@{b}>"

    def message(line: str, branch: str, to_tag: str, cseq: str, extra: str = "", sdp: str = "") -> bytes:
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        return (
            f"{line}\r\nVia: SIP/2.0/{via};rport;branch=z9hG4bK{branch}{call:x}\r\nMax-Forwards: 70\r\n"
            f'From: "Caller {call}" {from_}\r\nTo: {to}{to_tag}\r\nCall-ID: {call:08x}-bench@{a}\r\nCSeq: {cseq}\r\n'
            f"{extra}Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE\r\n{kind}"
            f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        ).encode()

    def sdp(media: tuple[str, int]) -> str:
        family = "IP6" if shape.ipv6 else "IP4"
        return (
            f"v=0\r\no=- {call} 1 IN {family} {media[0]}\r\ns=-\r\nc=IN {family} {media[0]}\r\nt=0 0\r\n"
            f"m=audio {media[1]} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    tag = f";tag=b{call:x}"
    contact_a, contact_b = f"Contact: <sip:{caller}@{a}:{who.caller[1]}>\r\n", f"Contact: <sip:{callee}@{b}:5060>\r\n"
    agent, server = "User-Agent: Bench Phone/1.0\r\n", "Server: Bench Gateway/2.0\r\n"
    request, target = f"sip:{callee}@{b} SIP/2.0", f"sip:{callee}@{b}:5060 SIP/2.0"
    over = MEDIA_AFTER_US + load.seconds * 1_000_000 + 100_000
    script: list[tuple[int, bool, bytes]] = [  # time after the INVITE, from the caller?, message
        (0, True, message(f"INVITE {request}", "i", "", "1 INVITE", contact_a + agent, sdp(who.caller_media))),
        (2_000, False, message("SIP/2.0 100 Trying", "i", "", "1 INVITE", server)),
        (80_000, False, message("SIP/2.0 180 Ringing", "i", tag, "1 INVITE", contact_b + server)),
        (2_000_000, False, message("SIP/2.0 200 OK", "i", tag, "1 INVITE", contact_b + server, sdp(who.callee_media))),
        (2_030_000, True, message(f"ACK {target}", "k", tag, "1 ACK", agent)),
        (over, True, message(f"BYE {target}", "b", tag, "2 BYE", agent)),
        (over + 20_000, False, message("SIP/2.0 200 OK", "b", tag, "2 BYE", server)),
    ]
    start = load.start_us(call)
    for after, from_caller, text in script:
        src, dst = (who.caller, who.callee) if from_caller else (who.callee, who.caller)
        yield start + after, src, dst, text


def all_messages(load: Load, shape: Shape) -> Iterator[Sent]:
    """The messages of all calls in order of time, never more of them in memory than calls overlap."""
    waiting: list[tuple[int, int, Sent]] = []
    made = 0
    for call in range(load.calls):
        while waiting and waiting[0][0] < load.start_us(call):
            yield heapq.heappop(waiting)[2]
        for sent in call_messages(call, load, shape):
            heapq.heappush(waiting, (sent[0], made, sent))
            made += 1
    while waiting:
        yield heapq.heappop(waiting)[2]


def over_udp(load: Load, shape: Shape) -> Iterator[tuple[int, bytes, int]]:
    """Time and record of each message, and that it is one."""
    for time, src, dst, text in all_messages(load, shape):
        yield time, shape.record(shape.frame(src, dst, text), time), 1


SEGMENT = 1460
SYN, ACK, PUSH, FIN = 2, 16, 8, 1


def over_tcp(load: Load, shape: Shape) -> Iterator[tuple[int, bytes, int]]:
    """Time and record of each segment, and how many messages end in it.

    A connection opens before its first message and closes when all is over. What a host sends at one time to another
    becomes one stretch of bytes in three cases of four, is cut where a segment is full, and once more somewhere in
    the middle in one case of four; the other side acknowledges each stretch.
    """
    following: dict[tuple[tuple[str, int], tuple[str, int]], int] = {}  # (from, to) -> next sequence number
    out: list[tuple[int, int, bytes, int]] = []
    made = itertools.count()

    def send(
        time: int, src: tuple[str, int], dst: tuple[str, int], flags: int, data: bytes = b"", ends: int = 0
    ) -> None:
        seq, ack = following[src, dst], following[dst, src]
        packet = tcp_packet(src, dst, flags, seq, ack if flags & ACK else 0, data)
        following[src, dst] = (seq + len(data) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF
        heapq.heappush(out, (time, next(made), shape.record(shape.wrap(packet, shape.ipv6), time), ends))

    time = BEGIN_US
    for (time, src, dst), together in itertools.groupby(all_messages(load, shape), key=lambda sent: sent[:3]):
        while out and out[0][0] <= time - 1_000:
            at, _, record, ends = heapq.heappop(out)
            yield at, record, ends
        if (src, dst) not in following:
            number = len(following)
            following[src, dst], following[dst, src] = (
                number * 40_503_001 & 0xFFFFFFFF,
                number * 2_654_435_761 & 0xFFFFFFFF,
            )
            send(time - 900, src, dst, SYN)
            send(time - 600, dst, src, SYN | ACK)
            send(time - 300, src, dst, ACK)
        texts = [sent[3] for sent in together]
        chance = next(made) * 2_654_435_761 >> 7
        at = time
        for text in texts if chance % 4 == 0 else [b"".join(texts)]:
            cuts = {*range(0, len(text), SEGMENT), len(text)}
            if chance // 4 % 4 == 0:
                cuts.add(1 + chance // 16 % (len(text) - 1))
            for begin, end in itertools.pairwise(sorted(cuts)):
                last = end == len(text)
                ends = 0 if not last else 1 if chance % 4 == 0 else len(texts)
                send(at, src, dst, ACK | (PUSH if last else 0), text[begin:end], ends)
                at += 40
        send(at + 100, dst, src, ACK)
    for number, (src, dst) in enumerate(list(following)[::2]):
        after = time + 1_000 + 1_000 * number
        send(after, src, dst, FIN | ACK)
        send(after + 300, dst, src, FIN | ACK)
        send(after + 600, src, dst, ACK)
    while out:
        at, _, record, ends = heapq.heappop(out)
        yield at, record, ends


def mixed(values: Ints) -> Ints:
    """Numbers of 32 bits that look drawn at random (the finalizer of MurmurHash3); products may wrap."""
    values = (values ^ values >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    values = (values ^ values >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return values ^ values >> 16


# ---- media --------------------------------------------------------------------------------------------------------


class Media:
    """The RTP of all calls, handed out as records of one window of time after the other."""

    def __init__(self, load: Load, shape: Shape) -> None:
        self.load, self.shape = load, shape
        streams = 2 * load.calls
        number = np.arange(streams, dtype=np.int64)
        self.starts = np.array(
            [load.start_us(s // 2) + MEDIA_AFTER_US + s % 2 * 7_000 for s in range(streams)], np.int64
        )
        self.first_seq = number * 40_503 % 65_536
        self.first_stamp = number * 2_654_435_761 % (1 << 32)
        records = []
        for stream in range(streams):
            who = Parties.of(stream // 2, shape)
            ways = (who.caller_media, who.callee_media)
            rtp = struct.pack("!BBHII", 0x80, 8, 0, 0, (0x10000000 + stream * 2_654_435) & 0xFFFFFFFF)
            payload = bytes((0xD5 ^ (stream + i) % 8) for i in range(TICKS))
            records.append(shape.record(shape.frame(ways[stream % 2], ways[1 - stream % 2], rtp + payload), 0))
        self.templates = np.frombuffer(b"".join(records), np.uint8).reshape(streams, -1)
        frame_at = 16 if shape.container == "pcap" else 28
        anyone = (shape.address(1, 0), 0)
        frame_bytes = len(shape.frame(anyone, anyone, bytes(RTP_BYTES)))
        self.rtp_at = frame_at + frame_bytes - RTP_BYTES
        checksum = self.templates[:, self.rtp_at - 2 : self.rtp_at].astype(np.int64)
        self.sums = 0xFFFF ^ (checksum[:, 0] << 8 | checksum[:, 1])
        self.left = np.zeros((3, 0), np.int64)

    def window(self, begin: int) -> tuple[Ints, Bytes]:
        """Times (microseconds) and records of the packets in the window that begins there, in order."""
        end, packets = begin + WINDOW_US, self.load.seconds * 1_000_000 // PTIME_US
        low = np.clip(-((self.starts - begin) // PTIME_US), 0, packets)  # first packet sent at `begin` or later
        high = np.clip(-((self.starts - end) // PTIME_US), 0, packets)
        counts = high - low
        stream = np.repeat(np.arange(len(counts)), counts)
        index = np.arange(len(stream)) - np.repeat(np.cumsum(counts) - counts - low, counts)
        late = mixed(stream << 16 ^ index) % JITTER_US
        time = self.starts[stream] + index * PTIME_US + late
        rows = np.concatenate([self.left, np.stack([time, stream, index])], axis=1)
        now = rows[0] < end  # what is late goes into the next window
        self.left = rows[:, ~now]
        rows = rows[:, now]
        rows = rows[:, np.argsort(rows[0], kind="stable")]
        return rows[0], self.records(*rows)

    def records(self, time: Ints, stream: Ints, index: Ints) -> Bytes:
        """Records of packets given by stream and number in it."""
        records = self.templates[stream]
        seq = (self.first_seq[stream] + index) & 0xFFFF
        stamp = (self.first_stamp[stream] + index * TICKS) & 0xFFFFFFFF
        marker = np.where(index == 0, 0x80, 0)
        total = self.sums[stream] + seq + (stamp >> 16) + (stamp & 0xFFFF) + marker
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        checksum = np.where(total == 0xFFFF, 0xFFFF, 0xFFFF ^ total)  # 0 would mean that there is none
        self.shape.set_times(records, time)
        set_columns(records, self.rtp_at - 2, checksum, ">u2")
        set_columns(records, self.rtp_at + 1, marker | 8, "u1")
        set_columns(records, self.rtp_at + 2, seq, ">u2")
        set_columns(records, self.rtp_at + 4, stamp, ">u4")
        return records


# ---- files --------------------------------------------------------------------------------------------------------


def write_capture(file: BinaryIO, load: Load, shape: Shape) -> dict[str, int]:
    """Write one capture; returns how much of what there is in it."""
    written = {"calls": load.calls, "streams": 0, "messages": 0, "rtp_packets": 0, "packets": 0}
    write: Callable[[bytes | memoryview], int] = file.write
    write(shape.header())
    messages = (over_tcp if load.connections else over_udp)(load, shape)
    records_of_messages = 0
    if not load.media:
        for _, record, ends in messages:
            write(record)
            records_of_messages += 1
            written["messages"] += ends
    else:
        media = Media(load, shape)
        written["streams"] = len(media.starts)
        last = int(media.starts.max()) + load.seconds * 1_000_000 + WINDOW_US
        event = next(messages, None)
        for begin in range(BEGIN_US, last + WINDOW_US, WINDOW_US):
            times, records = media.window(begin)
            at = 0
            while event is not None and event[0] < begin + WINDOW_US:
                upto = int(np.searchsorted(times, event[0], side="right"))
                write(records[at:upto].data)
                write(event[1])
                records_of_messages += 1
                written["messages"] += event[2]
                at, event = upto, next(messages, None)
            write(records[at:].data)
            written["rtp_packets"] += len(times)
    written["packets"] = records_of_messages + written["rtp_packets"]
    return written


def main() -> None:
    """Write the captures named on the command line."""
    parser = argparse.ArgumentParser(description="Write large captures for the benchmarks.")
    parser.add_argument("names", nargs="+", choices=sorted(LOADS), metavar="NAME", help=", ".join(LOADS))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(__file__).parent / "data")
    parser.add_argument("--calls", type=int, help="how many calls")
    parser.add_argument("--seconds", type=int, help="how long each lasts")
    parser.add_argument("--concurrent", type=int, help="how many at a time")
    parser.add_argument("--container", choices=["pcap", "pcapng"], default="pcap")
    parser.add_argument("--vlan", type=int, help="with an IEEE 802.1Q tag of this VLAN")
    parser.add_argument("--ipv6", action="store_true", help="addresses of IPv6 (inside the tunnel, with --gtp)")
    parser.add_argument("--link", choices=["ethernet", "sll2"], default="ethernet")
    tunnels = parser.add_mutually_exclusive_group()
    tunnels.add_argument("--gtp", dest="tunnel", action="store_const", const="gtp", default="", help="in GTP-U")
    tunnels.add_argument("--vxlan", dest="tunnel", action="store_const", const="vxlan", help="in VXLAN")
    parser.add_argument("--tcp", type=int, default=0, metavar="N", help="messages over N connections of TCP")
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="an Nth of the calls, at a time and at all")
    parser.add_argument("--output", type=pathlib.Path, help="the file (default: NAME.CONTAINER in the folder)")
    given = parser.parse_args()
    shape = Shape(given.container, given.vlan, given.ipv6, given.link, given.tunnel)
    for name in given.names:
        usual = LOADS[name]
        load = Load(
            max(1, (given.calls or usual.calls) // given.scale),
            given.seconds or usual.seconds,
            max(1, (given.concurrent or usual.concurrent) // given.scale),
            usual.media,
            max(1, given.tcp // given.scale) if given.tcp else 0,
        )
        path = given.output or given.folder / f"{name}.{shape.container}"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb", buffering=1 << 20) as file:
            written = write_capture(file, load, shape)
        part.replace(path)  # a benchmark never meets half a capture
        print(json.dumps({"file": str(path), "bytes": path.stat().st_size, **written}), flush=True)


if __name__ == "__main__":
    main()
