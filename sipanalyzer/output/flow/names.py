"""What the participants of a chart are called, and which part they play. Floor 8.

In: calls and their messages. Out: for each host its name for people (the user behind it, or its product), its product,
and its role. A User-Agent or Server header names the host that wrote it, not those that passed it on.
"""

from __future__ import annotations

from collections import defaultdict
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


def _find_roles(
    names: Names, messages: Messages, calls: Sequence[Call], seen: Sequence[Seen], key: Callable[[int], str]
) -> None:
    sent: dict[int, dict[str, int]] = defaultdict(dict)
    received: dict[int, dict[str, int]] = defaultdict(dict)
    opening: dict[int, set[tuple[int, int]]] = defaultdict(set)
    answered: dict[tuple[int, str], int] = {}
    first: dict[int, Seen] = {}
    for each in seen:
        first.setdefault(each.leg, each)
        if each.method != "INVITE":
            continue
        source, target = key(each.src), key(each.dst)
        if each.status >= 200:
            answered.setdefault((each.leg, source), each.time)
            if each.status < 300:
                names.answerers |= {source, target}
        if not each.status and each.to_tag < 0:
            sent[each.leg].setdefault(source, each.time)
            received[each.leg].setdefault(target, each.time)
        elif each.status and (each.from_tag, each.cseq) in opening[each.leg]:  # its INVITE was not captured on this hop
            sent[each.leg].setdefault(target, each.time)
            received[each.leg].setdefault(source, each.time)
        if not each.status and each.to_tag < 0:
            opening[each.leg].add((each.from_tag, each.cseq))
    callees: dict[str, tuple[int, str | None]] = {}
    for leg, call in enumerate(calls):
        caller, callee = (None if user is None else _name(user) for user in (call.caller, call.callee))
        if leg not in sent:
            _guess(names, messages, first.get(leg), key)
            continue
        for host, time in sent[leg].items():
            if host in received[leg]:
                names.roles[host] = "between"
                names.passing.add(host)
            elif host in callees:
                before, user = callees[host]
                if time < answered.get((before, host), time + 1) or user is None or user != caller:
                    names.roles[host] = "between"
                    names.joining.add(host)
            elif host not in names.roles and time == min(sent[leg].values()):
                names.roles[host] = "caller"
                if caller:
                    names.users.setdefault(host, caller)
        for host in received[leg]:
            if host not in sent[leg] and host not in names.roles:
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
