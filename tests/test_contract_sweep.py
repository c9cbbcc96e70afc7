"""A lossy stream has one truth: however its capture is cut, packed or mixed, and at whatever depth it is swept."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pathlib
import random
from collections.abc import Sequence
from typing import Any

import pytest

import sipanalyzer
from sample_pcaps.words.files import Interface
from tests.builders import pcap_bytes, pcapng_bytes
from tests.lossy import (
    BEGIN,
    ask_and_answer,
    call,
    figures,
    in_order,
    lossy,
    some,
    talk,
    two_ways,
)
from tests.tape import A, B, Tape, records, sdp


@pytest.fixture(scope="module")
def lossy_tape() -> Tape:
    return lossy()


@pytest.fixture(scope="module")
def truth(lossy_tape: Tape) -> dict[str, list[dict[str, Any]]]:
    found = figures(lossy_tape.analyze())
    for row in found["streams"]:
        assert row["lost"] and row["discarded_percent"] and row["loss_bursts"] and row["mos_min"] < row["mos"]
        assert some(row, "dtmf restarts") == ("7", 1)
    return found


# ---- the law: however the capture is cut, packed or mixed, every figure is the same


@pytest.mark.parametrize("block_bytes", [500, 4096, 10_007, 65_536, 1 << 20])
def test_blocks_change_nothing(lossy_tape: Tape, truth: object, block_bytes: int) -> None:
    assert figures(lossy_tape.analyze(block_bytes=block_bytes)) == truth


@pytest.mark.parametrize("compile_packets", [0, 1 << 40])
@pytest.mark.parametrize("block_bytes", [4096, 8 << 20])
def test_compiled_or_interpreted_changes_nothing(
    lossy_tape: Tape, truth: object, compile_packets: int, block_bytes: int
) -> None:
    assert figures(lossy_tape.analyze(compile_packets=compile_packets, block_bytes=block_bytes)) == truth


@pytest.mark.parametrize("files", [2, 7])
def test_rotated_files_change_nothing(lossy_tape: Tape, truth: object, files: int, tmp_path: pathlib.Path) -> None:
    packets = in_order(lossy_tape)
    size = -(-len(packets) // files)
    for number in range(files):
        part = packets[number * size : (number + 1) * size]
        (tmp_path / f"part{number}.pcap").write_bytes(pcap_bytes(part, nanoseconds=True))
    found = figures(sipanalyzer.analyze(tmp_path))
    for row in found["findings"]:
        row.pop("frames", None)
    assert found == truth


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2", "zst", "lz4"])
def test_compression_changes_nothing(lossy_tape: Tape, truth: object, kind: str, tmp_path: pathlib.Path) -> None:
    data = lossy_tape.bytes()
    if kind == "zst":
        packed = pytest.importorskip("zstandard").compress(data)
    elif kind == "lz4":
        packed = pytest.importorskip("lz4.frame").compress(data)
    else:
        packed = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}[kind](data)
    path = tmp_path / f"a.pcap.{kind}"
    path.write_bytes(packed)
    assert figures(sipanalyzer.analyze(path)) == truth
    assert figures(sipanalyzer.analyze(io.BytesIO(packed))) == truth


def test_pcapng_changes_nothing(lossy_tape: Tape, truth: object) -> None:
    data = pcapng_bytes(in_order(lossy_tape), [Interface(resolution=9)])
    assert figures(sipanalyzer.analyze(io.BytesIO(data))) == truth


def test_other_calls_in_between_change_nothing(lossy_tape: Tape, truth: dict[str, list[dict[str, Any]]]) -> None:
    tape = Tape()
    tape.packets = list(lossy_tape.packets)
    for k in range(12):
        name, near, far = f"other{k}", f"10.1.0.{k + 1}", f"10.2.0.{k + 1}"
        words: dict[str, Any] = {"call": name, "src": near, "dst": far, "tags": (f"a{k}", f"b{k}")}
        tape.set_up(sdp(near, 6000), sdp(far, 7000), at=0.1 * k + 0.013, **words)
        tape.talk(3.0 + 0.007 * k, near, 6000, far, 7000, 900, ssrc=0x11 if k % 2 else 0x100 + k,
                  lost=range(4, 890, 3 + k), late=dict.fromkeys(range(3, 890, 13), 0.09))  # fmt: skip
    found = figures(tape.analyze())
    mine = [row for row in found["streams"] if row["call_id"] == "one"]
    places = [found["streams"].index(row) for row in mine]
    session = {row["session"] for row in mine}
    for row in mine + found["calls"]:
        row.pop("session")
    expected = [{key: value for key, value in row.items() if key != "session"} for row in truth["streams"]]
    assert mine == expected and len(session) == 1
    kept = [{**row, "stream": places.index(row["stream"])} for row in found["intervals"] if row["stream"] in places]
    assert kept == truth["intervals"]


# ---- the sweep of depths


def sweep(analysis: sipanalyzer.Analysis, row: int, depths: Sequence[float]) -> list[dict[str, Any]]:
    frame = analysis.stream(row).playout_sweep(depths)
    return [dict(zip(frame.columns, values, strict=True)) for values in frame.itertuples(index=False)]


def agrees(tape: Tape, depths: Sequence[float] = (20.0, 60.0, 130.0), **options: Any) -> None:
    """A sweep's rows are what analyses at those depths say."""
    swept = tape.analyze(**options)
    found = [sweep(swept, row, depths) for row in range(len(swept.streams))]
    for number, depth in enumerate(depths):
        for row, stream in enumerate(tape.streams(**{**options, "playout_ms": depth})):
            told = found[row][number]
            assert told["depth_ms"] == depth
            for name in ("discarded_percent", "effective_loss_percent", "delay_ms", "r_factor", "mos"):
                if stream[name] is not None:
                    assert round(told[name], 6) == stream[name], (depth, name)


def test_a_sweep_says_what_analyses_at_those_depths_say(lossy_tape: Tape) -> None:
    agrees(lossy_tape, (0.0, 20.0, 60.0, 130.0))


def test_a_sweep_knows_the_delay_that_rtcp_told() -> None:
    tape = two_ways()
    for k in range(3):
        ask_and_answer(tape, 3.0 + k, 0.03, highest=1000 + 50 * k)
        ask_and_answer(tape, 3.2 + k, 0.11, way="BA", highest=7000 + 50 * k)
    agrees(tape)
    agrees(tape, one_way_delay_ms=33.0)


def ragged(tape: Tape, seed: int = 5, count: int = 600, **words: Any) -> Tape:
    rng = random.Random(seed)
    slow = {k: rng.uniform(0.0, 0.15) for k in range(5, count - 5)}
    return tape.talk(words.pop("at", BEGIN), A, 4000, B, 5000, count, late=slow, lost=range(40, count - 9, 41), **words)


def test_a_sweep_of_a_clock_that_nobody_named() -> None:
    agrees(ragged(Tape(), payload_type=111, step=960))


def test_a_sweep_without_sdp() -> None:
    agrees(ragged(Tape()))


def test_a_sweep_over_a_reinvite_and_a_new_codec() -> None:
    tape = call()
    ragged(tape, count=300)
    tape.reinvite(BEGIN + 6.3, A, B, sdp(A, 4000, ("9 G722/8000",), version=2),
                  sdp(B, 5000, ("9 G722/8000",), version=2))  # fmt: skip
    ragged(tape, seed=6, count=300, at=BEGIN + 6.5, seq=1300, timestamp=5000 + 300 * 160, payload_type=9)
    agrees(tape)


def test_a_sweep_over_a_hold_that_only_sdp_tells() -> None:
    """The pause is in arrival alone: nothing but the re-INVITE says that the schedule begins anew."""
    tape = call()
    ragged(tape, count=300)
    tape.reinvite(BEGIN + 6.2, B, A, sdp(B, 5000, lines=["inactive"], version=2),
                  sdp(A, 4000, lines=["inactive"], version=2), cseq=7, tags=("b", "a"))  # fmt: skip
    tape.reinvite(BEGIN + 10.9, B, A, sdp(B, 5000, version=3), sdp(A, 4000, version=3), cseq=8, tags=("b", "a"))
    ragged(tape, seed=7, count=300, at=BEGIN + 11.0, seq=1300, timestamp=5000 + 300 * 160)
    agrees(tape)


def test_a_sweep_where_a_payload_type_changes_its_meaning() -> None:
    tape = call(formats=("96 opus/48000/2",))
    ragged(tape, count=300, payload_type=96, step=960)
    tape.reinvite(BEGIN + 6.3, A, B, sdp(A, 4000, ("96 speex/8000",), version=2),
                  sdp(B, 5000, ("96 speex/8000",), version=2))  # fmt: skip
    ragged(tape, seed=6, count=400, at=BEGIN + 6.5, seq=1300, timestamp=5000 + 300 * 960, payload_type=96)
    agrees(tape)


def test_a_sweep_of_streams_under_one_key_and_of_mirrored_ones() -> None:
    tape = Tape()
    ragged(tape)
    ragged(tape, seed=8, at=BEGIN + 90, seq=40_000, timestamp=9_000_000)  # 60 s of silence and a restart: another one
    assert len(tape.streams()) == 2
    agrees(tape)
    agrees(tape.doubled(0.004))


def test_a_sweep_after_the_captures_clock_was_set_back() -> None:
    tape = call()
    ragged(tape, count=300)
    behind = len(tape.packets)
    ragged(tape, seed=8, count=300, at=BEGIN + 6.0, seq=1300, timestamp=5000 + 300 * 160)
    packets = in_order(tape)
    turned = [p for p in packets if p.time_ns < packets[0].time_ns + 8_100_000_000]
    turned += [p._replace(time_ns=p.time_ns - 30_000_000_000) for p in packets[len(turned) :]]
    assert behind
    data = pcap_bytes(turned, nanoseconds=True)

    def analyze(depth: float) -> sipanalyzer.Analysis:
        return sipanalyzer.analyze(io.BytesIO(data), playout_ms=depth)

    for depth in (20.0, 60.0):
        (row,) = records(analyze(depth), "streams")
        (told,) = sweep(analyze(60.0), 0, [depth])
        assert round(told["discarded_percent"], 6) == row["discarded_percent"]
        assert round(told["r_factor"], 6) == row["r_factor"]


@pytest.mark.parametrize("kind", ["path", "gzip", "folder", "list", "file object"])
def test_a_sweep_reads_the_capture_again_however_it_came(
    lossy_tape: Tape, truth: dict[str, list[dict[str, Any]]], kind: str, tmp_path: pathlib.Path
) -> None:
    packets = in_order(lossy_tape)
    halves = [pcap_bytes(part, nanoseconds=True) for part in (packets[:3000], packets[3000:])]
    whole = pcap_bytes(packets, nanoseconds=True)
    for name, data in (
        ("f/a.pcap", halves[0]),
        ("f/b.pcap", halves[1]),
        ("w.pcap", whole),
        ("w.gz", gzip.compress(whole)),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    capture: Any = {
        "path": tmp_path / "w.pcap", "gzip": tmp_path / "w.gz", "folder": tmp_path / "f",
        "list": [tmp_path / "f/b.pcap", tmp_path / "f/a.pcap"], "file object": io.BytesIO(whole),
    }[kind]  # fmt: skip
    analysis = sipanalyzer.analyze(capture)
    for row, stream in enumerate(truth["streams"]):
        for _ in range(2):  # a file object can be read more than twice
            (told,) = sweep(analysis, row, [60.0])
            for name in ("discarded_percent", "effective_loss_percent", "delay_ms", "r_factor", "mos"):
                assert round(told[name], 6) == stream[name]


def test_what_can_be_read_once_only_is_refused_in_one_line(lossy_tape: Tape) -> None:
    class Once(io.RawIOBase):
        """A pipe."""

        def __init__(self, data: bytes) -> None:
            self._data = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return False

        def readinto(self, buffer: Any) -> int:
            return self._data.readinto(buffer)

    analysis = sipanalyzer.analyze(Once(lossy_tape.bytes()))
    assert len(analysis.streams) == 2
    with pytest.raises((ValueError, sipanalyzer.CaptureError)) as told:
        analysis.stream(0).playout_sweep()
    assert "\n" not in str(told.value) and "once" in str(told.value)


def test_a_sweep_of_video_or_of_negative_depths_is_refused() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000, ("96 H264/90000",), media="video"), sdp(B, 5000, ("96 H264/90000",), media="video"))
    tape.talk(BEGIN, A, 4000, B, 5000, 200, payload_type=96, step=3000, gap=1 / 30)
    with pytest.raises(ValueError, match="video"):
        tape.analyze().stream(0).playout_sweep()
    with pytest.raises(ValueError):
        talk(200).analyze().stream(0).playout_sweep([-1.0])
    with pytest.raises(ValueError):
        talk(200).analyze().stream(0).playout_sweep([float("nan")])
