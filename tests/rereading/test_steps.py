"""Many streams at once, step by step, are what each is packet by packet."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.kernels import set_compiled
from sipanalyzer.options import Options
from sipanalyzer.output.plots.series import make_series, make_series_of
from sipanalyzer.rereading.steps import follow_steps
from sipanalyzer.rtp.formats import Format
from tests.naive.rtp import Packet
from tests.rtp.words import MS, PCMA, rows_of, steady, streams, table_of

OPTIONS = Options()


def hold_to_packets(all_of: list[list[Packet]], most: list[int], describe=None, options: Options = OPTIONS) -> None:
    """One by one and together, the same is said."""
    words = {} if describe is None else {"describe": describe}
    rows, turns, figures = [], [], []
    for ssrc, packets in enumerate(all_of, 1):
        rows.append(rows_of(packets, ssrc=ssrc))
        table = table_of(rows[-1], **words)
        (only,) = table.finish()
        turns.append(table.turns()[0])
        figures.append(only)
    kept = [each.copy() for each in rows]
    together = make_series_of(figures, rows, turns, options, most)
    for before, after in zip(kept, rows, strict=True):
        assert (before == after).all()
    for at, made in enumerate(together):
        assert made == make_series(figures[at], rows[at], turns[at], options, most[at])


@settings(max_examples=150)
@given(st.lists(st.tuples(streams(), st.integers(1, 600)), min_size=1, max_size=6), st.sampled_from([40, 60, 200]))
def test_streams_to_which_all_sorts_of_things_happen(made: list[tuple[list[Packet], int]], depth: int) -> None:
    options = dataclasses.replace(OPTIONS, playout_ms=float(depth))
    hold_to_packets([packets for packets, _ in made], [most for _, most in made], options=options)


@settings(max_examples=30)
@given(st.lists(streams(), min_size=1, max_size=4))
def test_where_no_clock_is_known(made: list[list[Packet]]) -> None:
    hold_to_packets(made, [50] * len(made), describe=lambda src, dst, payload_type, time: Format(None, 0, "audio"))


@pytest.mark.parametrize("compile_them", [False, True])
def test_calm_streams_need_no_second_way(compile_them: bool) -> None:
    regular = steady(400)
    jumpy = [Packet(each.time + (each.seq % 7) * 3 * MS, each.seq, each.stamp) for each in regular]
    holes = [each for at, each in enumerate(regular) if not 50 <= at < 70]
    swapped = [*regular[:10], Packet(regular[10].time, regular[11].seq, regular[11].stamp),
               Packet(regular[11].time, regular[10].seq, regular[10].stamp), *regular[12:]]  # fmt: skip
    made = [regular, jumpy, holes, swapped, regular[:1]]
    rows = [rows_of(packets, ssrc=at) for at, packets in enumerate(made)]
    turns = [table_of(each).turns()[0] for each in rows]
    set_compiled(compile_them)
    try:
        steps = [(each[:, 0] - each[0, 0]) // (1000 * MS) for each in rows]
        assert None not in follow_steps(rows, turns, steps, OPTIONS)
        hold_to_packets(made, [20] * 5)
    finally:
        set_compiled(False)


def test_what_is_settled_late_is_left_to_the_packets() -> None:
    regular = steady(100)
    jump = [*regular[:50], *steady(50, first=40_000, start=1000 * MS)]
    backwards = [*regular[:50], Packet(regular[49].time - 1, regular[50].seq, regular[50].stamp)]
    rows = [rows_of(packets, ssrc=at) for at, packets in enumerate((regular, jump, backwards, []))]
    turns = [table_of(each).turns()[0] if len(each) else () for each in rows]
    steps = [np.zeros(len(each), np.int64) for each in rows]
    assert [each is None for each in follow_steps(rows, turns, steps, OPTIONS)] == [False, True, True, True]


def test_more_streams_than_stand_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sipanalyzer.rereading.steps._TOGETHER", 2)
    hold_to_packets([steady(60 + at, start=at * MS) for at in range(5)], [10] * 5)


def test_it_is_told_things_where_the_analysis_was() -> None:
    rows = rows_of(steady(200))
    table = table_of(rows[:100], describe=lambda *about: None)  # PCMA by its number, until SDP says so
    table.interrupt([0])
    table.forget_formats([0])
    table._describe = lambda *about: PCMA
    table.feed(rows[100:].copy(), 0, 100, 0)
    (figures,) = table.finish()
    (turns,) = table.turns()
    assert len(turns) == 3
    one = make_series(figures, rows, turns, OPTIONS, 10)
    assert make_series_of([figures] * 2, [rows, rows], [turns, turns], OPTIONS, [10, 10]) == [one, one]
    assert follow_steps([rows], [turns], [np.zeros(200, np.int64)], OPTIONS) != [None]
