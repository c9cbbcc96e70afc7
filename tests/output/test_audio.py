"""The sound of a call: what was sent is heard, at its time, on its side; what cannot be heard is said."""

from __future__ import annotations

import io
import pathlib
import wave
from typing import Any

import numpy as np
import pytest

import sipanalyzer
from sipanalyzer.rereading.payloads import find_payload
from tests.builders import write_pcap
from tests.lossy import BEGIN, call
from tests.tape import A, B, Tape

LOUD, SOFT = bytes([0xAA]) * 160, bytes([0xD5]) * 160
"""A-law: 0xAA is the largest positive sample, 0xD5 the smallest."""


def _heard(tape: Tape, folder: pathlib.Path) -> tuple[Any, int]:
    """Samples (n, 2) and their rate."""
    path = tape.analyze().call(0).audio(folder / "call.wav")
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2), file.getframerate()


def _loud(samples: Any) -> list[tuple[int, int]]:
    """Stretches of loud samples."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (np.abs(samples.astype(int)) > 1000).astype(int), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def test_the_caller_is_left_the_callee_right_each_at_its_time(tmp_path: pathlib.Path) -> None:
    tape = call(end=10.0)
    tape.talk(BEGIN, A, 4000, B, 5000, 50, payload=LOUD)
    tape.talk(BEGIN + 1.5, B, 5000, A, 4000, 25, ssrc=9, payload=LOUD)
    samples, rate = _heard(tape, tmp_path)
    assert rate == 8000 and len(samples) == 16_000
    assert _loud(samples[:, 0]) == [(0, 8000)] and _loud(samples[:, 1]) == [(12_000, 16_000)]
    assert set(samples[:8000, 0]) == {32256}  # 4032 of 4096


def test_what_was_lost_is_silence_and_what_came_twice_or_late_within_the_buffer_is_heard_once(
    tmp_path: pathlib.Path,
) -> None:
    tape = call(end=10.0).talk(BEGIN, A, 4000, B, 5000, 20, payload=LOUD, lost=[5, 6], twice=[9], late={12: 0.03})
    samples, _ = _heard(tape, tmp_path)
    assert _loud(samples[:, 0]) == [(0, 800), (1120, 3200)]


def test_what_comes_too_late_for_the_jitter_buffer_is_silence(tmp_path: pathlib.Path) -> None:
    tape = call(end=10.0).talk(BEGIN, A, 4000, B, 5000, 50, payload=LOUD, late={20: 0.15})
    samples, _ = _heard(tape, tmp_path)
    assert _loud(samples[:, 0]) == [(0, 3200), (3360, 8000)]


def test_a_hold_leaves_its_pause(tmp_path: pathlib.Path) -> None:
    tape = call(end=20.0).talk(BEGIN, A, 4000, B, 5000, 10, payload=LOUD)
    tape.talk(BEGIN + 5, A, 4000, B, 5000, 10, seq=1010, timestamp=900_000, marks=[0], payload=LOUD)
    samples, _ = _heard(tape, tmp_path)
    assert _loud(samples[:, 0]) == [(0, 1600), (40_000, 41_600)]


def test_keys_and_their_packets_make_no_sound_and_no_hole(tmp_path: pathlib.Path) -> None:
    tape = call(end=20.0, formats=("8 PCMA/8000", "101 telephone-event/8000"))
    tape.talk(BEGIN, A, 4000, B, 5000, 10, payload=LOUD)
    after = tape.key(BEGIN + 0.2, A, 4000, B, 5000, "5", seq=1010, timestamp=5000 + 1600)
    tape.talk(BEGIN + 0.34, A, 4000, B, 5000, 10, seq=after, timestamp=5000 + 2720, payload=LOUD)
    samples, _ = _heard(tape, tmp_path)
    assert _loud(samples[:, 0]) == [(0, 1600), (2720, 4320)]


def test_a_mirror_port_does_not_play_twice(tmp_path: pathlib.Path) -> None:
    tape = call(end=10.0).talk(BEGIN, A, 4000, B, 5000, 50, payload=SOFT).doubled()
    samples, _ = _heard(tape, tmp_path)
    assert set(samples[:, 0]) == {8} and len(samples) == 8000  # 1 of 4096, once


def test_a_tunnel_changes_nothing(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = sipanalyzer.analyze(samples / "vxlan.pcap").call(0).audio(tmp_path / "vxlan.wav")
    with wave.open(str(path)) as file:
        assert file.getnframes() > 8000


def test_what_cannot_be_heard_is_said(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for name, why in (("websocket", "encrypted"), ("busy", "no audio"), ("hep3", "no audio")):
        with pytest.raises(ValueError, match=why):
            sipanalyzer.analyze(samples / f"{name}.pcap").call(0).audio(tmp_path / "no.wav")
        assert not (tmp_path / "no.wav").exists()


def test_packets_cut_by_the_capture_are_silence_or_no_sound_at_all(tmp_path: pathlib.Path) -> None:
    tape = call(end=10.0)
    for k in range(20):
        tape.rtp(
            BEGIN + k * 0.02, A, 4000, B, 5000, seq=k, timestamp=160 * k, payload=LOUD, payload_type=8,
            cut=60 if k != 3 else None,
        )  # fmt: skip
    samples, _ = _heard(tape, tmp_path)
    assert len(samples) == 160 and _loud(samples[:, 0]) == [(0, 160)]


def test_a_file_is_not_overwritten_unless_told(tmp_path: pathlib.Path) -> None:
    view = call(end=10.0).talk(BEGIN, A, 4000, B, 5000, 10, payload=LOUD).analyze().call(0)
    (tmp_path / "a.wav").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        view.audio(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == b"mine"
    view.audio(tmp_path / "a.wav", force=True)


def test_it_is_written_from_the_command_line(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sipanalyzer import cli

    tape = call(end=10.0).talk(BEGIN, A, 4000, B, 5000, 10, payload=LOUD)
    write_pcap(tmp_path / "a.pcap", sorted(tape.packets, key=lambda packet: packet.time_ns))
    assert cli.main(["audio", str(tmp_path / "a.pcap"), "--id", "0", "-o", str(tmp_path / "a.wav")]) == 0
    assert (tmp_path / "a.wav").read_bytes().startswith(b"RIFF")
    assert capsys.readouterr().out == ""
    assert cli.main(["audio", str(tmp_path / "a.pcap"), "--id", "0", "-o", str(tmp_path / "a.wav")]) == 2


# ---- where a payload stands in its frame
ROW = [0, 0, 1, 0, 0, 0, 0, 0, 0x01020304, 7, 1000, 4, 8, 0, 0, 0]
HEAD = bytes([0x80, 8, 0, 7, 0, 0, 3, 0xE8, 1, 2, 3, 4])


@pytest.mark.parametrize(
    ("frame", "payload"),
    [
        (b"xx" + HEAD + b"abcd", b"abcd"),
        (b"xx" + HEAD + b"abc", None),  # cut
        (b"xx" + bytes([0x82]) + HEAD[1:] + bytes(8) + b"abcd", b"abcd"),  # two contributing sources
        (b"xx" + bytes([0x90]) + HEAD[1:] + b"\xbe\xde\x00\x01eeee" + b"abcd", b"abcd"),  # a header extension
        (b"xx" + bytes([0x90]) + HEAD[1:] + b"\xbe", None),
        (b"xx" + bytes([0xA0]) + HEAD[1:] + b"abcd\x00\x02", b"abcd"),  # padding
        (HEAD[1:] + b"xx" + HEAD + b"abcd", b"abcd"),  # the same bytes by chance before
        (b"\x00" + HEAD[1:] + b"xx" + HEAD + b"abcd", b"abcd"),
        (b"", None),
    ],
)
def test_a_payload_is_found_behind_its_header(frame: bytes, payload: bytes | None) -> None:
    assert find_payload(frame, ROW) == payload


def test_standard_input_cannot_be_read_once_more(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._inner = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return self._inner.readinto(buffer)

    view = sipanalyzer.analyze(Pipe((samples / "plain.pcap").read_bytes())).call(0)
    with pytest.raises(ValueError, match="once only"):
        view.audio(tmp_path / "a.wav")
