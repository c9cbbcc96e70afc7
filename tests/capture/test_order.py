"""Several captures in one order of time."""

from __future__ import annotations

import gzip
import itertools
import lzma
import pathlib
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.capture import order as order_module
from sipanalyzer.capture.order import Reading, Run, merge
from sipanalyzer.capture.source import expand
from sipanalyzer.errors import CaptureError
from sipanalyzer.kernels.columns import FRAME, TIME, WIDTH
from sipanalyzer.options import Options
from tests.capture import words


def capture(times_us: list[int]) -> bytes:
    return words.pcap_header() + b"".join(
        words.record(time // 10**6, time % 10**6, time.to_bytes(8, "big")) for time in times_us
    )


def test_a_folder_of_rotated_files_is_one_capture(tmp_path: pathlib.Path) -> None:
    chance = random.Random(3)
    times = sorted(chance.randrange(100_000_000) for _ in range(3000))
    for at in range(0, 2990, 9):  # a little disorder
        times[at], times[at + 7] = times[at + 7], times[at]
    whole, _, _ = words.rows_of(capture(times))
    for number, begin in enumerate(range(0, 3000, 100)):
        (tmp_path / f"{number:03}.pcap").write_bytes(capture(times[begin : begin + 100]))
    rows, files, _ = words.rows_of(tmp_path)
    strip = [[row[:FRAME] + row[FRAME + 1 :] for row in matrix] for matrix in (rows, whole)]
    assert strip[0] == strip[1]
    assert sorted(set(files)) == list(range(30))
    assert [row[TIME] for row in rows] == sorted(time * 1000 for time in times)


def test_overlapping_files_are_merged_and_each_row_knows_its_file(tmp_path: pathlib.Path) -> None:
    chance = random.Random(5)
    expected = []
    for number in range(7):
        times = sorted(chance.randrange(5_000) for _ in range(400))
        (tmp_path / f"{number}.pcap").write_bytes(capture(times))
        expected += [(time * 1000, number, frame) for frame, time in enumerate(times, 1)]
    for block_bytes in (100, 5000, 1 << 21):
        rows, files, _ = words.rows_of(tmp_path, block_bytes=block_bytes, sort_records=3)
        assert [(row[TIME], file, row[FRAME]) for row, file in zip(rows, files, strict=True)] == sorted(expected)


def test_files_that_do_not_overlap_are_not_open_together(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        (tmp_path / f"{number:03}.pcap").write_bytes(capture([number * 10_000_000 + step for step in range(5)]))
    others: list[int] = []
    inner = order_module._open

    def counting(run: Run, active: list[Run]) -> None:
        others.append(len(active))
        inner(run, active)

    monkeypatch.setattr(order_module, "_open", counting)
    rows, _, _ = words.rows_of(sorted(tmp_path.iterdir(), reverse=True))
    assert len(rows) == 200
    assert [row[TIME] for row in rows] == sorted(row[TIME] for row in rows)
    assert others == [0] * 40


keys = st.lists(st.integers(0, 12), max_size=12)


@given(st.lists(st.tuples(keys, st.integers(-3, 0)), min_size=1, max_size=5), st.data())
@settings(max_examples=300)
def test_a_merge_is_a_sort_by_time_so_far_and_run_whatever_the_pieces(
    drawn: list[tuple[list[int], int]], data: st.DataObject
) -> None:
    runs, expected = [], []
    for number, (times, slack) in enumerate(drawn):
        rows = np.zeros((len(times), WIDTH), np.int64)
        rows[:, TIME] = times
        rows[:, FRAME] = np.arange(len(times))
        cuts = sorted({0, len(times), *data.draw(st.lists(st.integers(0, len(times)), max_size=4))})
        bound = (times[0] if times else 0) + slack

        def open_(others: int, rows: np.ndarray = rows, cuts: list[int] = cuts):  # type: ignore[no-untyped-def]
            for begin, end in itertools.pairwise(cuts):
                yield rows[begin:end]

        runs.append(Run(number, bound, open_))
        highest = bound
        for frame, time in enumerate(times):
            highest = max(highest, time)
            expected.append((highest, number, frame))
    found = []
    for matrix, which in merge(runs):
        numbers = [which] * len(matrix) if isinstance(which, int) else which.tolist()
        found += list(zip(numbers, matrix[:, FRAME].tolist(), strict=True))
    assert found == [(number, frame) for _, number, frame in sorted(expected)]


def test_what_cannot_be_read_is_kept_as_a_warning_where_others_can(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.cap").write_text("no capture, whatever its name says")
    (tmp_path / "b.pcap").write_bytes(capture([1, 2]))
    anomalies: list[Anomalies] = []
    reading = Reading(expand([tmp_path, tmp_path / "none"]), Options(), lambda block: block.rows, anomalies)
    assert [which for _, which in reading] == [0]
    assert [error.path for error in reading.unreadable] == [str(tmp_path / "a.cap"), str(tmp_path / "none")]
    (found,) = reading.captures()
    assert found.file == str(tmp_path / "b.pcap")
    assert found.anomalies is anomalies[0]


def test_where_nothing_can_be_read_the_first_refusal_is_raised(tmp_path: pathlib.Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("no capture at all")
    with pytest.raises(CaptureError, match=r"a\.txt: not a capture"):
        list(Reading(expand([tmp_path / "a.txt", tmp_path / "b.txt"]), Options(), lambda block: block.rows))
    with pytest.raises(CaptureError, match=r": a folder without captures, .*found 2 other files$"):
        list(Reading(expand(tmp_path), Options(), lambda block: block.rows))


def test_other_files_of_a_folder_are_passed_over_but_not_what_may_be_a_capture(tmp_path: pathlib.Path) -> None:
    whole = capture([1, 2])
    others = {
        "README.md": b"# Captures\n",
        "make.py": b"print()\n",
        "notes": b"",
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(40),
        "notes.gz": gzip.compress(b"some text"),
        "a.pcap.txt": b"text",
        "junk": bytes(range(40)),
    }
    doubtful = {
        "empty.pcap": b"",
        "text.pcapng": b"text",
        "text.pcap1": b"text",
        "text.cap.zst": b"text",
        "snoop": b"snoop\0\0\0\0\0\0\2",
        "cut": whole[:20],
        "pointer": b"version https://git-lfs.github.com/spec/v1",
        "cut.xz": lzma.compress(whole)[:40],
    }
    for name, content in (others | doubtful).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "good").write_bytes(whole)
    reading = Reading(expand(tmp_path), Options(), lambda block: block.rows)
    assert sum(len(rows) for rows, _ in reading) == 2
    assert [pathlib.Path(name).name for name in reading.passed_over] == sorted(others)
    assert [pathlib.Path(error.path).name for error in reading.unreadable] == sorted(doubtful)


def test_a_second_pcapng_whose_section_is_cut_does_not_end_the_analysis(tmp_path: pathlib.Path) -> None:
    good, bad = tmp_path / "a.pcap", tmp_path / "b.pcapng"
    good.write_bytes(capture([1, 2]))
    bad.write_bytes(words.section(options=bytes(100))[:50])
    rows, _, reading = words.rows_of([good, bad])
    assert len(rows) == 2
    assert [error.path for error in reading.unreadable] == [str(bad)]


def test_the_capture_is_cut_to_the_times_asked_for() -> None:
    times = [5, 1, 2, 3, 4, 6]
    rows, _, reading = words.rows_of(capture(times), from_time_ns=2000, to_time_ns=4000)
    assert [row[TIME] for row in rows] == [2000, 3000, 4000]
    assert reading.captures()[0].packets == 6


def test_progress_counts_bytes_of_all_files(tmp_path: pathlib.Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.pcap").write_bytes(capture([number * 10**8, number * 10**8 + 1]))
    reading = Reading(expand(tmp_path), Options(), lambda block: block.rows)
    seen = [reading.progress() for _ in reading]
    size = len(capture([1, 2]))
    assert seen[0] == (size, 3 * size)
    assert reading.progress() == (3 * size, 3 * size)
    assert reading.packets == 6
    assert int(reading.counts().sum()) == 6


def test_stopping_early_leaves_nothing_open(tmp_path: pathlib.Path) -> None:
    import threading

    for number in range(2):
        (tmp_path / f"{number}.pcap").write_bytes(capture(list(range(3000))))
    rows = iter(Reading(expand(tmp_path), Options(block_bytes=2000), lambda block: block.rows))
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert all(thread.name != "sipanalyzer-reader" for thread in threading.enumerate())
