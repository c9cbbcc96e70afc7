"""Inputs from seeds without a fuzzer's guidance: the same ones for the same number, for a test that must repeat."""

from __future__ import annotations

import random
from collections.abc import Iterator

_BYTES = b'\0\1\x7f\x80\xff\r\n\t ";,:<>=@%&()[]{}/\\-*09aZ'
_NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    11,
    12,
    15,
    16,
    19,
    20,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


def mutated(seeds: list[bytes], number: int, longest: int, seed: int = 6) -> Iterator[bytes]:
    """The seeds, then `number` inputs made from them."""
    yield from seeds
    maker = random.Random(seed)
    for _ in range(number):
        data = bytearray(maker.choice(seeds))
        for _ in range(maker.choice((1, 1, 2, 2, 3, 5, 9))):
            _change(data, maker, seeds)
        yield bytes(data[:longest])


def _change(data: bytearray, maker: random.Random, seeds: list[bytes]) -> None:
    at = maker.randrange(len(data) + 1)
    how = maker.randrange(9)
    size = min(maker.choice((1, 1, 2, 4, 8, 30, 100)), len(data) - at)
    if how == 0 and data:
        data[at % len(data)] ^= 1 << maker.randrange(8)
    elif how == 1 and data:
        data[at % len(data)] = maker.choice(_BYTES)
    elif how == 2:
        data[at:at] = bytes([maker.choice(_BYTES)]) * maker.choice((1, 1, 2, 5))
    elif how == 3:
        del data[at : at + size]
    elif how == 4:
        width = maker.choice((1, 2, 2, 4))
        number = maker.choice(_NUMBERS) % (1 << 8 * width)
        data[at : at + width] = number.to_bytes(width, maker.choice(("big", "little")))
    elif how == 5:
        data[at:at] = data[at : at + size]
    elif how == 6:
        other = maker.choice(seeds)
        begin = maker.randrange(len(other) + 1)
        data[at : at + size] = other[begin : begin + maker.choice((2, 8, 40, 200))]
    elif how == 7:
        del data[at:]
    else:
        data[at : at + size] = maker.randbytes(size)
