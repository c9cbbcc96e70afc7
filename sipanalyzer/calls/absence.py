"""Media that should have been there and was not: which direction, at which hop. Floor 5.

In: a call, the sockets that its SDP bound, all streams, what RTCP reports say. Out: :class:`Silence`. Judged only for
answered calls, per hop, where SDP wants media that way and one of the hop's media addresses carries RTP in this
capture; so a capture of signalling alone, one of one side only, or direct media behind a back-to-back user agent is
silent about silence.
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

__all__ = ["Heard", "Silence", "find_silences", "hear", "is_reported"]

_LEAST_NS = 2_000_000_000
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
    reports: Mapping[str, Sequence[Rtcp]] = field(default_factory=dict)
    """By address of the reporter: report blocks by which media arrived there."""


def hear(streams: Iterable[Stream], rtcp: Iterable[Rtcp]) -> Heard:
    """Gather what :func:`find_silences` looks up."""
    senders, receivers = set(), set()
    for stream in streams:
        senders.add(stream.src[0])
        receivers.add(stream.dst[0])
    reports: dict[str, list[Rtcp]] = defaultdict(list)
    for row in rtcp:
        arrived = row.fraction_lost_percent is None or row.fraction_lost_percent < 99.0
        if row.reported_ssrc is not None and row.extended_highest and arrived:
            reports[row.src[0]].append(row)
    return Heard(frozenset(senders), frozenset(senders | receivers), reports)


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
    end = call.last_time if call.end is None else call.end
    if call.answered is None or call.partial or end - call.answered < _LEAST_NS:
        return []
    bound = [each for each in bindings if each.kind == "audio" and (each.until is None or each.until > call.answered)]
    if {each.side for each in bound} != {CALLER, CALLEE}:
        return []
    mine = [streams[number] for number in call.streams if streams[number].media in ("audio", None)]
    if any(each.direction is None for each in mine):
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
    end = call.last_time if call.end is None else call.end
    mine = [streams[number] for number in call.streams]
    return any(_reported(_endpoint(each.socket), call, end, mine, heard) for each in bindings)


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
        call.first_time <= row.time <= end + _LEAST_NS
        and abs(row.src[1] - receiver[1]) <= 1
        and row.reported_ssrc not in captured
        for row in heard.reports.get(receiver[0], ())
    )
