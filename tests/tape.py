"""Captures for black-box tests, told message by message and packet by packet: what was on the wire and when.

``tape = Tape(); tape.invite(0, A, B, sdp(A, 4000)); tape.talk(2, A, 4000, B, 5000, 50); tape.streams()``. Times are
seconds from the beginning. Knows nothing of how sipanalyzer works: only `sipanalyzer.analyze` and
its tables are looked at.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import sipanalyzer
from sipanalyzer.output.tables import table
from tests.builders import ETHERNET, START_NS, Packet, pcap_bytes, rtp, telephone_event, udp_frame

A, B, C, P = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9"
"""Caller, callee, another, and a box between."""

PCMA = ("8 PCMA/8000", "101 telephone-event/8000")


def section(
    port: int,
    formats: Sequence[str] = PCMA,
    *,
    media: str = "audio",
    profile: str = "RTP/AVP",
    address: str | None = None,
    lines: Sequence[str] = (),
    ptime: int | None = 20,
) -> list[str]:
    """The lines of one media description; `formats` as ``payload-type name/clock``, or a bare number."""
    out = [f"m={media} {port} {profile} " + " ".join(entry.split()[0] for entry in formats)]
    out += [f"c=IN {'IP6' if ':' in address else 'IP4'} {address}"] if address else []
    out += [f"a=rtpmap:{entry}" for entry in formats if "/" in entry]
    out += [f"a=ptime:{ptime}"] if ptime else []
    return [*out, *(f"a={line}" for line in lines)]


def sdp(
    address: str,
    port: int,
    formats: Sequence[str] = PCMA,
    *more: list[str],
    session: Sequence[str] = (),
    version: int = 1,
    **words: Any,
) -> bytes:
    """A session description of one media section (and `more`)."""
    family = "IP6" if ":" in address else "IP4"
    lines = ["v=0", f"o=- 1 {version} IN {family} {address}", "s=-", f"c=IN {family} {address}", "t=0 0"]
    lines += [f"a={line}" for line in session] + section(port, formats, **words)
    for each in more:
        lines += each
    return "\r\n".join([*lines, ""]).encode()


class Tape:
    """Frames with their times."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.vlans: tuple[int, ...] = ()
        self.dscp = 0

    def udp(
        self, at: float, src: str, src_port: int, dst: str, dst_port: int, payload: bytes, cut: int | None = None
    ) -> None:
        """One UDP datagram; `cut`: bytes of the frame that the capture kept."""
        frame = udp_frame(payload, src, src_port, dst, dst_port, dscp=self.dscp, vlans=self.vlans)
        whole = len(frame)
        self.packets.append(Packet(START_NS + round(at * 1e9), frame[:cut], 0, whole))

    # SIP

    def request(
        self,
        at: float,
        src: str,
        dst: str,
        method: str,
        body: bytes = b"",
        *,
        call: str = "one",
        cseq: int = 1,
        tags: tuple[str, str] = ("a", "b"),
        initial: bool = False,
        headers: Sequence[str] = (),
        of: str | None = None,
    ) -> None:
        """A request; `tags` are those of its From and To (`initial`: none in To)."""
        to = "" if initial else f";tag={tags[1]}"
        kind = of or method
        lines = [
            f"{method} sip:x@{dst} SIP/2.0", f"Via: SIP/2.0/UDP {src}:5060;branch=z9hG4bK{call}{src}{cseq}{kind}",
            f"From: <sip:{tags[0]}@example.org>;tag={tags[0]}", f"To: <sip:{tags[1]}@example.org>{to}",
            f"Call-ID: {call}", f"CSeq: {cseq} {method}", f"Contact: <sip:x@{src}>", *headers,
        ]  # fmt: skip
        self.sip(at, src, dst, lines, body)

    def reply(
        self,
        at: float,
        src: str,
        dst: str,
        code: int,
        body: bytes = b"",
        *,
        method: str = "INVITE",
        call: str = "one",
        cseq: int = 1,
        tags: tuple[str, str] = ("a", "b"),
        headers: Sequence[str] = (),
    ) -> None:
        """A response from `src` to the request that `dst` sent; `tags` as in that request."""
        lines = [
            f"SIP/2.0 {code} Reason", f"Via: SIP/2.0/UDP {dst}:5060;branch=z9hG4bK{call}{dst}{cseq}{method}",
            f"From: <sip:{tags[0]}@example.org>;tag={tags[0]}", f"To: <sip:{tags[1]}@example.org>;tag={tags[1]}",
            f"Call-ID: {call}", f"CSeq: {cseq} {method}", f"Contact: <sip:x@{src}>", *headers,
        ]  # fmt: skip
        self.sip(at, src, dst, lines, body)

    def sip(self, at: float, src: str, dst: str, lines: Iterable[str], body: bytes) -> None:
        """A SIP message from its lines."""
        typed = ["Content-Type: application/sdp"] if body else []
        head = "\r\n".join([*lines, *typed, f"Content-Length: {len(body)}", "", ""])
        self.udp(at, src, 5060, dst, 5060, head.encode() + body)

    def set_up(
        self,
        offer: bytes,
        answer: bytes,
        *,
        at: float = 0.0,
        src: str = A,
        dst: str = B,
        answered: float = 2.0,
        call: str = "one",
        ringing: bytes | None = None,
        tags: tuple[str, str] = ("a", "b"),
    ) -> None:
        """INVITE, 180 (183 with SDP where `ringing` has some), 200 `answered` seconds after the INVITE, ACK."""
        self.request(at, src, dst, "INVITE", offer, call=call, initial=True, tags=tags)
        if ringing is None:
            self.reply(at + 0.5, dst, src, 180, call=call, tags=tags)
        else:
            self.reply(at + 0.5, dst, src, 183, ringing, call=call, tags=tags)
        self.reply(at + answered, dst, src, 200, answer, call=call, tags=tags)
        self.request(at + answered + 0.05, src, dst, "ACK", call=call, tags=tags)

    def reinvite(
        self, at: float, src: str, dst: str, offer: bytes, answer: bytes, *, cseq: int = 5, call: str = "one",
        tags: tuple[str, str] = ("a", "b"),
    ) -> None:  # fmt: skip
        """INVITE within the dialog, 200 20 ms later, ACK."""
        self.request(at, src, dst, "INVITE", offer, cseq=cseq, call=call, tags=tags)
        self.reply(at + 0.02, dst, src, 200, answer, cseq=cseq, call=call, tags=tags)
        self.request(at + 0.04, src, dst, "ACK", cseq=cseq, call=call, tags=tags, of="ACK2")

    def bye(
        self, at: float, src: str = A, dst: str = B, *, call: str = "one", tags: tuple[str, str] = ("a", "b")
    ) -> None:
        """BYE, and 200 20 ms later."""
        self.request(at, src, dst, "BYE", cseq=90, call=call, tags=tags)
        self.reply(at + 0.02, dst, src, 200, method="BYE", cseq=90, call=call, tags=tags)

    # RTP

    def rtp(
        self, at: float, src: str, src_port: int, dst: str, dst_port: int, *, seq: int, timestamp: int,
        ssrc: int = 0x1234, payload: bytes = bytes(160), cut: int | None = None, **words: Any,
    ) -> None:  # fmt: skip
        """One RTP packet."""
        data = rtp(payload, seq=seq, timestamp=timestamp, ssrc=ssrc, **words)
        self.udp(at, src, src_port, dst, dst_port, data, cut)

    def talk(
        self,
        at: float,
        src: str,
        src_port: int,
        dst: str,
        dst_port: int,
        count: int,
        *,
        ssrc: int = 0x1234,
        seq: int = 1000,
        timestamp: int = 5000,
        step: int = 160,
        gap: float = 0.02,
        payload_type: int = 8,
        payload: bytes = bytes(160),
        lost: Iterable[int] = (),
        twice: Iterable[int] = (),
        late: dict[int, float] | None = None,
        marks: Iterable[int] = (),
        **words: Any,
    ) -> Tape:
        """`count` packets at equal distances; indices of those `lost`, seen `twice` (2 ms later), `late`, marked."""
        lost, twice, marks, late = set(lost), set(twice), set(marks), late or {}
        for k in range(count):
            if k in lost:
                continue
            for copy in range(2 if k in twice else 1):
                self.rtp(
                    at + k * gap + late.get(k, 0.0) + copy * 0.002, src, src_port, dst, dst_port, seq=seq + k,
                    timestamp=timestamp + k * step, ssrc=ssrc, payload=payload, payload_type=payload_type,
                    marker=k in marks, **words,
                )  # fmt: skip
        return self

    def key(
        self, at: float, src: str, src_port: int, dst: str, dst_port: int, digit: str, *, seq: int, timestamp: int,
        parts: int = 5, ssrc: int = 0x1234, payload_type: int = 101, ends: int = 3, step: int = 160,
    ) -> int:  # fmt: skip
        """A key press: `parts` packets 20 ms apart, the last one `ends` times 20 ms apart; the next sequence number."""
        for k in range(parts + ends - 1):
            last = k >= parts - 1
            event = telephone_event(digit, min(k + 1, parts) * step, end=last)
            self.rtp(
                at + k * 0.02, src, src_port, dst, dst_port, seq=seq + k, timestamp=timestamp, ssrc=ssrc,
                payload=event, payload_type=payload_type, marker=k == 0,
            )  # fmt: skip
        return seq + parts + ends - 1

    # what comes of it

    def doubled(self, after: float = 1e-5) -> Tape:
        """Every frame a second time: a mirror port."""
        self.packets += [p._replace(time_ns=p.time_ns + round(after * 1e9)) for p in self.packets]
        return self

    def bytes(self) -> bytes:
        """The capture, in order of time, with ns."""
        return pcap_bytes(sorted(self.packets, key=lambda p: p.time_ns), nanoseconds=True, link_type=ETHERNET)

    def analyze(self, **options: Any) -> sipanalyzer.Analysis:
        """What sipanalyzer makes of it."""
        return sipanalyzer.analyze(io.BytesIO(self.bytes()), **options)

    def streams(self, **options: Any) -> list[dict[str, Any]]:
        """The table of streams as dicts; missing is None."""
        return records(self.analyze(**options), "streams")

    def stream(self, **options: Any) -> dict[str, Any]:
        """The only row of it."""
        (only,) = self.streams(**options)
        return only

    def both(self, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The tables of calls and of streams."""
        analysis = self.analyze(**options)
        return records(analysis, "calls"), records(analysis, "streams")


def records(analysis: sipanalyzer.Analysis, name: str) -> list[dict[str, Any]]:
    """A table as dicts; missing is None."""
    made = table(analysis.result, name)
    return [dict(zip((c.name for c in made.columns), row, strict=True)) for row in made.rows()]
