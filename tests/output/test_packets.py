"""The packets of a stream as a DataFrame: they say what the stream's row says, and what tshark says."""

from __future__ import annotations

import io
import pathlib
import shutil
import subprocess

import numpy as np
import pandas
import pytest

import sipanalyzer
from sipanalyzer.output.frames import DTYPES
from sipanalyzer.output.packets import PACKET_COLUMNS
from tests.lossy import BEGIN, call, lossy, talk
from tests.tape import A, B


def agrees(stream: sipanalyzer.analysis.StreamView) -> pandas.DataFrame:
    """The stream's packets, when nothing that they say differs from its row."""
    packets, row = stream.packets(), stream.row
    assert len(packets) == row["packets"]
    assert packets["payload_bytes"].sum() == row["bytes"]
    assert packets["lost_before"].sum() == row["lost"]
    assert packets["duplicate"].sum() == row["duplicates"]
    assert packets["out_of_order"].sum() == row["out_of_order"]
    assert packets["segment"].max() == row["restarts"]
    for name in ("jitter_ms", "delta_ms"):
        if packets[name].notna().any():
            assert packets[name].max() == row[f"max_{name}"]
            assert packets[name].mean() == pytest.approx(row[f"mean_{name}"], abs=1e-5)
        else:
            assert pandas.isna(row[f"max_{name}"])
    if packets["skew_ms"].notna().any():
        assert packets["skew_ms"][packets["skew_ms"].abs().idxmax()] == row["max_skew_ms"]
    if pandas.notna(row["discarded_percent"]):
        assert packets["late"].sum() == round(row["discarded_percent"] * row["expected"] / 100)
    assert (packets["time"].iloc[0], packets["frame"].iloc[0]) == (row["start"], row["first_frame"])
    assert (packets["time"].iloc[-1], packets["frame"].iloc[-1]) == (row["end"], row["last_frame"])
    return packets


@pytest.mark.parametrize(
    "name", ["lossy", "late", "jittery", "held", "restart", "announcement", "mirror_port", "reordered", "holes"]
)
def test_packets_say_what_the_row_says(samples: pathlib.Path, name: str) -> None:
    analysis = sipanalyzer.analyze(samples / f"{name}.pcap")
    for row in range(len(analysis.streams)):
        agrees(analysis.stream(row))


def test_a_stream_to_which_much_happens() -> None:
    analysis = sipanalyzer.analyze(io.BytesIO(lossy().bytes()))
    for row in range(2):
        packets = agrees(analysis.stream(row))
        assert packets["late"].sum() > 100 and packets["duplicate"].sum() > 10
        keys = packets[packets["kind"] == "telephone-event"]
        assert set(keys["event"]) == {"7"} and set(keys["codec"]) == {"telephone-event"}
        assert keys["jitter_ms"].isna().all()


def test_types_and_meanings_are_those_of_all_tables() -> None:
    packets = sipanalyzer.analyze(io.BytesIO(talk(50).bytes())).stream(0).packets()
    assert [*packets.columns] == [column.name for column in PACKET_COLUMNS]
    assert [str(dtype) for dtype in packets.dtypes] == [DTYPES[column.dtype] for column in PACKET_COLUMNS]
    assert packets.attrs["columns"]["jitter_ms"]["unit"] == "ms"
    assert all(each["meaning"] for each in packets.attrs["columns"].values())


def test_what_is_handed_out_may_be_changed() -> None:
    stream = sipanalyzer.analyze(io.BytesIO(talk(50).bytes())).stream(0)
    packets = stream.packets()
    packets["jitter_ms"] = 7.0
    assert (stream.packets()["jitter_ms"].dropna() == 0.0).all()


def test_video_has_no_lateness_and_follows_the_rfc_to_the_letter() -> None:
    tape = call(formats=["96 H264/90000"], media="video", ptime=None)
    tape.talk(BEGIN, A, 4000, B, 5000, 200, payload_type=96, step=3600, gap=0.04)
    packets = agrees(sipanalyzer.analyze(io.BytesIO(tape.bytes())).stream(0))
    assert packets["lateness_ms"].isna().all() and packets["late"].isna().all()
    assert packets["break"].sum() == 1


def test_a_capture_that_was_replaced_is_told(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(talk(100).bytes())
    stream = sipanalyzer.analyze(path).stream(0)
    path.write_bytes(talk(80).bytes())
    with pytest.raises(ValueError, match="changed after it was analyzed"):
        stream.packets()


def test_tshark_says_the_same_of_a_plain_stream(tmp_path: pathlib.Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("no tshark: install Debian's tshark")
    path = tmp_path / "plain.pcap"
    late = {k: (k * 7919 % 23) / 1000 for k in range(1, 400)}
    path.write_bytes(talk(400, late=late, lost=(17, 18, 90)).bytes())
    stream = sipanalyzer.analyze(path).stream(0)
    packets = agrees(stream)
    fields = ["frame.number", "rtp.seq", "rtp.timestamp", "rtp.marker", "rtp.p_type", "frame.time_epoch"]
    told = subprocess.run(
        ["tshark", "-r", str(path), "-Y", "rtp", "-T", "fields", *[w for f in fields for w in ("-e", f)]],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    rows = [line.split("\t") for line in told]
    assert [[int(row[0]), int(row[1]), int(row[2]), int(row[4])] for row in rows] == packets[
        ["frame", "sequence", "timestamp", "payload_type"]
    ].astype(int).to_numpy().tolist()
    stamps = packets["time"].dt.tz_localize(None).to_numpy("M8[ns]").view(np.int64)
    assert [round(float(row[5]) * 1e6) for row in rows] == (stamps / 1e3).round().astype(int).tolist()
    lines = subprocess.run(
        ["tshark", "-q", "-r", str(path), "-z", "rtp,streams"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    (line,) = [line for line in lines if "0x00001234" in line]
    # ... SSRC, payload, packets, lost, (share), min/mean/max delta, min/mean/max jitter
    words = line.split()
    lost, numbers = int(words[words.index("(0.8%)") - 1]), [float(w) for w in words[words.index("(0.8%)") + 1 :][:6]]
    assert lost == packets["lost_before"].sum() == 3
    assert numbers[2] == pytest.approx(packets["delta_ms"].max(), abs=0.005)
    assert numbers[5] == pytest.approx(packets["jitter_ms"].max(), abs=0.005)
    assert numbers[1] == pytest.approx(packets["delta_ms"].mean(), abs=0.005)


def test_the_reading_is_of_that_stream_alone() -> None:
    tape = talk(100).talk(BEGIN, B, 5000, A, 4000, 90, ssrc=9)
    analysis = sipanalyzer.analyze(io.BytesIO(tape.bytes()))
    assert [set(analysis.stream(row).packets()["ssrc"]) for row in range(2)] == [
        {analysis.streams["ssrc"][row]} for row in range(2)
    ]
