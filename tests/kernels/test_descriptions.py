"""Session descriptions taken apart: by hand, both ways of running, and beside the slow twin."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sipanalyzer.kernels import descriptions as kernel
from tests.naive import descriptions as naive

BODY = (
    b"v=0\r\no=- 7 8 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\nm=video 4002 RTP/AVP 99\nc=IN IP6 fe80::1\na=rtpmap:99 H264/90000\r\n"
)


def take_apart(bodies: list[bytes]) -> list[tuple[bytes, list[tuple[bytes, int]]] | None]:
    """What the kernel makes of them, as the twin gives it; addresses are checked on the way."""
    data = b"\0" + b"".join(bodies)
    length = np.array([len(body) for body in bodies], np.int64)
    at = 1 + np.cumsum(length) - length
    n = len(bodies)
    shape = np.zeros(max(1, len(data)), np.uint8)
    ends, counts = np.zeros(n, np.int64), np.zeros(n, np.int64)
    media = np.zeros((n * kernel.MAX_MEDIA, kernel.MEDIA), np.int64)
    kernel.take_apart(np.frombuffer(bytearray(data), np.uint8), at, length, n, shape, ends, counts, media)
    found: list[tuple[bytes, list[tuple[bytes, int]]] | None] = []
    begin = first = 0
    for end, count in zip(ends.tolist(), counts.tolist(), strict=True):
        rows = media[first : first + max(count, 0)].tolist()
        for low, _, i, j in rows:
            assert low == naive.ipv4(data[i:j])
        places = [(data[i:j], port) for _, port, i, j in rows]
        found.append((shape[begin:end].tobytes(), places) if count >= 0 else None)
        begin, first = end, first + len(rows)
    return found


def test_a_shape_is_what_does_not_change_from_call_to_call(way: str) -> None:
    other = BODY.replace(b"7 8", b"70 80").replace(b"10.0.0.1", b"192.168.255.9").replace(b"4000", b"65535")
    mine, theirs = take_apart([BODY, other])
    assert mine is not None
    assert theirs is not None
    assert mine[0] == theirs[0]
    assert mine[1] == [(b"10.0.0.1", 4000), (b"fe80::1", 4002)]
    assert theirs[1] == [(b"192.168.255.9", 65535), (b"fe80::1", 4002)]
    assert b"o=\r\n" in mine[0]
    assert b"c=IN IP4 \r\n" in mine[0]
    assert b"m=audio  RTP/AVP 8 101\r\n" in mine[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"o=", b"x="),
        (b"7 8 ", b"7  8 "),
        (b"o=- 7", b"o=- - 7"),
        (b"s=-\r\n", b"s=-\r\no=- 7 8 IN IP4 10.0.0.1\r\n"),
        (b"t=0 0", b"c=IN IP4 10.0.0.2"),
        (b"c=IN IP4 10.0.0.1", b"c=IN IP4 host.example"),
        (b"c=IN IP4 10.0.0.1", b"c=IN IP4 "),
        (b"c=IN IP4 10.0.0.1", b"c=IN IP4 224.0.0.1/127"),
        (b"c=IN IP4 10.0.0.1", b"c=IN IP4 10.0.0.1 "),
        (b"c=IN IP4 10.0.0.1\r\n", b""),
        (b"s=-", b" s=-"),
        (b"s=-\r\n", b"\tc=IN IP4 10.0.0.1\r\n"),
        (b"s=-\r\n", b"s=-\rc=IN IP4 10.0.0.1\r\n"),
        (b"4000", b"0"),
        (b"4000", b"65536"),
        (b"4000", b"4000/2"),
        (b"m=audio 4000", b"m=audio\t4000"),
        (b"m=audio 4000", b"m=audio  4000"),
        (b"m=audio 4000 RTP/AVP 8 101", b"m=audio 4000"),
        (b"m=audio", b"m="),
        (b"H264/90000\r\n", b"H264/90000\r"),
        (b"H264/90000\r\n", b"H264/90000\r\n" + 7 * b"m=audio 4 RTP/AVP 0\r\n"),
    ],
)
def test_what_is_odd_is_left_to_the_parser(old: bytes, new: bytes, way: str) -> None:
    changed = BODY.replace(old, new, 1)
    assert changed != BODY
    assert take_apart([BODY, changed, BODY]) == [naive.take_apart(BODY), None, naive.take_apart(BODY)]


def test_the_kernel_says_what_its_twin_says_whatever_the_bytes(way: str) -> None:
    random.seed(5)
    lines = [
        *BODY.splitlines(keepends=True), b"\r\n", b"\n", b"a=sendrecv", b"c=IN IP4 01.2.3.4\r\n", b"c=IN IP4 1.2.3\n",
        b"c=IN IP4 256.1.1.1\n", b"c=IN IP4 1.2.3.4.5\n", b"m=a 00080 x\r\n", b"m=a 000080 x\r\n", b"m=a 0000080 x\r\n",
        b"o=1 2 3 4 5 6\n", b"o=1 2 3 4 5 6 7\n", b"o", b"c=", b"m=", b"\x80\xff\r\n", b"C=IN IP4 1.1.1.1\r\n",
    ]  # fmt: skip
    bodies = []
    for _ in range(3000):
        chosen = [line for line in BODY.splitlines(keepends=True) if random.random() < 0.95]
        for _ in range(random.randrange(3)):
            chosen.insert(random.randrange(len(chosen) + 1), random.choice(lines))
        body = bytearray(b"".join(chosen))
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            body[random.randrange(len(body))] = random.choice(b"\r\n\t\0 =ocm19.:/a\xc3")
        bodies.append(bytes(body[: random.choice((None, None, random.randrange(len(body) + 1)))]))
    wanted = [naive.take_apart(body) for body in bodies]
    assert 500 < sum(one is not None for one in wanted) < 2500
    assert take_apart(bodies) == wanted


def test_a_body_longer_than_the_parser_reads_is_not_plain(way: str) -> None:
    room = kernel.MAX_BYTES - len(BODY)
    fits, long = (BODY + b"a=" + b"x" * (room + more - 2) for more in (0, 1))
    first, second = take_apart([fits, long])
    assert first is not None
    assert second is None
