"""The laws, over whole analyses: cuts, order, both ways, damage; and what only the conductor does."""

from __future__ import annotations

import dataclasses
import pathlib
import struct
from typing import Any

import pytest

from sipanalyzer.errors import CaptureError
from sipanalyzer.kernels import available, set_compiled
from sipanalyzer.options import Options
from sipanalyzer.output.derived import findings_of
from sipanalyzer.pipeline import Progress, analyze
from sipanalyzer.result import Result

SAMPLES = sorted(
    path
    for path in (pathlib.Path(__file__).parent.parent / "sample_pcaps").iterdir()
    if path.name.endswith((".pcap", ".pcapng", ".gz"))
)


OTHERS = (
    "sessions", "registrations", "pages", "subscriptions", "probes", "rtcp", "outages", "icmp", "connections", "checks",
)  # fmt: skip
"""Tuples of dataclasses in a result."""


def said(result: Result, frames: bool = True) -> dict[str, Any]:
    """Everything a result says, in a shape that == compares; without what depends on how files are split, if asked."""
    messages = result.messages
    rows = []
    for i in range(len(messages)):
        row = [messages.raw(i), int(messages.time[i]), messages.endpoints[messages.src[i]]]
        row += [messages.endpoints[messages.dst[i]], bool(messages.retransmission[i]), int(messages.transport[i])]
        row += [messages.text(name, i) for name in messages.texts]
        rows.append([*row, int(messages.frame[i]), int(messages.capture[i])] if frames else row)
    leave_out = () if frames else ("capture", "first_frame", "last_frame", "frame", "frames", "rows")

    def plain(items: tuple[Any, ...]) -> list[dict[str, Any]]:
        return [
            {f.name: value(getattr(item, f.name)) for f in dataclasses.fields(item) if f.name not in leave_out}
            for item in items
        ]

    def value(field: Any) -> Any:
        if isinstance(field, tuple) and field and dataclasses.is_dataclass(field[0]):
            return plain(field)
        return field

    captures = [
        {f.name: getattr(c, f.name) for f in dataclasses.fields(c) if f.name != "anomalies"}
        | {"a": c.anomalies.counts()}
        for c in result.captures
    ]
    return {
        "messages": rows,
        "calls": plain(result.calls),
        "streams": plain(result.streams),
        "dialogs": plain(result.dialogs),
        "transactions": plain(result.transactions),
        **{name: plain(getattr(result, name)) for name in OTHERS},
        "intervals": [repr(getattr(result.intervals, f.name).tolist()) for f in dataclasses.fields(result.intervals)],
        "findings": plain(tuple(each for each in findings_of(result) if each.call_id is not None or frames)),
        "captures": captures if frames else sum(c.packets for c in result.captures),
        "kinds": result.packets_by_kind,
    }


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_any_cut_into_blocks_gives_the_same_result(path: pathlib.Path) -> None:
    whole = said(analyze(path))
    for size in (4096, 10_007):
        assert said(analyze(path, Options(block_bytes=size))) == whole


@pytest.mark.skipif(not available(), reason="numba has no build for this Python")
@pytest.mark.parametrize("path", SAMPLES[:: max(1, len(SAMPLES) // 12)], ids=lambda path: path.name)
def test_compiled_and_interpreted_kernels_give_the_same_result(path: pathlib.Path) -> None:
    interpreted = said(analyze(path))
    set_compiled(True)
    try:
        assert said(analyze(path)) == interpreted
    finally:
        set_compiled(False)


def pieces(path: pathlib.Path, folder: pathlib.Path, each: int) -> list[pathlib.Path]:
    """A classic pcap as rotated files of `each` records."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, records = 24, []
    while at + 16 <= len(data):
        size = 16 + struct.unpack_from(order + "I", data, at + 8)[0]
        records.append(data[at : at + size])
        at += size
    made = []
    for k in range(0, len(records), each):
        made.append(folder / f"{path.stem}.{k:06}.pcap")
        made[-1].write_bytes(data[:24] + b"".join(records[k : k + each]))
    return made


CLASSIC = [
    p for p in SAMPLES if p.suffix == ".pcap" and p.read_bytes()[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
]


@pytest.mark.parametrize("path", CLASSIC[::3], ids=lambda path: path.name)
def test_a_folder_of_rotated_files_equals_one_file(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    made = pieces(path, tmp_path, 37)
    whole = said(analyze(path), frames=False)
    assert said(analyze(tmp_path), frames=False) == whole
    assert said(analyze(list(reversed(made))), frames=False) == whole


def test_sockets_used_again_by_later_calls_leave_each_call_its_own_media() -> None:
    def of_calls(result: Result) -> dict[str, Any]:
        return {c.call_id: (c.state, c.packets, c.lost, c.codecs, c.one_way, len(c.streams)) for c in result.calls}

    alone: dict[str, Any] = {}
    for path in SAMPLES:
        alone |= of_calls(analyze(path))
    assert of_calls(analyze(SAMPLES)) == alone
    assert of_calls(analyze(list(reversed(SAMPLES)))) == alone


def test_a_capture_cut_at_any_byte_reports_what_stood_before(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    data = (samples / "busy.pcap").read_bytes()
    whole = analyze(samples / "busy.pcap")
    counts = []
    for size in range(24, len(data)):
        (tmp_path / "cut.pcap").write_bytes(data[:size])
        result = analyze(tmp_path / "cut.pcap")
        counts.append(result.captures[0].packets)
        assert len(result.messages) <= len(whole.messages)
        assert [result.messages.raw(i) for i in range(len(result.messages))] == [
            whole.messages.raw(i) for i in range(len(result.messages))
        ]
    assert counts == sorted(counts)
    assert counts[-1] == whole.captures[0].packets - 1


def test_what_is_no_capture_is_one_clear_error(tmp_path: pathlib.Path) -> None:
    for name, content in (("empty", b""), ("text.pcap", b"this is no capture at all"), ("short.pcap", b"\xd4\xc3")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CaptureError) as caught:
            analyze(tmp_path / name)
        assert name in str(caught.value)
        assert caught.value.offset == 0


def test_progress_ends_with_the_whole_file_read(samples: pathlib.Path) -> None:
    seen: list[Progress] = []
    analyze(samples / "announcement.pcap", Options(block_bytes=65536), seen.append)
    assert seen[-1].bytes_read == seen[-1].bytes_total == (samples / "announcement.pcap").stat().st_size
    assert seen[-1].calls == 1
    assert [p.bytes_read for p in seen] == sorted(p.bytes_read for p in seen)
