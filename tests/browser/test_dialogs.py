import csv

import pytest
from textual.widgets import Input

import sipanalyzer
from sipanalyzer.analysis import Analysis
from sipanalyzer.browser.saving import Saved, calls_to_save, file_name, messages_to_save, table_to_save
from tests.browser.piloted import HOSTILE, drive, name_of, press, three_calls


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return three_calls()


async def _named(app, pilot, name: str) -> None:
    field = app.screen.query_one("#path", Input)
    field.value = name
    await press(pilot, "enter")
    await app.workers.wait_for_complete()
    await pilot.pause()


def _told(app) -> str:
    return str(app.screen.query_one("#wrong").render())


def test_a_flow_is_saved_and_never_over_another_file(analysis, tmp_path):
    target = tmp_path / "call.txt"

    async def steps(app, pilot):
        await press(pilot, "s")
        assert name_of(app) == "SaveDialog"
        await _named(app, pilot, str(target))
        assert name_of(app) == "HomePage" and "INVITE" in target.read_text()
        target.write_text("mine")
        await press(pilot, "f2")
        await _named(app, pilot, str(target))
        assert name_of(app) == "SaveDialog" and "exists" in _told(app) and target.read_text() == "mine"
        other = tmp_path / "other.txt"
        other.write_text("mine too")
        await _named(app, pilot, str(other))
        assert "exists" in _told(app) and other.read_text() == "mine too"
        await press(pilot, "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert name_of(app) == "HomePage" and "INVITE" in other.read_text() and target.read_text() == "mine"

    drive(analysis, steps)


def test_what_cannot_be_saved_is_said(analysis, tmp_path):
    async def steps(app, pilot):
        await press(pilot, "s")
        await _named(app, pilot, str(tmp_path))
        assert "folder" in _told(app)
        await _named(app, pilot, str(tmp_path / "none" / "a.txt"))
        assert "no folder" in _told(app)
        await _named(app, pilot, "  ")
        assert "no file" in _told(app)
        await press(pilot, "escape")
        assert name_of(app) == "HomePage" and not list(tmp_path.iterdir())

    drive(analysis, steps)


def test_the_end_of_the_name_says_what_is_saved(analysis, tmp_path):
    async def steps(app, pilot):
        await press(pilot, "s")
        assert app.screen.query_one("#path", Input).value == "first.svg"
        await press(pilot, "down")
        assert app.screen.query_one("#path", Input).value == "first.pcapng"
        await press(pilot, "down", "down")
        assert app.screen.query_one("#path", Input).value == "first.csv"
        await _named(app, pilot, str(tmp_path / "calls.json"))
        await press(pilot, "f7")
        field = app.screen.query_one("#where", Input)
        field.focus()
        field.value = "state == 'busy'"
        await press(pilot, "enter", "s", "down", "down", "down")
        await _named(app, pilot, str(tmp_path / "busy"))
        with (tmp_path / "busy.csv").open(newline="") as file:
            assert [row["call_id"] for row in csv.DictReader(file)] == ["second"]

    drive(analysis, steps)


def test_messages_are_saved_as_they_were_on_the_wire(analysis, tmp_path):
    async def steps(app, pilot):
        await press(pilot, "r", "s")
        assert name_of(app) == "SaveDialog"
        await _named(app, pilot, str(tmp_path / "raw.txt"))

    drive(analysis, steps)
    raw = (tmp_path / "raw.txt").read_bytes()
    for row in analysis.result.calls[0].rows:
        assert analysis.result.messages.raw(row) in raw


def test_pages_are_saved_as_text(analysis, tmp_path):
    async def steps(app, pilot):
        for name, keys in (("summary", ("6", "s")), ("stream", ("5", "enter", "s")), ("call", ("1", "p", "s"))):
            await press(pilot, *keys)
            await _named(app, pilot, str(tmp_path / f"{name}.txt"))
            if name_of(app) != "HomePage":
                await press(pilot, "escape")

    drive(analysis, steps)
    assert "MOS" in (tmp_path / "stream.txt").read_text()
    assert "alice to bob" in (tmp_path / "call.txt").read_text()
    assert "calls" in (tmp_path / "summary.txt").read_text()


def test_packets_of_a_call_are_saved(samples, tmp_path):
    found = sipanalyzer.analyze(samples / "refused.pcap")
    packets = calls_to_save(found, found.result.calls[:1], None)[1]
    target = tmp_path / "one.pcapng"
    try:
        packets.save(target, False)
    except NotImplementedError:
        pytest.skip("nothing is extracted yet")
    again = sipanalyzer.analyze(target)
    assert list(again.calls["call_id"]) == [found.result.calls[0].call_id]


# ---- without a screen
@pytest.mark.parametrize("text", [HOSTILE, "", "../../etc/passwd", "a" * 500, "."])
def test_a_proposed_name_is_a_plain_one(text):
    name = file_name(text, "svg")
    assert name.endswith(".svg") and "/" not in name and not name.startswith(".") and len(name) < 60
    assert name.isascii() and name.isprintable()


def test_a_list_is_saved_in_formats_of_tables_only(analysis, tmp_path):
    saved = table_to_save(analysis_table(analysis))
    assert isinstance(saved, Saved)
    with pytest.raises(ValueError, match="ends in"):
        saved.save(tmp_path / "a.svg", False)
    saved.save(tmp_path / "a.md", False)
    with pytest.raises(FileExistsError):
        saved.save(tmp_path / "a.md", False)


def analysis_table(analysis):
    from sipanalyzer.output.tables import table

    return table(analysis.result, "calls")


def test_messages_to_save_stand_apart(analysis, tmp_path):
    rows = list(range(len(analysis.result.messages)))
    messages_to_save(analysis, rows).save(tmp_path / "all.txt", False)
    assert (tmp_path / "all.txt").read_bytes().count(b"CSeq:") == len(rows)
