import pytest
from textual.widgets import Input

from sipanalyzer.analysis import Analysis
from sipanalyzer.browser.grid import Grid
from sipanalyzer.browser.keys import KEYS, written
from sipanalyzer.browser.listing import Wanted
from sipanalyzer.browser.screens.home import HomePage
from sipanalyzer.browser.sheet import Sheet
from tests.browser.piloted import HOSTILE, drive, name_of, press, seen, three_calls, type_in
from tests.tape import A, B, Tape, sdp


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return three_calls()


def _home(app) -> HomePage:
    assert isinstance(app.screen, HomePage)
    return app.screen


def _ids(app) -> list[str]:
    grid = _home(app).grid
    return [str(grid.listing.value(row, "call_id")) for row in grid.listing.rows]


def test_the_calls_stand_on_the_first_screen(analysis):
    async def steps(app, pilot):
        page = seen(app)
        assert "1 Calls 3" in page and "4 Findings 1" in page and "5 Streams 2" in page
        line = next(line for line in page.splitlines() if "carol" in line)
        assert "busy" in line and "486" in line and "second" in line
        head = next(line for line in page.splitlines() if "caller" in line)
        words = ["start", "caller", "callee", "state", "code", "PDD ms", "dur s", "MOS", "loss%", "findings", "Call-ID"]
        assert sorted(words, key=head.index) == words

    drive(analysis, steps)


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (200, 60)])
def test_it_fits_screens_of_any_size(analysis, size):
    async def steps(app, pilot):
        for keys in ("", "enter", "escape", "4", "5", "enter", "escape", "6", "f1", "escape", "1", "p", "escape", "r"):
            if keys:
                await press(pilot, keys)
            lines = seen(app).splitlines()
            assert len(lines) <= size[1] and max(map(len, lines)) <= size[0]

    drive(analysis, steps, size)


def test_it_is_laid_out_anew_when_the_terminal_changes(analysis):
    async def steps(app, pilot):
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "alice" in seen(app)
        await press(pilot, "enter")
        for size in ((140, 45), (40, 10), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert "INVITE" in seen(app)

    drive(analysis, steps)


def test_keys_and_clicks_sort(analysis):
    async def steps(app, pilot):
        await press(pilot, "greater_than_sign", "greater_than_sign")
        assert _home(app).grid.listing.sort == ("caller", False) and _ids(app) == ["first", "second", "third"]
        await press(pilot, "z")
        assert _home(app).grid.listing.sort == ("caller", True) and _ids(app) == ["third", "second", "first"]
        assert "caller▼" in seen(app)
        await press(pilot, "less_than_sign")
        assert _home(app).grid.listing.sort == ("start", True)
        head = next(line for line in seen(app).splitlines() if "caller" in line)
        await pilot.click(Grid, offset=(head.index("callee") + 1, 0))
        await pilot.pause()
        assert _home(app).grid.listing.sort == ("callee", False) and _ids(app)[-1] == "third"
        await pilot.click(Grid, offset=(head.index("callee") + 1, 0))
        await pilot.pause()
        assert _ids(app)[0] == "third"

    drive(analysis, steps)


def test_the_cursor_stays_on_its_call_when_the_list_is_sorted(analysis):
    async def steps(app, pilot):
        await press(pilot, "down", "greater_than_sign", "greater_than_sign", "z")
        grid = _home(app).grid
        assert grid.listing.value(grid.row, "call_id") == "second" and grid.at == 1
        await press(pilot, "home")
        assert grid.listing.value(grid.row, "call_id") == "third"

    drive(analysis, steps)


def test_a_text_filters_while_it_is_typed_and_esc_takes_it_back(analysis):
    async def steps(app, pilot):
        await press(pilot, "slash")
        await type_in(pilot, "CAROL")
        assert "busy" in seen(app) and "1 of 3" in seen(app)
        await press(pilot, "escape")
        assert _ids(app) == ["first", "second", "third"]
        await press(pilot, "f3")
        await type_in(pilot, "erin")
        await press(pilot, "enter")
        assert _ids(app) == ["third"] and "/erin" in seen(app)
        await press(pilot, "escape")
        assert len(_ids(app)) == 3
        await press(pilot, "slash")
        await type_in(pilot, "nobody")
        await press(pilot, "enter", "enter", "space", "r", "x", "p", "m", "down", "z")
        assert name_of(app) == "HomePage" and "0 of 3" in seen(app)

    drive(analysis, steps)


def test_a_wrong_expression_is_explained_and_a_right_one_filters(analysis):
    async def steps(app, pilot):
        await press(pilot, "f7")
        field = app.screen.query_one("#where", Input)
        field.focus()
        field.value = "colour == 3"
        await press(pilot, "enter")
        assert name_of(app) == "FilterDialog" and "colour" in str(app.screen.query_one("#wrong").render())
        field.value = "state =="
        await press(pilot, "enter")
        assert name_of(app) == "FilterDialog" and "cannot read" in str(app.screen.query_one("#wrong").render())
        field.value = "status_code >= 500 or state == 'busy'"
        await press(pilot, "enter")
        assert name_of(app) == "HomePage" and _ids(app) == ["second", "third"]
        await press(pilot, "f")
        field = app.screen.query_one("#message", Input)
        field.focus()
        field.value = "CALL-ID: THIRD"
        await press(pilot, "enter")
        assert _ids(app) == ["third"]
        await press(pilot, "f5")
        assert len(_ids(app)) == 3

    drive(analysis, steps)


def test_an_expression_that_was_left_changes_nothing(analysis):
    async def steps(app, pilot):
        await press(pilot, "f7")
        field = app.screen.query_one("#where", Input)
        field.focus()
        field.value = "state == 'busy'"
        await press(pilot, "escape")
        assert len(_ids(app)) == 3

    drive(analysis, steps)


def test_marked_calls_are_shown_in_one_flow(analysis):
    async def steps(app, pilot):
        await press(pilot, "space", "down", "space")
        assert "2 marked" in seen(app) and _home(app).grid.at == 1
        await press(pilot, "enter")
        assert name_of(app) == "FlowPage" and len(app.screen.chart.legs) == 2
        await press(pilot, "escape", "home", "space", "end", "enter")
        assert [leg.call_id for leg in app.screen.chart.legs] == ["second"]

    drive(analysis, steps)


def test_columns_are_chosen(analysis):
    async def steps(app, pilot):
        await press(pilot, "f10")
        assert name_of(app) == "ColumnsDialog"
        await press(pilot, "space", "enter")
        names = [each.name for each in _home(app).grid.listing.sights]
        assert names[0] == "caller" and "start" not in names
        await press(pilot, "t", "end", "space", "enter")
        assert [each.name for each in _home(app).grid.listing.sights][-1] == "text_messages"
        await press(pilot, "t", "escape")
        assert [each.name for each in _home(app).grid.listing.sights][-1] == "text_messages"

    drive(analysis, steps)


def test_every_list_opens_and_shows_what_belongs_there(analysis):
    async def steps(app, pilot):
        for key, said in (("2", "sip:dave@example.org"), ("3", "OPTIONS"), ("4", "server-error"), ("5", "PCMA")):
            await press(pilot, key)
            assert said in seen(app)
        await press(pilot, "6")
        assert "calls" in seen(app)
        await press(pilot, "tab")
        assert _home(app).name_shown == "calls"
        await press(pilot, "shift+tab")
        assert _home(app).name_shown == "summary"
        await press(pilot, "i")
        assert _home(app).name_shown == "calls"
        await pilot.click("#tabs", offset=(15, 0))
        await pilot.pause()
        assert _home(app).name_shown == "registrations"

    drive(analysis, steps)


def test_a_registration_and_a_probe_have_flows_too(analysis):
    async def steps(app, pilot):
        await press(pilot, "2", "enter")
        assert name_of(app) == "FlowPage" and "REGISTER" in seen(app)
        await press(pilot, "p")
        assert name_of(app) == "RawPage"
        await press(pilot, "escape", "escape", "3", "enter")
        assert name_of(app) == "FlowPage" and "OPTIONS" in seen(app)

    drive(analysis, steps)


def test_a_finding_leads_to_its_message(analysis):
    async def steps(app, pilot):
        await press(pilot, "4")
        assert "What to do" in seen(app) and "503" in seen(app)
        await press(pilot, "enter")
        row = app.screen.chart.rows[app.screen.flow.block]
        finding = analysis.findings.iloc[0]
        assert name_of(app) == "FlowPage" and row.frame == finding["frame"] and row.label.startswith("503")

    drive(analysis, steps)


def test_findings_come_by_severity(samples):
    import sipanalyzer

    found = sipanalyzer.analyze(samples / "refused.pcap")

    async def steps(app, pilot):
        await press(pilot, "4")
        grid = _home(app).grid
        assert [grid.listing.value(row, "severity") for row in grid.listing.rows] == ["error", "warning", "info"]

    drive(found, steps)


def test_the_streams_of_a_call_and_their_quality(analysis):
    async def steps(app, pilot):
        await press(pilot, "m")
        assert _home(app).name_shown == "streams" and len(_ids(app)) == 2
        await press(pilot, "enter")
        assert name_of(app) == "StreamPage" and "Quality over time" in seen(app)
        await press(pilot, "g")
        row = app.screen.chart.rows[app.screen.flow.block]
        assert name_of(app) == "FlowPage" and row.label == "RTP PCMA"
        await press(pilot, "escape", "escape", "escape", "1", "down", "m")
        assert _home(app).name_shown == "calls"

    drive(analysis, steps)


def test_rows_open_with_the_mouse(analysis):
    async def steps(app, pilot):
        await pilot.click(Grid, offset=(20, 2))
        await pilot.pause()
        assert _home(app).grid.at == 1
        await pilot.double_click(Grid, offset=(20, 3))
        await pilot.pause()
        assert name_of(app) == "FlowPage" and app.screen.chart.legs[0].call_id == "third"

    drive(analysis, steps)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_line_of_keys_cuts_none_and_does_what_is_clicked(analysis, width):
    async def steps(app, pilot):
        line = seen(app).splitlines()[-1]
        told = [f"{written(key.keys.split(',')[0])} {key.short}" for key in KEYS["lists"] if key.short]
        assert line.startswith("Esc Quit Enter Show Space Mark F1 Help F2 Save") and len(line) <= width
        rest = line.removeprefix("Esc Quit ").replace("F1 Help ", "")
        for each in told:
            rest = rest.replace(each, "", 1)
        assert not rest.strip()
        assert (width < 200) or all(each in line for each in told)
        await pilot.click("#keys", offset=(line.index("Enter Show") + 7, 0))
        await pilot.pause()
        assert name_of(app) == "FlowPage" and seen(app).splitlines()[-1].startswith("Esc Back Enter Open")
        await pilot.click("#keys", offset=(2, 0))
        await pilot.pause()
        assert name_of(app) == "HomePage"

    drive(analysis, steps, (width, 24))


def test_q_and_esc_leave(analysis):
    for key in ("q", "escape", "ctrl+c"):
        closed = []

        async def steps(app, pilot, key=key, closed=closed):
            await press(pilot, key)
            closed.append(app.is_running)

        drive(analysis, steps)
        assert closed == [False]


@pytest.mark.parametrize(
    "key", ["enter", "space", "slash", "f7", "x", "r", "p", "m", "s", "z", "t", "2", "4", "5", "6"]
)
def test_an_empty_capture_is_shown(key):
    tape = Tape()
    tape.udp(0, A, 9, B, 9, b"nothing")

    async def steps(app, pilot):
        assert "no call" in seen(app)
        await press(pilot, key, "enter", "escape")

    drive(tape.analyze(), steps)


def test_a_capture_without_calls_begins_with_what_there_is():
    tape = Tape()
    tape.request(0, A, B, "OPTIONS", call="probe", initial=True)
    tape.reply(0.1, B, A, 200, method="OPTIONS", call="probe")

    async def steps(app, pilot):
        assert _home(app).name_shown == "transactions" and "OPTIONS" in seen(app)

    drive(tape.analyze(), steps)


def test_hostile_names_are_shown_and_do_nothing():
    tape = Tape()
    name = HOSTILE.replace("\ud800", "")
    call = f"id{name}"
    tape.set_up(sdp(A, 4000), sdp(B, 5000), call=call, tags=(name, "b"), ringing=None)
    tape.packets = [each._replace(data=each.data) for each in tape.packets]

    async def steps(app, pilot):
        for key in ("", "enter", "down", "enter", "escape", "p", "escape", "r", "escape", "escape", "4", "5", "6"):
            if key:
                await press(pilot, key)
            page = seen(app)
            assert "\x1b" not in page and "\u202e" not in page
        await press(pilot, "1")
        assert "[bold red]" in seen(app) or "\\x1b[2J" in seen(app)
        await press(pilot, "slash")
        await type_in(pilot, "[/")
        await press(pilot, "enter")

    drive(tape.analyze(), steps, (160, 40))


def test_of_twenty_thousand_calls_only_those_on_the_screen_are_drawn(monkeypatch):
    import dataclasses

    from sipanalyzer.browser.listing import Listing
    from tests.output.results import make_call, make_result

    calls = tuple(
        make_call(call_id=f"c{n}", caller=f"u{n % 97}", start=make_call().start + n * 1_000_000, rows=(), streams=())
        for n in range(20_000)
    )
    result = dataclasses.replace(make_result(), calls=calls, streams=(), sessions=())
    result.extra["findings"] = ()
    drawn = []
    cell = Listing.cell
    monkeypatch.setattr(Listing, "cell", lambda self, row, *others: drawn.append(row) or cell(self, row, *others))

    async def steps(app, pilot):
        assert "20,000" in seen(app)
        await press(pilot, "end")
        assert "c19999" in seen(app)
        await press(pilot, "pageup")
        assert len(set(drawn)) < 100
        grid = _home(app).grid
        grid.listing.show(Wanted("u96"))
        grid.renew()
        assert len(grid.listing.rows) == len([n for n in range(20_000) if n % 97 == 96])
        await press(pilot, "greater_than_sign", "z")
        assert len(set(drawn)) < 200

    drive(Analysis(result), steps)


def test_the_ground_turns_light_and_dark(analysis):
    async def steps(app, pilot):
        before = app.theme
        await press(pilot, "L")
        assert app.theme != before
        await press(pilot, "L")
        assert app.theme == before

    drive(analysis, steps)


def test_the_summary_is_that_of_the_command(analysis):
    async def steps(app, pilot):
        await press(pilot, "6")
        sheet = app.screen.query_one("#summary", Sheet)
        text = "\n".join("".join(piece for piece, _ in line) for line in sheet.lines)
        assert "3 calls" in text

    drive(analysis, steps)
