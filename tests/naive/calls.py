"""Slow obvious twins of sipanalyzer.calls: each looks at every earlier message again."""

from __future__ import annotations

from sipanalyzer.result import Messages


def naive_copies(entries: list[tuple[int, int, int, int]], limit: int) -> tuple[list[bool], list[bool]]:
    """(whole, src, dst, time) in order of time -> (retransmission, duplicate)."""
    again, duplicate = [], []
    for place, (whole, src, dst, time) in enumerate(entries):
        before = [entry[3] for entry in entries[:place] if entry[:3] == (whole, src, dst)]
        again.append(bool(before) and time - before[-1] >= limit)
        duplicate.append(bool(before) and time - before[-1] < limit)
    return again, duplicate


def naive_transactions(messages: Messages) -> list[tuple[int, ...]]:
    """Rows of each transaction, by searching all earlier transactions, latest first."""

    def text(column: str, row: int) -> str | None:
        return messages.text(column, row)

    def key(row: int) -> tuple[object, ...]:
        method = text("method", row)
        if method == "ACK" and not messages.status[row]:
            method = "INVITE"
        branch = text("branch", row)
        stand_in = text("from_tag", row) if branch is None else None
        return text("call_id", row), int(messages.cseq[row]), method, branch, stand_in

    def ends(row: int) -> tuple[tuple[str, int], tuple[str, int]]:
        pair = messages.endpoints[messages.src[row]], messages.endpoints[messages.dst[row]]
        return (pair[1], pair[0]) if messages.status[row] else pair

    def hosts(row: int) -> set[str]:
        return {end[0] for end in ends(row)}

    def final(group: list[int]) -> int:
        return next((int(messages.status[row]) for row in group if messages.status[row] >= 200), 0)

    groups: list[list[int]] = []
    for row in range(len(messages)):
        method, status = text("method", row), int(messages.status[row])
        if text("call_id", row) is None:
            continue
        others = [group for group in reversed(groups) if text("method", group[0]) != "ACK"]
        same = [group for group in others if key(group[0]) == key(row)]
        exact = [group for group in same if ends(group[0]) == ends(row)]
        if status:
            near = [group for group in same if hosts(group[0]) == hosts(row)]
            found = (exact or near or same or [None])[0]
            if found is not None:
                found.append(row)
            continue
        if method == "ACK":
            unanswered = [group for group in exact[:1] if not 200 <= final(group) < 300]
            number = (text("call_id", row), int(messages.cseq[row]), text("to_tag", row))
            refusals = [
                (member, group)
                for group in others
                for member in group
                if messages.status[member] >= 300
                and text("method", member) == "INVITE"
                and (text("call_id", member), int(messages.cseq[member]), text("to_tag", member)) == number
                and hosts(member) == hosts(row)
            ]
            acks = [
                g for g in groups if text("method", g[0]) == "ACK" and (key(g[0]), ends(g[0])) == (key(row), ends(row))
            ]
            found = (unanswered or [group for _, group in sorted(refusals, reverse=True)] or acks or [None])[0]
        else:
            branchless = text("branch", row) is None
            found = (exact or [None])[0]
            if found and branchless and text("request_uri", found[0]) != text("request_uri", row):
                found = None
        if found is None:
            groups.append([row])
        else:
            found.append(row)
    return [tuple(group) for group in groups]


def naive_calls(messages: Messages) -> dict[str, tuple[tuple[int, ...], bool]]:
    """Call-ID -> (rows, partial) of every call, by reading the contract's words again for every message."""
    found = {}
    for call_id in {messages.text("call_id", row) for row in range(len(messages))} - {None}:
        rows = tuple(row for row in range(len(messages)) if messages.text("call_id", row) == call_id)
        requests = [
            (messages.text("method", row), messages.text("to_tag", row)) for row in rows if not messages.status[row]
        ]
        answered = [messages.text("method", row) for row in rows if messages.status[row]]
        initial = ("INVITE", None) in requests
        shows = {"INVITE", "ACK", "BYE", "PRACK", "CANCEL"}
        rest = any(method in shows for method in (*answered, *(method for method, _ in requests)))
        inside = any(method in ("UPDATE", "INFO") and tag is not None for method, tag in requests)
        if initial or rest or inside:
            found[str(call_id)] = rows, not initial
    return found
