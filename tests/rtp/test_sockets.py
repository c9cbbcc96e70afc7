"""Announced sockets: each once, however many, and found by the kernel that looks them up."""

from __future__ import annotations

import random

from sipanalyzer.kernels.probation import is_announced
from sipanalyzer.rtp.sockets import AnnouncedSockets


def test_all_that_was_announced_is_found_and_nothing_else(way: str) -> None:
    random.seed(3)
    announced, table = set(), AnnouncedSockets()
    for round_ in range(40):
        for _ in range(random.choice((1, 3, 200))):
            socket = random.randrange(-4, 4), 0xFFFF0A000000 + random.randrange(40), random.randrange(4000, 4040)
            announced.add(socket)
            table.add(*socket)
            if random.random() < 0.3:
                table.add(*socket)
        if round_ % 7 == 0:
            assert is_announced(table.table, *socket)
    entered = table.table.tolist()
    assert sorted(tuple(each) for each in entered if each[2] >= 0) == sorted(announced)
    assert 2 * len(announced) <= len(entered)
    for high in range(-4, 4):
        for port in range(4000, 4040):
            socket = high, 0xFFFF0A000007, port
            assert is_announced(table.table, *socket) == (socket in announced)
