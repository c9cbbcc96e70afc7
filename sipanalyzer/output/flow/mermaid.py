"""A flow chart as a Mermaid sequence diagram: for wikis, tickets and documents that draw it themselves. Floor 8.

In: a chart. Out: text in Mermaid's language. Source: its documentation of sequence diagrams. Requests and what succeeds
are solid arrows, provisional responses dashed ones, failures end in a cross, media and keys in an open head.
"""

from __future__ import annotations

import datetime
import re

from ..cells import local_time
from .model import FlowChart, Fold, Keys, Media, Message, Note, Row
from .text_words import wrapped

__all__ = ["draw_mermaid", "escape"]

_ARROWS = {
    "invite": "->>",
    "request": "->>",
    "ending": "->>",
    "provisional": "-->>",
    "success": "->>",
    "redirect": "-->>",
    "challenge": "--x",
    "failure": "-x",
}
_PLAIN = re.compile(r"[^A-Za-z0-9 .,/+@()_=\[\]:?!'*\u00a1-\U0010ffff-]")
_DIRECTIVE = re.compile(r"^\s*(no)?wrap:", re.IGNORECASE)
_MOST = 48_000
"""Characters: renderers refuse a diagram of 50,000 (their default ``maxTextSize``)."""
_TEXT = 120
"""Characters of one line of a label."""
_LINE, _LINES = 72, 6
"""Characters of a line between two participants, about, and lines of one text; Mermaid itself breaks none."""
_HEAD = 32
"""Characters of a line that names a participant."""
_NOTE, _MORE = 40, 30
"""Characters of a line of a note over two participants that stand beside each other, and for each one more."""
_MOST_LEGS, _MOST_REMARKS = 12, 6


def escape(text: str) -> str:
    """Text that Mermaid shows as it is: what means something to it becomes a character number.

    Its lexer ends a statement at ``;`` and a line's end, begins a comment with ``%%`` and an entity with ``#``, and
    reads ``wrap:`` at the beginning of a label; what it makes is HTML, and ``$$`` begins a formula.
    """
    cut = text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
    harmless = _PLAIN.sub(lambda found: f"#{ord(found[0])};", cut)
    return harmless.replace(":", "#58;", 1) if _DIRECTIVE.match(harmless) else harmless


def draw_mermaid(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> str:
    """The chart in Mermaid's language.

    Parameters
    ----------
    chart : FlowChart
        What to draw.
    tz : datetime.tzinfo
        Zone of the time at which it begins.

    Returns
    -------
    str
        A whole diagram that begins with ``sequenceDiagram``. Where the rows are more than a renderer takes, details go
        first, then the last rows, and a note says so.
    """
    head = ["sequenceDiagram"]
    for at, who in enumerate(chart.participants):
        parts = [line for part in (who.name, who.address, who.detail) if part for line in wrapped(part, _HEAD, 3)]
        head.append(f"    participant p{at} as {'<br/>'.join(map(escape, parts)) or '?'}")
    if chart.participants:
        zone = "UTC" if tz is datetime.UTC else str(tz)
        legs = (
            [f"{number}: {leg.title}" for number, leg in enumerate(chart.legs, start=1)] if len(chart.legs) > 1 else []
        )
        if len(legs) > _MOST_LEGS:
            legs[_MOST_LEGS:] = [f"and {len(legs) - _MOST_LEGS} more legs"]
        told = [chart.title, *legs, f"from {local_time(chart.start, tz)} {zone}", *chart.remarks[:_MOST_REMARKS]]
        head.append(_over(0, len(chart.participants) - 1, told))
    for detailed in (True, False):
        lines = [line for row in chart.rows for line in _lines(row, chart, detailed)]
        if sum(map(len, head)) + sum(map(len, lines)) + len(lines) <= _MOST:
            return "\n".join([*head, *lines]) + "\n"
    room = _MOST - sum(map(len, head)) - 200
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return "\n".join([*head, *kept, _over(0, len(chart.participants) - 1, [f"{left} more rows are left out"])]) + "\n"


def _lines(row: Row, chart: FlowChart, detailed: bool) -> list[str]:
    offset = f"{row.offset / 1e9:.3f} s"
    leg = f"{row.leg + 1}: " if len(chart.legs) > 1 and row.leg is not None else ""
    match row:
        case Message():
            again = " (again)" if row.retransmission else ""
            told = [leg + row.label + again, *(_broken(row.detail) if detailed and row.detail else []), offset]
            return [_arrow(row.source, _ARROWS.get(row.kind, "->>"), row.target, told)]
        case Media():
            told = [
                leg + row.label,
                *(_broken(row.detail) if detailed else []),
                *([row.until] if row.until else []),
                offset,
            ]
            return [_arrow(row.source, "-)", row.target, told)]
        case Keys():
            return [_arrow(row.source, "-)", row.target, [f"{leg}keys {row.keys} ({row.method})", offset])]
        case Fold():
            return [_over(min(row.source, row.target), max(row.source, row.target), [leg + row.text])]
        case Note():
            about = " ".join(filter(None, (row.severity, row.code)))
            return [_over(row.first, row.last, [f"{leg}{about}: {row.text}" if about else leg + row.text])]


def _arrow(source: int, arrow: str, target: int, told: list[str]) -> str:
    return f"    p{source}{arrow}p{target}: {'<br/>'.join(map(escape, told))}"


def _broken(text: str) -> list[str]:
    """A text in lines."""
    return wrapped(text, _LINE, _LINES, parts=True)


def _over(first: int, last: int, told: list[str]) -> str:
    over = f"p{first}" if first == last else f"p{first},p{last}"
    room = _NOTE + _MORE * max(0, last - first - 1)
    lines = [line for each in told for line in wrapped(each, room, 2 * _LINES) or [""]]
    return f"    Note over {over}: {'<br/>'.join(map(escape, lines))}"
