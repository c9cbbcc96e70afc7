"""Texts brought together as lines, both ways of running."""

from __future__ import annotations

import numpy as np

from sipanalyzer.kernels.joining import join_lines


def test_plain_texts_are_lines_and_others_are_named(way: str) -> None:
    texts = [b"sip:a@b", b"", b"~ !", b"caf\xc3\xa9", b"a\nb", b"a\tb", b"\x7f", b"last"]
    data = np.frombuffer(bytearray(b"".join(texts)), np.uint8)
    ends = np.cumsum([len(text) for text in texts])
    spans = np.stack([ends - [len(text) for text in texts], ends, ends], axis=1).astype(np.int64)
    out, odd = np.zeros(len(data) + len(texts), np.uint8), np.zeros(len(texts), np.int64)
    size, odds = join_lines(data, spans, 1, 8, out, odd)
    assert out[:size].tobytes().split(b"\n") == [b"", b"~ !", b"", b"", b"", b"", b"last", b""]
    assert odd[:odds].tolist() == [3, 4, 5, 6]
