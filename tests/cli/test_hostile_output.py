"""Every command in every format it has, on a capture that attacks whoever looks at the output.

Which commands and formats there are is asked of the command line itself, so that a new one is attacked from its first
day on.
"""

from __future__ import annotations

import csv
import io
import json
import pathlib
import re
import xml.etree.ElementTree as ElementTree

import click
import pytest

from sipanalyzer.cli import DONE, main
from sipanalyzer.cli.commands import sipanalyzer
from sipanalyzer.output.flow.picture import FORMATS as PICTURES
from sipanalyzer.output.formats import FORMATS as TABLES
from sipanalyzer.output.formulas import defused
from tests.output.hostile import ATTACKS, hostile_capture

OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal or a reader's eye obeys, but for ends of lines and tabs."""
ELSEWHERE = {
    "extract": "packets as they were",
    "audio": "samples",
    "browse": "a terminal, in tests/browser",
    "explain": "reads no capture",
    "options": "reads no capture",
}
"""Commands whose output has no text of the wire."""
RUNS = {
    "html": re.compile(rb"<script[^>]+src|<img|<iframe|(?:href|src)=[\"'](?!#|data:)", re.IGNORECASE),
    "svg": re.compile(rb"<script|href="),
    "pdf": re.compile(rb"/JavaScript|/JS|/URI|/Launch|/OpenAction"),
}
"""What would run or be fetched where such a file is opened."""


def parameter(command: str, name: str) -> click.Parameter | None:
    return next((each for each in sipanalyzer.commands[command].params if each.name == name), None)


def formats(command: str) -> tuple[str, ...]:
    """What a command can be asked for."""
    if command == "flow":
        return PICTURES
    kind = parameter(command, "format")
    assert kind is not None and isinstance(kind.type, click.Choice)
    return tuple(kind.type.choices)


WAYS = [(name, format) for name in sipanalyzer.commands if name not in ELSEWHERE for format in formats(name)]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return hostile_capture(tmp_path_factory.mktemp("hostile"))


def rendered(text: str) -> tuple[set[str], str]:
    """What a reader of Markdown with tables and HTML makes of it: kinds of tokens, and all text outside code."""
    markdown_it = pytest.importorskip("markdown_it")
    reader = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = [each for token in reader.parse(text) for each in (token, *(token.children or ()))]
    return {each.type for each in tokens}, "\n".join(each.content for each in tokens if each.type == "text")


def looked_at(format: str, written: bytes) -> None:
    """What must hold of a file of a format, whatever is in it."""
    assert format not in RUNS or not RUNS[format].search(written)
    if format in ("png", "pdf", "parquet", "xlsx"):
        assert written[:4] in (b"\x89PNG", b"%PDF", b"PAR1", b"PK\x03\x04")
        return
    text = written.decode("utf-8")
    assert OBEYED.search(text) is None
    if format in ("json", "jsonl"):
        for line in text.splitlines() if format == "jsonl" else [text]:
            json.loads(line, parse_constant=pytest.fail)
    elif format == "csv":
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert [cell for row in rows for cell in row if not number(cell) and cell != defused(cell)] == []
    elif format == "md":
        kinds, plain = rendered(text)
        assert not kinds & {"html_inline", "html_block", "link_open", "image"}
        assert "://" not in plain and not re.search(r"@\w", plain)  # what GitHub makes links and mentions of
    elif format == "svg":
        names = {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(text).iter()}
        assert not names & {"script", "foreignObject", "a", "image", "use", "animate", "set", "iframe"}


def number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_all_table_commands_have_all_formats_and_nothing_is_left_out() -> None:
    assert set(ELSEWHERE) < set(sipanalyzer.commands)
    assert formats("calls") == TABLES == formats("messages")
    assert len(WAYS) > 100


@pytest.mark.parametrize(("command", "format"), WAYS)
def test_no_way_out_lets_an_attack_through(
    command: str, format: str, capture: pathlib.Path, tmp_path: pathlib.Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What is on standard output is read where a format may go there, else the files."""
    arguments = [command, str(capture)]
    if any("--id" in each.opts for each in sipanalyzer.commands[command].params):
        arguments += ["--id", "0"]
    to_file = command in ("flow", "report", "export") or format in ("parquet", "xlsx")
    target = tmp_path / ("out" if command == "export" else f"out.{format}")
    if to_file:
        arguments += ["-o", str(target)]
    if command != "flow":
        arguments += ["--format", format]
    assert main(arguments) == DONE
    said = capfdbinary.readouterr()
    assert all(line.isprintable() for line in said.err.decode("utf-8").splitlines())
    if not to_file:
        assert said.out.strip()
        looked_at(format, said.out)
        return
    assert OBEYED.search(said.out.decode("utf-8")) is None
    files = sorted(target.rglob("*")) if target.is_dir() else [target]
    assert files and {each.parent for each in files} <= {tmp_path, target}
    for each in files:
        looked_at(each.suffix.removeprefix("."), each.read_bytes())


@pytest.mark.parametrize("number", range(len(ATTACKS)))
def test_no_call_lets_its_attack_through_to_the_terminal(
    number: int, capture: pathlib.Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for command in (["call"], ["flow"], ["call", "--format", "json"]):
        assert main([command[0], str(capture), "--id", str(number), *command[1:]]) == DONE
        looked_at("json" if "json" in command else "txt", capfdbinary.readouterr().out)
