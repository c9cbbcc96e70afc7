"""Which columns the browser shows of each table, under which heading and how wide. Floor 9, standard library only.

In: names of tables and columns. Out: :class:`Sight`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..output.columns import COLUMNS, column
from ..output.terminal import width_of

__all__ = ["SHOWN", "Sight", "all_sights", "first_sights", "lay_out_sights"]

_MOST = 1_000
_FAIR = 16
"""Width that every column gets before one gets more: names of people and of findings are seldom longer."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A column as the browser shows it."""

    name: str
    head: str
    least: int
    """Width that it is not cut below."""
    most: int


_TEXTS = {
    "calls": "start:start:8:23 caller:caller:8:24 callee:callee:8:24 state:state:9:10 status_code:code:4:4 "
    "post_dial_delay_ms:PDD ms:6:7 duration_s:dur s:6:9 mos:MOS:4:4 loss_percent:loss%:5:6 findings:findings:10:40 "
    "call_id:Call-ID:12:60",
    "registrations": "start:start:8:23 aor:address of record:24:40 state:state:12:12 status_code:code:4:4 "
    "registrar:registrar:14:22 expires_s:expires s:9:9 registration_delay_ms:delay ms:8:9 attempts:tries:5:5 "
    "contact:contact:14:40 call_id:Call-ID:12:60",
    "transactions": "start:start:8:23 method:method:9:10 src:from:14:22 dst:to:14:22 status_code:code:4:4 "
    "final_response_ms:answer ms:9:9 retransmissions:again:5:5 call_id:Call-ID:12:60",
    "findings": "severity:severity:8:8 code:finding:16:24 time:time:8:23 call_id:Call-ID:14:34 frame:frame:6:8 "
    "ssrc:SSRC:10:10 affects:affects:10:30 explanation:explanation:20:120",
    "streams": "start:start:8:23 src:from:12:16 dst:to:12:16 codec:codec:6:10 packets:packets:7:8 "
    "loss_percent:loss%:5:6 max_jitter_ms:jitter:6:7 mos:MOS:4:4 duration_s:dur s:7:9 findings:findings:12:40 "
    "direction:direction:10:16 ssrc:SSRC:10:10 call_id:Call-ID:12:60",
    "captures": "file:file:20:60 packets:packets:7:9 first:first:19:23 grade:grade:5:5",
}


def _parsed(text: str) -> tuple[Sight, ...]:
    found = []
    for item in text.replace(" of record", "_of_record").replace(" ms", "_ms").replace(" s:", "_s:").split():
        name, head, least, most = item.split(":")
        found.append(Sight(name, head.replace("_", " "), int(least), int(most)))
    return tuple(found)


SHOWN: dict[str, tuple[Sight, ...]] = {name: _parsed(text) for name, text in _TEXTS.items()}
"""By table: what is shown until somebody chooses other columns, from left to right."""


def first_sights(table: str) -> list[Sight]:
    """What is shown of a table to begin with."""
    return list(SHOWN[table])


def all_sights(table: str) -> list[Sight]:
    """Every column of a table: those shown first in their order, then the others in that of the table."""
    shown = {each.name: each for each in SHOWN[table]}
    others = [Sight(each.name, each.name, min(len(each.name), 14), 40) for each in COLUMNS[table]]
    return [*shown.values(), *(each for each in others if each.name not in shown)]


def lay_out_sights(
    sights: list[Sight],
    heads: list[str],
    natural: list[int],
    room: int,
    gap: int = 1,
    late: Mapping[int, Sequence[int]] | None = None,
) -> list[int]:
    """How wide each column is drawn.

    Parameters
    ----------
    sights : list of Sight
        The columns.
    heads : list of str
        Their headings, as they are drawn now.
    natural : list of int
        Width of the widest value of each, so far as it was looked at.
    room : int
        Columns of the screen.
    gap : int
        Columns between two.
    late : mapping of int to sequence of int, optional
        By place: widths that a column may grow to once the others have a fair one (times get a date and fractions).

    Returns
    -------
    list of int
        Each at least as wide as its heading; the first grow first where there is room, to a fair width before any has
        all it wishes. Where not all fit, the last are beyond the screen's edge: the list then moves sideways.
    """
    least = [width_of(head) for head in heads]
    wishes = [max(own, min(wide, each.most)) for each, own, wide in zip(sights, least, natural, strict=True)]
    widths = [min(max(each.least, own), wish) for each, own, wish in zip(sights, least, wishes, strict=True)]
    fitting = len(widths)
    while fitting > 1 and sum(widths[:fitting]) + gap * (fitting - 1) > room:
        fitting -= 1
    free = room - sum(widths[:fitting]) - gap * (fitting - 1)
    late = late or {}
    for limit in (_FAIR, _MOST):
        for at in range(fitting):
            if at not in late:
                grow = max(0, min(min(wishes[at], limit) - widths[at], free))
                widths[at] += grow
                free -= grow
        for at, steps in late.items():
            for step in steps:
                if at < fitting and 0 < step - widths[at] <= free:
                    free -= step - widths[at]
                    widths[at] = step
    return widths


def right_aligned(table: str, name: str) -> bool:
    """Whether a column holds numbers."""
    return column(table, name).dtype in ("int", "float")
