"""A capture that attacks whoever opens its pages: nothing runs, nothing is fetched, nothing is complained of."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import pytest

import sipanalyzer
from tests.output.hostile import ATTACKS, hostile_capture

OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

ADDRESSES = (
    "#<img src=x onerror=alert(1)>", "#call=<script>", "#call=__proto__", "#call=-1", "#call=1e9", "#call=999999999",
    "#call=0&message=javascript:alert(1)", "#__proto__", '#"]<b>', "#calls&finding=<b>", "#call=%E0%A4%A",
)  # fmt: skip
"""What a link to a report may ask for."""
MARKUP = [number for number, attack in enumerate(ATTACKS) if set(attack) & set(b'<"&\x1b\x00')]
"""Calls whose attack could mean something to a browser."""


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> sipanalyzer.Analysis:
    return sipanalyzer.analyze(hostile_capture(tmp_path_factory.mktemp("hostile")))


class Watched:
    """A page that is opened, and all that it does beside showing itself."""

    def __init__(self, browser: Any, path: pathlib.Path) -> None:
        self.page = browser.new_page()
        self.seen: list[str] = []
        self.page.on("console", lambda each: self.seen.append(each.text) if each.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda each: self.seen.append(str(each)))
        self.page.on("dialog", lambda each: (self.seen.append(f"dialog {each.message}"), each.dismiss()))
        self.page.on("popup", lambda each: self.seen.append("popup"))
        self.page.on("download", lambda each: self.seen.append("download"))
        self.page.on("request", self._asked)
        self.open(path)

    def open(self, path: pathlib.Path) -> None:
        self.path = path
        self.page.goto(path.as_uri())

    def _asked(self, request: Any) -> None:
        if request.url.split("#")[0] != self.path.as_uri() and not request.url.startswith("data:"):
            self.seen.append(request.url)

    def go(self, address: str) -> None:
        self.page.evaluate("hash => { location.hash = hash; }", address)
        self.page.wait_for_timeout(30)

    def harmless(self) -> None:
        """Nothing of the wire is an element, an attribute that runs, or an address."""
        everything = "Array.from(document.querySelectorAll('*'))"
        assert self.page.evaluate(f"{everything}.some(n => n.getAttributeNames().some(a => /^on/i.test(a)))") is False
        assert self.page.evaluate("document.querySelectorAll('iframe,object,embed,base,form[action],img').length") == 0
        found = self.page.evaluate(f"{everything}.flatMap(n => [n.getAttribute('href'), n.getAttribute('src')])")
        assert [each for each in found if each and not each.startswith("#")] == []
        assert OBEYED.search(self.page.evaluate("document.body.innerText")) is None


def test_a_report_runs_nothing_and_fetches_nothing(
    analysis: sipanalyzer.Analysis, chromium: Any, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "r.html"
    analysis.report(path)
    watched = Watched(chromium, path)
    watched.page.wait_for_selector("html[data-ready]", timeout=20_000)
    for part in ("findings", "calls", "streams", "pages", "registrations", "subscriptions", "rtcp", "captures"):
        watched.go(f"#{part}")
        watched.harmless()
    for number in range(len(ATTACKS)):
        watched.go(f"#call={number}&message=0")
        watched.harmless()
    assert watched.seen == []
    watched.page.close()


def test_an_address_of_the_page_runs_nothing(
    analysis: sipanalyzer.Analysis, chromium: Any, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "r.html"
    analysis.report(path)
    watched = Watched(chromium, path)
    watched.page.wait_for_selector("html[data-ready]", timeout=20_000)
    for address in ADDRESSES:
        watched.go(address)
        watched.harmless()
    assert watched.seen == []
    watched.page.close()


def test_flow_pages_run_nothing_and_fetch_nothing(
    analysis: sipanalyzer.Analysis, chromium: Any, tmp_path: pathlib.Path
) -> None:
    watched = Watched(chromium, analysis.call(0).flow().save(tmp_path / "first.html"))
    for number in MARKUP:
        watched.open(analysis.call(number).flow().save(tmp_path / f"{number}.html"))
        watched.page.locator("[data-message]").first.click()
        watched.harmless()
        assert watched.seen == [], number
    watched.page.close()


def test_pictures_for_browsers_run_nothing(
    analysis: sipanalyzer.Analysis, chromium: Any, tmp_path: pathlib.Path
) -> None:
    watched = Watched(chromium, analysis.call(0).flow().save(tmp_path / "first.svg"))
    for number in MARKUP:
        watched.open(analysis.call(number).flow().save(tmp_path / f"{number}.svg"))
        assert watched.page.evaluate("document.documentElement.nodeName") == "svg"  # and no page about an error in XML
        assert watched.page.evaluate("document.querySelectorAll('parsererror,script,foreignObject').length") == 0
        assert watched.seen == [], number
    watched.page.close()
