"""Which text a spreadsheet would run, and how it is kept from that. Floor 8, standard library only.

A spreadsheet that opens a CSV takes a cell that begins with a sign for a formula, which may fetch an address or start a
program (DDE); where it splits at semicolons, as in most of Europe, also what stands behind a semicolon or the end of a
line. In: texts of cells. Out: the same, with an apostrophe before such a sign. Numbers, also of telephones
(``+49 30 1234-56``), and a lone ``-`` stay as they are. Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter

__all__ = ["defused", "runs_somewhere"]

_PASSED = ' "\xa0\u3000'
"""What a spreadsheet may take away from before a sign."""
_ALWAYS, _UNLESS_NUMBER = "=@\uff1d\uff20", "+\uff0b\uff0d-"
_RUNNING, _CALCULATING, _BLANKS = frozenset(_ALWAYS), frozenset(_UNLESS_NUMBER), frozenset("\t\r\n")
_FIRST = _RUNNING | _CALCULATING | _BLANKS | frozenset(_PASSED)
"""What a cell begins with that may run."""
_NUMBER = re.compile(
    r"[+-](?:[\d ().*#/-]*+|\d*+[.,]?\d*+(?:[eE][+-]?\d++)?|inf|nan)(?:;[\w.-]*+(?:=[\w.+-]*+)?)*+", re.ASCII
)
"""A number, or one of a telephone with its parameters."""
_SEPARATORS = ";\t\r\n"
_BEHIND = re.compile(rf'([{_SEPARATORS}][ "]*+)(?=[{_ALWAYS}]|[{_UNLESS_NUMBER}][^{_SEPARATORS}]*[(|!])')
"""A separator before a formula. With ``+`` and ``-`` only what calls something: ``;+sip.instance="x"`` is SIP."""
_first_letter = itemgetter(slice(1))


def defused(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run.

    Examples
    --------
    >>> defused("=1+1"), defused("+49 30 1234"), defused("-")
    ("'=1+1", '+49 30 1234', '-')
    """
    shown = _BEHIND.sub(r"\1'", text) if _has_separator(text) else text
    return f"'{shown}" if _runs(shown) else shown


def runs_somewhere(texts: Sequence[str], joined: str) -> bool:
    """Whether a spreadsheet would run one of the texts, at less cost than to look at each.

    Parameters
    ----------
    texts : sequence of str
        Of cells.
    joined : str
        All of them, without anything between.
    """
    if not _FIRST.isdisjoint(map(_first_letter, texts)) and any(_runs(text) for text in texts if text[:1] in _FIRST):
        return True
    return _has_separator(joined) and _BEHIND.search(joined) is not None  # over a seam too: then each is looked at


def _has_separator(text: str) -> bool:
    return ";" in text or "\t" in text or "\r" in text or "\n" in text  # as _SEPARATORS, without a loop in Python


def _runs(text: str) -> bool:
    """Whether a cell with this text would be run."""
    signed = text.lstrip(_PASSED)
    sign = signed[:1]
    if sign in _CALCULATING:
        return _NUMBER.fullmatch(signed) is None
    return sign in _RUNNING or text[:1] in _BLANKS
