import csv
import io
import json
import os
import pathlib
import subprocess
import sys
from types import SimpleNamespace

import pytest

from sipanalyzer import cli
from sipanalyzer.cli.progress import ProgressBar
from sipanalyzer.errors import CaptureError
from sipanalyzer.facts import Finding
from sipanalyzer.options import Options
from sipanalyzer.output.columns import COLUMNS, FILLED
from tests.output.results import T0, make_call, make_capture, make_result

ROOT = pathlib.Path(__file__).parents[2]


class Asked(list):
    """What the pipeline was asked, and what it answers."""

    answer = make_result()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    from sipanalyzer import pipeline

    seen = Asked()

    def analyze(captures, options=None, progress=None, stop=None):
        seen.append((captures, options))
        if isinstance(seen.answer, BaseException):
            raise seen.answer
        return seen.answer

    monkeypatch.setattr(pipeline, "analyze", analyze)
    return seen


@pytest.mark.parametrize("name", FILLED)
def test_a_table_goes_into_a_pipe_as_csv(name: str, asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "a.pcap"]) == 0
    head, *rows = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))
    assert head == [each.name for each in COLUMNS[name]]
    assert rows or name not in ("calls", "streams", "messages", "dialogs", "transactions", "captures", "findings")
    assert asked[0][0] == ["a.pcap"]


def test_rows_and_columns_are_chosen(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["messages", "a", "--columns", "summary,frame", "--where", "status_code == None", "--sort", "-frame"]
    assert cli.main([*arguments, "--limit", "2", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"summary": "REGISTER sip:10.0.0.2", "frame": 95},
        {"summary": "BYE sip:alice@10.0.0.1", "frame": 85},
    ]


def test_a_number_narrows_the_messages(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["messages", "a", "--number", "0049301234", "--columns", "call_id"]) == 0
    assert capsys.readouterr().out == "call_id\r\nreg\r\n"


def test_times_are_read_in_the_zone_in_which_they_are_shown(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    wish = ["--from-time", "2022-01-13 00:38:26", "--to-time", "2022-01-12T23:38:26Z", "--sort-records", "9"]
    assert cli.main(["summary", "a", *wish, "--tz", "Europe/Berlin"]) == 0
    options = asked[0][1]
    assert (options.from_time_ns, options.to_time_ns, options.sort_records) == (T0, T0, 9)
    assert "2022-01-13 00:38:26 to 00:38:35 Europe/Berlin" in capsys.readouterr().out


def test_files_for_machines_stay_in_utc(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["calls", "a", "--tz", "Europe/Berlin", "--columns", "start"]) == 0
    assert "2022-01-12T23:38:26.000000Z" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Usage"),
        (["nope"], "No such command"),
        (["calls"], "Missing argument"),
        (["calls", "a", "--format", "xml"], "xml"),
        (["calls", "a", "--where", "stat == 'x'"], "did you mean 'state'"),
        (["calls", "a", "--columns", "nope"], "it has call_id"),
        (["calls", "a", "--sort", "nope"], "it has call_id"),
        (["calls", "a", "--limit", "-1"], "--limit"),
        (["calls", "a", "--tz", "Mars"], "no time zone"),
        (["calls", "a", "--from-time", "noon"], "is no time"),
        (["calls", "-", "-"], "once only"),
        (["calls", "a", "-o", "/no/such/folder/x.csv"], "no folder"),
        (["captures", "a", "--number", "1"], "--number"),
        (["call", "a"], "--id"),
        (["call", "a", "--id", "nope"], "no call has the Call-ID"),
        (["calls", "a", "--number", " "], "is no number"),
        (["export", "a"], "--output"),
        (["draw", "a"], "No such command"),
        (["calls", "a", "--fail-on", "hihg-loss"], "did you mean 'high-loss'"),
        (["calls", "a", "--set", "playout_ms"], "write OPTION=VALUE"),
        (["calls", "a", "--set", "playout=9"], "did you mean 'playout_ms'"),
        (["calls", "a", "--set", "playout_ms=-1"], "at least 0"),
        (["calls", "a", "--set", "nothing_like_it=1"], "sipanalyzer options lists them"),
        (["calls", "a", "--set", "concealment=maybe"], "yes or no"),
        (["calls", "a", "--set", "playout_mode=none"], "fixed, adaptive"),
        (["calls", "a", "--fail-on", "zzz"], "sipanalyzer explain finding lists them"),
        (["calls", "a", "--fail-on", ","], "names no finding"),
        (["explain", "hihg-loss"], "near it: high-loss"),
        (["explain", "zzzzzz"], "explain list shows"),
        (["options", "x"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_explained_with_status_2(
    arguments: list[str], complaint: str, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert complaint in told.err and told.out == ""


@pytest.mark.parametrize("wish", [["--where", "nope"], ["--columns", "nope"], ["--sort", "x"], ["-o", "/no/x"]])
def test_a_mistake_is_told_before_anything_is_read(wish: list[str], asked: Asked) -> None:
    assert cli.main(["calls", "a", *wish]) == 2
    assert not asked


def test_a_damaged_file_is_reported_with_one_warning_and_status_1(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.answer = make_result(captures=(make_capture(damage="packet cut at offset 77, needed 60 bytes, found 3"),))
    assert cli.main(["calls", "a.pcap", "--columns", "state"]) == 1
    told = capsys.readouterr()
    assert told.out == "state\r\ncompleted\r\n"
    assert told.err.count("\n") == 1 and "warning: a.pcap: packet cut at offset 77" in told.err


def test_some_unreadable_captures_are_warned_of_and_the_rest_reported(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [CaptureError("b", "is empty", offset=0), CaptureError("c\x1b[2J", "cannot be opened")]
    asked.answer = make_result(extra={"unreadable": broken})
    assert cli.main(["calls", "a.pcap", "b", "c", "--columns", "state"]) == 1
    told = capsys.readouterr()
    assert told.out == "state\r\ncompleted\r\n"
    assert told.err.splitlines() == [
        "sipanalyzer: warning: b: is empty, at offset 0",
        "sipanalyzer: warning: c\\x1b[2J: cannot be opened",
    ]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (CaptureError("x", "is no capture", offset=0, needed="a header", found="GIF8"),
         "sipanalyzer: x: is no capture, at offset 0, needed a header, found GIF8"),
        (PermissionError(13, "Permission denied", "x"), "sipanalyzer: x: Permission denied"),
        (OSError("gone"), "sipanalyzer: gone"),
        (MemoryError(), "sipanalyzer: out of memory"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line_and_status_3(
    error: BaseException, line: str, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.answer = error
    assert cli.main(["summary", "x"]) == 3
    told = capsys.readouterr()
    assert told.out == "" and told.err.splitlines() == [line]


def test_an_interrupt_is_one_line_and_status_130(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    asked.answer = KeyboardInterrupt()
    assert cli.main(["calls", "x"]) == 130
    assert capsys.readouterr().err.strip().splitlines() == ["sipanalyzer: interrupted"]


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "md", "parquet", "xlsx", "txt", "dat"])
def test_a_files_name_says_its_format(suffix: str, asked: Asked, tmp_path: pathlib.Path) -> None:
    target = tmp_path / f"calls.{suffix}"
    assert cli.main(["calls", "a", "-o", str(target)]) == 0
    begin = target.read_bytes()[:8]
    expected = {"csv": b"call_id,", "dat": b"call_id,", "json": b"[\n{", "jsonl": b"{", "md": b"| ", "parquet": b"PAR1",
                "xlsx": b"PK", "txt": b" "}  # fmt: skip
    assert begin.startswith(expected[suffix])


def test_an_existing_file_is_not_overwritten_without_force(
    asked: Asked, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "x.csv"
    target.write_text("mine")
    assert cli.main(["calls", "a", "-o", str(target)]) == 2
    assert "--force" in capsys.readouterr().err and target.read_text() == "mine" and not asked
    assert cli.main(["calls", "a", "-o", str(target), "--force"]) == 0
    assert target.read_text().startswith("call_id")


def test_the_summary_and_a_call_are_text_or_json(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["summary", "a"]) == 0
    assert "sipanalyzer call a --id one@10.0.0.1" in capsys.readouterr().out
    assert cli.main(["summary", "a", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"]["count"] == 1
    assert cli.main(["call", "a", "--id", "one"]) == 0
    assert "200 OK (INVITE)" in capsys.readouterr().out
    assert cli.main(["call", "a", "--id", "0", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["call"]["caller"] == "alice"


def test_an_ambiguous_call_is_answered_with_the_candidates(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    asked.answer = make_result(calls=(make_call(call_id="x1"), make_call(call_id="x2")))
    assert cli.main(["call", "a", "--id", "x"]) == 2
    assert "x1, x2" in capsys.readouterr().err


def test_everything_is_exported(asked: Asked, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "a", "-o", str(tmp_path / "out"), "--format", "json"]) == 0
    assert len(list((tmp_path / "out").iterdir())) == len(COLUMNS) + 1
    assert capsys.readouterr().out == ""
    asked.clear()
    assert cli.main(["export", "a", "-o", str(tmp_path / "out"), "--format", "json"]) == 2
    assert not asked


def test_a_terminal_gets_a_table_that_fits(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(["calls", "a", "--format", "table"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and "completed" in lines[-1]


def run(*arguments: str, **how) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "sipanalyzer", *arguments], capture_output=True, env=environment, timeout=60, **how
    )


def test_the_module_runs_as_a_command(tmp_path: pathlib.Path) -> None:
    assert run("--version").stdout.split()[0] == b"sipanalyzer,"
    (tmp_path / "x.pcap").write_bytes(b"GIF89a not a capture")
    done = run("summary", str(tmp_path / "x.pcap"))
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (3, b"", 1), done.stderr


@pytest.mark.parametrize("content", [None, b"", b"\xd4\xc3\xb2\xa1"])
def test_a_missing_empty_or_cut_file_is_one_line_and_status_3(content: bytes | None, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "x.pcap"
    if content is not None:
        file.write_bytes(content)
    done = run("calls", str(file))
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (3, b"", 1), done.stderr
    assert str(file).encode() in done.stderr


def test_a_reader_that_leaves_early_hears_no_complaint(tmp_path: pathlib.Path) -> None:
    code = (
        "import sys\nfrom sipanalyzer import pipeline, cli\n"
        "from tests.output.results import make_result, make_messages\n"
        "result = make_result(messages=make_messages([{}] * 20_000), calls=())\n"
        "pipeline.analyze = lambda *more: result\nsys.exit(cli.main(['messages', 'x']))"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip
    assert command.stdout is not None and command.stderr is not None
    command.stdout.readline()
    command.stdout.close()
    assert command.stderr.read() == b""
    assert command.wait(30) == 0


def test_the_progress_bar_waits_and_counts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    report = SimpleNamespace(bytes_read=5_000_000, bytes_total=10_000_000, packets=1_234, calls=7)
    with ProgressBar(shown=True) as bar:
        bar.update(report)
        assert bar._bar is None  # work under a second shows none
        bar._next = 0.0
        bar.update(report)
        assert bar._bar is not None
        (task,) = bar._bar.tasks
        assert (task.completed, task.total, task.fields["calls"]) == (5_000_000, 10_000_000, "7 calls")
    with ProgressBar(shown=True) as bar:
        bar._next = 0.0
        bar.update(SimpleNamespace(bytes_read=6, bytes_total=0, packets=1_234, calls=0))
        (task,) = bar._bar.tasks
        assert (task.total, task.fields["calls"]) == (None, "1,234 packets")
    with ProgressBar(shown=False) as bar:
        bar._next = 0.0
        bar.update(report)
        assert bar._bar is None


def test_settings_are_told_where_they_matter(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    asked.answer = make_result(options=Options(playout_ms=40.0))
    wish = ["--set", "playout_ms=40"]
    assert cli.main(["summary", "a", *wish]) == 0
    assert asked[0][1].playout_ms == 40.0
    told = capsys.readouterr().out
    assert "playout_ms=40.0 (40 ms), not 60.0" in told and "sipanalyzer messages a --set playout_ms=40" in told
    for command in (["summary", "a"], ["call", "a", "--id", "0"]):
        assert cli.main([*command, *wish, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["settings"] == {"playout_ms": 40.0}


FOUND = make_result(extra={"findings": (Finding("high-loss", "error", "", ""), Finding("held", "info", "", ""))})


@pytest.mark.parametrize(
    ("codes", "status"),
    [("high-loss", 4), ("held,no-media", 4), ("ERROR", 4), ("warning", 0), ("no-media", 0), ("info , no-media", 4)],
)
@pytest.mark.parametrize("command", [["summary", "a"], ["calls", "a"], ["findings", "a"], ["call", "a", "--id", "0"]])
def test_a_finding_that_is_named_ends_in_status_4(codes: str, status: int, command: list[str], asked: Asked) -> None:
    asked.answer = FOUND
    assert cli.main([*command, "--fail-on", codes]) == status


def test_a_finding_that_is_named_weighs_more_than_damage(asked: Asked) -> None:
    asked.answer = make_result(captures=(make_capture(damage="cut"),), extra=FOUND.extra)
    assert cli.main(["findings", "a", "--fail-on", "held"]) == 4
    assert cli.main(["findings", "a", "--fail-on", "no-media"]) == 1


def test_things_are_explained_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["explain", "one", "way", "audio"], "one-way-audio: "),
        (["explain"], "sipanalyzer explain finding"),
        (["explain", "list"], "sipanalyzer explain option"),
        (["explain", "cause"], "User busy"),
        (["explain", "playout_ms"], "--set playout_ms=VALUE"),
        (["options"], "playout_ms=60.0  60 ms"),
    ):
        assert cli.main(arguments) == 0
        told = capsys.readouterr()
        assert words in told.out and told.err == ""
    for arguments in (["explain", "486"], ["explain", "finding"], ["options"]):
        assert cli.main([*arguments, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def test_findings_at_a_terminal_of_eighty_columns_are_whole_sentences(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    sentence = "9.8 % of 500 packets from 198.51.100.20:50000 to 192.0.2.10:40000 were missing for the listener."
    asked.answer = make_result(
        extra={"findings": (Finding("high-loss", "error", sentence, "", call_id="one@10.0.0.1"),)}
    )
    assert cli.main(["findings", "a", "--format", "table"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sentence in " ".join(" ".join(lines).split())
