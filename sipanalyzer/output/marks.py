r"""The one place where text becomes Markdown. Floor 8, standard library only.

In: text that anybody may have put on the wire. Out: Markdown (CommonMark with GitHub's tables) that shows it as it is.
Words that could mean anything to Markdown, or to the tracker that shows it (``@name`` and ``#12`` would call people and
link tickets even behind a backslash), become code, which no tracker looks into; what is shown can still be copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .cells import visible

__all__ = ["code", "fenced", "grid", "words"]

_ODD = re.compile(r"[@#!$~%^&<>|\\`*_\[\]{}=]|://|www\.|:[a-z+_-][a-z0-9+_-]*:", re.IGNORECASE)
"""What makes a word code: characters with a meaning, links, ``:emoji:``."""
_TICKS = re.compile("`+")
_LOOSE = frozenset({"%", "&", "=", "<", ">", "!", "~"})
_ITEM = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_MOST = 600
"""Characters of a sentence."""


def code(text: str, most: int = 120) -> str:
    """Text as code: shown letter by letter.

    Examples
    --------
    >>> code("a@b"), code("``x`")
    ('`a@b`', '```` ``x` ````')
    """
    text = _cut(" ".join(visible(text).split(" ")), most)
    if not text.strip():
        return ""
    fence = "`" * (max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{space}{text}{space}{fence}"


def words(text: str, most: int = _MOST) -> str:
    """A sentence: plain words as they are, anything odd in it as code.

    Examples
    --------
    >>> words("The call of <b>bob</b> to sip:a@b.example failed, 9.8 % lost.")
    'The call of `<b>bob</b>` to `sip:a@b.example` failed, 9.8 % lost.'
    """
    made = " ".join(_word(each, most) for each in _cut(visible(text), most).split())
    made = _ITEM.sub(r"\1\\\2", made)
    return f"\\{made}" if made[:1] in ("-", "+") else made


def _word(word: str, most: int) -> str:
    if not _ODD.search(word):
        return word
    if word in _LOOSE:
        return {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(word, f"\\{word}" if word in "=!~" else word)
    before = word.rstrip(".,;:!?)]")
    inner, tail = before.lstrip("("), word[len(before) :]
    head = before[: len(before) - len(inner)]
    if not inner or not _ODD.search(inner) or "]" in tail:
        return code(word, most)
    return f"{head}{code(inner, most)}{tail}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def grid(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    """Lines of a table; cells are Markdown already (:func:`code`, :func:`words`); `right` are columns of numbers."""
    rule = ["---:" if at in right else "---" for at in range(len(headings))]
    yield from (_line(headings), _line(rule))
    yield from map(_line, rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    r"""A bar is escaped; behind a backslash readers do not agree what that means, so there it becomes a broken bar."""
    return text.replace("\\|", "\\¦").replace("|", "\\|").replace("\n", " ").rstrip("\\")


def fenced(text: str, language: str = "") -> list[str]:
    """Lines of a block of code."""
    fence = "`" * max(3, max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    return [f"{fence}{language}", *text.rstrip("\n").split("\n"), fence]
