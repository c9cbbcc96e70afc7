"""The codecs' figures against those of ITU-T G.113, and the rules on what may be called published."""

from __future__ import annotations

import math
import pathlib
import re

import pytest

from sipanalyzer.codecs import STATIC, by_name
from sipanalyzer.metrics.impairments import AMR_WB_MODES, EVS_MODES, TABLE, Impairment, Traffic, find_impairment

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATES = (8000, 16000, 24000, 32000, 48000)


def found(codec: str, **traffic: float | bool) -> Impairment:
    impairment = find_impairment(codec, Traffic(**traffic))  # type: ignore[arg-type]
    assert impairment is not None
    return impairment


@pytest.mark.parametrize(
    ("codec", "traffic", "ie", "bpl"),
    [
        ("PCMU", {}, 0, 25.1),
        ("pcma", {"concealment": False}, 0, 4.3),
        ("G729", {}, 11, 19.0),
        ("G723", {"packet_bytes": 24.0, "ptime_ms": 30.0}, 15, 16.1),
        ("GSM-EFR", {}, 5, 10.0),
    ],
)
def test_what_table_i_4_prints_is_published(codec: str, traffic: dict[str, float], ie: float, bpl: float) -> None:
    impairment = found(codec, **traffic)
    assert (impairment.scale, impairment.ie, impairment.bpl) == ("NB", ie, bpl)
    assert impairment.basis == "published"
    assert "I.4" in impairment.source


def test_nothing_else_of_narrowband_or_fullband_is_published() -> None:
    for name in TABLE:
        for rate in RATES:
            impairment = find_impairment(name, Traffic(clock_rate_hz=rate))
            if impairment is not None and impairment.basis == "published":
                assert name in ("pcmu", "pcma", "g729", "g723", "gsm-efr")


@pytest.mark.parametrize(
    "codec", ["AMR", "iLBC", "opus", "speex", "G722", "G726-32", "G728", "GSM", "L16", "EVS", "SILK", "BV16", "G7221"]
)
def test_an_assumption_says_what_it_rests_on(codec: str) -> None:
    impairment = found(codec)
    assert impairment.basis == "assumed"
    assert impairment.note
    assert re.search(r"\bas |on the line|super-wideband", impairment.note)
    assert f"Ie {impairment.ie:g}" in impairment.note or "Ie as" in impairment.note


def test_neither_of_the_figures_in_doubt_is_given_for_g722() -> None:
    impairment = found("G722", clock_rate_hz=8000)
    assert impairment.scale == "WB"
    assert impairment.ie not in (13, 14)


@pytest.mark.parametrize(
    ("codec", "clock", "scale"),
    [
        ("PCMU", 8000, "NB"), ("G722", 8000, "WB"), ("AMR", 8000, "NB"), ("AMR-WB", 16000, "WB"),
        ("G7221", 16000, "WB"), ("G7221", 32000, "FB"), ("PCMU-WB", 16000, "WB"), ("speex", 8000, "NB"),
        ("speex", 16000, "WB"), ("speex", 32000, "FB"), ("SILK", 8000, "NB"), ("SILK", 24000, "WB"),
        ("opus", 48000, "FB"), ("EVS", 16000, "FB"), ("G719", 48000, "FB"), ("L16", 8000, "NB"), ("L16", 16000, "WB"),
        ("L16", 44100, "FB"), ("L16", 11025, "NB"), ("iLBC", 8000, "NB"),
    ],
)  # fmt: skip
def test_scales(codec: str, clock: int, scale: str) -> None:
    assert found(codec, clock_rate_hz=clock).scale == scale


@pytest.mark.parametrize(
    "codec",
    [None, "", "CLEARMODE", "X-CCD", "t140", "t38", "red", "telephone-event", "CN", "tone", "H264", "VP8", "MPA",
     "nobody-knows"],
)  # fmt: skip
def test_what_carries_no_speech_has_no_impairment(codec: str | None) -> None:
    for rate in RATES:
        assert find_impairment(codec, Traffic(clock_rate_hz=rate)) is None


def test_no_video_codec_is_in_the_table_and_every_name_there_is_registered() -> None:
    for name in TABLE:
        codec = by_name(name)
        assert codec is not None, name
        assert codec.media == "audio"
    speech = {codec.name.lower() for codec in STATIC.values() if codec.media == "audio"} - {"cn", "mpa"}
    assert speech <= set(TABLE)


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("mode", AMR_WB_MODES)
def test_the_mode_of_amr_wb_shows_in_its_packets(
    mode: tuple[float, int, float, float, bool], aligned: bool, frames: int
) -> None:
    """RFC 4867 4.3: CMR of 4 bits and 6 bits a frame; 4.4: an octet and an octet a frame."""
    rate, bits, ie, bpl, published = mode
    size = 1 + frames * (1 + math.ceil(bits / 8)) if aligned else math.ceil((4 + frames * (6 + bits)) / 8)
    impairment = found("AMR-WB", packet_bytes=float(size), ptime_ms=20.0 * frames)
    assert (impairment.scale, impairment.ie, impairment.bpl) == ("WB", ie, bpl)
    assert impairment.basis == ("published" if published else "assumed")
    assert impairment.note is not None
    assert f"{rate:g} kbit/s" in impairment.note


def test_silence_among_the_packets_of_amr_wb_does_not_lower_its_mode() -> None:
    mean = (25 * 34 + 3 * 7) / 28
    impairment = found("AMR-WB", packet_bytes=mean, ptime_ms=20.0)
    assert (impairment.ie, impairment.basis) == (20, "assumed")


@pytest.mark.parametrize("codec", ["AMR-WB", "AMR", "EVS"])
def test_no_mode_shows_where_silence_is_most_of_what_was_sent(codec: str) -> None:
    """Comfort noise comes every 160 ms (3GPP TS 26.193), which then is the usual timestamp step."""
    silent = found(codec, packet_bytes=19.8, ptime_ms=160.0)
    unknown = found(codec)
    assert silent == unknown
    assert silent.basis == "assumed"
    assert "do not show" in (silent.note or "")


def test_published_figures_of_amr_wb() -> None:
    printed = {6.6: (56, 0), 8.85: (41, 0), 12.65: (20, 4.3), 15.85: (17, 0), 23.05: (8, 4.6), 23.85: (10, 4.9)}
    for rate, _, ie, bpl, published in AMR_WB_MODES:
        if rate in printed:
            assert printed[rate] == (ie, bpl if published else 0)
        else:
            assert not published
    assert found("AMR-WB").basis == "assumed", "a mode that does not show"


@pytest.mark.parametrize(("size", "ie"), [(32, 5.0), (31, 5.0), (20, 10.0), (21, 10.0), (14, 12.8), (500, 5.0)])
def test_amr_lies_on_the_line_through_its_relatives(size: int, ie: float) -> None:
    """12.2 kbit/s is 244 bits: 31 octets bandwidth-efficient, 33 aligned; 7.4 is 148: 20 and 21."""
    impairment = found("AMR", packet_bytes=float(size), ptime_ms=20.0)
    assert (impairment.scale, impairment.ie, impairment.bpl) == ("NB", ie, 10.0)


@pytest.mark.parametrize(("size", "ie", "bpl"), [(33, 17.1, 11.7), (61, 7.2, 11.4), (80, 8.7, 9.3), (122, 10.2, 9.6)])
def test_evs_by_its_rate(size: int, ie: float, bpl: float) -> None:
    impairment = found("EVS", packet_bytes=float(size), ptime_ms=20.0)
    assert (impairment.scale, impairment.ie, impairment.bpl) == ("FB", ie, bpl)


def test_g723_at_5_3_kbit_s_is_told_by_its_frames_of_20_bytes() -> None:
    assert found("G723", packet_bytes=40.0, ptime_ms=60.0).ie == 19
    assert found("G723", packet_bytes=40.0, ptime_ms=60.0).basis == "assumed"
    assert found("G723", packet_bytes=22.0, ptime_ms=30.0).ie == 15
    assert found("G723").ie == 15


def test_the_page_has_every_codec_with_its_figures() -> None:
    page = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith("| `") and line.count("|") == 7
    ]
    told = {(name.strip("` ").lower(), scale): (ie, bpl, basis) for name, scale, ie, bpl, basis, _ in rows}
    modal = {"amr", "amr-wb", "evs"}
    for name in set(TABLE) - modal:
        for rate in RATES:
            impairment = find_impairment(name, Traffic(clock_rate_hz=rate))
            if impairment is not None:
                figures = (f"{impairment.ie:g}", f"{impairment.bpl:g}", impairment.basis)
                assert told[name, impairment.scale] == figures, (name, impairment)
    for rate, _, ie, bpl, published in AMR_WB_MODES:
        assert told[f"amr-wb` {rate:g} kbit/s", "WB"] == (
            f"{ie:g}", f"{bpl:g}", "published" if published else "assumed",
        )  # fmt: skip
    for rate, ie, bpl in EVS_MODES:
        assert told[f"evs` {rate:g} kbit/s", "FB"] == (f"{ie:g}", f"{bpl:g}", "assumed")
    assert told["amr` 12.2 kbit/s", "NB"] == ("5", "10", "assumed")
    assert told["amr` 7.4 kbit/s", "NB"] == ("10", "10", "assumed")
