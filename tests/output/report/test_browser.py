"""The report's page in a browser: it opens, sorts, filters, shows calls and messages, runs nothing else."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import sipanalyzer
from sipanalyzer.output.report.making import make_report as report_of
from sipanalyzer.output.report.page import render_html
from tests.output.report.made_report import HOSTILE, make_report

CALLS = 3000
ROWS = '.sheet[data-sheet="calls"] tbody tr.opens'


@dataclass
class Seen:
    """An open page, and what it complained of or asked for."""

    page: Any
    path: pathlib.Path
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def at(self, address: str, wait: str) -> None:
        """Go to an address within the page."""
        self.page.evaluate("hash => { location.hash = hash; }", address)
        self.page.wait_for_selector(wait, timeout=10_000)

    def until(self, test: str) -> None:
        """Wait until an expression holds (the policy forbids what playwright's own waiting does)."""
        end = time.monotonic() + 8
        while not self.page.evaluate(test):
            assert time.monotonic() < end, f"never: {test}"
            self.page.wait_for_timeout(20)

    def counted(self, count: int) -> None:
        """Wait until so many calls are chosen."""
        line = "document.querySelector('[data-sheet=calls] .dt-info').innerText"
        self.until(f"{line}.split('(')[0].trim().endsWith({f'of {count:,}'!r})")

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def info(self) -> str:
        return str(self.page.locator('[data-sheet="calls"] .dt-info').inner_text())


def _open(browser: Any, path: pathlib.Path, **more: Any) -> Seen:
    page = browser.new_page(viewport={"width": 1400, "height": 900}, **more)
    seen = Seen(page, path)
    page.on(
        "console", lambda message: seen.troubles.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: seen.troubles.append(str(error)))
    page.on("dialog", lambda dialog: (seen.troubles.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=20_000)
    return seen


@pytest.fixture(scope="module")
def made(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    path = tmp_path_factory.mktemp("report") / "made.html"
    path.write_bytes(b"".join(render_html(make_report(CALLS, 60))))
    seen = _open(chromium, path)
    yield seen
    seen.page.close()


@pytest.fixture
def calls(made: Seen) -> Seen:
    """The table of calls, unfiltered, in order of time."""
    made.at("#calls", '[data-sheet="calls"] .dt-info')
    made.page.evaluate("document.querySelector('[data-sheet=calls] .clear').click()")
    made.until(f"document.querySelector('{ROWS}')?.dataset.target === '#call=0'")
    return made


@pytest.fixture(scope="module")
def lossy(chromium: Any, samples: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    path = tmp_path_factory.mktemp("report") / "lossy.html"
    capture = samples / "lossy.pcap"
    path.write_bytes(b"".join(render_html(report_of(sipanalyzer.analyze(capture).result, [capture]))))
    seen = _open(chromium, path, color_scheme="dark")
    yield seen
    seen.page.close()


@pytest.fixture(autouse=True)
def nothing_runs_and_nothing_is_asked_for(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test: no error on the console, no dialog, no request but for the file itself."""
    yield
    for name in {"made", "lossy"} & set(request.fixturenames):
        seen: Seen = request.getfixturevalue(name)
        assert seen.troubles == []
        assert [url for url in seen.requests if not url.startswith("data:")] == [seen.path.as_uri()]


def test_the_first_screen_shows_verdict_tiles_and_timeline(made: Seen) -> None:
    for selector in (".verdict h2", ".tile", ".timeline svg"):
        box = made.page.locator(selector).first.bounding_box()
        assert box is not None, selector
        assert box["y"] + box["height"] <= 900, selector
    assert made.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_of_the_verdict_is_offered_only_where_some_of_it_is_hidden(
    chromium: Any, made: Seen, samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    made.at("#overview", "#unfold:visible")
    path, capture = tmp_path / "short.html", samples / "transfer.pcap"
    path.write_bytes(b"".join(render_html(report_of(sipanalyzer.analyze(capture).result, [capture]))))
    seen = _open(chromium, path)
    assert not seen.page.locator("#unfold").is_visible()
    assert seen.troubles == []
    seen.page.close()


def test_calls_sort_both_ways_and_what_is_missing_stands_last(calls: Seen) -> None:
    heading = calls.page.locator('[data-sheet="calls"] thead tr').first.locator("th", has_text="duration")
    cells = f"{ROWS} td:nth-child({1 + heading.evaluate('node => node.cellIndex')})"
    first = f"document.querySelector('{cells}').innerText"
    heading.click()
    calls.until(f"{first} === '0.25'")
    heading.click()
    calls.until(f"{first} === '99.25'")
    assert calls.texts(cells)[:2] == ["99.25", "99.25"]
    calls.page.locator('[data-sheet="calls"] .dt-paging-button.last').click()
    calls.until(f"{first} === ''")
    assert set(calls.texts(cells)) == {""}


def test_pages_turn(calls: Seen) -> None:
    calls.page.locator('[data-sheet="calls"] .dt-paging-button.next').click()
    assert "alice00025" in calls.texts(f"{ROWS} td:nth-child(3)")
    assert calls.info().startswith("26 to 50 of 3,000")
    calls.page.locator('[data-sheet="calls"] .dt-paging-button.first').click()
    assert len(calls.texts(ROWS)) == 25


def test_quick_filters_count_and_choose(calls: Seen) -> None:
    failed = calls.page.locator(".filters button", has_text="Failed")
    count = sum(at % 7 == 4 for at in range(CALLS))
    assert failed.inner_text() == f"Failed{count}"
    failed.click()
    assert f"of {count}" in calls.info()
    assert {text.split("\u2715")[-1].strip() for text in calls.texts(f"{ROWS} .state")} == {"failed"}
    calls.page.locator(".filters button", has_text="All").click()
    assert "of 3,000" in calls.info()


def test_columns_filter_by_word_by_number_and_by_choice(calls: Seen) -> None:

    def fill(label: str, text: str, want: int) -> None:
        field = calls.page.locator(f'[aria-label="Filter {label}"]')
        field.fill(text)
        calls.counted(want)

    fill("caller", "ALICE00123", 1)
    fill("caller", "", CALLS)
    fill("mos", ">4.3", sum(at % 10 == 0 and at % 7 < 3 for at in range(CALLS)))
    assert all(float(text) > 4.3 for text in calls.texts(f"{ROWS} td:nth-child(9)"))
    calls.page.locator('[aria-label="Filter mos"]').fill("what")
    calls.until("document.querySelector('[aria-label=\"Filter mos\"]').getAttribute('aria-invalid') === 'true'")
    assert calls.page.locator('[aria-label="Filter mos"]').get_attribute("aria-invalid") == "true"
    fill("mos", "", CALLS)
    calls.page.locator('[aria-label="Filter state"]').select_option("busy")
    assert {text.split("\u25cb")[-1].strip() for text in calls.texts(f"{ROWS} .state")} == {"busy"}
    calls.page.locator('[aria-label="Filter state"]').select_option("")


def test_slash_searches_all_columns_the_hidden_ones_too(calls: Seen) -> None:
    calls.page.locator("main").focus()
    calls.page.keyboard.press("/")
    calls.page.keyboard.type("call-2222@")
    calls.counted(1)
    assert calls.texts(f"{ROWS} td:nth-child(3)") == ["alice02222"]
    calls.page.locator(".dt-search input").first.fill("<script>alert(1)")
    calls.counted(1)
    calls.page.locator(".dt-search input").first.fill("")
    calls.counted(CALLS)


def test_a_hidden_column_can_be_shown(calls: Seen) -> None:
    heading = calls.page.locator('[data-sheet="calls"] thead tr').first.locator("th", has_text="user agent")
    assert heading.count() == 0
    calls.page.locator('[data-sheet="calls"] .dt-buttons button').first.click()
    entry = calls.page.locator(".dt-button-collection .dt-button", has_text="user agent")
    entry.click()
    assert heading.count() == 1
    entry.click()
    calls.page.keyboard.press("Escape")
    calls.page.wait_for_selector(".dt-button-collection", state="detached")


def test_a_row_opens_its_call_and_back_leads_to_the_row(calls: Seen) -> None:
    calls.page.locator(ROWS).nth(9).click()
    calls.page.wait_for_selector("#call h1")
    assert calls.page.url.endswith("#call=9")
    assert calls.page.locator("#call h1").inner_text() == "alice00009 to bob9"
    calls.page.go_back()
    calls.page.wait_for_selector(ROWS)
    assert calls.page.evaluate("document.activeElement.dataset.target") == "#call=9"


def test_keys_walk_the_rows_the_calls_and_the_messages(calls: Seen) -> None:
    calls.page.locator("main").focus()
    press = calls.page.keyboard.press
    for key in ("j", "j", "ArrowDown", "k"):
        press(key)
    assert calls.page.evaluate("document.activeElement.dataset.target") == "#call=1"
    press("Enter")
    calls.page.wait_for_selector("#call h1")
    for key, want in (("j", "#call=2"), ("ArrowRight", "#call=3"), ("k", "#call=2")):
        press(key)
        calls.until(f"location.hash === '{want}'")
    calls.at("#call=2&message=0", "#panel:not([hidden]) .sip-raw")
    press("j")
    calls.until("location.hash === '#call=2&message=1'")
    press("Escape")
    calls.page.wait_for_selector("#panel", state="hidden")
    assert calls.page.url.endswith("#call=2")
    press("Escape")
    calls.page.wait_for_selector(ROWS)


def test_an_arrow_opens_its_message_beside_the_chart_and_the_difference_to_an_earlier_one(made: Seen) -> None:
    made.at("#call=0", '#call .flow [data-message="0"]')
    made.page.locator('#call .flow [data-message="0"]').click()
    made.page.wait_for_selector("#panel:not([hidden]) .sip-raw")
    raw = made.page.locator("#panel .sip-raw").text_content()
    assert raw.startswith(f"INVITE sip:{HOSTILE[0]}@example.com SIP/2.0\n")
    assert HOSTILE[1] in raw
    assert "lines end with LF alone" in made.page.locator("#panel").inner_text()
    made.at("#call=0&message=2", "#panel .sip-button[aria-pressed]")
    made.page.locator("#panel .sip-button[aria-pressed]").click()
    assert made.texts("#panel .sip-come")[0].endswith("branch=2")
    made.page.locator("#panel .sip-button[aria-pressed]").click()


def test_of_a_chart_only_what_a_chart_needs_is_kept(made: Seen) -> None:
    made.at("#call=50", "#call .flow svg")
    made.until("document.querySelector('#call h1').textContent.startsWith('alice00050')")
    blocked = [each for each in made.troubles if "inline event handler" in each]  # the policy is the second lock
    made.troubles[:] = [each for each in made.troubles if each not in blocked]
    every = "[...document.querySelectorAll('#call .flow svg, #call .flow svg *')]"
    names = made.page.evaluate(f"{every}.map(node => node.localName)")
    assert set(names) == {"svg", "g", "rect", "text"}
    attributes = made.page.evaluate(f"{every}.flatMap(n => [...n.attributes]).map(a => a.name)")
    assert not {name for name in attributes if name.startswith("on") or name in ("style", "href", "fill")}


def test_hostile_words_are_words_in_the_table_and_in_a_call(made: Seen) -> None:
    made.at("#calls", ROWS)
    assert made.texts(f"{ROWS} td:nth-child(3)")[: len(HOSTILE)] == [re.sub(r"\s+", " ", word) for word in HOSTILE]
    for row, word in enumerate(HOSTILE):
        made.at(f"#call={row}", f'#call .id:has-text("{"Call-ID"}")')
        made.until(f"document.querySelector('#call .id code')?.textContent === {json.dumps(word)}")
    assert made.page.evaluate(
        "Object.prototype.polluted === undefined && document.querySelectorAll('img').length === 0"
    )


def test_a_call_without_a_detail_says_how_to_see_it(made: Seen) -> None:
    made.at("#call=2999", "#call .command")
    assert made.page.locator("#call .command").inner_text() == "sipanalyzer call x.pcap --id ID"
    assert "alice02999" in made.page.locator("#call").inner_text()


def test_a_finding_leads_to_its_calls(made: Seen) -> None:
    made.at("#findings", ".group .more")
    made.page.locator(".group .more").first.click()
    made.page.wait_for_selector(".filters .only")
    assert f"of {CALLS // 10}" in made.info()
    made.page.locator(".filters .only").click()
    assert "of 3,000" in made.info()


def test_an_address_that_leads_nowhere_shows_the_overview(made: Seen) -> None:
    made.at('#"><b>&x=%E0%A4%A', ".verdict h2")
    made.at("#call=99999999", "#call p")
    assert "no such call" in made.page.locator("#call").inner_text()


def test_every_part_of_the_page_opens(lossy: Seen) -> None:
    names = lossy.page.evaluate("[...document.querySelectorAll('[data-part]')].map(node => node.dataset.part)")
    assert {"overview", "calls", "streams", "findings", "statistics", "captures", "methods"} <= set(names)
    for name in names:
        lossy.at(f"#{name}", f'section.current[data-view="{name}"]')
        if lossy.page.locator(f'.sheet[data-sheet="{name}"]').count():
            lossy.page.wait_for_selector(f'.sheet[data-sheet="{name}"] tbody tr')


def test_charts_are_made_when_a_call_is_opened_and_gone_when_it_is_left(lossy: Seen) -> None:
    lossy.at("#call=0", "#call .charts .bk-GridPlot, #call .charts [class*=bk-]")
    lossy.until("Bokeh.documents.length === 1 && document.querySelector('#call .charts').offsetHeight > 300")
    assert lossy.page.evaluate("Object.keys(Bokeh.index).length || Bokeh.index.roots?.length") >= 1
    lossy.at("#calls", ROWS)
    lossy.until("!document.querySelector('.charts') && Bokeh.documents.length === 0")


CONTRASTS = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colour, base) => {
    pen.fillStyle = `rgb(${base})`; pen.fillRect(0, 0, 1, 1);
    pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = rgb => rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const low = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.offsetParent || node.closest("svg, [class*=bk-], :disabled, .disabled, [aria-disabled=true]")) {
      continue;
    }
    const chain = [];
    for (let each = node; each; each = each.parentElement) { chain.unshift(getComputedStyle(each)); }
    const ground = chain.reduce((base, style) => over(style.backgroundColor, base), [255, 255, 255]);
    const opacity = chain.reduce((product, style) => product * style.opacity, 1);
    const ink = over(getComputedStyle(node).color, ground).map((v, at) => v * opacity + ground[at] * (1 - opacity));
    const [less, more] = [light(ink), light(ground)].sort((one, other) => one - other);
    if ((more + 0.05) / (less + 0.05) < 4.5) { low.push(node.outerHTML.slice(0, 90)); }
  }
  return low;
}"""
"""Elements whose text has less contrast than WCAG 1.4.3 asks for; what cannot be pressed is exempt there."""


@pytest.mark.parametrize("look", ["light", "dark"])
def test_all_can_be_read_and_heard(made: Seen, look: str) -> None:
    """Contrast of WCAG's level AA; every heading of a table says what it heads; every control has a name."""
    made.page.emulate_media(color_scheme=look)
    for address, wait in (("#overview", ".tile"), ("#calls", ROWS), ("#findings", ".group"), ("#call=1", "#call h1")):
        made.at(address, wait)
        assert made.page.evaluate(CONTRASTS) == [], address
        assert made.page.locator("section.current th:not([scope])").count() == 0, address
    unnamed = """[...document.querySelectorAll("button, a[href], input, select")].filter(node => node.offsetParent
      && !(node.innerText || node.ariaLabel || node.title || node.labels?.length || node.placeholder)).length"""
    assert made.page.evaluate(unnamed) == 0
    made.page.emulate_media(color_scheme="light")


def test_the_dark_page_is_dark_and_its_reader_may_choose(lossy: Seen) -> None:
    lossy.at("#overview", ".verdict h2")

    def ground() -> tuple[str, bool]:
        return lossy.page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, document.documentElement.classList.contains('dark')]"
        )

    assert ground() == ["rgb(20, 24, 29)", True]
    lossy.page.locator("#theme").click()
    assert ground() == ["rgb(255, 255, 255)", False]
    lossy.page.locator("#theme").click()
    lossy.page.locator("#theme").click()
    assert lossy.page.locator("#theme").inner_text() == "Colours: auto"


def test_on_paper_stand_the_report_and_the_opened_call(lossy: Seen, tmp_path: pathlib.Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext: install Debian's poppler-utils")

    def printed() -> str:
        path = tmp_path / "page.pdf"
        path.write_bytes(lossy.page.pdf(format="A4", print_background=True))
        return subprocess.run(
            ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
        ).stdout

    lossy.at("#calls", ROWS)
    whole = printed()
    for words in ("9.8 % of 500 packets", "What to do:", "alice", "completed", "Methods", "RFC 3550", "ASR"):
        assert words in whole, words
    assert "Search calls" not in whole
    lossy.at("#call=0", "#call .flow svg")
    call = printed()
    for words in ("alice to bob", "180 Ringing", "PCMA"):
        assert words in call, words
    assert "Methods" not in call


def test_ratings_on_several_scales_are_not_compared(
    chromium: Any, samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """The narrower scale's figures stand together; a filter that names no scale chooses nothing."""
    path, capture = tmp_path / "wideband.html", samples / "wideband.pcapng"
    path.write_bytes(b"".join(render_html(report_of(sipanalyzer.analyze(capture).result, [capture]))))
    seen = _open(chromium, path)
    seen.at("#calls", ROWS)
    cells = '[data-sheet="calls"] tbody td:nth-last-child(1)'
    assert seen.texts(cells) == ["4.15 WB", "4.41 FB"]
    field = seen.page.locator('[aria-label="Filter mos"]')
    for text, want in ((">4.2 FB", 1), (">4.2 wb", 0), ("WB", 1), ("", 2)):
        field.fill(text)
        seen.counted(want) if want else seen.until("document.querySelectorAll('tr.opens').length === 0")
    field.fill(">4.2")
    seen.until("document.querySelector('[aria-label=\"Filter mos\"]').getAttribute('aria-invalid') === 'true'")
    seen.counted(2)
    assert seen.troubles == []
    seen.page.close()


def test_without_scripts_the_summary_stands(chromium: Any, made: Seen) -> None:
    page = chromium.new_page(java_script_enabled=False)
    page.goto(made.path.as_uri())
    text = page.locator("body").inner_text()
    page.close()
    for words in (
        "1 of 3000 calls failed",
        "Find the hop that loses.",
        "alice00010",
        "ITU-T G.107.",
        "Without JavaScript",
    ):
        assert words in text, words


def test_a_browser_that_cannot_unpack_says_so_and_shows_the_summary(chromium: Any, made: Seen) -> None:
    page = chromium.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(made.path.as_uri())
    page.wait_for_selector("#note:not([hidden])")
    assert "DecompressionStream" in page.locator("#note").inner_text()
    assert page.locator(".verdict h2").is_visible()
    assert page.locator("#findings .group").first.is_visible()
    page.close()
