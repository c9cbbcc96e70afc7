"""No way out has a value of the capture under `--redact`: values by an independent scan, every sample, every output."""

from __future__ import annotations

import pathlib

import pytest

import sipanalyzer
from sipanalyzer.options import Options
from sipanalyzer.redaction.door import redacted
from tests.redaction.looking import found_in, outputs
from tests.redaction.originals import Values, frames, original_values

SAMPLES = sorted(
    path for path in (pathlib.Path(__file__).parents[2] / "sample_pcaps").iterdir() if ".pcap" in path.name
)
KEYS = ("one key", "another", "a third")
"""A replacement may be somebody else's original, by chance; not under every key."""
PICTURED = frozenset(("two_legs.pcap",))


def capture_bytes(path: pathlib.Path, key: str) -> bytes:
    """The capture, redacted, as it is read."""
    return redacted([str(path)], Options(redact=True, redact_key=key))[0].open_().read(1 << 28)


def leaks(path: pathlib.Path, folder: pathlib.Path, *, pictures: bool = False) -> dict[bytes, tuple[str, str]]:
    """Values of a capture that stand in what is written of it under each key: their class, and where."""
    values: Values = original_values(frames(path), path.name)
    left: dict[bytes, tuple[str, str]] = {}
    for key in KEYS:
        found: dict[bytes, tuple[str, str]] = {}
        data = capture_bytes(path, key)
        found.update((value, (name, "capture")) for value, name in found_in(data, values, raw=True).items())
        analysis = sipanalyzer.analyze(path, redact=True, redact_key=key)
        for what, written in outputs(analysis, folder / key, pictures=pictures):
            raw = what.startswith("extract")
            found.update((value, (name, what)) for value, name in found_in(written, values, raw=raw).items())
        left = found
        values = {
            name: {value for value in found if found[value][0] == name} for name in {n for n, _ in found.values()}
        }
        if not left:
            break
    return left


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_no_way_out_has_an_original_value(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for key in KEYS:
        (tmp_path / key).mkdir()
    assert leaks(path, tmp_path, pictures=path.name in PICTURED) == {}


EXPLAINED: dict[str, set[bytes]] = {
    "products, which stay, as subject of a description": {
        b"x-lite", b"ekiga/4.0.1", b"asterisk pbx 11.7.0~dfsg-1ubuntu1",
    },
    "codecs where a scan without a parser sees display names": {
        b"pcma/8000", b"pcmu/8000", b"g722/8000", b"gsm/8000", b"ilbc/8000", b"opus/48000/2", b"speex/8000",
        b"speex/16000", b"speex/32000",
    },
    "words of the protocols": {
        b"undefined", b"media", b"supported", b"user", b"update,refer",
        b';+sip.instance="', b';reg-id=1;+sip.instance="',
    },
    "groups that the standards number": {bytes((224, 0, 0, last)) for last in (1, 18, 251, 252)},
    "timestamps of devices that begin them at their SSRC": {b"\x10/\xe0\x02", b"\x02/\xe0\x02", b"\x92\0\x10\5"},
    "what stands in heads of packets anyway": {b"\0\0\1\0\0\0", b"\0\0\0\0\0\x10"},
    "of a capture that was damaged on purpose, and of loopback packets that a scan reads as IPv6": {
        b"\xaa" * 6, b"\xaa" * 4, b"192.168", b"\x11\x7f\0\0\1\x7f\0\0\1\xda|sEmp\xd3",
    },
}  # fmt: skip
"""Values that a scan finds in real captures, and that stay."""


def test_real_captures_have_nothing_that_is_not_explained(corpus: pathlib.Path) -> None:
    explained = {value for values in EXPLAINED.values() for value in values}
    paths = [path for path in sorted(corpus.rglob("*")) if path.suffix in (".pcap", ".pcapng", ".cap")]
    assert len(paths) > 80
    left: dict[str, set[bytes]] = {}
    for path in paths:
        try:
            values = original_values(frames(path), path.name)
        except ValueError:  # dpkt, which the scan reads captures with, knows fewer kinds
            continue
        for key in KEYS:
            found = set(found_in(capture_bytes(path, key), values, raw=True)) - explained
            values = {name: group & found for name, group in values.items()}
            if not found:
                break
        else:
            left[path.name] = found
    assert left == {}


CLASSES = {
    "authenticated.pcap": ("digest", "user", "host", "Call-ID", "branch", "address", "raw ipv4", "raw mac"),
    "announcement.pcap": ("sound", "raw ssrc", "SDP origin", "SDP address", "tag", "unknown header"),
    "ipv6.pcap": ("raw ipv6",),
    "hep3.pcap": ("HEP text",),
    "webrtc_failed.pcap": ("SDP key", "SDP candidate"),
    "rtcp.pcap": ("RTCP name",),
    "message.pcap": ("body",),
    "msrp.pcap": ("MSRP",),
    "baresip.pcap": ("SDP ssrc",),
    "sipp_tcp_auth.pcap": ("display name",),
}


@pytest.mark.parametrize("name", CLASSES)
def test_leaks_of_each_class_are_named_where_nothing_is_redacted(name: str) -> None:
    path = next(path for path in SAMPLES if path.name == name)
    values = original_values(frames(path), path.name)
    for kind in CLASSES[name]:
        assert found_in(path.read_bytes(), {kind: values[kind]}, raw=True), kind


def test_a_leak_in_a_table_or_a_report_is_named(tmp_path: pathlib.Path) -> None:
    path = next(path for path in SAMPLES if path.name == "plain.pcap")
    values = original_values(frames(path), path.name)
    wanted = ("calls.", "streams.", "messages.", "report", "flow", "extract", "message ", "export csv calls")
    silent = [
        what
        for what, data in outputs(sipanalyzer.analyze(path), tmp_path)
        if what.startswith(wanted) and not found_in(data, values, raw=what.startswith("extract"))
    ]
    assert silent == []
