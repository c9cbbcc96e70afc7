"""What each row of a flow chart says on a terminal, before anybody knows where it stands. Floor 8.

In: rows of a chart. Out: :class:`Words`: harmless texts with their styles, the same for the ladder
(:mod:`.text_ladder`) and for the list (:mod:`.text_list`). What came from the wire is made harmless here, and nowhere
else in the text renderer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...result import host_port
from ..cells import visible
from ..terminal import cut, width_of
from .model import FlowChart, Fold, Keys, Media, Message, Participant, Row
from .palette import KINDS, SEVERITY, loss_step

__all__ = [
    "ALARM",
    "QUIET",
    "Words",
    "frame_text",
    "leg_names",
    "letters",
    "run_of_loss",
    "severity_style",
    "sip_ports",
    "socket_text",
    "words_of",
    "wrapped",
]

QUIET, ALARM = "dim", "bold yellow"
_SHADES = (("·", "green"), ("░", "yellow"), ("▒", "bold yellow"), ("▓", "red"), ("█", "bold red"))
"""How a part of a stream's time is drawn, one for each step of :data:`.palette.LOSS_STEPS`."""
_MARKS = "@:;,./?=&"
"""A word that is too long for a line, a URI mostly, is torn behind one of these."""
_SHAFTS = {"invite": "─", "request": "─", "ending": "─", "success": "─", "failure": "━"}
"""Strokes of arrows by kind; those not named are dashed."""


@dataclass(frozen=True, slots=True)
class Words:
    """One row in words."""

    label: str
    style: str
    after: str
    """Quieter, on the same line: the method that a response answers, ``(again)``; before a finding, its code."""
    detail: str
    """Quieter, beneath where there is no room beside it."""
    shaft: str
    """Character of its line."""
    needed: bool
    """Whether the detail is told even where there is little room."""
    more: str = ""
    """Behind the detail, where it fits on its line."""
    tone: str = QUIET
    """Style of the detail."""
    alarm: str = ""
    """Beneath: how a stream ended."""
    alarm_style: str = ALARM
    """Quieter where the stream is in no finding."""


def words_of(row: Row, ports: Sequence[frozenset[int]]) -> Words:
    """What a row says; `ports` are the participants' (see :func:`sip_ports`)."""
    if isinstance(row, Message):
        return _message_words(row, ports)
    if isinstance(row, Media):
        style = severity_style(row.severity) or "bold"
        ways = f"port {row.ports[0]} > {row.ports[1]}"
        return Words(
            visible(row.label), style, after="", detail=visible(row.detail), shaft="═", needed=True, more=ways,
            tone="" if row.severity else QUIET, alarm=visible(row.until or ""),
            alarm_style=ALARM if row.severity else "yellow",
        )  # fmt: skip
    if isinstance(row, Keys):
        return Words(f"keys {visible(row.keys)}", "bold", f"({visible(row.method)})", "", "┄", True)
    if isinstance(row, Fold):
        count = len(row.messages)
        style = _quieter(_style(row.kind))
        return Words(visible(row.text), style, f"({count:,} message{'' if count == 1 else 's'})", "", "┈", False)
    if row.severity is None:
        return Words(visible(row.text), "", "", "", "┈", True)
    head = f"{row.severity} {row.code}" if row.code else row.severity
    head += ": " if row.text else ""
    return Words(visible(row.text), severity_style(row.severity), visible(head), "", "▌", True)


def _message_words(row: Message, ports: Sequence[frozenset[int]]) -> Words:
    style = _style(row.kind)
    detail = visible(row.detail or "")
    after = []
    answered = f"({visible(row.method)})" if row.status and row.method else ""
    if answered and detail.startswith(answered):  # beside the label, whatever stands beneath
        after.append(answered)
        detail = detail.removeprefix(answered).lstrip("; ")
    if row.retransmission:
        after.append("(again)")
        style = _quieter(style)
    several = any(len(ports[each]) > 1 for each in (row.source, row.target))
    ways = f"port {row.ports[0]} > {row.ports[1]}" if several else ""
    shaft = "·" if row.retransmission else _SHAFTS.get(row.kind, "╌")
    return Words(visible(row.label), style, " ".join(after), detail, shaft, False, ways)


def _style(kind: str) -> str:
    return KINDS[kind].terminal if kind in KINDS else ""


def _quieter(style: str) -> str:
    return f"dim {style.replace('bold', '')}".strip()


def severity_style(severity: str | None) -> str:
    """Style of a severity."""
    return SEVERITY[severity].terminal if severity in SEVERITY else ""


# ---- names and numbers
def sip_ports(chart: FlowChart) -> list[frozenset[int]]:
    """Ports from and to which each participant's SIP goes."""
    ports: list[set[int]] = [set() for _ in chart.participants]
    for row in chart.rows:
        if isinstance(row, Message):
            ports[row.source].add(row.ports[0])
            ports[row.target].add(row.ports[1])
    return [frozenset(each) for each in ports]


def socket_text(participant: Participant, ports: frozenset[int]) -> str:
    """Its address; with its port where all its SIP goes through one."""
    address = visible(participant.address)
    bare = ":" not in address or (address.count(":") > 1 and not address.startswith("["))
    if len(ports) == 1 and bare:
        return host_port((address, next(iter(ports))))
    return address


def frame_text(row: Row, several: bool) -> str:
    """Frame number of a row; behind the number of its capture where there are `several`."""
    if isinstance(row, Fold) or row.frame is None:
        return ""
    return f"{(row.capture or 0) + 1}:{row.frame}" if several else str(row.frame)


def leg_names(count: int) -> list[str]:
    """``[1]``, ``[2]`` and so on; empty where there is one leg."""
    return [f"[{number}]" for number in range(1, count + 1)] if count > 1 else [""] * count


def letters(count: int) -> list[str]:
    """``A`` to ``Z``, ``AA`` and so on."""
    names: list[str] = []
    for number in range(count):
        name, number = "", number + 1
        while number:
            number, letter = divmod(number - 1, 26)
            name = chr(ord("A") + letter) + name
        names.append(name)
    return names


# ---- loss over time
def run_of_loss(shades: Sequence[float], width: int) -> list[tuple[str, str]]:
    """Loss over time as shaded characters with their styles, at most `width`; nothing where nothing was lost.

    Parameters
    ----------
    shades : sequence of float
        Percent, in equal parts of time; where there are more than `width`, neighbours share a character, the worst of
        them.
    width : int
        Characters at most.
    """
    if width < 1 or len(shades) < 2 or not any(shades):
        return []
    share = -(-len(shades) // width)
    grouped = [max(shades[at : at + share]) for at in range(0, len(shades), share)]
    times = max(1, min(3, width // len(grouped)))
    runs: list[tuple[str, str]] = []
    for percent in grouped:
        character, style = _SHADES[loss_step(percent)]
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + character * times, style)
        else:
            runs.append((character * times, style))
    return runs


# ---- wrapping
def wrapped(text: str, width: int, most: int, *, parts: bool = False) -> list[str]:
    """The text on at most `most` lines no wider than `width` (1 or more), cut with ``…`` where that is too little.

    With `parts`, what stands between commas or semicolons is not torn apart where it is short: ``MOS 4.37 NB``.
    """
    lines: list[str] = []
    line, used = "", 0
    words = _parts(text, width) if parts else text.split()
    for at, word in enumerate(words):
        wide = width_of(word)
        if used and used + 1 + wide > width and len(lines) < most - 1:
            lines.append(line)
            line, used = "", 0
        if len(lines) == most - 1:  # the last: all that is left, cut
            rest = " ".join(words[at:])
            return [*lines, cut(f"{line} {rest}" if used else rest, width)]
        while wide > width and len(lines) < most - 1:
            part = cut(word + "  ", width + 1).removesuffix("…")
            if not part:
                break
            mark = max(part.rfind(each) for each in _MARKS) + 1
            part = part[:mark] if mark > len(part) // 2 else part
            lines.append(part)
            word = word[len(part) :]
            wide = width_of(word)
        if wide > width:
            return [*lines, cut(" ".join([word, *words[at + 1 :]]), width)]
        line, used = (f"{line} {word}", used + 1 + wide) if used else (word, wide)
    return [*lines, line] if line else lines


def _parts(text: str, width: int) -> list[str]:
    """Words; those of a part up to its comma or semicolon are one where it is not wider than half a line."""
    words: list[str] = []
    part: list[str] = []
    for word in [*text.split(), ""]:
        if word:
            part.append(word)
        if part and (not word or word[-1] in ",;"):
            whole = " ".join(part)
            words += [whole] if width_of(whole) <= width // 2 else part
            part = []
    return words
