"""What every rule reads: one result, indexed once, and the making of a finding. Floor 7.

In: a :class:`~sipanalyzer.result.Result`. Out: :class:`Context`, which rules look things up in, and which knows the
default severity, likelihood and advice of each code (:mod:`sipanalyzer.explanations`).
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import TypeVar

import numpy as np

from .. import explanations
from ..calls.bindings import Binding
from ..calls.rows import distinct
from ..calls.screening import count_matches
from ..facts import Endpoint, Finding, Outage
from ..network.endpoints import address_text
from ..options import Options
from ..result import Bools, Call, Dialog, Ints, Messages, Result, Stream, Transaction
from .scanning import Scanner, find_scanners

__all__ = ["MAX_FRAMES", "Context", "Rule", "Trouble"]

MAX_FRAMES = 10
"""Frames that a finding names at most."""
SHOWN_ROWS = 100
"""Messages looked at for a finding's frames: some may be of another capture, or of one frame."""
MAX_ACKS = 100
"""ACKs of one INVITE that are looked at: one a fork and hop, and nobody has more of them."""
ROTATION_NS = 1_000_000_000
"""Files of which one begins this soon after the other ends are one capture that was rotated."""

_T = TypeVar("_T", Transaction, Dialog)

Rule = Callable[["Context"], Iterable[Finding]]
"""A rule reads a result and finds one thing (or a family of things) wrong with it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Transactions that are worth a second look, in order of start; all others are left alone by every rule."""

    resent: list[Transaction] = field(default_factory=list)
    """Something in it was sent again."""
    silent: list[Transaction] = field(default_factory=list)
    """No response at all."""
    failed: list[Transaction] = field(default_factory=list)
    """Final response of 300 or more."""


class Context:
    """One result, indexed.

    Parameters
    ----------
    result : Result
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self.options: Options = result.options
        self.messages: Messages = result.messages
        self.calls: dict[str, Call] = {call.call_id: call for call in result.calls}

    @cached_property
    def with_streams(self) -> list[Call]:
        """Calls that have media in this capture."""
        return [call for call in self.result.calls if call.streams]

    @cached_property
    def refused(self) -> list[Call]:
        """Calls that ended with a final response of 400 or more."""
        return [call for call in self.result.calls if (call.status_code or 0) >= 400]

    @cached_property
    def address_pairs(self) -> set[tuple[str, str]]:
        """Addresses that SDP names for media, each with the one that its SIP came from."""
        bound: Mapping[str, Sequence[Binding]] = self.result.extra.get("bindings", {})
        ends = map(attrgetter("socket", "signalling"), itertools.chain.from_iterable(bound.values()))
        pairs = {(high, low, sip_high, sip_low) for (high, low, _), (sip_high, sip_low, _) in ends}
        return {(address_text(*pair[:2]), address_text(*pair[2:])) for pair in pairs}

    @cached_property
    def transactions(self) -> dict[str, list[Transaction]]:
        """By Call-ID, in order of time."""
        return _grouped(self.result.transactions)

    @cached_property
    def dialogs(self) -> dict[str, list[Dialog]]:
        """By Call-ID, in order of time."""
        return _grouped(self.result.dialogs)

    @cached_property
    def trouble(self) -> Trouble:
        """What went wrong with requests, found in one pass."""
        found = Trouble()
        for each in self.result.transactions:
            if each.retransmissions:
                found.resent.append(each)
            if each.status_code is None:
                if each.method != "ACK":
                    found.silent.append(each)
            elif each.status_code >= 300:
                found.failed.append(each)
        return found

    @cached_property
    def acknowledgements(self) -> dict[tuple[str, int], list[Transaction]]:
        """ACKs with transactions of their own, those for 2xx, by Call-ID and CSeq number."""
        found: dict[tuple[str, int], list[Transaction]] = defaultdict(list)
        for each in self.result.transactions:
            if each.method == "ACK":
                mine = found[each.call_id, int(self.messages.cseq[each.rows[0]])]
                if len(mine) < MAX_ACKS:
                    mine.append(each)
        return found

    @cached_property
    def scanners(self) -> dict[str, Scanner]:
        """Hosts that try doors, by address."""
        return find_scanners(self.result)

    @cached_property
    def watched_until(self) -> tuple[int, ...]:
        """For each capture, the time (ns) until which it, or the file that it was rotated into, went on."""
        captures = self.result.captures
        spans = sorted(
            (each.first, each.last, number)
            for number, each in enumerate(captures)
            if each.first is not None and each.last is not None
        )
        groups: list[tuple[int, list[int]]] = []
        for first, last, number in spans:
            if groups and first <= groups[-1][0] + ROTATION_NS:
                until, members = groups[-1]
                members.append(number)
                groups[-1] = (max(until, last), members)
            else:
                groups.append((last, [number]))
        ends = {number: until for until, members in groups for number in members}
        return tuple(ends.get(number, 0) for number in range(len(captures)))

    def method(self, name: str) -> int:
        """Number of a method in `Messages.method`; -2 where no message has it."""
        methods = self.messages.texts.get("method", [])
        return methods.index(name) if name in methods else -2

    def requests(self, *methods: str) -> Bools:
        """Which messages are requests of these methods, and no retransmissions."""
        numbers = [self.method(name) for name in methods]
        messages = self.messages
        found: Bools = (messages.status == 0) & np.isin(messages.method, numbers) & ~messages.retransmission
        return found

    def heard(self, src: str, dst: str) -> bool:
        """Whether any SIP message from one host to another was captured."""
        return (src, dst) in self._heard

    @cached_property
    def _heard(self) -> set[tuple[str, str]]:
        messages = self.messages
        if not len(messages):
            return set()
        ends = len(messages.endpoints)
        host = [address for address, _ in messages.endpoints]
        ways = distinct(messages.src * ends + messages.dst).tolist()
        return {(host[way // ends], host[way % ends]) for way in ways}

    def is_one_sided(self, transaction: Transaction) -> bool:
        """Whether its receiver must have spoken to its sender, and none of that was captured."""
        captures = self.result.captures
        pairs = captures[transaction.capture].one_sided if captures else ()
        return bool(pairs) and (transaction.src[0], transaction.dst[0]) in pairs

    @cached_property
    def unreachable(self) -> dict[tuple[str, Endpoint], tuple[str, ...]]:
        """By host and the socket that it cannot reach: codes of what the network said of that."""
        found: dict[tuple[str, Endpoint], tuple[str, ...]] = {}
        faults = [((each.src[0], each.dst), "icmp-unreachable") for each in self.result.icmp]
        for each in self.result.connections:
            code = "tls-handshake-failure" if each.fault.startswith("tls") else "tcp-connect-failed"
            faults.append(((each.client[0], each.server), code))
        for key, code in faults:
            if code not in found.get(key, ()):
                found[key] = (*found.get(key, ()), code)
        return found

    @cached_property
    def outages(self) -> dict[int, list[Outage]]:
        """Holes of five packets and more, by number of the stream."""
        found: dict[int, list[Outage]] = defaultdict(list)
        for each in self.result.outages:
            found[each.stream].append(each)
        return found

    @cached_property
    def _strangers(self) -> dict[str, tuple[list[int], list[int]]]:
        """When RTP that belongs to no call came from or went to an address: spans that do not touch, in order."""
        spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for stream in self.result.streams:
            if stream.call_id is None:
                for address in {stream.src[0], stream.dst[0]}:
                    spans[address].append((stream.start, stream.end))
        found: dict[str, tuple[list[int], list[int]]] = {}
        for address, each_of in spans.items():
            begins, ends = found[address] = ([], [])
            for begin, end in sorted(each_of):
                if ends and begin <= ends[-1]:
                    ends[-1] = max(ends[-1], end)
                else:
                    begins.append(begin)
                    ends.append(end)
        return found

    def has_strangers(self, address: str, begin: int, end: int) -> bool:
        """Whether RTP that belongs to no call came from or went to an address between two times."""
        begins, ends = self._strangers.get(address, ([], []))
        place = bisect.bisect_left(ends, begin)
        return place < len(ends) and begins[place] <= end

    @cached_property
    def offers_inside(self) -> dict[str, list[int]]:
        """By Call-ID, rows of the INVITE and UPDATE requests inside a dialog that carry a body, in order of time."""
        messages = self.messages
        rows = np.flatnonzero(self.requests("INVITE", "UPDATE") & (messages.to_tag >= 0) & (messages.body_length > 0))
        return self.by_call(rows)

    def search(
        self, pattern: re.Pattern[bytes], rows: Ints, *, body: bool = False
    ) -> Iterator[tuple[int, re.Match[bytes]]]:
        """The messages of some rows (or their bodies) in which a pattern that spans no two messages is found."""
        messages = self.messages
        rows = rows[count_matches(messages, rows, pattern, body=body) > 0]
        at, length = (messages.body_at, messages.body_length) if body else (messages.at, messages.length)
        data = np.ascontiguousarray(messages.data).data
        for row, begin, size in zip(rows.tolist(), at[rows].tolist(), length[rows].tolist(), strict=True):
            match = pattern.search(data, begin, begin + size)
            if match is not None:
                yield row, match

    def by_call(self, rows: Ints) -> dict[str, list[int]]:
        """Rows by their Call-ID."""
        texts = self.messages.texts["call_id"] if len(rows) else []
        groups: dict[str, list[int]] = defaultdict(list)
        for row, call_id in zip(rows.tolist(), self.messages.call_id[rows].tolist(), strict=True):
            if call_id >= 0:
                groups[texts[call_id]].append(row)
        return groups

    def streams(self, call: Call) -> list[tuple[int, Stream]]:
        """A call's streams with their numbers."""
        return [(number, self.result.streams[number]) for number in call.streams]

    def finding(
        self,
        code: str,
        explanation: str,
        *,
        call: Call | str | None = None,
        stream: int | None = None,
        rows: Iterable[int] = (),
        frames: Iterable[int] = (),
        capture: int | None = None,
        time: int | None = None,
        severity: str | None = None,
        affects: str | None = None,
        doubtful: str | None = None,
        causes: tuple[str, ...] = (),
        likelihood: int | None = None,
        advice: str | None = None,
    ) -> Finding:
        """A finding, completed.

        Parameters
        ----------
        code : str
            One that ``explanations/finding.toml`` has.
        explanation : str
            One sentence with the measured values.
        call : Call or str, optional
            The call it concerns, or its Call-ID.
        stream : int, optional
            The stream it concerns (index into `Result.streams`); names the call where `call` does not.
        rows : iterable of int
            Messages that show it; time, capture and frames are theirs.
        frames, capture, time
            Likewise, where it is no message that shows it.
        severity, likelihood, advice
            Where the case differs from the code's default.
        affects : str, optional
            Who notices.
        doubtful : str, optional
            Why the severity is lower than the code's.
        causes : tuple of str
            Codes that it is a consequence of.
        """
        text = explanations.explanation("finding", code)
        shown = sorted(rows)[:SHOWN_ROWS]
        if shown:
            messages = self.messages
            capture = int(messages.capture[shown[0]]) if capture is None else capture
            time = int(messages.time[shown[0]]) if time is None else time
            frames = [*frames, *(int(messages.frame[row]) for row in shown if int(messages.capture[row]) == capture)]
        if stream is not None:
            seen = self.result.streams[stream]
            call = seen.call_id if call is None else call
            capture = seen.capture if capture is None else capture
            time = seen.start if time is None else time
            frames = list(frames) or [seen.first_frame]
        numbers = tuple(itertools.islice(dict.fromkeys(frames), MAX_FRAMES))
        return Finding(
            code=code,
            severity=severity or text.severity or "info",
            explanation=explanation,
            advice=advice or text.advice or "",
            call_id=call.call_id if isinstance(call, Call) else call,
            stream=stream,
            time=time,
            capture=capture,
            frame=numbers[0] if numbers else None,
            frames=numbers,
            affects=affects,
            doubtful=doubtful,
            causes=causes,
            likelihood=text.likelihood if likelihood is None else likelihood,
        )


def _grouped(things: Iterable[_T]) -> dict[str, list[_T]]:
    groups: dict[str, list[_T]] = defaultdict(list)
    for thing in things:
        groups[thing.call_id].append(thing)
    return groups
