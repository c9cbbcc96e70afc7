"""A report names captures, and tells nothing of the folders of whoever made it."""

from __future__ import annotations

import base64
import pathlib
import re
import shutil
import zlib

import pytest

import sipanalyzer
from sipanalyzer.errors import CaptureError
from sipanalyzer.output.report import write_report
from sipanalyzer.output.report.naming import show_command, with_short_names
from tests.output.results import make_capture, make_result

_BLOCK = re.compile(r'<script type="application/octet-stream" id="data-[^"]+">([^<]*)</script>')


def whole(page: pathlib.Path) -> str:
    """A report with all that lies compressed in it."""
    text = page.read_text("utf-8")
    return text + "".join(zlib.decompress(base64.b64decode(block), 31).decode() for block in _BLOCK.findall(text))


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_no_folder_stands_anywhere_in_a_report(name: str, samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "ann-smith"
    for part, sample in (("monday", "lossy.pcap"), ("tuesday", "timeout.pcap")):
        (folder / part).mkdir(parents=True)
        shutil.copy(samples / sample, folder / part / "trace.pcap")
    (folder / "cut.pcap").write_bytes((samples / "lossy.pcap").read_bytes()[:20_000])
    (folder / "junk.pcap").write_bytes(b"\xd4\xc3\xb2\xa1")
    paths = [str(each) for each in sorted(folder.rglob("*.pcap"))]
    with pytest.warns(sipanalyzer.CaptureWarning):
        analysis = sipanalyzer.analyze(paths)
    told = whole(write_report(analysis.result, paths, tmp_path / name))
    assert "ann-smith" not in told and str(tmp_path) not in told
    assert "monday/trace.pcap" in told and "tuesday/trace.pcap" in told
    assert "cut.pcap is damaged: broke off at offset" in told
    assert "Not read: junk.pcap: " in told
    assert [each.file for each in analysis.result.captures] == [path for path in paths if "junk" not in path]


def test_names_are_as_long_as_tells_them_apart() -> None:
    names = ["/a/x/t.pcap", "/b/x/t.pcap", "/a/y/t.pcap", "/a/u.pcap", "https://ann:pw@host/p/w.pcap?key=1", "-"]
    result = make_result(captures=tuple(make_capture(file=name) for name in names))
    short = [each.file for each in with_short_names(result).captures]
    assert short == ["a/x/t.pcap", "b/x/t.pcap", "y/t.pcap", "u.pcap", "w.pcap", "-"]
    assert with_short_names(with_short_names(result)).captures == with_short_names(result).captures


def test_the_same_file_twice_has_its_name_twice() -> None:
    result = make_result(captures=(make_capture(file="/a/t.pcap"), make_capture(file="/a/t.pcap")))
    assert [each.file for each in with_short_names(result).captures] == ["t.pcap", "t.pcap"]


def test_errors_lose_their_folder_and_keep_their_reason() -> None:
    result = make_result()
    result.extra["unreadable"] = (CaptureError("/home/ann/b.pcap", "no capture", offset=3),)
    assert with_short_names(result).extra["unreadable"] == ("b.pcap: no capture, at offset 3",)


def test_a_command_names_folders_and_patterns_by_their_last_part() -> None:
    assert show_command(["/home/ann/traces/", "/home/ann/*.pcap"]) == "sipanalyzer call traces '*.pcap' --id"
    assert show_command(["a.pcap", object()]) is None
