"""Everything that may be named as a capture."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys
import threading

import pytest

from sipanalyzer.capture.source import Input, Source, expand
from sipanalyzer.errors import CaptureError
from tests.capture import words

PLAIN = words.pcap_header() + words.record(1, 2, b"abc")


def names(captures: object) -> list[str]:
    return [pathlib.Path(one.name).name for one in expand(captures)]


def refusal(capture: object) -> str:
    (one,) = expand(capture)
    with pytest.raises(CaptureError) as refused:
        one.open_()
    return str(refused.value)


def test_a_folder_is_its_files_by_name_and_nothing_below(tmp_path: pathlib.Path) -> None:
    for name in ("b.pcap", "a.pcap", ".hidden", "notes.txt"):
        (tmp_path / name).write_bytes(PLAIN)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "c.pcap").write_bytes(PLAIN)
    assert names(tmp_path) == [".hidden", "a.pcap", "b.pcap", "notes.txt"]
    assert names(str(tmp_path / "*.pcap")) == ["a.pcap", "b.pcap"]
    assert names(str(tmp_path / "**" / "*.pcap")) == ["a.pcap", "b.pcap", "c.pcap"]
    assert names([tmp_path / "b.pcap", str(tmp_path / "?.pcap")]) == ["b.pcap", "a.pcap", "b.pcap"]


def test_a_file_that_exists_wins_over_a_glob(tmp_path: pathlib.Path) -> None:
    for name in ("call[1].pcap", "call1.pcap"):
        (tmp_path / name).write_bytes(PLAIN)
    assert names(str(tmp_path / "call[1].pcap")) == ["call[1].pcap"]
    assert names(str(tmp_path / "call[12].pcap")) == ["call1.pcap"]


def test_what_cannot_be_opened_is_refused_in_the_words_of_the_system(tmp_path: pathlib.Path) -> None:
    missing = tmp_path / "missing.pcap"
    assert refusal(missing) == f"{missing}: No such file or directory"
    assert refusal(str(tmp_path / "*.pcap")) == f"{tmp_path}/*.pcap: no file matches"
    assert refusal(tmp_path) == f"{tmp_path}: a folder without files (folders in it are not looked into)"
    assert "null" in refusal("a\0b")


def test_a_file_that_may_not_be_read_says_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(PLAIN)

    def refuse(*_: object, **__: object) -> None:  # root, as in a container, may read whatever the mode says
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "open", refuse)
    assert refusal(path) == f"{path}: Permission denied"


def test_urls_go_through_fsspec(tmp_path: pathlib.Path) -> None:
    import fsspec

    with fsspec.open("memory://captures/a.pcap", "wb") as file:
        file.write(PLAIN)
    with fsspec.open("memory://captures/b.pcap", "wb") as file:
        file.write(PLAIN)
    assert words.observe("memory://captures/a.pcap")[1].packets == 1
    assert names("memory://captures/*.pcap") == ["a.pcap", "b.pcap"]
    (tmp_path / "c.pcap").write_bytes(PLAIN)
    assert words.observe(f"file://{tmp_path}/c.pcap")[1].packets == 1
    assert "no file matches" in refusal("memory://captures/*.cap")
    assert "memory://captures/none.pcap" in refusal("memory://captures/none.pcap")
    assert "cannot be opened" in refusal("nosuchprotocol://host/a.pcap")


def test_file_objects_are_read_from_where_they_stand_and_left_open(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(b"before" + PLAIN)
    with path.open("rb") as file:
        file.seek(6)
        assert words.observe(file)[1].file == str(path)
        assert not file.closed

    class OnlyRead:
        def __init__(self) -> None:
            self.inner = io.BytesIO(PLAIN)

        def read(self, size: int) -> bytes:
            return self.inner.read(min(size, 5))

    assert words.observe(OnlyRead())[1].packets == 1


def test_what_is_no_capture_at_all_is_the_callers_mistake() -> None:
    for wrong in (5, None, b"a.pcap", [], [b"a.pcap"], [5], io.StringIO("text")):
        with pytest.raises(ValueError, match=r"capture"):
            expand(wrong)


def test_standard_input_is_read_to_its_end(tmp_path: pathlib.Path) -> None:
    code = (
        "from sipanalyzer.capture.order import Reading\n"
        "from sipanalyzer.capture.source import expand\n"
        "from sipanalyzer.options import Options\n"
        "reading = Reading(expand('-'), Options(), lambda block: block.rows)\n"
        "print(sum(len(rows) for rows, _ in reading), reading.captures()[0].file, reading.progress())\n"
    )
    out = subprocess.run([sys.executable, "-c", code], input=PLAIN, capture_output=True, check=True)
    assert out.stdout == b"1 - (43, 0)\n"
    path = tmp_path / "a.pcap"
    path.write_bytes(PLAIN)
    with path.open("rb") as file:
        out = subprocess.run([sys.executable, "-c", code], stdin=file, capture_output=True, check=True)
    assert out.stdout == b"1 - (43, 43)\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_opened_once(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    (tmp_path / "a.pcap").write_bytes(PLAIN)
    writer = threading.Thread(target=path.write_bytes, args=(PLAIN,))
    writer.start()
    _, files, reading = words.rows_of([path, tmp_path / "a.pcap"])
    writer.join()
    assert files == [0, 1]
    assert [capture.packets for capture in reading.captures()] == [1, 1]


class Failing(io.RawIOBase):
    """Gives some bytes, then an error of the system."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, view: memoryview) -> int:  # type: ignore[override]
        count = self._data.readinto(view)
        if count == 0:
            raise OSError(5, "Input/output error")
        return count


def test_an_error_while_reading_is_damage_and_at_the_beginning_a_refusal() -> None:
    found, capture = words.observe(Failing(PLAIN + PLAIN[24:]))
    assert len(found) == 2
    assert capture.damage == "reading failed after 62 bytes: Input/output error"
    with pytest.raises(CaptureError, match="Input/output error"):
        words.observe(Failing(b""))


def test_a_gzip_object_that_breaks_off_is_damage_too() -> None:
    import gzip

    data = gzip.compress(PLAIN + bytes(range(1, 256)) * 1000, mtime=0)
    _, capture = words.observe(gzip.GzipFile(fileobj=io.BytesIO(data[:-20])))
    assert capture.damage is not None
    assert "end-of-stream" in capture.damage


def test_nothing_is_imported_for_plain_files() -> None:
    heavy = {"fsspec", "zstandard", "lz4", "lzma", "numba"}
    code = f"import sys, sipanalyzer.capture.order; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "set()\n"


def test_bytes_read_are_those_of_the_file_as_it_is_stored() -> None:
    import gzip

    data = gzip.compress(PLAIN)
    source = Source("a", io.BytesIO(data), size=len(data))
    assert source.read(1000) == PLAIN
    assert source.consumed == len(data)
    assert Input("a", lambda: (io.BytesIO(data), True)).open_().size == len(data)
