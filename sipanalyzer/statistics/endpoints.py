"""The table `endpoints`: one row an address, what it is and how it fared. Floor 7.

In: a :class:`~sipanalyzer.result.Result`. Out: :class:`EndpointRow`, one for each address that sent or received SIP or
RTP. Messages are counted in columns; only the first request of each transaction at each sender
is looked into. Sources: RFC 3261 section 6 (user agent client and server, proxy, registrar, redirect server), RFC 7092
(back-to-back user agents and media relays), RFC 6076 (answered calls over all).

A box that forwards is recognised by what it does: a message that it has received before, under the same Call-ID, From
tag, CSeq and status, is not its own; nor is a request that already carries another's Via.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..calls.rows import dense_pairs
from ..errors import ParseError
from ..result import Messages, Result
from ..sip.uri import parse_uri

__all__ = ["ROLES", "EndpointRow", "list_endpoints"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ROLES = ("UAC", "UAS", "proxy", "registrar", "B2BUA", "redirect", "media-relay")
"""In the order in which they are listed."""

_PRODUCTS = 3
"""Product names listed of one address."""
_BRANCH = b"branch=z9hG4bK"
"""In every Via of RFC 3261."""
_OF_TRANSFER = frozenset({"REFER", "Replaces", "Join", "Target-Dialog"})
"""Evidence of sessions that says nothing about a box between two legs."""
_DECIDED = frozenset({"in-call", "completed", "cancelled", "busy", "no-answer", "redirected", "rejected", "failed"})
_ANSWERED = frozenset({"in-call", "completed"})
_PLAIN_URI = re.compile(
    r"sips?:(?:[A-Za-z0-9+_.*#-]+@)?([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?::[0-9]{1,5})?(?:;[^@?\[\]]*+)?"
)
"""A URI with an IPv4 address and nothing out of the ordinary."""
_UNDECIDING = (100, 401, 407)
"""Responses that a proxy gives by itself."""


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One address."""

    address: str
    roles: tuple[str, ...]
    """Those of :data:`ROLES` in which it was seen."""
    products: tuple[str, ...]
    """User-Agent and Server texts of the messages that it made itself, the first few."""
    messages_sent: int
    messages_received: int
    calls: int
    """Calls in which it sent or received a message."""
    answered: int
    """Of them, answered."""
    asr_percent: float | None
    """Answered over all that were seen from their INVITE to an outcome (ITU-T E.425, RFC 6076 4.6)."""
    mean_response_ms: float | None
    """From a request that it received to its first response, 100 included."""
    p95_response_ms: float | None
    retransmissions: int
    """That it sent."""
    loss_percent_to: float | None
    """Lost over expected of all RTP towards it, at the capture point."""
    loss_percent_from: float | None


def list_endpoints(result: Result) -> tuple[EndpointRow, ...]:
    """One row an address, those with most messages first.

    Notes
    -----
    Response times and losses are those of the capture point: in mid-path they leave out what lies behind it.
    """
    messages = result.messages
    numbers: dict[str, int] = {}
    for address, _ in messages.endpoints:
        numbers.setdefault(address, len(numbers))
    with_media = {address for stream in result.streams for address, _ in (stream.src, stream.dst)}
    for address in sorted(with_media):
        numbers.setdefault(address, len(numbers))
    if not numbers:
        return ()
    hosts = np.array([numbers[address] for address, _ in messages.endpoints] or [0], np.int64)
    src, dst = hosts[messages.src], hosts[messages.dst]
    count = len(numbers)
    roles: list[set[str]] = [set() for _ in range(count)]
    flow = _Flow(messages, hosts)
    _find_roles(flow, roles)
    _find_boxes(result, flow, numbers, roles)
    _find_relays(result, numbers, roles)
    sent, received = np.bincount(src, minlength=count), np.bincount(dst, minlength=count)
    again = np.bincount(src[messages.retransmission], minlength=count)
    products = _products(messages, flow, count)
    calls, answered, decided, successful = _calls(result, src, dst, count)
    responses = _response_times(result, numbers)
    towards, away = _losses(result, numbers)
    rows = [
        EndpointRow(
            address=address,
            roles=tuple(role for role in ROLES if role in roles[number]),
            products=tuple(products[number]),
            messages_sent=int(sent[number]),
            messages_received=int(received[number]),
            calls=int(calls[number]),
            answered=int(answered[number]),
            asr_percent=_percent(int(successful[number]), int(decided[number])),
            mean_response_ms=float(np.mean(responses[number])) if number in responses else None,
            p95_response_ms=float(np.percentile(responses[number], 95)) if number in responses else None,
            retransmissions=int(again[number]),
            loss_percent_to=_percent(*towards[number]) if number in towards else None,
            loss_percent_from=_percent(*away[number]) if number in away else None,
        )
        for address, number in numbers.items()
        if sent[number] or received[number] or address in with_media
    ]
    rows.sort(key=lambda row: (-(row.messages_sent + row.messages_received), row.address))
    return tuple(rows)


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


# ---- who made a message, and who passed it on
class _Flow:
    """Every message's sender and receiver as places, and whether the sender had received the same before.

    A place is a host; on hosts that speak with themselves (loopback) it is an endpoint.
    """

    def __init__(self, messages: Messages, hosts: Ints) -> None:
        self.messages = messages
        src, dst = hosts[messages.src], hosts[messages.dst]
        crowded = np.zeros(int(hosts.max()) + 1, np.bool_)
        crowded[src[src == dst]] = True
        place = np.where(crowded[hosts], len(crowded) + np.arange(len(hosts)), hosts)
        self.host_of = np.zeros(len(crowded) + len(hosts), np.int64)
        """Host of each place."""
        self.host_of[place] = hosts
        self.src, self.dst = place[messages.src], place[messages.dst]
        talk = dense_pairs(messages.call_id, messages.from_tag)
        request = dense_pairs(messages.cseq, messages.method)
        self.request: Ints = dense_pairs(talk, request)
        """One number for the messages of one request at all its hops."""
        self.same: Ints = dense_pairs(self.request, messages.status)
        """Likewise with the status: one number for one message at all its hops."""
        self.is_request: Bools = messages.status == 0
        self.forwarded: Bools = self._passed_on()
        self.ends = self._without_onward()
        """Of requests: whether the receiver did not send it on."""

    def _passed_on(self) -> Bools:
        """Whether the sender had received the message before, or it has somebody else's Via below its own."""
        places = len(self.host_of)
        if not len(self.same):
            return np.zeros(0, np.bool_)
        came, first_came = np.unique(self.same * places + self.dst, return_index=True)
        sent, first_sent, which = np.unique(self.same * places + self.src, return_index=True, return_inverse=True)
        at = np.minimum(np.searchsorted(came, sent), len(came) - 1)
        forwarded: Bools = ((came[at] == sent) & (first_came[at] < first_sent))[which]
        own = np.flatnonzero(self.is_request & ~forwarded)
        _, firsts, which = np.unique(self.same[own] * places + self.src[own], return_index=True, return_inverse=True)
        raw = self.messages.raw
        several = np.array([raw(row).count(_BRANCH) > 1 for row in own[firsts].tolist()], np.bool_)
        forwarded[own] = several[which]
        return forwarded

    def _without_onward(self) -> Bools:
        places = len(self.host_of)
        onward = np.unique((self.same * places + self.src)[self.is_request & self.forwarded])
        return self.is_request & ~np.isin(self.same * places + self.dst, onward)


def _find_roles(flow: _Flow, roles: list[set[str]]) -> None:
    """What requests and responses say by themselves."""
    messages, places = flow.messages, len(flow.host_of)
    methods = messages.texts["method"]

    def is_method(*names: str) -> Bools:
        found: Bools = np.isin(messages.method, [methods.index(name) for name in names if name in methods])
        return found

    beyond = is_method("ACK", "CANCEL")
    initial = flow.is_request & (messages.to_tag < 0) & ~beyond & (messages.call_id >= 0)
    register, invite = is_method("REGISTER"), is_method("INVITE")
    _give(roles, flow.host_of[flow.src[flow.is_request & flow.forwarded]], "proxy")
    proxy = np.array(["proxy" in each for each in roles])
    # a proxy that asks peers whether they live, or refuses by itself, is not yet a user agent
    asks = initial & ~flow.forwarded
    _give(roles, flow.host_of[flow.src[asks & (invite | ~proxy[flow.host_of[flow.src]])]], "UAC")
    # who answers a request that it did not send on
    asked = np.unique((flow.request * places + flow.dst)[initial & flow.ends])
    answers = ~flow.is_request & ~flow.forwarded & np.isin(flow.request * places + flow.src, asked)
    status = messages.status
    redirected = answers & invite & (status >= 300) & (status < 400)
    challenged = (status == 401) | (status == 407)
    _give(roles, flow.host_of[flow.src[redirected]], "redirect")
    registers = answers & register & (((status >= 200) & (status < 300)) | challenged)
    _give(roles, flow.host_of[flow.src[registers]], "registrar")
    serves = answers & ~register & ~redirected & ~beyond & ~np.isin(status, _UNDECIDING)
    calls = invite & (status < 300)
    _give(roles, flow.host_of[flow.src[serves & (calls | ~proxy[flow.host_of[flow.src]])]], "UAS")


def _give(roles: list[set[str]], hosts: Ints, role: str) -> None:
    for host in np.unique(hosts).tolist():
        roles[host].add(role)


def _find_boxes(result: Result, flow: _Flow, numbers: dict[str, int], roles: list[set[str]]) -> None:
    """Back-to-back user agents: the end of one leg of a session and the beginning of another."""
    wanted = {call_id for session in result.sessions if session.evidence for call_id in session.call_ids}
    if not wanted or "INVITE" not in result.messages.texts["method"]:
        return
    messages = result.messages
    invite = flow.is_request & (messages.method == messages.texts["method"].index("INVITE")) & (messages.to_tag < 0)
    ids = [number for number, text in enumerate(messages.texts["call_id"]) if text in wanted]
    begins: dict[str, set[int]] = defaultdict(set)
    ends: dict[str, set[int]] = defaultdict(set)
    for row in np.flatnonzero(invite & np.isin(messages.call_id, ids)).tolist():
        call_id = messages.texts["call_id"][int(messages.call_id[row])]
        if not flow.forwarded[row]:
            begins[call_id].add(int(flow.src[row]))
        if flow.ends[row]:
            ends[call_id].add(int(flow.dst[row]))
    links = {each.calls for s in result.sessions for each in s.evidence if each.kind not in _OF_TRANSFER}
    for one, other in links:
        boxes = (ends[one] & begins[other]) | (ends[other] & begins[one])
        if not boxes and not (ends[one] | begins[one]) & (ends[other] | begins[other]):
            boxes = ends[one] | begins[other]  # one box with two addresses; the earlier call comes first
        for place in boxes:
            roles[int(flow.host_of[place])].add("B2BUA")


def _find_relays(result: Result, numbers: dict[str, int], roles: list[set[str]]) -> None:
    """Addresses through which media pass, or that have media and no SIP, and no user agent says that it is there."""
    messages = result.messages
    if not result.streams:
        return
    spoke = {address for address, _ in messages.endpoints}
    spoke.update(_host(contact) for contact in messages.texts["contact"])
    session_of = {call_id: session.number for session in result.sessions for call_id in session.call_ids}
    arriving: dict[tuple[int | str, str], list[int]] = defaultdict(list)
    for number, stream in enumerate(result.streams):
        if stream.call_id is None:
            continue
        for address, _ in (stream.src, stream.dst):
            if address not in spoke:
                roles[numbers[address]].add("media-relay")
        arriving[session_of.get(stream.call_id, stream.call_id), stream.dst[0]].append(number)
    for leaving in result.streams:
        if leaving.call_id is None or "media-relay" in roles[numbers[leaving.src[0]]]:
            continue
        key = session_of.get(leaving.call_id, leaving.call_id), leaving.src[0]
        for number in arriving.get(key, ())[:64]:
            arrived = result.streams[number]
            together = min(arrived.end, leaving.end) - max(arrived.start, leaving.start)
            if arrived.src[0] == leaving.dst[0] or arrived.media != leaving.media or together <= 0:
                continue
            if arrived.call_id != leaving.call_id or (
                arrived.ssrc == leaving.ssrc
                or (arrived.direction is not None and arrived.direction == leaving.direction)
            ):
                roles[numbers[leaving.src[0]]].add("media-relay")
                break


def _host(uri: str) -> str:
    plain = _PLAIN_URI.fullmatch(uri)
    if plain is not None:  # nearly all; there is one in every second message
        return plain[1]
    try:
        return parse_uri(uri).host.strip("[]")
    except ParseError:
        return ""


# ---- figures
def _products(messages: Messages, flow: _Flow, count: int) -> list[list[str]]:
    """Products of the messages that each address made, in order of first use."""
    own = np.flatnonzero((messages.user_agent >= 0) & ~flow.forwarded)
    texts = messages.texts["user_agent"]
    hosts = flow.host_of[flow.src[own]]
    pairs, firsts = np.unique(hosts * max(len(texts), 1) + messages.user_agent[own], return_index=True)
    found: list[list[str]] = [[] for _ in range(count)]
    for pair in pairs[np.argsort(firsts)].tolist():
        host, text = divmod(pair, max(len(texts), 1))
        if len(found[host]) < _PRODUCTS and texts[text]:
            found[host].append(texts[text])
    return found


def _calls(result: Result, src: Ints, dst: Ints, count: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Calls of each address: all, answered; and of those that count for the ratio, all and answered."""
    messages = result.messages
    by_number = np.full(len(messages.texts["call_id"]) + 1, -1, np.int64)
    for number, call in enumerate(result.calls):
        if call.rows:
            by_number[messages.call_id[call.rows[0]]] = number
    call_of = by_number[messages.call_id]
    known = call_of >= 0
    pairs = np.unique(np.concatenate((call_of[known] * count + src[known], call_of[known] * count + dst[known])))
    which, hosts = pairs // count, pairs % count
    up = np.array([call.state in _ANSWERED for call in result.calls], np.bool_)
    told = np.array([not call.partial and call.state in _DECIDED for call in result.calls], np.bool_)

    def counted(wanted: Bools) -> Ints:
        return np.bincount(hosts[wanted[which]], minlength=count) if len(which) else np.zeros(count, np.int64)

    return counted(np.ones(len(up), np.bool_)), counted(up), counted(told), counted(told & up)


def _response_times(result: Result, numbers: dict[str, int]) -> dict[int, list[float]]:
    """Time to the first response of each transaction, by server, ms."""
    found: dict[int, list[float]] = defaultdict(list)
    for transaction in result.transactions:
        if transaction.first_response is not None and transaction.dst[0] in numbers:
            found[numbers[transaction.dst[0]]].append((transaction.first_response - transaction.start) / 1e6)
    return found


def _losses(result: Result, numbers: dict[str, int]) -> tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]]:
    """Packets lost and expected of all streams towards each address, and from it."""
    both: tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]] = ({}, {})
    for stream in result.streams:
        for found, (address, _) in zip(both, (stream.dst, stream.src), strict=True):
            number = numbers.get(address)
            if number is not None:
                lost, expected = found.get(number, (0, 0))
                found[number] = lost + stream.lost, expected + stream.expected
    return both
