"""Flow charts as pictures: everything is drawn, nothing overlaps or leaves the picture, no text is a formula."""

from __future__ import annotations

import datetime
import itertools
import pathlib
from typing import Any

import pytest

import sipanalyzer
from sipanalyzer.output.flow import figure as figure_module
from sipanalyzer.output.flow.figure import draw_flow, draw_pages
from sipanalyzer.output.flow.model import FlowChart, Fold, Keys, Leg, Media, Message, Note, Participant, Row

START = 1_772_442_000_000_000_000


def _message(number: int, label: str = "INVITE", **more: Any) -> Message:
    values: dict[str, Any] = {
        "source": 0, "target": 1, "kind": "invite", "detail": None, "gap": None, "method": "INVITE", "status": 0,
        "cseq": 1, "leg": 0, "frame": number + 1, "capture": 0, "message": number, "retransmission": False,
        "ports": (5060, 5060), "transport": "UDP",
    }  # fmt: skip
    offset = number * 1_000_000
    return Message(time=START + offset, offset=offset, label=label, **(values | more))


def _chart(rows: list[Row], people: int = 2, name: str = "alice", legs: int = 1) -> FlowChart:
    participants = tuple(
        Participant(f"192.0.2.{at}", f"{name}{at}", "Acme Phone 4.2, media 192.0.2.99", "between")
        for at in range(people)
    )
    return FlowChart("alice to bob", (Leg("c", "alice to bob", "completed"),) * legs, participants, tuple(rows), START)


def _media(shades: tuple[float, ...], **more: Any) -> Media:
    values: dict[str, Any] = {
        "source": 1, "target": 0, "label": "RTP PCMA", "detail": "10.0 s, 451 packets", "codec": "PCMA", "packets": 451,
        "loss_percent": 9.8, "max_jitter_ms": 1.0, "mos": 3.1, "mos_scale": "NB", "leg": 0, "stream": 0,
        "ports": (4000, 5000), "frame": 7, "capture": 0,
    }  # fmt: skip
    return Media(time=START, offset=0, end=START + 10**10, shades=shades, **(values | more))


def _texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def _boxes(figure: Any) -> list[tuple[str, Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in figure.axes[0].texts if text.get_text()]


def _assert_tidy(figure: Any) -> None:
    boxes = _boxes(figure)
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in boxes:
        assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, text
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        along = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across <= 1 or along <= 2, f"{one!r} lies over {other!r}"


def test_every_row_tells_what_it_is() -> None:
    rows: list[Row] = [
        _message(0, detail="sip:bob@example.com"),
        _message(1, retransmission=True),
        _message(2, "180 Ringing", kind="provisional", source=1, target=0, severity="warning"),
        _media((0.0, 5.0, 50.0), until="stops 2 s early"),
        Keys(START, 0, 0, 1, "8001#", "rfc4733", 0, 12, 0),
        Fold(START, 0, START, "OPTIONS and its 200, 24 times more", 0, 1, "request", (5, 6), 0),
        Note(START, 0, "media comes late", "error", "late-media", 0, 1, None, 3, 0),
    ]
    figure = draw_flow(_chart(rows), datetime.timezone(datetime.timedelta(hours=2), "+02"))
    texts = _texts(figure)
    for told in (
        "alice to bob", "2026-03-02 11:00:00.000 +02", "alice0", "192.0.2.1", "sip:bob@example.com", "INVITE (again)",
        "▲ 180 Ringing", "RTP PCMA", "10.0 s, 451 packets, stops 2 s early", "keys 8001# (rfc4733)",
        "OPTIONS and its 200, 24 times more", "error late-media: media comes late", "12",
    ):  # fmt: skip
        assert told in texts, told
    _assert_tidy(figure)


def test_a_bar_is_shaded_by_loss_from_left_to_right_whichever_way_it_goes() -> None:
    from matplotlib.colors import to_hex
    from matplotlib.patches import Rectangle

    for source in (0, 1):
        figure = draw_flow(_chart([_media((0.0, 2.0, 80.0), source=source, target=1 - source)]))
        parts = [patch for patch in figure.axes[0].patches if type(patch) is Rectangle and patch.get_fill()][:3]
        assert [to_hex(part.get_facecolor()) for part in parts] == ["#cfe3da", "#f2bd86", "#a33a00"]
        assert parts[0].get_x() < parts[1].get_x() < parts[2].get_x()


def test_a_long_pause_is_told_beside_the_time() -> None:
    texts = _texts(draw_flow(_chart([_message(0), _message(9, gap=2_500_000_000), _message(10, gap=400_000_000)])))
    assert "+2.5 s" in texts and not any(text.startswith("+0.4") for text in texts)


def test_legs_are_numbered_where_there_are_several() -> None:
    assert "[2] INVITE" in _texts(draw_flow(_chart([_message(0, leg=1)], legs=2)))
    assert "INVITE" in _texts(draw_flow(_chart([_message(0)])))


def test_legs_are_named_above_and_strokes_below_once() -> None:
    rows: list[Row] = [_message(number, leg=number % 2) for number in range(60)]
    pages = [_texts(page) for page in draw_pages(_chart([*rows, _media((1.0,))], legs=2))]
    assert len(pages) > 1 and "[2] alice to bob" in pages[0] and "[2] alice to bob" not in pages[-1]
    assert "other requests" not in pages[-1] and "INVITE" in pages[-1] and "INVITE" not in pages[0]
    assert sum("lost or late" in text for page in pages for text in page) == 1


def test_a_detail_has_as_many_lines_as_it_needs() -> None:
    detail = (
        "sip:carol@198.51.100.60; replaces call transfer-2@192.0.2.10; SDP offer G729 at 198.51.100.20:5002, ptime 20"
    )
    figure = draw_flow(_chart([_message(0, detail=detail), _message(1)], people=4))
    lines = [text for text in _texts(figure) if " " in text and text in detail]
    assert len(lines) == 3 and " ".join(lines) == detail
    _assert_tidy(figure)


def test_a_note_of_a_leg_is_whole_and_a_pause_has_no_number() -> None:
    words = "The caller transferred the call to sip:carol@198.51.100.60, after a consultation; the call was answered."
    note = Note(START, 0, words, "info", "transferred", 0, 1, 1, 3, 0)
    pause = Note(START, 0, "10 s later", None, None, 0, 1, None, None, None)
    for people in (2, 3, 12):
        texts = _texts(draw_flow(_chart([_message(0), note, pause], people=people, legs=2)))
        assert f"[2] info transferred: {words}" in " ".join(texts) and "10 s later" in texts


def test_frames_of_several_captures_are_told_apart_and_times_are_of_the_zone() -> None:
    texts = _texts(
        draw_flow(_chart([_message(0), _message(1, capture=1)]), datetime.timezone(datetime.timedelta(hours=2), "+02"))
    )
    assert "1:1" in texts and "2:2" in texts and "11:00:00.000" in texts
    assert "1" in _texts(draw_flow(_chart([_message(0)])))


@pytest.mark.filterwarnings("ignore:Glyph")  # of a font without that letter
@pytest.mark.parametrize("text", ["$x^2$", "\\alpha", "$\\frac{", "%", "\u202ex", "漢字" * 50, "x" * 5_000, "a\nb"])
def test_hostile_text_is_drawn_as_it_is_or_cut(text: str) -> None:
    rows: list[Row] = [
        _message(0, text, detail=text),
        _media((1.0,), label=text, detail=text),
        Note(START, 0, text, "error", None, 0, 1, None, 3, 0),
        Fold(START, 0, START, text, 0, 1, "request", (5,), 0),
        Keys(START, 0, 0, 1, text, "info", 0, 12, 0),
    ]
    figure = draw_flow(_chart(rows, people=3, name=text))
    assert not any(each.get_parse_math() for each in figure.axes[0].texts)
    assert max(map(len, _texts(figure))) < 200
    _assert_tidy(figure) if "\n" not in text else None


@pytest.mark.parametrize("people", [1, 2, 5, 12, 30])
def test_many_participants_keep_their_texts_apart(people: int) -> None:
    last = people - 1
    rows: list[Row] = [
        _message(0, "INVITE", target=last, detail="SDP offer PCMA, PCMU, G729 at 192.0.2.10:40000"),
        _message(1, "200 OK", source=last, target=max(0, last - 1), kind="success"),
        Note(START, 0, "a sentence that is long enough to need several lines " * 3, None, None, last, last, None, 3, 0),
    ]
    _assert_tidy(draw_flow(_chart(rows, people=people)))


def test_a_tall_chart_is_cut_and_says_so_and_pages_hold_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert figure_module._TALLEST * 144 < 2**16 - 1_000  # lines that the library of PNG takes, with room for heads
    monkeypatch.setattr(figure_module, "_TALLEST", 20.0)
    rows: list[Row] = [_message(number, f"OPTIONS {number}") for number in range(120)]
    texts = _texts(draw_flow(_chart(rows)))
    shown = sum(text.startswith("OPTIONS") for text in texts)
    assert 50 < shown < 60 and f"{120 - shown} more rows: as SVG, PDF or text the chart is whole" in texts
    pages = draw_pages(_chart(rows))
    drawn = [text for page in pages for text in _texts(page) if text.startswith("OPTIONS")]
    assert drawn == [f"OPTIONS {number}" for number in range(120)]
    assert all(page.get_size_inches()[1] < 12 for page in pages)
    assert f"page 2 of {len(pages)}" in " ".join(_texts(pages[1]))


def test_the_flows_of_the_samples_are_tidy(samples: pathlib.Path) -> None:
    for name in ("announcement", "two_legs", "transfer", "lossy", "timeout", "proxy_hops", "forked", "held", "busy"):
        analysis = sipanalyzer.analyze(samples / f"{name}.pcap")
        _assert_tidy(analysis.call(0).flow(session=True).figure())


def test_png_and_pdf_are_what_they_say(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    flow = sipanalyzer.analyze(samples / "plain.pcap").call(0).flow()
    assert flow.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert flow.save(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    with pytest.raises(FileExistsError):
        flow.save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"ends in \.svg, \.png"):
        flow.save(tmp_path / "a.gif")
