"""A report in Markdown: read by markdown-it, nothing of the wire comes through as markup."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from markdown_it import MarkdownIt

import sipanalyzer
from sipanalyzer.output.report.making import make_report
from sipanalyzer.output.report.markdown import MOST, render_markdown
from sipanalyzer.result import Result
from tests.output.report.hostile import hostile_tape
from tests.output.results import empty_result, make_call, make_messages, make_result
from tests.tape import A, B, Tape, sdp

SAMPLES = sorted(path.name for path in (pathlib.Path(__file__).resolve().parents[3] / "sample_pcaps").glob("*.pcap*"))
OURS = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "fence", "bullet_list_open",
    "bullet_list_close", "list_item_open", "list_item_close", "table_open", "table_close", "thead_open", "thead_close",
    "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
}  # fmt: skip
INLINE = {"text", "code_inline", "strong_open", "strong_close", "softbreak", "text_special"}


def markdown(result: Result) -> str:
    return render_markdown(result, make_report(result))


def parsed(text: str) -> list[Any]:
    """Tokens; fails on HTML, links, pictures and whatever else we never write."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    assert {token.type for token in tokens} <= OURS
    for token in tokens:
        assert {child.type for child in token.children or []} <= INLINE, token
    return tokens


def tables(tokens: list[Any]) -> list[list[list[str]]]:
    """Rows of each table, headings first."""
    found: list[list[list[str]]] = []
    for at, token in enumerate(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("td_open", "th_open"):
            found[-1][-1].append("".join(child.content for child in tokens[at + 1].children or []))
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_read_as_they_were_meant(samples: pathlib.Path, name: str) -> None:
    result = sipanalyzer.analyze(samples / name).result
    for rows in tables(parsed(markdown(result))):
        assert len({len(row) for row in rows}) == 1


def test_a_lossy_call_is_told_with_figures_frames_and_flow(samples: pathlib.Path) -> None:
    text = markdown(sipanalyzer.analyze(samples / "lossy.pcap").result)
    tokens = parsed(text)
    assert "**The call had bad sound; the reason: too many packets were lost or came too late.**" in text
    assert ["MOS", "3.18 NB", "NB, 1 call"] in tables(tokens)[0]
    assert "- **error: high-loss** 9.8 % of 500 packets" in text
    assert "Frame 6." in text
    (flow,) = [token for token in tokens if token.type == "fence"]
    assert flow.info == "mermaid"
    assert flow.content.startswith("sequenceDiagram\n")


def test_a_call_with_nothing_wrong_has_its_flow_too_where_it_is_alone(samples: pathlib.Path) -> None:
    assert "```mermaid" in markdown(sipanalyzer.analyze(samples / "plain.pcap").result)
    assert "```mermaid" not in markdown(sipanalyzer.analyze(samples / "two_legs.pcap").result)


def test_hostile_names_stay_text() -> None:
    result = hostile_tape().analyze().result
    assert len(result.calls) > 20
    text = markdown(result)
    tokens = parsed(text)
    for rows in tables(tokens):
        assert len({len(row) for row in rows}) == 1
    assert all(line.isprintable() for line in text.split("\n"))
    for token in tokens:
        for child in token.children or []:
            if child.type == "text":
                assert not any(each in child.content for each in ("@", "#", "://", "<script", "[link]")), child.content
    assert "proof-of-" not in text


def test_it_is_short_enough_for_a_tracker() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for at in range(3_000):
        tape.request(10 + at / 100, A, B, "INFO", cseq=10 + at, headers=[f"X: {at}"])
    calls = []
    for at in range(300):
        name = f"caller-with-a-long-name-{at}" * 3
        calls.append(make_call(call_id=f"c{at}", caller=name, state="failed", status_code=503, streams=(), rows=()))
    assert len(markdown(tape.analyze().result)) <= MOST
    many = make_result(calls=tuple(calls), streams=(), messages=make_messages([]), transactions=(), dialogs=())
    text = markdown(many)
    assert len(text) <= MOST
    assert "- And more: 297 server-error, 297 early-media." in text
    assert "270 more calls have errors or warnings" in text


def test_nothing_makes_a_report_too() -> None:
    text = markdown(empty_result())
    parsed(text)
    assert "There is no SIP and no RTP here" in text


def test_settings_that_were_changed_are_told(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "plain.pcap", playout_ms=100.0).result
    assert "Settings that are not the defaults: `playout_ms=100.0` (100 ms)." in markdown(result)
