"""Who stands on a chart: hosts merged by address, from left to right as the call travels. Floor 8.

In: the messages of a chart, what their SDP says, the streams that are drawn. Out: a :class:`Cast`: participants, and
where each signalling endpoint and each stream belongs. A host that talks to itself is told apart by port. Media at an
address that speaks no SIP belongs to the one participant that announced it, or (behind NAT) to the one that was told
the other end; else its address stands alone, beside who announces it. Names and roles are given by :mod:`.names`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...facts import Endpoint
from ...result import Call, Messages, Result, Stream, host_port
from .descriptions import Said
from .model import Participant
from .names import Names, find_names
from .seen import Seen

__all__ = ["MOST_PARTICIPANTS", "Cast", "make_cast"]

MOST_PARTICIPANTS = 14
"""Lines on a chart: a caller, a proxy, and the twelve phones that it forks to."""
_UDP = 0


@dataclass(frozen=True, slots=True)
class Cast:
    """Participants, and what belongs to which."""

    participants: tuple[Participant, ...]
    sockets: dict[int, int]
    """Signalling endpoints (indices into ``Messages.endpoints``) to participants."""
    streams: dict[int, tuple[int, int]]
    """Streams to the participants that they come from and go to."""
    left_out: int = 0
    """Hosts that share the last line."""


def make_cast(
    result: Result, calls: Sequence[Call], seen: Sequence[Seen], said: Mapping[int, Said], streams: Iterable[int]
) -> Cast:
    """Find who takes part, in which order, and who sends and receives each stream.

    Parameters
    ----------
    result : Result
        What the chart is made from.
    calls : sequence of Call
        The legs.
    seen : sequence of Seen
        Their messages, in order of time.
    said : mapping
        Descriptions by row.
    streams : iterable of int
        Streams that are drawn, in order of start.
    """
    hosts = _Hosts(result.messages, seen)
    order = _order(hosts, seen)
    names = find_names(result.messages, calls, seen, hosts.key)
    media = _Media(hosts, result, seen, said, names.answerers)
    ends = media.place(streams)
    for key, beside in media.alone.items():
        _stand_beside(order, key, beside)
    kept, left_out = _kept(order, names, ends)
    place = {key: at for at, key in enumerate(kept)}
    last = len(kept)
    participants = [_participant(key, names, media, hosts) for key in kept]
    if left_out:
        participants.append(Participant(f"{left_out} others", None, "hosts without a line of their own", "between"))
    return Cast(
        tuple(participants),
        {number: place.get(key, last) for number, key in hosts.keys.items()},
        {number: (place.get(source, last), place.get(target, last)) for number, (source, target) in ends.items()},
        left_out,
    )


# ---- hosts
class _Hosts:
    """The key of each signalling endpoint: its address, or its socket where the host talks to itself."""

    def __init__(self, messages: Messages, seen: Sequence[Seen]) -> None:
        endpoints = messages.endpoints
        self.addresses: dict[str, str] = {}
        """Address of each key."""
        ways = dict.fromkeys((each.src, each.dst) for each in seen)
        self.divided = {
            endpoints[src][0]
            for src, dst in ways
            if endpoints[src][0] == endpoints[dst][0] and endpoints[src] != endpoints[dst]
        }
        aliases = _aliases(messages, seen, self.divided) if self.divided else {}
        self.keys = {
            number: self.name(aliases.get(number, endpoints[number]))
            for number in dict.fromkeys(number for way in ways for number in way)
        }
        self.signalling = frozenset(self.keys.values())

    def name(self, endpoint: Endpoint) -> str:
        """What an endpoint is called on the chart."""
        key = host_port(endpoint) if endpoint[0] in self.divided else endpoint[0]
        self.addresses[key] = endpoint[0]
        return key

    def key(self, number: int) -> str:
        """Key of a signalling endpoint."""
        return self.keys[number]


def _aliases(messages: Messages, seen: Sequence[Seen], divided: set[str]) -> dict[int, Endpoint]:
    """Client ports of TCP on a host that talks to itself: the port that its Via names, which it listens at."""
    from ...errors import ParseError
    from ...sip.header import find_header
    from ...sip.uri import parse_via

    asked: dict[int, Endpoint | None] = {}
    listening = {messages.endpoints[each.dst] for each in seen if not each.status}
    for each in seen:
        endpoint = messages.endpoints[each.src]
        if each.status or each.transport == _UDP or endpoint[0] not in divided or each.src in asked:
            continue
        asked[each.src] = None
        try:
            port = parse_via(find_header(messages.raw(each.row), "Via") or "").port
        except ParseError:
            continue
        named = endpoint[0], port or 5060
        if endpoint not in listening and named in listening and named != messages.endpoints[each.dst]:
            asked[each.src] = named
    return {number: endpoint for number, endpoint in asked.items() if endpoint is not None}


def _order(hosts: _Hosts, seen: Sequence[Seen]) -> list[str]:
    """Hosts from left to right: as requests travel in the first leg, then what the next ones add."""
    order: deque[str] = deque()
    known: set[str] = set()
    ways: dict[tuple[int, int, int], None] = {}
    for each in seen:
        ways.setdefault((each.leg, each.dst, each.src) if each.status else (each.leg, each.src, each.dst))
    for _, upper, lower in sorted(ways, key=lambda way: way[0]):
        left, right = hosts.key(upper), hosts.key(lower)
        if left not in known:
            if right in known and order[0] == right:  # a hop before the first one that was seen
                order.appendleft(left)
            else:
                order.append(left)
            known.add(left)
        if right not in known:
            order.append(right)
            known.add(right)
    return list(order)


def _stand_beside(order: list[str], key: str, beside: str | None) -> None:
    """Put a host beside another, on the side that is turned to the others."""
    if beside is None or beside not in order:
        order.append(key)
        return
    at = order.index(beside)
    order.insert(at if at == len(order) - 1 and at else at + 1, key)


# ---- media
@dataclass(slots=True)
class _Announced:
    """A socket in SDP."""

    by: str
    """Who named it first without having been told of it."""
    told: dict[str, None] = field(default_factory=dict)
    """Whom."""
    passed_on: set[str] = field(default_factory=set)
    """Who of them told others."""


class _Media:
    """Who sends and receives streams."""

    def __init__(
        self, hosts: _Hosts, result: Result, seen: Sequence[Seen], said: Mapping[int, Said], answerers: set[str]
    ) -> None:
        self.hosts, self.streams, self.answerers = hosts, result.streams, answerers
        self.announced: dict[Endpoint, _Announced] = {}
        self.announcers: dict[str, dict[str, None]] = defaultdict(dict)
        self.homes: dict[str, str] = {}
        """Key of a host that carries media to the participant that it belongs to."""
        self.alone: dict[str, str | None] = {}
        """Hosts with media only, and beside whom they stand."""
        for each in seen:
            if each.row in said:
                self._announce(said[each.row], hosts.key(each.src), hosts.key(each.dst))

    def _announce(self, what: Said, source: str, target: str) -> None:
        for socket in what.described.sockets:
            entry = self.announced.get(socket)
            if entry is None:
                entry = self.announced[socket] = _Announced(source)
            if source in entry.told:
                entry.passed_on.add(source)
            else:
                self.announcers[socket[0]][source] = None
            if target != entry.by:
                entry.told[target] = None

    def place(self, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Keys of sender and receiver of each stream."""
        streams = [(number, self.streams[number]) for number in numbers]
        looping = {
            stream.src[0] for _, stream in streams if stream.src[0] == stream.dst[0] and stream.src != stream.dst
        }
        self.hosts.divided |= {address for address in looping if address not in self.hosts.signalling}
        for known_first in (True, False):
            for _, stream in streams:
                self._settle(stream, known_first)
        return {number: (self._home(stream.src) or "?", self._home(stream.dst) or "?") for number, stream in streams}

    def _settle(self, stream: Stream, known_only: bool) -> None:
        """Find the homes of a stream's ends; in the first round only what SDP says."""
        for end, other in ((stream.src, stream.dst), (stream.dst, stream.src)):
            if self._home(end) is not None:
                continue
            key = self.hosts.name(end)
            found = self._announcing(end) or self._across(other)
            if found is not None:
                self.homes[key] = found
            elif not known_only:
                self.homes[key] = key
                entry = self.announced.get(end)
                self.alone[key] = entry.by if entry is not None else self._home(other)

    def _home(self, end: Endpoint) -> str | None:
        key = self.hosts.name(end)
        return key if key in self.hosts.signalling else self.homes.get(key)

    def _announcing(self, end: Endpoint) -> str | None:
        """The one participant that announced a socket on a divided host, or an address elsewhere."""
        if end[0] in self.hosts.divided:
            entry = self.announced.get(end)
            return None if entry is None else entry.by
        by = self.announcers.get(end[0], {})
        return next(iter(by)) if len(by) == 1 else None

    def _across(self, other: Endpoint) -> str | None:
        """Who must be at the unannounced end of a stream: the one whom the other end's socket was told."""
        entry = self.announced.get(other)
        if entry is None:
            return None
        told = [key for key in entry.told if key not in entry.passed_on]
        if len(told) > 1:
            told = [key for key in told if key in self.answerers]
        return told[0] if len(told) == 1 else None

    def addresses(self, key: str) -> list[str]:
        """Addresses that carry the media of a participant, its own apart."""
        own = self.hosts.addresses[key]
        found = (self.hosts.addresses[host] for host, home in self.homes.items() if home == key)
        return [address for address in dict.fromkeys(found) if address != own]


# ---- participants
def _kept(order: Sequence[str], names: Names, ends: Mapping[int, tuple[str, str]]) -> tuple[list[str], int]:
    """The hosts that have lines of their own: who talked, then who has media, then the first ones."""
    if len(order) <= MOST_PARTICIPANTS:
        return list(order), 0
    talking = {key for pair in ends.values() for key in pair}
    rank = {key: (key not in names.answerers, key not in talking, at) for at, key in enumerate(order)}
    rank[order[0]] = (False, False, -1)
    wanted = set(sorted(order, key=rank.__getitem__)[: MOST_PARTICIPANTS - 1])
    return [key for key in order if key in wanted], len(order) - len(wanted)


_MOST_ADDRESSES = 3


def _participant(key: str, names: Names, media: _Media, hosts: _Hosts) -> Participant:
    if key in media.alone:
        return Participant(key, "media", None, "media")
    person = names.of(key)
    elsewhere = media.addresses(key)
    if not elsewhere:
        return person
    shown = ", ".join(elsewhere[:_MOST_ADDRESSES])
    more = f" and {len(elsewhere) - _MOST_ADDRESSES} more" if len(elsewhere) > _MOST_ADDRESSES else ""
    detail = f"media {shown}{more}"
    return replace(person, detail=detail if person.detail is None else f"{person.detail}, {detail}")
