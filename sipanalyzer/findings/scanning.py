"""Hosts that try doors: known scanners by their name, others by what they do. Floor 7.

In: a :class:`~sipanalyzer.result.Result`. Out: a :class:`Scanner` for each host. A proxy that passes a scanner's
requests on is none: only the host that sent a Call-ID's first request counts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..options import Options
from ..result import Messages, Result, Transaction

__all__ = ["Scanner", "find_scanners"]

_KNOWN = re.compile(
    r"friendly-(?:scanner|request)|sipvicious|sundayddr|sipcli\b|sip-scan|vaxsipuseragent|vaxipuseragent|pplsip"
    r"|\biwar\b|siparmyknife|sivus|sipbomber|siprogue|\bsmap\b|sipflanker|svcrack|svmap|svwar",
    re.IGNORECASE,
)
"""What such programs call themselves in User-Agent (the SIPVicious suite, and the names that registrars' and proxies'
example configurations refuse)."""
_CHALLENGES = (401, 407)
_REFUSED = frozenset(range(400, 500)) - {480, 481, 486, 487, 491} - {408}
"""What doors that stay shut answer; busy and absent people are none."""
_DOORS = ("REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE")


@dataclass(frozen=True, slots=True)
class Scanner:
    """One host that tries doors."""

    address: str
    product: str | None
    """The name by which it is known; None where only what it does gives it away."""
    requests: int
    targets: int
    """Distinct combinations of receiver, Request-URI and To."""
    refused: int
    answered: int
    """With a final response."""
    taken: int
    """INVITE or REGISTER requests that were accepted."""
    rows: tuple[int, ...]
    """First rows of some of its requests."""


def find_scanners(result: Result) -> dict[str, Scanner]:
    """Find the hosts that scan, by address."""
    messages, options = result.messages, result.options
    if not len(messages):
        return {}
    named = _named(messages)
    suspects = _suspects(messages, options)
    if not named and not suspects:
        return {}
    found = {}
    for address, transactions in _first_sent(result, named.keys() | suspects).items():
        if address in named or _tries_doors(transactions, messages, options):
            found[address] = _describe(address, named.get(address), transactions, messages)
    return found


def _named(messages: Messages) -> dict[str, str]:
    """Senders of requests with a scanner's name."""
    numbers = [number for number, text in enumerate(messages.texts["user_agent"]) if _KNOWN.search(text[:200])]
    if not numbers:
        return {}
    rows = np.flatnonzero(np.isin(messages.user_agent, numbers) & (messages.status == 0))
    pairs = np.unique(np.stack([messages.src[rows], messages.user_agent[rows]]), axis=1).T.tolist()
    return {messages.endpoints[src][0]: messages.texts["user_agent"][agent] for src, agent in pairs}


def _suspects(messages: Messages, options: Options) -> set[str]:
    """Hosts that were refused often enough."""
    refused = np.flatnonzero(np.isin(messages.status, list(_REFUSED)))
    least = max(1, int(options.scanner_targets * options.scanner_failed_percent / 100))
    if len(refused) < least:
        return set()
    counts: dict[str, int] = defaultdict(int)
    ends, number = np.unique(messages.dst[refused], return_counts=True)
    for end, count in zip(ends.tolist(), number.tolist(), strict=True):
        counts[messages.endpoints[end][0]] += count
    return {address for address, count in counts.items() if count >= least}


def _first_sent(result: Result, addresses: set[str]) -> dict[str, list[Transaction]]:
    """Transactions of some hosts, those left out whose Call-ID another host used first: they were passed on."""
    first: dict[str, str] = {}
    sent: dict[str, list[Transaction]] = defaultdict(list)
    for each in result.transactions:
        address = each.src[0]
        if first.setdefault(each.call_id, address) == address and address in addresses and each.method in _DOORS:
            sent[address].append(each)
    return sent


def _target(transaction: Transaction, messages: Messages) -> tuple[str, int, int]:
    row = transaction.rows[0]
    return transaction.dst[0], int(messages.request_uri[row]), int(messages.to_uri[row])


def _tries_doors(transactions: list[Transaction], messages: Messages, options: Options) -> bool:
    """Whether many targets within the window refused; a challenge that was met is no refusal."""
    met = {
        (each.call_id, each.method)
        for each in transactions
        if each.status_code is not None and each.status_code >= 200 and each.status_code not in (401, 403, 407)
    }
    counted = [
        each for each in transactions if not (each.status_code in _CHALLENGES and (each.call_id, each.method) in met)
    ]
    return any(
        targets >= options.scanner_targets and refused * 100 >= options.scanner_failed_percent * answered
        for targets, refused, answered in _windows(counted, messages, options.scanner_window_ns)
        if answered
    )


def _windows(transactions: list[Transaction], messages: Messages, window_ns: int) -> Iterator[tuple[int, int, int]]:
    """Distinct targets, refusals and final responses of the time up to each transaction."""
    targets: dict[tuple[str, int, int], int] = defaultdict(int)
    refused = answered = begin = 0
    keys = [_target(each, messages) for each in transactions]
    for place, each in enumerate(transactions):
        targets[keys[place]] += 1
        refused += each.status_code in _REFUSED
        answered += each.final_response is not None
        while transactions[begin].start < each.start - window_ns:
            old = transactions[begin]
            targets[keys[begin]] -= 1
            if not targets[keys[begin]]:
                del targets[keys[begin]]
            refused -= old.status_code in _REFUSED
            answered -= old.final_response is not None
            begin += 1
        yield len(targets), refused, answered


def _describe(address: str, product: str | None, transactions: list[Transaction], messages: Messages) -> Scanner:
    return Scanner(
        address=address,
        product=product,
        requests=len(transactions),
        targets=len({_target(each, messages) for each in transactions}),
        refused=sum(each.status_code in _REFUSED for each in transactions),
        answered=sum(each.final_response is not None for each in transactions),
        taken=sum(
            each.method in ("INVITE", "REGISTER") and each.status_code is not None and 200 <= each.status_code < 300
            for each in transactions
        ),
        rows=tuple(each.rows[0] for each in transactions[:10]),
    )
