"""Interned strings as text: many at once as one by one, and the same both ways of running."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.sip import interning
from sipanalyzer.sip.interning import Interner
from sipanalyzer.sip.text import decode_text


@pytest.mark.parametrize(
    "way", [False, pytest.param(True, marks=pytest.mark.skipif(not kernels.available(), reason=""))]
)
def test_all_texts_are_what_each_is_alone(way: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interning, "_LINES", 7)
    random.seed(4)
    words = [b"plain", b"caf\xc3\xa9", b"\xff\xfe", b"a\r\n b", b"tab\there", b"\x7f", b"~", b" ", b"\xe2\x80\xae"]
    words += [b"sip:%d@example.com" % number for number in range(60)]
    random.shuffle(words)
    data = bytearray(b"".join(words))
    ends = np.cumsum([len(word) for word in words])
    spans = np.stack([ends - [len(word) for word in words], ends], axis=1)[:, None, :].astype(np.int64)
    before = kernels.compiled()
    kernels.set_compiled(way)
    try:
        interner = Interner()
        assert interner.texts(data) == []
        numbers = interner.intern(np.frombuffer(data, np.uint8), spans, 0)
        assert numbers.tolist() == list(range(len(words)))
        assert (
            interner.texts(data) == [interner.text(data, number) for number in numbers] == list(map(decode_text, words))
        )
    finally:
        kernels.set_compiled(before)
