"""Raw messages for people: headers coloured, SDP, and what tells two messages apart. Floor 9, no Textual.

In: messages of a result. Out: styled lines (see :mod:`..output.terminal`), harmless whatever was on the wire.
"""

from __future__ import annotations

import datetime
import difflib
import itertools
import re
from collections.abc import Iterable, Sequence

from ..output.cells import local_time, visible
from ..output.flow.palette import KINDS, message_kind
from ..output.secrets import without_secrets
from ..output.terminal import Line, cut, width_of, wrap
from ..result import TRANSPORTS, Messages, Result, host_port

__all__ = ["difference_lines", "folded", "message_lines", "message_text", "raw_lines", "title_of"]

_HEADER = re.compile(r"([A-Za-z0-9!%*_+`'~.-]{1,64})([ \t]*:)(.*)", re.DOTALL)
_SDP = re.compile(r"([a-z])=(.*)", re.DOTALL)
_NAME, _BODY, _MEDIA, _QUIET = "cyan", "magenta", "bold magenta", "dim"
_LOUD = frozenset({"from", "f", "to", "t", "call-id", "i", "cseq", "contact", "m", "reason", "warning"})
"""Headers whose values stand out."""
_MOST_LINES = 20_000
"""Lines of a message that are shown."""


def message_text(messages: Messages, row: int, *, secrets: bool = False) -> list[str]:
    r"""The lines of a message, harmless: control characters stand as ``\x1b``, bytes that are no UTF-8 as ``\xff``.

    Answers to challenges and keys are blanked, unless `secrets`.
    """
    raw = messages.raw(row)
    text = (raw if secrets else without_secrets(raw)).decode("utf-8", "backslashreplace")
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"... {len(lines) - _MOST_LINES:,} lines more"]
    return [visible(line.expandtabs(8)) for line in lines]


def _painted(lines: Sequence[str], kind: str) -> list[Line]:
    """Start line, names of headers, and SDP in colours."""
    painted: list[Line] = []
    body = False
    started = False
    for line in lines:
        if not started:
            painted.append([(line, KINDS[kind].terminal or "bold")])
            started = bool(line.strip())
        elif body:
            match = _SDP.fullmatch(line)
            if match is None:
                painted.append([(line, "")])
            else:
                painted.append([(f"{match[1]}=", _BODY), (match[2], _MEDIA if match[1] == "m" else "")])
        elif not line:
            body = True
            painted.append([])
        else:
            match = _HEADER.fullmatch(line)
            if match is None:
                painted.append([(line, "")])
            else:
                style = "bold" if match[1].lower() in _LOUD else ""
                painted.append([(match[1] + match[2], _NAME), (match[3], style)])
    return painted


def folded(line: Line, width: int) -> list[Line]:
    """A line on several no wider than `width`; those that follow stand two columns in."""
    if width < 8 or sum(width_of(text) for text, _ in line) <= width:
        return [line]
    lines: list[Line] = [[]]
    used = 0
    for text, style in line:
        while text:
            part = cut(text + " ", width - used + 1).removesuffix("…") if width_of(text) > width - used else text
            if not part and used <= 2:
                part = text[0]
            if part:
                lines[-1].append((part, style))
                used += width_of(part)
                text = text[len(part) :]
            if text:
                lines.append([("  ", "")])
                used = 2
    return lines


def title_of(result: Result, row: int, tz: datetime.tzinfo) -> str:
    """When, in which frame, from where to where."""
    messages = result.messages
    src, dst = (host_port(messages.endpoints[int(each[row])]) for each in (messages.src, messages.dst))
    several = f" of {result.captures[int(messages.capture[row])].file}" if len(result.captures) > 1 else ""
    again = ", sent again" if messages.retransmission[row] else ""
    cut_off = ", cut off in the capture" if messages.truncated[row] else ""
    return visible(
        f"{local_time(int(messages.time[row]), tz)}  frame {int(messages.frame[row])}{several}  {src} > {dst}  "
        f"{TRANSPORTS[int(messages.transport[row])]}, {int(messages.length[row])} bytes{again}{cut_off}"
    )


def message_lines(
    result: Result,
    row: int,
    tz: datetime.tzinfo = datetime.UTC,
    *,
    width: int | None = None,
    paint: bool = True,
    title: bool = True,
) -> list[Line]:
    """One message as styled lines.

    Parameters
    ----------
    result, row
        Which.
    tz : datetime.tzinfo
        Zone of its time.
    width : int, optional
        Where long lines are broken; None: they run on.
    paint : bool
        Whether headers are coloured.
    title : bool
        Whether a line above says when and from where.
    """
    messages = result.messages
    texts = message_text(messages, row, secrets=result.options.show_secrets)
    kind = message_kind(int(messages.status[row]), messages.text("method", row))
    lines = _painted(texts, kind) if paint else [[(text, "")] for text in texts]
    if title:
        told = title_of(result, row, tz)
        lines = [*([(part, _QUIET)] for part in (wrap(told, width) if width is not None else [told])), *lines]
    if width is None:
        return lines
    return [part for line in lines for part in folded(line, width)]


def raw_lines(
    result: Result,
    rows: Iterable[int],
    tz: datetime.tzinfo,
    *,
    width: int | None = None,
    paint: bool = True,
) -> tuple[list[Line], list[int]]:
    """Messages one below the other, and the line at which each begins."""
    lines: list[Line] = []
    begins: list[int] = []
    for row in rows:
        begins.append(len(lines))
        lines += message_lines(result, row, tz, width=width, paint=paint)
        lines.append([])
    return lines, begins


# ---- two messages
def difference_lines(result: Result, first: int, second: int, width: int, tz: datetime.tzinfo) -> list[Line]:
    """Two messages beside each other: what they share is quiet, what differs stands out, to the word.

    Parameters
    ----------
    result, first, second
        Which two.
    width : int
        Columns of the screen; below 60 they stand under each other.
    tz : datetime.tzinfo
        Zone of their times.
    """
    secrets = result.options.show_secrets
    left, right = (message_text(result.messages, row, secrets=secrets) for row in (first, second))
    beside = width >= 60
    half = (width - 3) // 2 if beside else max(width - 2, 10)
    lines: list[Line] = []
    titles = [title_of(result, row, tz) for row in (first, second)]
    if beside:
        for before, after in itertools.zip_longest(*(wrap(title, half) for title in titles), fillvalue=""):
            lines += _beside([(before, "bold")], [(after, "bold")], half, " ")
    else:
        for sign, style, title in (("- ", "red", titles[0]), ("+ ", "green", titles[1])):
            lines += [[(sign, style), *part] for part in folded([(title, "bold")], half)]
    lines.append([("─" * width, _QUIET)])
    for mark, one, other in _pairs(left, right):
        if mark == " ":
            lines += (
                _beside([(one or "", _QUIET)], [(other or "", _QUIET)], half, " ")
                if beside
                else [[("  ", ""), *part] for part in folded([(one or "", _QUIET)], half)]
            )
            continue
        a, b = _words(one, other)
        if beside:
            lines += _beside(a, b, half, mark)
        else:
            if one is not None:
                lines += [[("- ", "red"), *part] for part in folded(a, half)]
            if other is not None:
                lines += [[("+ ", "green"), *part] for part in folded(b, half)]
    return lines


def _pairs(left: Sequence[str], right: Sequence[str]) -> Iterable[tuple[str, str | None, str | None]]:
    """Lines that belong together, each with a mark: the same, changed ``~``, only left ``<``, only right ``>``."""
    matcher = difflib.SequenceMatcher(None, left[:4_000], right[:4_000], autojunk=False)
    for what, begin, end, start, stop in matcher.get_opcodes():
        if what == "equal":
            yield from ((" ", one, one) for one in left[begin:end])
        else:
            yield from _matched(left[begin:end], right[start:stop])


def _matched(left: Sequence[str], right: Sequence[str]) -> Iterable[tuple[str, str | None, str | None]]:
    """Of a part that differs, headers of one name beside each other."""
    rest = list(range(len(right)))
    partner: dict[int, int] = {}
    for at, line in enumerate(left):
        found = next((other for other in rest if _kind(right[other]) == _kind(line)), None)
        if found is not None:
            partner[at] = found
            rest.remove(found)
    done: set[int] = set()
    for at, line in enumerate(left):
        if at not in partner:
            yield "<", line, None
            continue
        for other in range(partner[at]):
            if other in rest and other not in done:
                done.add(other)
                yield ">", None, right[other]
        same = right[partner[at]] == line
        yield (" " if same else "~"), line, right[partner[at]]
    for other in rest:
        if other not in done:
            yield ">", None, right[other]


def _kind(line: str) -> str:
    match = _HEADER.fullmatch(line)
    if match is not None:
        return match[1].lower()
    match = _SDP.fullmatch(line)
    if match is not None:
        return match[1] + (match[2].split(":")[0] if match[1] == "a" else "")
    return "" if line else "blank"


def _words(one: str | None, other: str | None) -> tuple[Line, Line]:
    """Two lines with the words in which they differ standing out."""
    if one is None or other is None:
        return [(one or "", "bold red")], [(other or "", "bold green")]
    left, right = (re.findall(r"[\w.]+|\s+|[^\w\s]", text) for text in (one, other))
    a: Line = []
    b: Line = []
    if len(left) * len(right) > 250_000:
        return [(one, "bold red")], [(other, "bold green")]
    for what, begin, end, start, stop in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        same = what == "equal"
        a.append(("".join(left[begin:end]), "" if same else "bold red"))
        b.append(("".join(right[start:stop]), "" if same else "bold green"))
    return [piece for piece in a if piece[0]], [piece for piece in b if piece[0]]


_MARKS = {" ": ("   ", ""), "~": (" │ ", "yellow"), "<": (" < ", "red"), ">": (" > ", "green")}


def _beside(left: Line, right: Line, half: int, mark: str) -> list[Line]:
    lines: list[Line] = []
    blank: Line = []
    for one, other in itertools.zip_longest(folded(left, half), folded(right, half), fillvalue=blank):
        used = sum(width_of(text) for text, _ in one)
        lines.append([*one, (" " * max(0, half - used), ""), _MARKS[mark], *other])
    return lines
