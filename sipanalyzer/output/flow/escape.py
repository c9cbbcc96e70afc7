"""The one place where text of a chart or a message is made part of XML or HTML. Floor 8.

In: text that anybody may have put on the wire. Out: text that is harmless in the language that it is written into.
"""

from __future__ import annotations

import html
import re

from ..cells import visible

__all__ = ["escaped", "message_text", "preformatted"]

_SPECIAL = re.compile("[&<>\"']")
_LINE_ENDS = re.compile(r"(\r\n|\n|\t)")
_MARKS = re.compile(r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{2})"
                    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip


def escaped(text: str) -> str:
    r"""Text for an element or a quoted attribute of XML or HTML.

    What is not printable stands as ``\x1b``, so the text has no character that XML forbids; of marks heaped on one
    letter (which would grow over the lines above) two are left.

    Examples
    --------
    >>> escaped('<b>"x"\x00\u202e')
    '&lt;b&gt;&quot;x&quot;\\x00\\u202e'
    """
    shown = visible(text)
    if not shown.isascii():
        shown = _MARKS.sub(r"\1", shown)
    return html.escape(shown) if _SPECIAL.search(shown) else shown


def message_text(raw: bytes, limit: int = 65_536) -> str:
    r"""A message's bytes as text that is shown and copied.

    Printable UTF-8, tabs and the ends of lines (CR LF or LF) stand as they were; any other byte or character as
    ``\x80``, ``\x00``, ``\u202e``.

    Parameters
    ----------
    raw : bytes
        As it was on the wire.
    limit : int
        Bytes that are shown; what is beyond is counted.
    """
    text = raw[:limit].decode("utf-8", "backslashreplace")
    if not text.replace("\r\n", "").replace("\n", "").replace("\t", "").isprintable():
        text = "".join(part if at % 2 else visible(part) for at, part in enumerate(_LINE_ENDS.split(text)))
    return text if len(raw) <= limit else f"{text}\n[{len(raw) - limit} bytes more]"


def preformatted(text: str) -> str:
    """A message as :func:`message_text` gives it, for a ``<pre>`` that holds it to the byte."""
    return "\n" + html.escape(text).replace("\r", "&#13;")  # the parser takes away the first end of line
