import pytest

import sipanalyzer
from sipanalyzer.analysis import Analysis
from sipanalyzer.browser.keys import KEYS, written
from tests.browser.piloted import drive, name_of, press, seen, three_calls, type_in


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return three_calls()


def test_raw_messages_of_a_call_stand_below_each_other(analysis):
    async def steps(app, pilot):
        await press(pilot, "r")
        assert name_of(app) == "RawPage" and "INVITE sip:x@10.0.0.2 SIP/2.0" in seen(app)
        await press(pilot, "end")
        assert "CSeq: 90 BYE" in seen(app)
        await press(pilot, "home", "slash")
        await type_in(pilot, "csEQ: 90")
        await press(pilot, "enter")
        assert "CSeq: 90 BYE" in seen(app)
        await press(pilot, "n", "n", "N", "w", "C", "g", "left", "right", "pagedown", "pageup")
        await press(pilot, "slash")
        await type_in(pilot, "xyzzy")
        await press(pilot, "enter")
        assert name_of(app) == "RawPage"

    drive(analysis, steps, (80, 24))


def test_the_page_of_a_call_has_its_findings_and_leads_to_its_flow(analysis):
    async def steps(app, pilot):
        await press(pilot, "end", "p")
        assert "server-error" in seen(app) and "erin to frank" in seen(app)
        await press(pilot, "g")
        assert name_of(app) == "FlowPage" and app.screen.chart.legs[0].call_id == "third"

    drive(analysis, steps)


def test_a_page_is_made_for_its_width(analysis):
    async def steps(app, pilot):
        await press(pilot, "p")
        wide = app.screen.sheet.lines
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        assert len(app.screen.sheet.lines) > len(wide)

    drive(analysis, steps, (140, 45))


def test_help_names_every_key(analysis):
    async def steps(app, pilot):
        await press(pilot, "question_mark")
        assert name_of(app) == "HelpPage"
        text = "\n".join("".join(piece for piece, _ in line) for line in app.screen.query_one("#sheet").lines)
        for keys in KEYS.values():
            for key in keys:
                assert written(key.keys) in text
        await press(pilot, "h")
        assert name_of(app) == "HomePage"
        for key in ("f1", "h"):
            await press(pilot, "enter", key)
            assert seen(app).splitlines()[1].startswith("Flow")
            await press(pilot, "escape", "escape")

    drive(analysis, steps)


def test_the_documentation_names_every_key():
    import pathlib

    page = (pathlib.Path(__file__).parents[2] / "docs" / "browser.md").read_text()
    for keys in KEYS.values():
        for key in keys:
            if key.keys != "1,2,3,4,5,6":
                assert " ".join(f"`{each}`" for each in written(key.keys).split()) in page, key.keys
            assert key.meaning in page


def test_no_key_does_two_things_on_one_screen():
    for screen in ("lists", "flow", "pages"):
        keys = [
            each
            for name in (screen, "moving", "everywhere")
            for key in KEYS[name]
            for each in key.keys.split(",")
        ]  # fmt: skip
        assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("name", ["transfer", "message", "partial"])
def test_samples_open_everywhere(samples, name):
    found = sipanalyzer.analyze(samples / f"{name}.pcap")

    async def steps(app, pilot):
        for tab in "12345":
            await press(pilot, tab, "enter")
            if name_of(app) != "HomePage":
                await press(pilot, "end", "enter")
                while name_of(app) != "HomePage":
                    await press(pilot, "escape")
            await press(pilot, "end", "x")
            while name_of(app) != "HomePage":
                await press(pilot, "escape")

    drive(found, steps)
