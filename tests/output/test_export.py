import json
import os
import pathlib
import stat

import pytest

from sipanalyzer.output.columns import FILLED
from sipanalyzer.output.export import EXPORT_FORMATS, export_tables, whole_file
from tests.output.results import make_result


@pytest.mark.parametrize("format", EXPORT_FORMATS)
def test_every_filled_table_is_a_file(format: str, tmp_path: pathlib.Path) -> None:
    written = export_tables(make_result(), tmp_path / "new" / "out", format)
    assert sorted(path.name for path in written) == sorted(
        [*(f"{name}.{format}" for name in FILLED), *["tables.xlsx"] * (format == "xlsx"), "summary.json"]
    )
    assert all(path.stat().st_size for path in written)
    assert json.loads((tmp_path / "new/out/summary.json").read_text())["calls"]["count"] == 1


def test_nothing_is_written_where_one_file_exists(tmp_path: pathlib.Path) -> None:
    (tmp_path / "streams.csv").write_text("mine")
    with pytest.raises(FileExistsError, match="--force"):
        export_tables(make_result(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["streams.csv"]
    export_tables(make_result(), tmp_path, force=True)
    assert (tmp_path / "streams.csv").read_text().startswith("ssrc,")


def test_an_unknown_format_or_table_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="no export format"):
        export_tables(make_result(), tmp_path, "html")
    with pytest.raises(ValueError, match="no table"):
        export_tables(make_result(), tmp_path, tables=["nope"])
    assert not list(tmp_path.iterdir())


def test_a_file_that_fails_halfway_is_not_there(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "x.csv"
    with pytest.raises(RuntimeError), whole_file(target) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_an_existing_file_stays_until_the_new_one_is_whole(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("old")
    with pytest.raises(FileExistsError), whole_file(target):
        pass
    with whole_file(target, force=True) as stream:
        stream.write(b"new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_a_new_file_has_the_rights_that_the_user_wants(tmp_path: pathlib.Path) -> None:
    before = os.umask(0o022)
    try:
        with whole_file(tmp_path / "x.csv") as stream:
            stream.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.csv").stat().st_mode) == 0o644


def test_through_a_link_the_file_behind_it_is_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with whole_file(tmp_path / "link.csv", force=True) as stream:
        stream.write(b"new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text() == "new"


def test_a_device_is_written_to_and_a_folder_is_not(tmp_path: pathlib.Path) -> None:
    with whole_file("/dev/null") as stream:
        stream.write(b"x")
    assert not pathlib.Path("/dev/null").is_file()
    with pytest.raises(FileExistsError, match="is a folder"), whole_file(tmp_path, force=True):
        pass
    with pytest.raises(FileNotFoundError, match="no folder"), whole_file(tmp_path / "no" / "x"):
        pass


def test_a_link_to_nowhere_is_not_followed_unless_forced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link.csv").symlink_to("elsewhere.csv")
    with pytest.raises(FileExistsError, match="--force"), whole_file(tmp_path / "link.csv") as stream:
        stream.write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["link.csv"]
    with whole_file(tmp_path / "link.csv", force=True) as stream:
        stream.write(b"new")
    assert (tmp_path / "elsewhere.csv").read_text() == "new"


@pytest.mark.parametrize("what", ["file", "link"])
def test_a_file_that_appears_meanwhile_is_not_overwritten(what: str, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "x.csv"
    with pytest.raises(FileExistsError, match="--force"), whole_file(target) as stream:
        stream.write(b"ours")
        if what == "file":
            target.write_text("theirs")
        else:
            target.symlink_to("elsewhere.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert what == "link" or target.read_text() == "theirs"


def test_between_the_last_look_and_the_renaming_nothing_is_overwritten(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, link = tmp_path / "x.csv", pathlib.Path.hardlink_to

    def appear_first(self: pathlib.Path, other: pathlib.Path) -> None:
        target.write_text("theirs")
        link(self, other)

    monkeypatch.setattr(pathlib.Path, "hardlink_to", appear_first)
    with pytest.raises(FileExistsError), whole_file(target) as stream:
        stream.write(b"ours")
    assert target.read_text() == "theirs" and len(list(tmp_path.iterdir())) == 1


def test_where_the_disk_has_no_links_the_file_is_renamed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: pathlib.Path, other: pathlib.Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(pathlib.Path, "hardlink_to", refuse)
    with whole_file(tmp_path / "x.csv") as stream:
        stream.write(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_a_name_as_long_as_file_systems_take_is_written(tmp_path: pathlib.Path) -> None:
    target = tmp_path / ("\u6f22" * 83 + ".csv")
    with whole_file(target) as stream:
        stream.write(b"x")
    assert target.read_bytes() == b"x"
