"""Lengths that lie, sectors overwritten, stretches missing: what they do not touch is read, found and redacted."""

from __future__ import annotations

import io
import pathlib
import random

import numpy as np
import pytest

from sipanalyzer.capture.chosen import read_chosen
from sipanalyzer.capture.source import expand
from sipanalyzer.kernels import set_compiled
from sipanalyzer.options import Options
from tests.capture import words
from tests.damage import checks, harm, many
from tests.damage.records import take_apart

CALLS = 8
KINDS = (
    "bits flipped in 1 % of record headers", "lying lengths", "a sector overwritten", "a stretch missing",
)  # fmt: skip
FORMS = ("pcap", "pcap-ns", "pcapng")


def captures(form: str, kind: str) -> list[tuple[str, int, bytes]]:
    """Names of harmed captures, how many of their packets nothing happened to, and their bytes."""
    packets, _ = many.many_calls(CALLS, talked=40)
    pieces = take_apart(many.files(packets)[form])
    assert pieces is not None
    first = 1 if form == "pcapng" else 0  # an interface that is not described makes packets unreadable
    found = []
    for seed in range(12):
        what = f"{form}: {kind}: {seed}"
        harmed = harm.KINDS[kind](pieces, random.Random(what))
        if not (first and harmed.touched & {0, 1}):
            found.append((what, len(packets) - len(harmed.touched), harmed.data))
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_packets_beside_the_harm_are_read(form: str, kind: str) -> None:
    read = wanted = 0
    for what, spared, data in captures(form, kind):
        result = checks.analyzed(data, what)
        assert result is not None
        read += min(spared, result.captures[0].packets)
        wanted += spared
        gaps = result.captures[0].anomalies.counts().get("passed-over", 0)
        assert gaps == 0 or "read on at offset" in (result.captures[0].damage or "")
    assert read >= 0.99 * wanted


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_cut_into_blocks_changes_nothing_and_frames_are_found_again(form: str, kind: str) -> None:
    set_compiled(True)
    try:
        for _, _, data in captures(form, kind)[:6]:
            found, capture = words.observe(data)
            again, other = words.observe(data, block_bytes=4096)
            assert again == found
            assert other.damage == capture.damage
            one = expand(io.BytesIO(data))[0]
            records = list(read_chosen(one, np.arange(1, 10_000), Options()))
            assert [record.frame for record in records][-1] >= found[-1][0]
            packets = {record.frame: record.data for record in records}
            for frame, _, _, payload in found[:: max(1, len(found) // 50)]:
                assert payload in packets[frame]
    finally:
        set_compiled(False)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_harmed_capture_is_redacted_as_far_as_it_is_read(form: str, kind: str) -> None:
    originals = [many.name_of(call).encode() for call in range(CALLS)]
    for what, _, data in captures(form, kind)[:5]:
        plain = checks.analyzed(data, what)
        hidden = checks.analyzed(data, what, redact=True, redact_key="key")
        assert plain is not None and hidden is not None
        before, after = plain.captures[0], hidden.captures[0]
        assert (after.packets, after.first, after.last) == (before.packets, before.first, before.last), what
        assert (before.damage is None) == (after.damage is None)
        for name in ("calls", "streams", "messages"):
            assert len(checks.rows(hidden, name)) == len(checks.rows(plain, name)), what
        told = repr(checks.all_rows(hidden)).encode()
        assert not any(each in told for each in originals), what


def test_a_file_of_which_every_record_is_odd_is_read_to_its_end(tmp_path: pathlib.Path) -> None:
    for odd in (
        [words.record(1_700_000_000, 2_000_000 + n, b"abcd") for n in range(3000)],
        [words.record(1_700_000_000, n, b"abcd", wire=3) for n in range(3000)],
        [words.record(1_700_000_000, n, b"", wire=60) for n in range(3000)],
        [words.record(1_700_000_000, n, bytes(20_000)) for n in range(300)],
    ):
        found, capture = words.observe(words.pcap_header() + b"".join(odd))
        assert (capture.packets, capture.damage) == (len(odd), None)
        wrong = [words.enhanced(n, b"abcd", again=7) for n in range(len(odd))]
        found, capture = words.observe(words.section() + words.interface() + b"".join(wrong))
        assert (len(found), capture.damage) == (len(odd), None)


def test_odd_records_amid_others_are_read_where_another_record_follows() -> None:
    odd = words.record(1_700_000_000, 5, bytes(60_000))
    whole = [words.record(1_700_000_000, n, b"abcd") for n in range(200)]
    for place in range(0, 200, 7):
        whole.insert(place, odd)
    found, capture = words.observe(words.pcap_header() + b"".join(whole))
    assert (len(found), capture.damage) == (len(whole), None)


def test_a_file_of_nothing_but_likely_headers_takes_no_time() -> None:
    data = words.pcap_header() + b"\xff" * 16 + b"\1\0\0\0" * 500_000
    assert checks.analyzed(data, "ones") is not None
    assert (
        checks.analyzed(words.section() + words.interface() + b"\xff" * 16 + b"\6\0\0\0" * 500_000, "six") is not None
    )
