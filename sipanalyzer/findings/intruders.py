"""Hosts that try doors, as findings. Floor 7. Finds ``scanner``; who is one is :mod:`.scanning`'s."""

from __future__ import annotations

from collections.abc import Iterator

from ..facts import Finding
from .context import Context, Rule
from .phrases import many

__all__ = ["RULES", "scanner"]


def scanner(context: Context) -> Iterator[Finding]:
    """One finding a host; worse where a door opened."""
    for each in context.scanners.values():
        text = f"{each.address}" + (f" ({each.product[:60]})" if each.product else "")
        text += f" sent {many(each.requests, 'request')} to {many(each.targets, 'target')}; "
        text += f"{each.answered} were answered, {each.refused} of them with a refusal"
        if each.taken:
            text += f", and {many(each.taken, 'INVITE or REGISTER', 'INVITE or REGISTER requests')} accepted"
        yield context.finding(
            "scanner",
            text + ".",
            rows=each.rows,
            severity="error" if each.taken else None,
            affects=None,
        )


RULES: tuple[Rule, ...] = (scanner,)
