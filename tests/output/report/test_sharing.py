"""Pieces come in order and whole, whoever makes them, and whatever becomes of who does."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from sipanalyzer.output.report import sharing
from sipanalyzer.output.report.sharing import make_in_order, usable_processes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are shared on Linux only")


def piece(k: int) -> bytes:
    return f"{k} ".encode() * (k * 997 % 40_000)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 20])
@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_the_pieces_are_the_same(count: int, processes: int) -> None:
    assert list(make_in_order(count, piece, processes)) == [piece(k) for k in range(count)]


def test_several_processes_make_them() -> None:
    makers = set(make_in_order(12, lambda k: str(os.getpid()).encode(), 3))
    assert len(makers) == 3 and str(os.getpid()).encode() in makers


def test_what_a_process_that_dies_owed_is_made_here() -> None:
    here = os.getpid()

    def make(k: int) -> bytes:
        if os.getpid() != here and k > 4:
            os._exit(9)
        return piece(k)

    assert list(make_in_order(12, make, 3)) == [piece(k) for k in range(12)]


def test_what_fails_there_fails_here() -> None:
    def make(k: int) -> bytes:
        if k == 5:
            raise ValueError("no piece 5")
        return piece(k)

    made = []
    with pytest.raises(ValueError, match="no piece 5"):
        for each in make_in_order(12, make, 2):
            made.append(each)
    assert made == [piece(k) for k in range(5)]


def test_nobody_is_left_when_nobody_asks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    forks: list[int] = []
    fork = os.fork

    def noted() -> int:
        forks.append(fork())
        return forks[-1]

    monkeypatch.setattr(os, "fork", noted)
    pieces = make_in_order(1_000, lambda k: bytes(100_000), 3)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert len(forks) == 2
    for process in forks:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_where_no_process_may_be_made_one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    assert list(make_in_order(5, piece, 4)) == [piece(k) for k in range(5)]


def test_none_is_made_beside_threads_or_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert usable_processes() == sharing._MOST
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert usable_processes() == 1
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert usable_processes() == 1
    monkeypatch.delitem(sys.modules, "ipykernel")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert usable_processes() == 1


def test_one_that_is_ahead_waits() -> None:
    def make(k: int) -> bytes:
        if k % 2 == 0:
            time.sleep(0.01)
        return bytes([k]) * 400_000

    assert [each[0] for each in make_in_order(12, make, 2)] == list(range(12))
