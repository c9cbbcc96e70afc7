"""The page of a flow chart in a real browser: opens messages to the byte, runs nothing of the wire, needs no mouse."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sipanalyzer
from sipanalyzer.output.flow import page as page_module
from sipanalyzer.output.flow.escape import message_text
from sipanalyzer.output.flow.page import draw_page
from sipanalyzer.output.flow.svg import draw_svg, flow_css
from tests.output.flow.charts import HOSTILE, hostile, one_of_all
from tests.tape import A, B, Tape, sdp

Opened = Callable[..., Any]
_EVIL = [each for each in HOSTILE if "\n" not in each and each]


def _hostile_call() -> sipanalyzer.Analysis:
    """A call whose headers, URIs and bodies try to break out of the page."""
    tape = Tape()
    bytes_of = [each.encode("utf-8", "surrogatepass")[:2_000] for each in _EVIL]
    head = [
        b"INVITE sip:<script>alert(4)</script>@x SIP/2.0", f"Via: SIP/2.0/UDP {A};branch=z9hG4bK1".encode(),
        b'From: "</script><script>alert(5)</script>" <sip:a@x>;tag=1', b"To: <sip:b@x>", b"Call-ID: ]]></pre><b>",
        b"CSeq: 1 INVITE", *(b"X-%d: %s" % (at, each) for at, each in enumerate(bytes_of)),
    ]  # fmt: skip
    tape.udp(0, A, 5060, B, 5060, b"\r\n".join([*head, b"Content-Length: 9", b"", b"\xff\xfe\x00</p>"]))
    reply = [b"SIP/2.0 486 <img src=x onerror=alert(6)>", *head[1:6], b"Content-Length: 0", b"", b""]
    tape.udp(0.5, B, 5060, A, 5060, b"\r\n".join(reply).replace(b"To: <sip:b@x>", b"To: <sip:b@x>;tag=2"))
    return tape.analyze()


@pytest.fixture
def opened(chromium: Any, tmp_path: pathlib.Path) -> Iterator[Opened]:
    """Opens a page; afterwards there was no error, no dialog and no request but for the page itself."""
    said: list[str] = []
    contexts = []

    def open_page(text: str, *, quiet: bool = True, **more: Any) -> Any:
        path = tmp_path / "flow.html"
        path.write_text(text, "utf-8", newline="")
        context = chromium.new_context(**({"viewport": {"width": 1400, "height": 900}} | more))
        contexts.append(context)
        tab = context.new_page()
        if quiet:
            tab.on("console", lambda each: said.append(f"console: {each.text}"))
        tab.on("pageerror", lambda each: said.append(f"error: {each}"))
        tab.on("dialog", lambda each: (said.append(f"dialog: {each.message}"), each.dismiss()))
        tab.on("request", lambda each: None if each.url.startswith("file:") else said.append(f"request: {each.url}"))
        tab.goto(path.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def _page(analysis: sipanalyzer.Analysis, call: int = 0, session: bool = False) -> str:
    flow = analysis.call(call).flow(session=session)
    return draw_page(analysis.result, flow.chart)


@pytest.fixture(scope="module")
def transfer() -> sipanalyzer.Analysis:
    return sipanalyzer.analyze(pathlib.Path(__file__).parents[3] / "sample_pcaps" / "transfer.pcap")


# ---- messages and streams open
def test_a_click_opens_each_message_byte_for_byte(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    tab = opened(_page(transfer, session=True))
    arrows = tab.locator("#chart g.m")
    assert arrows.count() == len(transfer.result.messages)
    for at in range(0, arrows.count(), 3):
        arrows.nth(at).click()
        row = int(arrows.nth(at).get_attribute("data-message"))
        shown = tab.evaluate("document.querySelector('.sip-raw').textContent")
        assert shown.encode() == transfer.result.messages.raw(row)


def test_headers_and_sdp_are_coloured(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    tab = opened(_page(transfer))
    tab.locator("#chart g.m").first.click()
    assert tab.locator(".sip-start").inner_text().startswith("INVITE sip:")
    names = tab.locator(".sip-header .sip-name").all_text_contents()
    assert {"Via:", "Call-ID:", "CSeq:"} <= set(names)
    assert tab.locator(".sip-media").inner_text().strip().startswith("m=audio")
    colours = tab.evaluate(
        "['.sip-name', '.sip-value'].map(each => getComputedStyle(document.querySelector(each)).color)"
    )
    assert colours[0] != colours[1]


def test_the_keyboard_opens_steps_and_closes(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    tab = opened(_page(transfer))
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    title = tab.locator("#panel .sip-title, #panel h2")
    assert title.inner_text().startswith("INVITE") and "1 of" in tab.locator(".step").inner_text()
    tab.keyboard.press("ArrowDown")
    assert title.inner_text().startswith("100 Trying")
    tab.keyboard.press("ArrowRight")
    assert title.inner_text().startswith("180 Ringing")
    tab.keyboard.press("ArrowUp")
    assert title.inner_text().startswith("100 Trying")
    assert tab.evaluate("document.activeElement.classList.contains('on')")
    tab.keyboard.press("Escape")
    assert not tab.locator("#panel").is_visible()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press(" ")
    assert title.inner_text().startswith("180 Ringing")
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")  # there is none before the first
    assert title.inner_text().startswith("INVITE")


def test_a_bar_opens_the_figures_of_its_stream(opened: Opened, samples: pathlib.Path) -> None:
    analysis = sipanalyzer.analyze(samples / "lossy.pcap")
    tab = opened(_page(analysis))
    bars = tab.locator("#chart g.s")
    assert bars.count() == 2
    for at in range(2):
        bars.nth(at).click()
        stream = analysis.result.streams[int(bars.nth(at).get_attribute("data-stream"))]
        rows = dict(row.split("\t")[:2] for row in tab.locator("#panel table").inner_text().splitlines())
        assert rows["lost"] == str(stream.lost) and rows["packets"] == str(stream.packets)
        assert rows["loss_percent"] == f"{stream.loss_percent:.2f} %"
        assert rows["ssrc"] == f"0x{stream.ssrc:08x}"


def test_the_address_opens_a_message_and_remembers_it(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    tab = opened(_page(transfer))
    tab.locator("#chart g.m").nth(2).click()
    assert tab.evaluate("location.hash") == "#m2"
    tab.reload()
    assert tab.locator(".sip-title").inner_text().startswith("180 Ringing")
    for bad in ("#m999", "#<img src=x onerror=alert(1)>", "#constructor", "#__proto__"):
        tab.goto(tab.url.split("#")[0] + bad)
        tab.reload()
        assert not tab.locator("#panel").is_visible()


def test_folded_messages_are_stepped_through(opened: Opened) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for at in range(12):
        tape.request(5 + at, A, B, "OPTIONS", cseq=10 + at)
        tape.reply(5.1 + at, B, A, 200, method="OPTIONS", cseq=10 + at)
    analysis = tape.analyze()
    chart = analysis.call(0).flow().chart
    assert any(type(row).__name__ == "Fold" for row in chart.rows)
    tab = opened(draw_page(analysis.result, chart))
    tab.locator("#chart g.m").first.click()
    seen = {tab.evaluate("location.hash")}
    for _ in range(len(analysis.result.messages)):
        tab.keyboard.press("ArrowDown")
        seen.add(tab.evaluate("location.hash"))
    assert seen >= {f"#m{row}" for row in range(len(analysis.result.messages))}


# ---- difference
_COMPARE = """([raw, previous]) => {
  const box = document.createElement("div"); document.body.append(box);
  showMessage(box, {raw, previous, previousTitle: "that"});
  const toggle = box.querySelector("[aria-pressed]");
  if (toggle.getAttribute("aria-pressed") === "false") toggle.click();
  const lines = [...box.querySelectorAll(".sip-step")].map(each => each.textContent.trimEnd());
  const marked = [...box.querySelectorAll(".sip-changed")].map(each => each.textContent);
  const note = box.querySelector(".sip-note").textContent;
  box.remove();
  return {lines, marked, note};
}"""


def test_the_difference_pairs_lines_of_one_name_and_marks_what_changed(
    opened: Opened, transfer: sipanalyzer.Analysis
) -> None:
    tab = opened(_page(transfer))
    old = "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\r\n"
    now = old.replace("branch=1", "branch=2").replace("CSeq: 1 INVITE", "CSeq: 2 INVITE\r\nRoute: <sip:p>")
    made = tab.evaluate(_COMPARE, [now, old])
    assert made["lines"] == [
        "  INVITE sip:b SIP/2.0", "\u2212 Via: SIP/2.0/UDP h;branch=1", "+ Via: SIP/2.0/UDP h;branch=2",
        "\u2212 CSeq: 1 INVITE", "+ CSeq: 2 INVITE", "+ Route: <sip:p>", "  Max-Forwards: 70", "",
    ]  # fmt: skip
    assert made["marked"][:4] == ["1", "2", "1", "2"]
    assert tab.evaluate(_COMPARE, [now, now])["note"].startswith("The same, byte for byte")
    assert "ends of lines differ" in tab.evaluate(_COMPARE, [now.replace("\r", ""), now])["note"]


def test_the_difference_of_anything_holds_both_messages(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    """Lines that are not only in the old one are the new one, and the other way round; long ones come out too."""
    import random

    tab, pick = opened(_page(transfer)), random.Random(7)
    lines = ["A: 1", "A: 2", "B: 1", "C: x", "", "v=0", "a=1", "a=2"]
    pairs = [["\n".join(pick.choices(lines, k=pick.randrange(1, 14))) for _ in range(2)] for _ in range(60)]
    pairs.append(["\n".join(f"a{at}" for at in range(900)), "\n".join(f"b{at}" for at in range(900))])
    for now, old in pairs:
        if now == old:
            continue
        steps = tab.evaluate(_COMPARE, [now, old])["lines"]
        new = [step[2:] for step in steps if step[:1] != "\u2212"]
        gone = [step[2:] for step in steps if step[:1] != "+"]
        assert sorted(new) == sorted(each.rstrip() for each in now.split("\n")[: len(new)])
        assert sorted(gone) == sorted(each.rstrip() for each in old.split("\n")[: len(gone)])


def test_copying_gives_the_message(chromium: Any, opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    tab = opened(_page(transfer), permissions=["clipboard-read", "clipboard-write"])
    tab.locator("#chart g.m").first.click()
    tab.get_by_role("button", name="Copy").click()
    tab.get_by_role("button", name="Copied").wait_for()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.replace("\r\n", "\n") == transfer.result.messages.raw(0).decode().replace("\r\n", "\n")


# ---- hostile
def test_nothing_from_the_wire_runs_or_becomes_markup(opened: Opened) -> None:
    analysis = _hostile_call()
    tab = opened(_page(analysis))
    tags = tab.evaluate("[...new Set([...document.querySelectorAll('body *')].map(each => each.localName))]")
    known = "main div svg title style rect path g text aside section h2 details summary b pre footer p script"
    assert set(tags) <= set(known.split())
    assert tab.locator("script").count() == 1
    for at in range(tab.locator("#chart g.m").count()):
        tab.locator("#chart g.m").nth(at).click()
        row = int(tab.locator("#chart g.m").nth(at).get_attribute("data-message"))
        shown = tab.evaluate("document.querySelector('.sip-raw').textContent")
        assert shown == message_text(analysis.result.messages.raw(row))
        assert "\u202e" not in shown and "\x00" not in shown
        if tab.locator("[aria-pressed=false]").count():
            tab.locator("[aria-pressed=false]").click()
    assert tab.locator("img, iframe, #panel b, #panel script").count() == 0


def test_a_chart_of_hostile_texts_makes_a_page(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    import dataclasses

    rows = tuple(
        dataclasses.replace(row, message=0) if hasattr(row, "message")
        else dataclasses.replace(row, stream=0) if hasattr(row, "stream") else row
        for row in hostile().rows
    )  # fmt: skip
    tab = opened(draw_page(transfer.result, dataclasses.replace(hostile(), rows=rows)))
    assert tab.locator("script").count() == 1 and tab.locator("img").count() == 0


def test_the_policy_lets_only_our_own_script_run(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    text = _page(transfer)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None and policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1].split("script-src")[1].split(";")[0]
    program = text[text.rindex("<script>") + 8 : text.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy[1]
    evil = '<script>window.ran=1</script><img src="data:," onerror="window.ran=2"><p onclick="window.ran=3">x</p>'
    tab = opened(text.replace("<main>", f"{evil}<main>", 1), quiet=False)
    tab.get_by_text("x", exact=True).click()
    assert tab.evaluate("window.ran") is None
    tab.locator("#chart g.m").first.click()
    assert tab.locator(".sip-raw").count() == 1  # ours does run


def test_the_page_names_nothing_outside_of_itself(transfer: sipanalyzer.Analysis) -> None:
    found: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "action", "data", "srcset"))

    Reader().feed(_page(transfer))
    assert found == []


def test_credentials_and_keys_are_blanked_and_the_page_says_so(opened: Opened, samples: pathlib.Path) -> None:
    analysis = sipanalyzer.analyze(samples / "authenticated.pcap")
    proofs = re.findall(rb'response="([^"]+)"', b"".join(map(analysis.result.messages.raw, range(5))))
    text = _page(analysis)
    assert proofs and not any(proof.decode() in text for proof in proofs)
    tab = opened(text)
    tab.locator("#chart g.m").nth(3).click()
    assert "blanked" in tab.locator(".sip-note").first.inner_text()
    assert 'response="***"' in tab.locator(".sip-raw").inner_text()


# ---- without scripts, on paper, large
def test_without_scripts_all_messages_stand_below_the_chart(opened: Opened, transfer: sipanalyzer.Analysis) -> None:
    tab = opened(_page(transfer), java_script_enabled=False)
    assert tab.locator("#list pre").count() == len(transfer.result.calls[0].rows)
    first = tab.locator("#list details").first
    first.locator("summary").click()
    assert first.locator("pre").is_visible()
    assert first.locator("pre").text_content() == transfer.result.messages.raw(0).decode()


@pytest.mark.parametrize("sample", ["plain", "transfer"])
def test_a_chart_is_printed_on_one_page(opened: Opened, samples: pathlib.Path, sample: str) -> None:
    tab = opened(_page(sipanalyzer.analyze(samples / f"{sample}.pcap"), session=True))
    tab.locator("#chart g.m").first.click()
    printed = tab.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_stands_out_from_the_ground(opened: Opened, transfer: sipanalyzer.Analysis, scheme: str) -> None:
    tab = opened(_page(transfer), color_scheme=scheme)
    fills = tab.evaluate(
        """() => ["#chart .g", "#chart .l", "#chart .d", "#chart .t", "#chart .n"].map(
             each => getComputedStyle(document.querySelector(each)).fill)"""
    )
    ground, *inks = [_brightness(each) for each in fills]
    assert (ground > 0.9) == (scheme == "light")
    for ink in inks:
        low, high = sorted((ink, ground))
        assert (high + 0.05) / (low + 0.05) > 4.5  # WCAG 2.1, 1.4.3


def _brightness(colour: str) -> float:
    parts = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_heads_of_a_long_call_stay_in_sight(opened: Opened) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for at in range(100):
        tape.request(5 + at, A, B, "INVITE", sdp(A, 4000 + at), cseq=10 + at)
        tape.reply(5.2 + at, B, A, 200, sdp(B, 5000), cseq=10 + at)
        tape.request(5.3 + at, A, B, "ACK", cseq=10 + at)
    analysis = tape.analyze()
    tab = opened(draw_page(analysis.result, analysis.call(0).flow(fold=False).chart))
    assert tab.locator("#chart g.m").count() > 300
    tab.evaluate("document.getElementById('chart').scrollTop = 5000")
    tab.wait_for_function("document.querySelector('.hs').classList.contains('moved')")
    assert -6 < tab.locator(".hs").bounding_box()["y"] < 40


def test_a_page_holds_no_more_than_it_can(monkeypatch: pytest.MonkeyPatch, transfer: sipanalyzer.Analysis) -> None:
    monkeypatch.setattr(page_module, "_MOST_MESSAGES", 5)
    monkeypatch.setattr(page_module, "_MOST_STREAMS", 1)
    text = _page(transfer, session=True)
    assert text.count('role="button"') == 6 and text.count("<pre>") == 5
    assert "messages cannot be opened in this page: it holds the first 5." in text
    assert "streams cannot be opened in this page: it holds the first 1." in text
    monkeypatch.setattr(page_module, "_MOST_BYTES", 1_000)
    assert _page(transfer, session=True).count("<pre>") < 5


# ---- the picture in a browser: real fonts as a witness
_TEXT_BOXES = """() => [...document.querySelectorAll("svg.sf text")].map(each => {
  const box = each.getBBox();
  return [box.x, box.y + box.height * .2, box.x + box.width, box.y + box.height * .8, each.textContent];
})"""


@pytest.mark.parametrize("people", [2, 5, 12])
def test_texts_as_a_browser_sets_them_do_not_overlap(opened: Opened, people: int) -> None:
    svg = draw_svg(one_of_all(people, 60, 3, seed=people))
    tab = opened(f"<!doctype html><meta charset=utf-8><body>{svg}")
    boxes = sorted(tab.evaluate(_TEXT_BOXES), key=lambda box: box[1])
    width = tab.evaluate("document.querySelector('svg').width.baseVal.value")
    for at, box in enumerate(boxes):
        assert box[0] >= 0 and box[2] <= width
        for other in boxes[at + 1 :]:
            if other[1] >= box[3]:
                break
            assert box[0] >= other[2] or other[0] >= box[2], (box, other)


def test_charts_of_one_page_share_one_style(opened: Opened) -> None:
    small = draw_svg(one_of_all(3, 10), standalone=False)
    alone = draw_svg(one_of_all(3, 10))
    assert "<style>" not in small
    colours = []
    for text in (f"<style>{flow_css()}</style>{small}{small}", alone):
        tab = opened(f"<!doctype html><meta charset=utf-8><body>{text}")
        for theme in ("light", "dark"):
            tab.emulate_media(color_scheme=theme)
            tab.evaluate("theme => document.documentElement.setAttribute('data-theme', theme)", theme)
            colours.append(tab.evaluate("getComputedStyle(document.querySelector('.sf .l')).fill"))
    assert colours[0] == colours[2] and colours[1] == colours[3] and colours[0] != colours[1]
    tab = opened(f"<!doctype html><html data-theme=dark><style>{flow_css()}</style>{small}", color_scheme="light")
    assert tab.evaluate("getComputedStyle(document.querySelector('.sf .l')).fill") == colours[1]


def test_no_folder_of_whoever_made_the_page_stands_in_it(samples: pathlib.Path) -> None:
    text = _page(sipanalyzer.analyze(samples / "plain.pcap"))
    assert str(samples) not in text and "From plain.pcap" in text
