"""Registrations that failed. Floor 7.

Finds ``registration-failure``: one finding an address of record and registrar. Who was asked for credentials once and
never came back may have changed his mind, or the capture ended; who was asked again in spite of them was refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..calls.authentication import RETRY_NS
from ..facts import Endpoint, Finding, Registration
from ..result import host_port
from .context import Context, Rule
from .phrases import listing, many, status_line

__all__ = ["RULES", "registration_failure"]


def registration_failure(context: Context) -> Iterator[Finding]:
    """Registrations that were refused, or that nobody answered."""
    groups: dict[tuple[str | None, str], list[Registration]] = defaultdict(list)
    for each in context.result.registrations:
        groups[each.aor, each.registrar[0]].append(each)
    for members in groups.values():
        failed = [each for each in members if _has_failed(context, each)]
        failed = [each for each in failed if each.source[0] not in context.scanners]
        if failed:
            yield _failure(context, members, failed)


def _has_failed(context: Context, registration: Registration) -> bool:
    if registration.state == "rejected":
        return True
    rows, messages = registration.rows, context.messages
    if not rows:
        return False
    until = context.watched_until[registration.capture] if context.watched_until else 0
    waited = until - int(messages.time[rows[-1]])
    if registration.state == "challenged":
        # not where a retry, or its answer, may have come after the capture ended
        refused = int(messages.status[rows[-1]]) in (401, 407)
        return registration.attempts > 1 and refused and waited >= RETRY_NS
    if registration.state != "no-response":
        return False
    copies = sum(bool(messages.retransmission[row]) for row in rows)
    if copies >= max(1, context.options.unanswered_retransmissions):
        return True
    waited = until - int(messages.time[rows[0]])
    heard = context.heard(registration.registrar[0], registration.source[0])
    return heard and waited >= context.options.transaction_timeout_ns


def _failure(context: Context, members: list[Registration], failed: list[Registration]) -> Finding:
    last = failed[-1]
    registrar: Endpoint = last.registrar
    text = f"{last.aor or 'An unknown address of record'} could not register at {host_port(registrar)}: "
    text += listing(_why(context, each) for each in failed)
    if len(members) > 1:
        text += f" ({len(failed)} of {many(len(members), 'attempt')} failed)"
    later = any(each.state in ("registered", "unregistered") and each.start > last.start for each in members)
    shown = [row for each in failed[:10] for row in (*each.rows[:1], *each.rows[-1:])]
    return context.finding(
        "registration-failure",
        text + ("; a later one succeeded." if later else "."),
        call=failed[0].call_id,
        rows=shown,
        frames=[] if shown else [failed[0].first_frame],
        capture=failed[0].capture,
        time=failed[0].start,
        severity="warning" if later else None,
        affects=last.aor,
    )


def _why(context: Context, registration: Registration) -> str:
    status = registration.status_code
    if status is None:
        return "no response"
    messages = context.messages
    final = next((row for row in reversed(registration.rows) if int(messages.status[row]) == status), None)
    line = status_line(status, None if final is None else messages.text("reason", final))
    if status == 403 and registration.attempts > 1:
        return f"{line}, the credentials were refused"
    return f"{line} in spite of credentials" if status in (401, 407) and registration.attempts > 1 else line


RULES: tuple[Rule, ...] = (registration_failure,)
