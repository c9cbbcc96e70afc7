"""Bytes of a SIP message as text that can be shown: one rule for every value. Floor 4.

Comes in: bytes or text from the wire. Goes out: text without control characters that any terminal, table or JSON file
takes. RFC 3261 section 7 has UTF-8.
"""

from __future__ import annotations

import re

__all__ = ["decode_text", "printable"]

_FOLD = re.compile(r"[\t\r\n][ \t\r\n]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Text with line folds and tabs as one space, other control and direction characters as ``\xNN`` or ``\uNNNN``."""
    if text.isprintable():
        return text
    return _CONTROL.sub(_escape, _FOLD.sub(" ", text))


def decode_text(data: bytes) -> str:
    r"""A value's bytes as text: UTF-8, a byte that is none as ``\xNN``, then as :func:`printable`."""
    return printable(data.decode("utf-8", "backslashreplace"))


def _escape(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
