"""A scene: who sends what when, and what an analyzer must find in it.

Owns: the frames of one capture and the facts expected of it. In: messages, senders of RTP, times in ms from the scene's
start. Out: packets in order of time, and per table a list of facts that the scene's author wrote down (never computed
by sipanalyzer). Messages and packets are counted here as they are sent, since that is the truth about them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .files import Packet
from .listener import GRIDS, listen, rated
from .media import CODECS, MS, Arrival, Voice, count
from .packets import ethernet, ipv4_fragments, udp, udp_packet
from .sip import Dialog, Message, Party, reply, sdp

Fact = dict[str, Any]
Frame = Callable[[bytes, str, str], bytes]

START_NS = 1_772_442_000_000_000_000
"""2026-03-02T09:00:00Z: when the first scene begins."""
APART_NS = 600_000_000_000
"""From one scene to the next, so that the folder read as one capture shows them one after the other."""
SIGNALLING_DSCP, VOICE_DSCP = 24, 46
"""CS3 and EF (RFC 4594)."""

ALICE = Party("192.0.2.10", "alice", agent="Acme Phone 4.2")
BOB = Party("198.51.100.20", "bob", agent="Bell Phone 7")


class Scene:
    """One sample capture in the making.

    Attributes
    ----------
    name : str
        File name; its suffix chooses the format.
    story, find : str
        What happens in it, and what must be found: the row of the README.
    facts : dict
        Table name to list of expected rows.
    start_ns : int
        When it begins: `begins_ns` of the class when it was made.
    """

    begins_ns = START_NS

    def __init__(self, name: str, story: str, find: str = "", *, nanoseconds: bool = False) -> None:
        self.name, self.story, self.find = name, story, find
        self.nanoseconds = nanoseconds
        self.start_ns = self.begins_ns
        self.facts: dict[str, list[Fact]] = {"calls": [], "streams": []}
        self.messages = 0
        self.quiet: tuple[str, ...] = ()
        """Codes of findings that must not be made, of whatever severity, though the scene looks alike."""
        self.frame: Frame = ethernet
        """Makes a frame of an IP packet and its two addresses; a scene in a tunnel puts its own here."""
        self.interface = 0
        """pcapng interface on which what follows is captured."""
        self.interfaces: tuple[tuple[int, int, int, str | None], ...] = ((1, 6, 0, None),)
        """Of a pcapng: link type, resolution, offset, name."""
        self._packets: list[Packet] = []
        self._counted: dict[str, Fact] = {}
        self._identification = 0
        self._sessions: list[set[str]] = []

    # what happens

    def put(self, at_ms: float, packet: bytes, src: str, dst: str) -> None:
        """Capture an IP packet, framed as the scene's link does."""
        self.put_frame(at_ms, self.frame(packet, src, dst))

    def put_frame(self, at_ms: float, frame: bytes) -> None:
        """Capture a frame."""
        self._packets.append(Packet(self.start_ns + round(at_ms * 1000) * 1000, frame, self.interface))

    def datagram(
        self, at_ms: float, payload: bytes, src: tuple[str, int], dst: tuple[str, int], dscp: int = SIGNALLING_DSCP
    ) -> None:
        """Capture a UDP datagram."""
        self._identification += 1
        packet = udp_packet(payload, *src, *dst, dscp=dscp, identification=self._identification)
        self.put(at_ms, packet, src[0], dst[0])

    def say(self, at_ms: float, message: Message, *, again: bool = False) -> Message:
        """Send a SIP message in one UDP datagram; `again`: a retransmission."""
        self.tally(message, again=again)
        self.datagram(
            at_ms, message.encode(), (message.src.host, message.src.port), (message.dst.host, message.dst.port)
        )
        return message

    def tally(self, message: Message, *, again: bool = False) -> None:
        """Count a SIP message that travels by other means than :meth:`say`."""
        self.messages += 1
        row = self._counted.setdefault(message.call_id, {"messages": 0, "retransmissions": 0})
        row["messages"] += 1
        row["retransmissions"] += again

    def answer(self, at_ms: float, request: Message, code: int, reason: str | None = None, **words: Any) -> Message:
        """Send the response to a request."""
        return self.say(at_ms, reply(request, code, reason, **words))

    def stream(
        self,
        voice: Voice,
        arrivals: Sequence[Arrival],
        src: tuple[str, int],
        dst: tuple[str, int],
        *,
        settled_us: Sequence[int] | None = None,
        rated_at_ms: int | None = None,
        **facts: Any,
    ) -> Fact:
        """Capture the packets of a sender as they arrived; its row of facts is counted.

        `facts` are added to it or replace what was counted; ``None`` must be missing, ``...`` is not checked. What the
        E-model makes of it at a one-way delay of `rated_at_ms` (None: any of the grid) stands beside it; `settled_us`
        as in :func:`~sample_pcaps.words.listener.listen`.
        """
        for arrival in arrivals:
            payload = arrival.encode(voice.ssrc)
            self._identification += 1
            packet = udp_packet(payload, *src, *dst, dscp=VOICE_DSCP, identification=self._identification & 0xFFFF)
            self.put(arrival.time_ns / MS, packet, src[0], dst[0])
        row = {
            "ssrc": f"0x{voice.ssrc:08x}",
            "src": src[0],
            "src_port": src[1],
            "dst": dst[0],
            "dst_port": dst[1],
            "media": "audio",
            "codec": voice.codec,
            "clock_rate": CODECS[voice.codec].clock_rate,
            "ptime_ms": 20.0,
            "matched": "sdp",
        }
        clock_rate = CODECS[voice.codec].clock_rate
        heard = listen(arrivals, clock_rate, voice.step, settled_us)
        row |= count(arrivals, clock_rate, voice.step) | heard | {"ssrc_changes": 0} | facts
        self.expect("streams", **row)
        if voice.codec in GRIDS and row["codec"] == voice.codec:
            key = {name: row[name] for name in ("ssrc", "src_port", "dst_port")}
            delays = list(GRIDS[voice.codec].best)
            delay_ms = delays[voice.ssrc % len(delays)] if rated_at_ms is None else rated_at_ms
            self.expect("rated", **key, **rated(voice.codec, heard, delay_ms))
        return row

    def double(self, after_us: int) -> None:
        """Capture every frame so far a second time, a little later: a mirror port."""
        self._packets += [packet._replace(time_ns=packet.time_ns + after_us * 1000) for packet in self._packets]

    def expect(self, table: str, **facts: Any) -> None:
        """Write down one expected row of a table; what is None must be missing, what is ``...`` is not checked."""
        facts = {key: value for key, value in facts.items() if value is not ...}
        missing = sorted(key for key, value in facts.items() if value is None)
        row = {key: value for key, value in facts.items() if value is not None}
        self.facts.setdefault(table, []).append(row | ({"missing": missing} if missing else {}))

    def finding(self, code: str, severity: str, call_id: str | None = None, **facts: Any) -> None:
        """Write down a finding that must be made; of one call in the order in which they must stand.

        `facts`: `ssrc`, `causes`, `doubtful`; `values`: texts that its sentence must have in it.
        """
        at = {} if call_id is None else {"call_id": call_id}
        self.expect("findings", code=code, severity=severity, **at, **facts)

    def join(self, *call_ids: str) -> None:
        """Write down that these calls are legs of one conversation."""
        self._sessions.append(set(call_ids))

    # what came of it

    def packets(self) -> list[Packet]:
        """Everything captured, in order of time."""
        return sorted(self._packets, key=lambda packet: packet.time_ns)

    def expected(self) -> Fact:
        """The facts of this file; messages and media of each call are added to what was written down of it."""
        calls = []
        for call in self.facts["calls"]:
            mine = [row for row in self.facts["streams"] if call["call_id"] == row.get("call_id")]
            counted: Fact = dict(self._counted.get(call["call_id"], {})) | {"streams": len(mine)}
            if mine:
                counted |= {"packets": sum(row["packets"] for row in mine), "lost": sum(row["lost"] for row in mine)}
            calls.append(counted | call)
        rest = {table: rows for table, rows in self.facts.items() if table != "calls" and rows}
        head: Fact = {"name": self.name, "story": self.story, "find": self.find}
        head |= {"frames": len(self._packets), "messages": self.messages}
        head |= {"quiet": list(self.quiet)} if self.quiet else {}
        joined = [row["call_id"] for row in self.facts["calls"] if any(row["call_id"] in s for s in self._sessions)]
        alone = [{row["call_id"]} for row in self.facts["calls"] if row["call_id"] not in joined]
        sessions = [{"call_ids": sorted(each)} for each in (*self._sessions, *alone)]
        return head | {"calls": calls} | rest | ({"sessions": sessions} if sessions else {})


class Talk:
    """A call between two parties with media, for scenes whose point lies elsewhere."""

    def __init__(
        self,
        scene: Scene,
        call_id: str,
        caller: Party = ALICE,
        callee: Party = BOB,
        *,
        formats: Sequence[str] = ("8 PCMA/8000", "101 telephone-event/8000"),
        ports: tuple[int, int] = (40000, 50000),
        **words: Any,
    ) -> None:
        self.scene, self.caller, self.callee = scene, caller, callee
        self.dialog = Dialog(caller, callee, call_id, **words)
        self.formats, self.ports = formats, ports
        self.media = ((caller.host, ports[0]), (callee.host, ports[1]))

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return self.dialog.call_id

    def offer(self, **words: Any) -> bytes:
        """SDP of the caller."""
        return sdp(self.caller.says or self.caller.host, self.ports[0], self.formats, **words)

    def reply_sdp(self, **words: Any) -> bytes:
        """SDP of the callee."""
        return sdp(self.callee.says or self.callee.host, self.ports[1], self.formats, **words)

    def set_up(self, at_ms: float = 0, ring_ms: float = 300, answer_ms: float = 2000, ack_ms: float = 40) -> Message:
        """INVITE, 100 after 20 ms, 180, 200 and ACK; times after the INVITE, the ACK's after the 200."""
        say, answer, tag = self.scene.say, self.scene.answer, self.dialog.to_tag
        invite = say(at_ms, self.dialog.request("INVITE", tagged=False, body=self.offer()))
        answer(at_ms + 20, invite, 100)
        answer(at_ms + ring_ms, invite, 180, tag=tag)
        ok = answer(at_ms + answer_ms, invite, 200, tag=tag, body=self.reply_sdp())
        say(at_ms + answer_ms + ack_ms, self.dialog.ack(ok))
        return invite

    def hang_up(self, at_ms: float, *, by_callee: bool = False, headers: Sequence[tuple[str, str]] = ()) -> None:
        """BYE, and 200 after 30 ms."""
        bye = self.scene.say(at_ms, self.dialog.request("BYE", by_callee=by_callee, headers=headers))
        self.scene.answer(at_ms + 30, bye, 200)

    def hear(self, voice: Voice, arrivals: Sequence[Arrival], *, from_callee: bool = False, **facts: Any) -> Fact:
        """A stream of this call, between the announced sockets."""
        near, far = self.media
        if from_callee:
            words = {"call_id": self.call_id, "direction": "callee-to-caller"}
            return self.scene.stream(voice, arrivals, far, near, **(words | facts))
        words = {"call_id": self.call_id, "direction": "caller-to-callee"}
        return self.scene.stream(voice, arrivals, near, far, **(words | facts))

    def facts(self, **changed: Any) -> Fact:
        """What is expected of an answered call of this shape, with the given facts changed or added."""
        common = {
            "call_id": self.call_id,
            "state": "completed",
            "status_code": 200,
            "reason": "OK",
            "caller": self.caller.user,
            "callee": self.callee.user,
            "from_uri": self.caller.uri,
            "to_uri": self.callee.uri,
            "src": socket_text(self.caller),
            "dst": socket_text(self.callee),
            "transport": self.caller.transport,
            "released_by": "caller",
            "auth": "none",
            "dialogs": 1,
            "partial": False,
        }
        return common | changed


def statistics(scene: Scene, basis: int, **values: float) -> None:
    """Write down metrics of the whole capture that rest on `basis` calls or transactions."""
    for metric, value in values.items():
        scene.expect("statistics", metric=metric, scope="all", basis=basis, value=round(float(value), 6))


def socket_text(party: Party) -> str:
    """``address:port`` as the tables write it."""
    return f"[{party.host}]:{party.port}" if ":" in party.host else f"{party.host}:{party.port}"


def fragments_of(message: Message, identification: int, size: int) -> list[bytes]:
    """The IPv4 packets of a message too large for one, in order."""
    src, dst = message.src, message.dst
    datagram = udp(message.encode(), src.host, src.port, dst.host, dst.port)
    return ipv4_fragments(datagram, src.host, dst.host, identification=identification, size=size, dscp=SIGNALLING_DSCP)
