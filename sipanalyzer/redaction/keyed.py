"""Replacements that depend on a key: permutations of digits, letters and numbers. Floor 3.

In: words, telephone numbers, SSRCs as they stand on the wire. Out: others of the same length and of the same make, by
a key. Every map is a bijection, so that two things that differ still differ afterwards; the same thing becomes the same
wherever it stands. Without the key nobody can go back but by what `docs/redaction.md` admits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Keyed"]

_REMEMBERED = 1 << 16
"""Replacements of one kind that are remembered; then it is begun anew."""
_LONGEST = 256
"""Characters of the longest one that is remembered."""
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_HEX = frozenset("0123456789abcdef")
_DIGITS = "0123456789"
_SSRC_TOP = 1 << 32

STAYS = frozenset(
    {
        *("anonymous", "unknown", "unavailable", "restricted", "private", "withheld", "invalid", "localhost", "local"),
        *("undefined", "none", "null", "true", "false"),
    }
)
"""Words that name nobody (RFC 3323 4.1.1.3, RFC 2606, and what equipment writes in place of a name)."""

_T = TypeVar("_T")


class Keyed:
    """Replacements under one key.

    Parameters
    ----------
    key : str
        Any text. Equal texts give equal replacements.

    Raises
    ------
    ValueError
        If it is empty.
    """

    def __init__(self, key: str) -> None:
        if not key:
            raise ValueError("the key of a redaction must not be empty")
        self._key = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), person=b"sipanalyzer-key").digest()
        self._words: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._ssrcs: dict[int, int] = {}
        self._bytes: dict[bytes, bytes] = {}

    # ---- what the rest is made of
    def digest(self, kind: bytes, what: bytes, size: int = 64) -> bytes:
        """`size` (1-64) bytes that depend on the key, a kind and some bytes (BLAKE2b, RFC 7693)."""
        return hashlib.blake2b(what, digest_size=size, key=self._key, person=kind).digest()

    def shuffled(self, kind: bytes, what: bytes, things: Sequence[_T]) -> list[_T]:
        """`things` in an order that depends on the key, a kind and some bytes."""
        ranks = b"".join(self.digest(kind, what + bytes([block])) for block in range((4 * len(things) + 63) // 64))
        order = sorted(range(len(things)), key=lambda i: ranks[4 * i : 4 * i + 4])
        return [things[i] for i in order]

    def overwritten(self, what: bytes) -> bytes:
        """As many bytes in place of some: equal ones for equal ones, without any trace of them."""
        known = self._bytes.get(what)
        if known is None:
            seed = self.digest(b"bytes", what, 32)
            known = hashlib.shake_128(seed).digest(len(what))
            self._remember(self._bytes, what, known)
        return known

    @staticmethod
    def _remember(memory: dict[_T, _T], what: _T, new: _T) -> None:
        if isinstance(what, str | bytes) and len(what) > _LONGEST:
            return
        if len(memory) >= _REMEMBERED:
            memory.clear()
        memory[what] = new

    def _turn(self, kind: bytes, text: str, alphabets: Sequence[str]) -> str:
        """Replace each character by one of its alphabet, by all that stand before it: a bijection."""
        out = []
        state = self.digest(kind, b"")
        for character, alphabet in zip(text, alphabets, strict=True):
            if len(alphabet) > 1:
                order = sorted(range(len(alphabet)), key=lambda i: (state[2 * i : 2 * i + 2], i))
                out.append(alphabet[order[alphabet.index(character)]])
            else:
                out.append(character)
            state = self.digest(kind, state + character.encode())
        return "".join(out)

    def _both_ways(self, kind: bytes, text: str, alphabets: Sequence[str]) -> str:
        """Replace each character by one of its alphabet, by all others of the text."""
        there = self._turn(kind + b">", text, alphabets)
        return self._turn(kind + b"<", there[::-1], alphabets[::-1])[::-1]

    # ---- words
    def word(self, text: str) -> str:
        """Another word: digits in place of digits, letters in place of letters, with the same capitals.

        Parameters
        ----------
        text : str
            ASCII letters and digits.

        Notes
        -----
        Digits alone are a number (:meth:`number`). A hexadecimal word of letters and digits stays one. Words that name
        nobody (``anonymous``) stay.
        """
        if text.isdigit():
            return self.number(text)
        known = self._words.get(text)
        if known is None:
            small = text.lower()
            known = small if small in STAYS else self._other_word(small)
            known = "".join(new.upper() if old.isupper() else new for old, new in zip(text, known, strict=True))
            self._remember(self._words, text, known)
        return known

    def _other_word(self, small: str) -> str:
        mixed = any(character.isdigit() for character in small)
        alphabet = "abcdef" if mixed and _HEX.issuperset(small) else _LOWER
        alphabets = [_DIGITS if character.isdigit() else alphabet for character in small]
        new = self._both_ways(b"word", small, alphabets)
        while mixed and alphabet == _LOWER and _HEX.issuperset(new):
            new = self._both_ways(
                b"word", new, alphabets
            )  # what is not hexadecimal stays so: else it were no bijection
        return new

    def number(self, digits: str) -> str:
        """Another number, with equal last digits where two had equal last digits.

        Parameters
        ----------
        digits : str
            ASCII digits.

        Notes
        -----
        ``+4930123``, ``004930123`` and ``030123`` stay the same number, and a prefix that a proxy takes off can be
        taken off the replacement: so a digit is replaced by the digits to its right. Zeros stay zeros.
        """
        known = self._numbers.get(digits)
        if known is None:
            alphabets = ["0" if digit == "0" else "123456789" for digit in reversed(digits)]
            known = self._turn(b"number", digits[::-1], alphabets)[::-1]
            self._remember(self._numbers, digits, known)
        return known

    def key_pressed(self, key: str) -> str:
        """Another digit in place of a digit that was dialled; ``*``, ``#`` and ``A`` to ``D`` stay."""
        return self._turn(b"dtmf", key, [_DIGITS]) if len(key) == 1 and key in _DIGITS else key

    # ---- numbers on the wire
    def ssrc(self, number: int) -> int:
        """Another SSRC (32 bits), with as many decimal digits: SDP has it in decimal."""
        known = self._ssrcs.get(number)
        if known is None:
            known = self._cycle(b"ssrc", number, _SSRC_TOP)
            self._remember(self._ssrcs, number, known)
        return known

    def _cycle(self, kind: bytes, number: int, top: int) -> int:
        """Another number below `top` with as many decimal digits."""
        text, longest = str(number), len(str(top - 1))
        firsts = "123456789" if len(text) < longest else "123456789"[: int(str(top - 1)[0])]
        alphabets = [firsts if text != "0" else "0", *[_DIGITS] * (len(text) - 1)]
        while True:  # fewer than two rounds on average
            text = self._both_ways(kind, text, alphabets)
            if int(text) < top:
                return int(text)
