"""Media that should have been there and was not: which direction, at which hop. Floor 5.

In: a call, the sockets that its SDP bound, all streams, what RTCP reports say. Out: :class:`Silence`. Judged only for
answered calls, per hop, where SDP wants media that way and one of the hop's media addresses carries RTP in this
capture; so a capture of signalling alone, one of one side only, or direct media behind a back-to-back user agent is
silent about silence. :func:`judge_one_way` makes the column ``one_way`` of the same judgement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..facts import Endpoint, Rtcp
from ..network.endpoints import address_text
from ..result import Call, Messages, Stream
from ..rtp.figures import Socket
from .bindings import CALLEE, CALLER, Binding

__all__ = ["SHORT_NS", "Heard", "Silence", "find_silences", "hear", "is_reported", "judge_one_way", "media_end"]

SHORT_NS = 2_000_000_000
"""Calls that lasted no longer are not judged: media may have been on its way."""
_DIRECTIONS = {CALLER: "callee-to-caller", CALLEE: "caller-to-callee"}
"""Direction towards each side."""
_SENDS, _RECEIVES = ("sendrecv", "sendonly"), ("sendrecv", "recvonly")
_OTHER = {CALLER: CALLEE, CALLEE: CALLER}


@dataclass(frozen=True, slots=True)
class Silence:
    """A hop of a call with no media in one direction, or in none."""

    missing: str | None
    """``caller-to-callee`` or ``callee-to-caller``; None: both."""
    sender: Endpoint
    """Where it should have come from, as SDP says (of both directions: the callee)."""
    receiver: Endpoint
    """Where it should have gone."""
    hop: tuple[Endpoint, Endpoint]
    """Sockets of the signalling of the caller's and the callee's side."""


@dataclass(frozen=True)
class Heard:
    """What a whole capture shows of media: looked up by every call."""

    senders: frozenset[str]
    """Addresses that RTP came from."""
    carriers: frozenset[str]
    """Addresses that RTP came from or went to."""
    last: int = 0
    """Time of the last RTP packet: until then the capture saw media."""
    reports: Mapping[str, Sequence[Rtcp]] = field(default_factory=dict)
    """By address of the reporter: report blocks by which media arrived there."""


def hear(streams: Iterable[Stream], rtcp: Iterable[Rtcp]) -> Heard:
    """Gather what :func:`find_silences` looks up."""
    senders, receivers, last = set(), set(), 0
    for stream in streams:
        senders.add(stream.src[0])
        receivers.add(stream.dst[0])
        last = max(last, stream.end)
    reports: dict[str, list[Rtcp]] = defaultdict(list)
    for row in rtcp:
        arrived = row.fraction_lost_percent is None or row.fraction_lost_percent < 99.0
        if row.reported_ssrc is not None and row.extended_highest and arrived:
            reports[row.src[0]].append(row)
    return Heard(frozenset(senders), frozenset(senders | receivers), last, reports)


def find_silences(
    call: Call, bindings: Sequence[Binding], streams: Sequence[Stream], messages: Messages, heard: Heard
) -> list[Silence]:
    """Hops of a call where media is missing that SDP wants.

    Parameters
    ----------
    call : Call
        With its streams.
    bindings : sequence of Binding
        Sockets that its SDP bound, in order of time.
    streams : sequence of Stream
        All streams.
    messages : Messages
        All messages: between which sockets the call's went.
    heard : Heard
        As :func:`hear` gives it for the whole capture.
    """
    end = media_end(call, heard)
    if call.answered is None or call.partial or end - call.answered < SHORT_NS:
        return []
    kind = _kind(bindings)
    bound = [each for each in bindings if each.kind == kind and (each.until is None or each.until > call.answered)]
    if {each.side for each in bound} != {CALLER, CALLEE} or _is_fax(bindings):
        return []
    mine = _streams_of(call, kind, streams)
    if any(each.direction is None for each in mine) or _is_turned(mine):
        return []
    named = {_endpoint(each.socket) for each in bound}
    loose = {each.direction for each in mine if each.src not in named and each.dst not in named}
    present = {each.direction for each in mine}
    found = []
    for near, far in _hops(call, bound, messages):
        sockets = {CALLER: _endpoint(near.socket), CALLEE: _endpoint(far.socket)}
        wanted = {
            CALLEE: near.direction in _SENDS and far.direction in _RECEIVES,
            CALLER: far.direction in _SENDS and near.direction in _RECEIVES,
        }
        there = {
            side: _DIRECTIONS[side] in loose
            or any(each.dst == sockets[side] or each.src == sockets[_OTHER[side]] for each in mine)
            for side in (CALLER, CALLEE)
        }
        missing = [side for side in (CALLER, CALLEE) if wanted[side] and not there[side]]
        if not missing or (len(missing) == 1 and not there[_OTHER[missing[0]]]):
            continue
        if not any(socket[0] in heard.carriers for socket in sockets.values()):
            continue
        if len(missing) == 2 and mine:
            continue  # this hop's media was not captured, another's was
        elsewhere = len(missing) == 1 and _DIRECTIONS[missing[0]] in present
        if elsewhere and sockets[_OTHER[missing[0]]][0] not in heard.senders:
            continue  # that it did not go on here is believed only of a sender that is captured
        if any(_reported(sockets[side], call, end, mine, heard) for side in missing):
            continue
        side = missing[0]
        found.append(
            Silence(
                missing=_DIRECTIONS[side] if len(missing) == 1 else None,
                sender=sockets[_OTHER[side]],
                receiver=sockets[side],
                hop=(_endpoint(near.signalling), _endpoint(far.signalling)),
            )
        )
    return found


def is_reported(call: Call, bindings: Sequence[Binding], streams: Sequence[Stream], heard: Heard) -> bool:
    """Whether a side says in RTCP that media reached it which this capture lacks."""
    end = media_end(call, heard)
    mine = [streams[number] for number in call.streams]
    return any(_reported(_endpoint(each.socket), call, end, mine, heard) for each in bindings)


def judge_one_way(
    call: Call, bindings: Sequence[Binding], streams: Sequence[Stream], messages: Messages, heard: Heard
) -> bool | None:
    """Whether one direction of a call had no media: the column ``one_way``.

    Parameters
    ----------
    call, bindings, streams, messages, heard
        As :func:`find_silences` takes them.

    Returns
    -------
    bool or None
        True where a direction is missing at a hop, and where a call too short to be blamed, or of hops that cannot be
        told apart, had media in one direction and both sides wanted it in both; False where both had media, or RTCP
        says that it arrived; None where it cannot be judged.
    """
    if call.answered is None or call.partial or not call.streams:
        return None
    kind = _kind(bindings)
    mine = _streams_of(call, kind, streams)
    directions = {each.direction for each in mine}
    if not mine or None in directions or _is_turned(mine):
        return None
    several = len({each.signalling for each in bindings}) > 2
    if len(directions) == 2 and not several:
        return False
    if any(each.missing is not None for each in find_silences(call, bindings, streams, messages, heard)):
        return True
    if len(directions) == 2:
        return False
    wanted = {each.side: each.direction for each in bindings if each.kind == kind}
    if set(wanted) != set(_OTHER) or set(wanted.values()) != {"sendrecv"}:
        return None
    if _is_fax(bindings):
        return None
    return not is_reported(call, bindings, streams, heard)


def media_end(call: Call, heard: Heard) -> int:
    """Time (ns) until which a call could have media in this capture: its end, else that of the RTP captured."""
    return max(call.last_time, heard.last) if call.end is None else call.end


def _kind(bindings: Iterable[Binding]) -> str:
    """What is judged: audio, and where a call has none, video."""
    kinds = {each.kind for each in bindings}
    return "audio" if "audio" in kinds or "video" not in kinds else "video"


def _is_fax(bindings: Iterable[Binding]) -> bool:
    """Whether both sides agreed on T.38 at some time: what was to be said is said there, and not by RTP."""
    return {each.side for each in bindings if each.kind == "image"} == {CALLER, CALLEE}


def _is_turned(streams: Sequence[Stream]) -> bool:
    """Whether the only direction, by SDP, runs both ways between two hosts: then SDP is no guide to who speaks."""
    ways = {(each.src[0], each.dst[0]) for each in streams if each.src[0] != each.dst[0]}
    turned = any((dst, src) in ways for src, dst in ways)
    return turned and len({each.direction for each in streams}) == 1


def _streams_of(call: Call, kind: str, streams: Sequence[Stream]) -> list[Stream]:
    return [streams[number] for number in call.streams if streams[number].media in (kind, None)]


def _endpoint(socket: Socket) -> Endpoint:
    high, low, port = socket
    return address_text(high, low), port


def _hops(call: Call, bound: Sequence[Binding], messages: Messages) -> list[tuple[Binding, Binding]]:
    """Bindings of both sides whose SDP passed between the same two sockets: the last of each."""
    sides: dict[str, dict[Endpoint, Binding]] = {CALLER: {}, CALLEE: {}}
    for each in bound:
        if each.side is not None:
            sides[each.side][_endpoint(each.signalling)] = each
    if len(sides[CALLER]) == len(sides[CALLEE]) == 1:
        return [(next(iter(sides[CALLER].values())), next(iter(sides[CALLEE].values())))]
    ways = {(int(messages.src[row]), int(messages.dst[row])) for row in call.rows}
    ends = messages.endpoints
    return [
        (sides[CALLER][ends[src]], sides[CALLEE][ends[dst]])
        for src, dst in sorted(ways)
        if ends[src] in sides[CALLER] and ends[dst] in sides[CALLEE]
    ]


def _reported(receiver: Endpoint, call: Call, end: int, mine: Sequence[Stream], heard: Heard) -> bool:
    """Whether the receiver says in RTCP that media reached it which this capture lacks."""
    captured = {each.ssrc for each in mine if each.dst == receiver}
    return any(
        call.first_time <= row.time <= end + SHORT_NS
        and abs(row.src[1] - receiver[1]) <= 1
        and row.reported_ssrc not in captured
        for row in heard.reports.get(receiver[0], ())
    )
