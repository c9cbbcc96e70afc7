"""The report's page as a file: what stands in it, read by Python's HTML parser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html.parser
import json
import re

import pytest

from sipanalyzer.output.report.page import policy, render_html
from tests.output.report.made_report import HOSTILE, make_report

VOID = {"meta", "input", "br", "hr", "img", "link", "rect", "path"}


class Reader(html.parser.HTMLParser):
    """Elements, their text, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"<{tag}> says something twice: {names}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[self.elements[-1][1].get("id") or "program"] = data
        elif not self.open or self.open[-1] != "style":
            self.texts.append(data)


def _read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode("utf-8"))
    reader.close()
    return reader


@pytest.fixture(scope="module")
def page() -> Reader:
    return _read(b"".join(render_html(make_report())))


def test_the_page_is_well_formed_and_names_every_place_once(page: Reader) -> None:
    assert page.wrong == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))


def test_links_and_labels_of_the_page_lead_somewhere(page: Reader) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if attributes.get("id")}
    for tag, attributes in page.elements:
        if tag == "a":
            target = str(attributes["href"])
            assert re.fullmatch(r"#call=\d+|#calls&finding=[\w-]+", target) or target[1:] in ids, target
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_only_the_pages_own_scripts_may_run_and_nothing_may_be_loaded(page: Reader) -> None:
    said = next(each["content"] for _, each in page.elements if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in str(said).split(";"))
    hashes = rules.pop("script-src").split()
    assert rules == {
        "default-src": "'none'", "style-src": "'unsafe-inline'", "img-src": "data:", "connect-src": "'none'",
        "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    texts = [page.scripts["program"]]
    texts += [
        gzip.decompress(base64.b64decode(page.scripts[name])).decode() for name in ("script-datatables", "script-bokeh")
    ]
    assert hashes == [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]
    assert "\r" not in page.scripts["program"]  # a browser would read it as \n, and hash that
    kinds = [attributes.get("type") for tag, attributes in page.elements if tag == "script"]
    assert kinds.count(None) == 1
    assert set(kinds) == {None, "application/octet-stream"}


def test_no_element_runs_a_script_of_its_own_or_asks_for_a_file(page: Reader) -> None:
    for tag, attributes in page.elements:
        assert tag not in {"iframe", "object", "embed", "base", "link", "img", "form"}
        for name in attributes:
            assert not name.startswith("on"), (tag, attributes)
            assert name not in {"src", "srcdoc", "action", "formaction", "xlink:href"}, (tag, attributes)


def test_hostile_words_stand_on_the_first_screen_as_words(page: Reader) -> None:
    text = "".join(page.texts)
    for word in HOSTILE:
        assert word in text, word


def test_the_first_screen_needs_no_script(page: Reader) -> None:
    text = "".join(page.texts)
    for words in (
        "1 of 40 calls failed",
        "Calls over time",
        "ITU-T G.107.",
        "Find the hop that loses.",
        "alice00010",
        "and 15 more.",
    ):
        assert words in text, words


def test_data_lie_in_the_page_as_they_were_given(page: Reader) -> None:
    def block(name: str) -> object:
        return json.loads(gzip.decompress(base64.b64decode(page.scripts[name])))

    report = make_report()
    calls = block("data-sheet-calls")
    assert isinstance(calls, dict)
    assert calls["rows"] == report.sheets[0].rows
    assert [each[0] for each in calls["headings"]] == [each.name for each in report.sheets[0].headings]
    details = block("data-calls-0")
    assert isinstance(details, list)
    assert [each["call_id"] for each in details] == [each.call_id for each in report.details]
    assert details[0]["session"][1]["row"] == 1


def test_details_are_asked_for_while_the_page_is_written_and_not_before() -> None:
    report = make_report(80, 60)
    pieces = render_html(report)
    sent = b""
    while b'id="data-calls-0"' not in sent:
        sent += next(pieces)
    assert sum(1 for _ in report.details) > 0  # those of later chunks had not been made
    assert b"Calls over time" in sent


def test_a_thousand_calls_of_seven_messages_stay_below_six_megabytes() -> None:
    size = sum(map(len, render_html(make_report(1000, 1000, size=800, messages=7))))
    assert size < 6_000_000, f"{size:,} bytes, of messages that hardly compress"


def test_a_report_of_nothing_is_a_page_too() -> None:
    import dataclasses

    empty = dataclasses.replace(
        make_report(1, 0), sheets=(), tiles=(), timeline=None, anomalies=(), settings=(), methods=(), detailed=()
    )
    read = _read(b"".join(render_html(empty)))
    assert read.wrong == []
    assert "Nothing was found that is wrong." in "".join(read.texts)


def test_the_policy_names_each_script_by_its_hash() -> None:
    digest = base64.b64encode(hashlib.sha256(b"a").digest()).decode()
    assert policy(["a"]).startswith(f"default-src 'none'; script-src 'sha256-{digest}'; ")
