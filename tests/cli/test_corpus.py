"""The command on captures that others made: what it must never do, and what tshark says too."""

import csv
import io
import json
import pathlib
import shutil
import subprocess

import pytest

from sipanalyzer import cli

FILES = (
    "NormB__sipnab__b2bua-asterisk.pcapng", "NormB__sipnab__sip-auth-failure.pcapng",
    "open5gs__open5gs__volte.pcapng", "ntop__nDPI__fuzz-2006-06-26-2594.pcap", "negbie__heplify__sip_ipv4_tcp.pcap",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", ["calls", "streams", "messages", "dialogs", "transactions", "captures"])
def test_every_table_of_a_real_capture_is_strict_json(
    name: str, command: str, corpus: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, str(corpus / name), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert isinstance(rows, list)
    assert all(value not in ("", -1) for row in rows for value in row.values())


@pytest.mark.parametrize("name", FILES)
def test_the_summary_of_a_real_capture_fits_a_terminal_and_carries_no_escapes(
    name: str, corpus: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["summary", str(corpus / name)]) == 0
    text = capsys.readouterr().out
    assert text.replace("\n", "").isprintable()
    assert max(map(len, text.partition("\nMore")[0].splitlines())) <= 80


def test_the_filter_of_a_stream_shows_its_packets_in_tshark(
    corpus: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("no tshark")
    for name in ("NormB__sipnab__b2bua-asterisk.pcapng", "SIPp__sipp__g711a.pcap", "open5gs__open5gs__volte.pcapng"):
        file = str(corpus / name)
        assert cli.main(["streams", file, "--columns", "wireshark_filter,packets", "--limit", "2"]) == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert rows
        for row in rows:
            done = subprocess.run(
                [tshark, "-r", file, "-Y", row["wireshark_filter"], "-T", "fields", "-e", "frame.number"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert len(done.stdout.split()) == int(row["packets"]), row


def test_a_cut_capture_is_reported_up_to_the_cut(
    corpus: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (corpus / FILES[0]).read_bytes()
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(whole[: len(whole) // 2])
    assert cli.main(["messages", str(cut), "--columns", "frame"]) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) > 1
    assert told.err.count("\n") == 1 and "offset" in told.err and str(cut) in told.err


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("width", ["60", "80", "120"])
def test_the_page_of_every_call_of_a_real_capture_fits_and_is_strict_json(
    name: str, width: str, corpus: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    file = str(corpus / name)
    assert cli.main(["calls", file, "--columns", "call_id", "--format", "json"]) == 0
    for row in json.loads(capsys.readouterr().out)[:3]:
        assert cli.main(["call", file, "--id", row["call_id"]]) == 0
        text = capsys.readouterr().out
        assert text.replace("\n", "").isprintable()
        assert max(map(len, text.splitlines()[:-1])) <= int(width)
        assert cli.main(["call", file, "--id", row["call_id"], "--format", "json"]) == 0
        data = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        assert data["call"]["call_id"] == row["call_id"] and data["settings"] == {}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", ["findings", "statistics", "endpoints", "intervals", "rtcp", "registrations"])
def test_every_table_about_quality_fits_a_terminal_of_eighty_columns(
    name: str, command: str, corpus: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([command, str(corpus / name), "--format", "table"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
