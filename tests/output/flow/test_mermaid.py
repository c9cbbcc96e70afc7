"""Mermaid: what is written, that hostile text stays text, and that Mermaid's own parser reads it."""

from __future__ import annotations

import io
import os
import pathlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.output.flow.mermaid import draw_mermaid, escape
from sipanalyzer.output.flow.model import FlowChart, Fold, Keys, Leg, Media, Message, Note, Participant, Row

ROOT = pathlib.Path(__file__).resolve().parents[3]
START = 1_772_442_000_000_000_000


def _message(at_ms: int, source: int, target: int, kind: str, label: str, **more: Any) -> Message:
    values: dict[str, Any] = {
        "gap": None, "detail": None, "method": "INVITE", "status": 0, "cseq": 1, "leg": 0, "frame": 1, "capture": 0,
        "message": 0, "retransmission": False, "ports": (5060, 5060), "transport": "UDP",
    }  # fmt: skip
    offset = at_ms * 1_000_000
    return Message(
        time=START + offset, offset=offset, source=source, target=target, kind=kind, label=label, **(values | more)
    )


def _chart(*rows: Row, legs: int = 1, names: tuple[str | None, ...] = ("alice", None)) -> FlowChart:
    return FlowChart(
        title="alice to bob",
        legs=tuple(Leg(f"call-{number}", "alice to bob", "completed") for number in range(legs)),
        participants=tuple(
            Participant(f"192.0.2.{number}", name, None, "between") for number, name in enumerate(names, start=1)
        ),
        rows=rows,
        start=START,
    )


def test_each_kind_of_row_is_drawn_in_its_own_way() -> None:
    media = Media(
        time=START + 10**9, offset=10**9, end=START + 2 * 10**9, source=1, target=0, label="RTP PCMA",
        detail="1.0 s, 50 packets", codec="PCMA", packets=50, loss_percent=0.0, max_jitter_ms=None, mos=None,
        mos_scale=None, shades=(0.0,), leg=0, stream=0, ports=(4000, 5000), frame=9, capture=0, until="stops 2 s early",
    )  # fmt: skip
    chart = _chart(
        _message(0, 0, 1, "invite", "INVITE", detail="sip:bob@example.com"),
        _message(500, 0, 1, "invite", "INVITE", retransmission=True),
        _message(700, 1, 0, "provisional", "180 Ringing"),
        _message(900, 1, 0, "failure", "486 Busy Here"),
        media,
        Keys(START + 10**9, 10**9, 0, 1, "8001#", "rfc4733", 0, 12, 0),
        Fold(START + 10**9, 10**9, START + 2 * 10**9, "OPTIONS, 24 times more", 1, 0, "request", (5, 6), 0),
        Note(START + 2 * 10**9, 2 * 10**9, "late", "error", "late-media", 0, 1, None, 3, 0),
    )
    assert draw_mermaid(chart).splitlines() == [
        "sequenceDiagram",
        "    participant p0 as alice<br/>192.0.2.1",
        "    participant p1 as 192.0.2.2",
        "    Note over p0,p1: alice to bob<br/>from 2026-03-02 09:00:00.000 UTC",
        "    p0->>p1: INVITE<br/>sip:bob@example.com<br/>0.000 s",
        "    p0->>p1: INVITE (again)<br/>0.500 s",
        "    p1-->>p0: 180 Ringing<br/>0.700 s",
        "    p1-xp0: 486 Busy Here<br/>0.900 s",
        "    p1-)p0: RTP PCMA<br/>1.0 s, 50 packets<br/>stops 2 s early<br/>1.000 s",
        "    p0-)p1: keys 8001#35; (rfc4733)<br/>1.000 s",
        "    Note over p0,p1: OPTIONS, 24 times more",
        "    Note over p0,p1: error late-media: late",
    ]


def test_legs_of_a_session_are_numbered() -> None:
    drawn = draw_mermaid(_chart(_message(0, 0, 1, "invite", "INVITE", leg=1), legs=2))
    assert "    p0->>p1: 2: INVITE<br/>0.000 s" in drawn.splitlines()


def test_legs_are_named_above_and_counted_where_there_are_too_many() -> None:
    head = draw_mermaid(_chart(_message(0, 0, 1, "invite", "INVITE"), legs=2)).splitlines()[3]
    assert "<br/>1: alice to bob<br/>2: alice to bob<br/>from 2026" in head
    assert "12: alice to bob<br/>and 18 more legs<br/>" in draw_mermaid(_chart(legs=30))


def test_long_texts_are_broken_for_mermaid_breaks_none() -> None:
    words = " ".join(f"word{number}" for number in range(40))
    note = Note(START, 0, words, "error", "high-loss", 0, 1, None, 3, 0)
    chart = _chart(_message(0, 0, 1, "invite", "INVITE", detail=words), note, names=("Acme Phone 4 " * 5, None))
    drawn = draw_mermaid(chart).splitlines()
    for line in (each for each in drawn if "word" in each or "Acme" in each):
        parts = re.split("<br/>", line.partition(": ")[2] or line.partition(" as ")[2])
        assert len(parts) > 2 and max(map(len, parts)) <= 72
    assert all(f"word{number}" in drawn[-1] for number in range(40))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sip:bob@example.com", "sip:bob@example.com"),
        ("a;b", "a#59;b"),
        ("50 % lost #1", "50 #37; lost #35;1"),
        ("<script>", "#60;script#62;"),
        ("$$x$$", "#36;#36;x#36;#36;"),
        ("wrap: me", "wrap#58; me"),
        ("NoWrap:me", "NoWrap#58;me"),
        ("Jürgen", "Jürgen"),
        ('"\\`{}|&', "#34;#92;#96;#123;#125;#124;#38;"),
    ],
)
def test_what_means_something_to_mermaid_becomes_a_character_number(text: str, written: str) -> None:
    assert escape(text) == written


def test_a_long_label_is_cut() -> None:
    assert escape("x" * 500) == "x" * 119 + "…"


def test_a_diagram_stays_below_what_a_renderer_takes_and_says_what_it_left_out() -> None:
    rows = [_message(number, 0, 1, "invite", f"INVITE {number}", detail="d" * 100) for number in range(600)]
    drawn = draw_mermaid(_chart(*rows))
    assert len(drawn) < 50_000 and drawn.count("->>") == 600 and "ddd" not in drawn  # details go first
    drawn = draw_mermaid(_chart(*rows, *rows, *rows, *rows))
    assert len(drawn) < 50_000
    assert f"{2400 - drawn.count('->>')} more rows are left out" in drawn.splitlines()[-1]


_HOSTILE = (
    "</script><script>alert(1)</script>", "end", "loop x", "a\u202eb", "#;#;", "%%{init: {}}%%", "%% no", "p0->>p1: x",
    "$$\\href{x}$$", "Note over p0: x", "wrap:", "@{ type: database }", "a:b:c", "", " ", "×" * 400, "-x", "()", "[[",
    "+",
)  # fmt: skip


@given(st.lists(st.sampled_from(_HOSTILE) | st.text(max_size=30), min_size=1, max_size=6))
def test_no_text_becomes_another_statement(texts: list[str]) -> None:
    from sipanalyzer.output.cells import visible

    texts = [visible(text) for text in texts]  # what a chart holds is clean
    drawn = draw_mermaid(
        _chart(*(_message(1, 0, 1, "invite", text, detail=text) for text in texts), names=tuple(texts))
    )
    lines = drawn.splitlines()
    assert len(lines) == 2 + len(texts) + len(texts)
    assert not any(mark in line.replace("<br/>", "") for line in lines for mark in ("<", "%", "$", "{"))


# ---- the outside witness
@pytest.fixture(scope="module")
def mermaid(chromium: Any) -> Any:
    """A page in which Mermaid is loaded."""
    script = os.environ.get("MERMAID_JS", "")
    if not script:
        pytest.skip("no Mermaid: MERMAID_JS names mermaid.min.js of the npm package mermaid")
    page = chromium.new_page()
    page.set_content("<div></div>")
    page.add_script_tag(path=script)
    return page


def _parse(mermaid: Any, diagram: str) -> None:
    assert mermaid.evaluate("diagram => mermaid.parse(diagram)", diagram)["diagramType"] == "sequence"


def test_mermaid_reads_the_flow_of_every_call_of_every_sample(mermaid: Any, samples: pathlib.Path) -> None:
    read = 0
    for path in sorted(samples.glob("*.pcap*")):
        analysis = sipanalyzer.analyze(path)
        for call in analysis.result.calls:
            for session in (False, True):
                _parse(mermaid, analysis.call(call.call_id).flow(session=session).mermaid())
                read += 1
    assert read > 100


def test_mermaid_shows_hostile_text_as_it_is(mermaid: Any) -> None:
    chart = _chart(*(_message(1, 0, 1, "invite", f"x{text}", leg=0) for text in _HOSTILE), names=("<b>&x", "end"))
    diagram = draw_mermaid(chart)
    _parse(mermaid, diagram)
    shown = mermaid.evaluate(
        """async diagram => {
            const box = document.createElement("div");
            box.innerHTML = (await mermaid.render("drawn", diagram)).svg;
            return [box.textContent, box.querySelectorAll("script, b").length];
        }""",
        diagram,
    )
    assert "x</script><script>alert(1)</script>" in shown[0] and "x$$\\href{x}$$" in shown[0] and "<b>&x" in shown[0]
    assert shown[1] == 0


def test_the_file_is_the_diagram(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    flow = sipanalyzer.analyze(io.BytesIO((samples / "busy.pcap").read_bytes())).call(0).flow()
    assert flow.save(tmp_path / "busy.mmd").read_text() == flow.mermaid()
    assert "486 Busy Here" in flow.mermaid()
