"""Credentials are shown where somebody asked for them, and nowhere else."""

from __future__ import annotations

import datetime
import pathlib

import pytest

import sipanalyzer
from sipanalyzer.browser.saving import messages_to_save
from sipanalyzer.browser.wire import difference_lines, message_lines

SAMPLE = pathlib.Path(__file__).parents[2] / "sample_pcaps" / "authenticated.pcap"


def shown(analysis: sipanalyzer.analysis.Analysis, folder: pathlib.Path) -> dict[str, str]:
    """All that shows whole messages."""
    result = analysis.result
    rows = range(len(result.messages))
    analysis.call(0).flow().save(folder / "flow.html", force=True)
    messages_to_save(analysis, list(rows)).save(folder / "raw.txt", True)
    return {
        "report": analysis.report(folder / "report.html", force=True).read_text(encoding="utf-8"),
        "flow": (folder / "flow.html").read_text(encoding="utf-8"),
        "browser": "\n".join(part for row in rows for line in message_lines(result, row) for part, _ in line),
        "saved": (folder / "raw.txt").read_text(encoding="utf-8"),
    }


def answer() -> str:
    raw = b"".join(sipanalyzer.analyze(SAMPLE).result.messages.raw(row) for row in range(8))
    return raw.partition(b'response="')[2].partition(b'"')[0].decode()


def test_the_answer_to_a_challenge_is_blanked(tmp_path: pathlib.Path) -> None:
    secret = answer()
    assert len(secret) > 7
    for where, text in shown(sipanalyzer.analyze(SAMPLE), tmp_path).items():
        assert secret not in text, where


@pytest.mark.parametrize("where", ["flow", "browser", "saved"])
def test_it_is_shown_to_who_asks(where: str, tmp_path: pathlib.Path) -> None:
    assert answer() in shown(sipanalyzer.analyze(SAMPLE, show_secrets=True), tmp_path)[where]


def test_a_difference_of_messages_shows_it_to_nobody_else() -> None:
    result = sipanalyzer.analyze(SAMPLE).result
    lines = [difference_lines(result, 0, row, 400, datetime.UTC) for row in range(1, len(result.messages))]
    assert answer() not in repr(lines)
