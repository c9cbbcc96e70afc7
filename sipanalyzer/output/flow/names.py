"""What the participants of a chart are called, and which part they play. Floor 8.

In: calls and their messages. Out: for each host its name for people (the user behind it, or its product), its product,
and its role. A User-Agent or Server header names the host that wrote it, not those that passed it on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...result import Call, Messages
from ...sip.header import find_headers
from ...sip.uri import user_part
from .model import Participant
from .seen import Seen
from .words import shown

__all__ = ["Names", "find_names"]

_LONGEST_NAME, _LONGEST_PRODUCT = 40, 60


@dataclass(slots=True)
class Names:
    """What is known of hosts, by key."""

    users: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    passing: set[str] = field(default_factory=set)
    """Those between that pass on requests of the same call: proxies."""
    joining: set[str] = field(default_factory=set)
    """Those between that answer one call and make another: back-to-back user agents."""
    answerers: set[str] = field(default_factory=set)
    """Those that sent or were sent a 2xx to an INVITE."""

    def of(self, key: str) -> Participant:
        """The host as a participant."""
        role, product = self.roles.get(key, "between"), self.products.get(key)
        if role == "between":
            kind = "proxy" if key in self.passing else "B2BUA" if key in self.joining else None
            return Participant(key, shown(product, _LONGEST_NAME) if product else kind, kind if product else None, role)
        return Participant(key, self.users.get(key), product, role)


def find_names(messages: Messages, calls: Sequence[Call], seen: Sequence[Seen], key: Callable[[int], str]) -> Names:
    """Who is who.

    Parameters
    ----------
    messages : Messages
        All of the result.
    calls : sequence of Call
        The legs.
    seen : sequence of Seen
        Their messages, in order of time.
    key : callable
        Key of the host of a signalling endpoint.
    """
    names = Names()
    _find_roles(names, messages, calls, seen, key)
    _find_products(names, messages, seen, key)
    return names


@dataclass(slots=True)
class _Opening:
    """How the INVITEs of one leg travelled: who first sent and received one, and answered it for good, and when."""

    first: Seen
    sent: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    known: set[tuple[int, int]] = field(default_factory=set)
    """From tag and CSeq of each."""

    def caller(self) -> str | None:
        """Who sent the first one: of those that received none, if there are any; a call may come back to its caller."""
        roots = [host for host in self.sent if host not in self.received] or list(self.sent)
        return min(roots, key=self.sent.__getitem__, default=None)


def _openings(names: Names, seen: Sequence[Seen], key: Callable[[int], str]) -> dict[int, _Opening]:
    openings: dict[int, _Opening] = {}
    for each in seen:
        opening = openings.get(each.leg)
        if opening is None:
            opening = openings[each.leg] = _Opening(each)
        if each.method != "INVITE":
            continue
        source, target = key(each.src), key(each.dst)
        if each.status:
            if each.status >= 200:
                opening.answered.setdefault(source, each.time)
            if 200 <= each.status < 300:
                names.answerers |= {source, target}
            source, target = target, source  # what is answered was sent, though it may not have been captured
        if each.to_tag < 0 and not each.status:
            opening.known.add((each.from_tag, each.cseq))
        if (each.from_tag, each.cseq) in opening.known:
            opening.sent.setdefault(source, each.time)
            opening.received.setdefault(target, each.time)
    return openings


def _find_roles(
    names: Names, messages: Messages, calls: Sequence[Call], seen: Sequence[Seen], key: Callable[[int], str]
) -> None:
    openings = _openings(names, seen, key)
    callees: dict[str, tuple[int, str | None]] = {}
    for leg, call in enumerate(calls):
        opening = openings.get(leg)
        if opening is None or not opening.sent:
            _guess(names, messages, None if opening is None else opening.first, key)
            continue
        caller, callee = (None if user is None else _name(user) for user in (call.caller, call.callee))
        first = opening.caller()
        for host, time in opening.sent.items():
            if host in callees:
                before, user = callees[host]
                if time < openings[before].answered.get(host, time + 1) or user is None or user != caller:
                    names.roles[host] = "between"  # the other half of a back-to-back user agent
                    names.joining.add(host)
            elif host == first:
                if names.roles.setdefault(host, "caller") == "caller" and caller:
                    names.users.setdefault(host, caller)
            elif host in opening.received:
                names.roles[host] = "between"
                names.passing.add(host)
        for host in opening.received:
            if host not in opening.sent and host not in names.roles:
                names.roles[host] = "callee"
                callees[host] = leg, callee
                if callee:
                    names.users.setdefault(host, callee)


def _name(user: str) -> str:
    """A user without the parameters that telephone numbers have (RFC 3966)."""
    return shown(user.partition(";")[0] or user, _LONGEST_NAME)


def _guess(names: Names, messages: Messages, first: Seen | None, key: Callable[[int], str]) -> None:
    """Of a call whose beginning was not captured: whose From and To its first message bears."""
    if first is None:
        return
    source, target = (first.dst, first.src) if first.status else (first.src, first.dst)
    for number, role, column in ((source, "caller", "from_uri"), (target, "callee", "to_uri")):
        host, uri = key(number), messages.text(column, first.row)
        if host not in names.roles:
            names.roles[host] = role
            user = user_part(uri) if uri else None
            if user:
                names.users.setdefault(host, _name(user))


def _find_products(names: Names, messages: Messages, seen: Sequence[Seen], key: Callable[[int], str]) -> None:
    agents = messages.user_agent[[each.row for each in seen]].tolist() if seen else []
    passed: set[tuple[int | str, ...]] = set()
    for each, agent in zip(seen, agents, strict=True):
        if each.status == 100:  # answered hop by hop (RFC 3261 16.2)
            first = True
        else:
            mark = (each.leg, each.from_tag, each.cseq, each.method, each.status, each.to_tag if each.status else 0)
            first = mark not in passed
            passed.add(mark)
        if agent < 0 or not first:
            continue
        host = key(each.src)
        if host in names.products:
            continue
        if not each.status and len(find_headers(messages.raw(each.row), "Via")) > 1:
            continue
        text = messages.texts["user_agent"][agent].strip()
        if text:
            names.products[host] = shown(text, _LONGEST_PRODUCT)
