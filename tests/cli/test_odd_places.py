import json
import os
import pathlib
import resource
import shutil
import stat
import subprocess
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SAMPLE = ROOT / "sample_pcaps" / "announcement.pcap"
SMALL = ROOT / "sample_pcaps" / "busy.pcap"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full and file names of any bytes")


def run(*arguments: str | bytes | pathlib.Path, **how: object) -> tuple[int, str, str]:
    """Status, standard output, standard error of the command; nobody ever sees a traceback."""
    environment = {**os.environ, **how.pop("env", {})}  # type: ignore[dict-item]
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT, **how}
    command = [sys.executable, "-m", "sipanalyzer", *arguments]
    done = subprocess.run(command, env=environment, timeout=120, **how)  # type: ignore[call-overload]
    out, err = ((each or b"").decode("utf-8", "replace") for each in (done.stdout, done.stderr))
    assert "Traceback" not in err + out and "Exception ignored" not in err
    return done.returncode, out, err


def shell(command: str, **environment: str) -> tuple[int, str, str]:
    """The same, with ``S`` for the command."""
    environment = {**os.environ, "S": f"{sys.executable} -m sipanalyzer", "A": str(SMALL), **environment}
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, cwd=ROOT, env=environment, timeout=60, stdin=subprocess.DEVNULL
    )
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in err + out and "Exception ignored" not in err
    return done.returncode, out, err


# ---- full disks


@pytest.mark.parametrize(
    "command",
    ["summary $A", "calls $A", "calls $A --format xlsx", "calls $A --format parquet", "report $A -o -",
     "call $A --id 0 --format json", "flow $A --id 0", "explain list", "options", "--help",
     "calls --help", "--version"],
)  # fmt: skip
def test_a_full_disk_behind_standard_output_is_one_line_and_status_2(command: str) -> None:
    told = "sipanalyzer: cannot write to standard output: No space left on device\n"
    assert shell(f"$S {command} >/dev/full") == (2, "", told)


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.md", "x.xlsx", "x.parquet"])
@pytest.mark.parametrize("most", [0, 4096])
def test_a_disk_that_fills_up_leaves_no_half_table(name: str, most: int, tmp_path: pathlib.Path) -> None:
    code, out, err = run(
        "messages", SAMPLE, "-o", tmp_path / name, preexec_fn=lambda: _limit(most), cwd=tmp_path, env=_NOTHING_KEPT
    )
    if code == 0:  # small enough
        assert (tmp_path / name).stat().st_size <= most
        return
    assert (code, out) == (2, "")
    assert err.startswith(f"sipanalyzer: cannot write to {tmp_path / name}: ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "name"),
    [(["report"], "x.html"), (["report"], "x.md"), (["flow", "--id", "0"], "x.svg"), (["flow", "--id", "0"], "x.html"),
     (["flow", "--id", "0"], "x.png"), (["extract", "--id", "0"], "x.pcapng"), (["audio", "--id", "0"], "x.wav")],
)  # fmt: skip
def test_a_disk_that_fills_up_leaves_no_half_file_and_the_old_one(
    command: list[str], name: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / name).write_text("old")
    environment = {"MPLCONFIGDIR": str(tmp_path / "matplotlib"), "TMPDIR": "/tmp", **_NOTHING_KEPT}
    code, _, err = run(
        *command, SAMPLE, "-o", tmp_path / name, "--force", preexec_fn=lambda: _limit(1024), env=environment
    )
    assert code == 2
    assert err.splitlines()[-1] == f"sipanalyzer: cannot write to {tmp_path / name}: File too large"
    assert (tmp_path / name).read_text() == "old"
    assert [each for each in tmp_path.iterdir() if each.name.endswith(".part")] == []


_NOTHING_KEPT = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Python 3.11 takes half a file of byte code for a whole one where the disk is full, and the tests after it break."""


def _limit(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def test_an_error_that_cannot_be_told_is_told_by_the_exit_status(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "r.md"
    expected = {"calls /no/such": 3, "calls": 2, "nope": 2, "calls $A --where x": 2, f"report $A -o {path}": 0}
    for how in ("2>/dev/full", "2>&-"):
        path.unlink(missing_ok=True)
        assert {command: shell(f"$S {command} {how} >/dev/null")[0] for command in expected} == expected
        assert path.stat().st_size > 100


def test_standard_input_that_is_redacted_needs_room_and_says_so(tmp_path: pathlib.Path) -> None:
    code = (
        "import sys, resource\n"
        "from sipanalyzer.redaction import door\n"
        "door._IN_MEMORY = 1000\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from sipanalyzer.cli import run\nrun()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "calls", "-", "--redact"], input=SAMPLE.read_bytes(), capture_output=True,
        cwd=ROOT, env={**os.environ, **_NOTHING_KEPT, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode() == f"sipanalyzer: -: no room in {tmp_path} to read it twice: File too large\n"


# ---- homes and caches


def test_homes_and_caches_that_cannot_be_used_have_no_effect(tmp_path: pathlib.Path) -> None:
    expected = run("calls", SAMPLE, env={"SIPANALYZER_NUMBA": "0"})
    file = tmp_path / "file"
    file.touch()
    for environment in ({"XDG_CACHE_HOME": str(file)}, {"HOME": "/no/such/home"}, {"XDG_CACHE_HOME": "relative"}):
        assert run("calls", SAMPLE, env=environment) == expected
    assert shell("unset HOME XDG_CACHE_HOME; $S calls $A | head -1")[0] == 0
    assert shell("env -i $S calls $A | head -1")[0] == 0


@pytest.mark.skipif(os.environ.get("SIPANALYZER_NUMBA") == "0", reason="nothing is compiled")
def test_code_of_others_and_garbage_in_the_cache_are_not_run(tmp_path: pathlib.Path) -> None:
    from sipanalyzer.kernels import objects

    kernel, kinds = "survey.find_few", ("int64:2", "int64:1")
    where = objects.path_of(kernel, kinds)
    real = objects.cache_folder
    try:
        folder = tmp_path / "cache"
        folder.mkdir(mode=0o700)
        objects.cache_folder = lambda: folder  # type: ignore[assignment]
        path = folder / where.name
        for content in (b"", b"garbage", bytes(10_000), b"{}\n" * 100):
            path.write_bytes(content)
            path.chmod(0o600)
            assert objects.load_code(kernel, kinds) is None
        assert objects.is_ours(path.stat())
        path.chmod(0o622)
        assert not objects.is_ours(path.stat())
        path.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
            assert not objects.is_ours(path.stat())
    finally:
        objects.cache_folder = real


# ---- files that are not what they were


def test_a_file_that_is_written_while_it_is_read_is_read_as_far_as_it_goes(tmp_path: pathlib.Path) -> None:
    path, data = tmp_path / "growing.pcap", SAMPLE.read_bytes()
    path.write_bytes(data[:1000])

    def grow() -> None:
        with path.open("ab") as file:
            for at in range(1000, len(data), 1000):
                file.write(data[at : at + 1000])
                file.flush()
                time.sleep(0.001)

    thread = threading.Thread(target=grow)
    thread.start()
    code, out, err = run("captures", path, "--columns", "packets,damage")
    thread.join()
    assert code in (0, 1) and out.startswith("packets,damage") and err.count("\n") == code


def test_a_file_that_shrinks_or_vanishes_between_two_readings_is_one_line(tmp_path: pathlib.Path) -> None:
    for change in (
        "os.truncate(path, 5000)",
        "os.truncate(path, 0)",
        "os.remove(path)",
        "open(path, 'wb').write(b'x' * 300_000)",
    ):
        path = tmp_path / "a.pcap"
        shutil.copy(SAMPLE, path)
        code = (
            "import os, sys\n"
            f"path = {str(path)!r}\n"
            "from sipanalyzer.cli import run, reading\n"
            "read = reading.Reading.read\n"
            "def change(self, **how):\n"
            "    found = read(self, **how)\n"
            f"    {change}\n"
            "    return found\n"
            "reading.Reading.read = change\n"
            "run()\n"
        )
        for wish in (["extract", "--id", "0", "-o", "e.pcapng"], ["audio", "--id", "0", "-o", "e.wav"]):
            shutil.copy(SAMPLE, path)
            done = _python(code, *wish, str(path), cwd=tmp_path)
            assert done.returncode in (0, 2, 3), done.stderr
            assert done.stderr.startswith("sipanalyzer: ") or done.stderr.startswith("Usage: "), done.stderr
            if done.returncode:
                assert [each.name for each in tmp_path.iterdir() if each.name != "a.pcap"] == []
            for each in tmp_path.glob("*e.*"):
                each.unlink()
        shutil.copy(SAMPLE, path)
        done = _python(code, "report", str(path), "-o", "r.html", "--force", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "sipanalyzer: wrote r.html\n")
        (tmp_path / "r.html").unlink()


def _python(code: str, *arguments: str, cwd: pathlib.Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def test_a_named_pipe_is_read_like_a_file_and_written_to(tmp_path: pathlib.Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(SAMPLE.read_bytes()), daemon=True).start()
    code, out, err = run("calls", pipe, "--columns", "state")
    assert (code, out.split(), err) == (0, ["state", "completed"], "")
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    thread.start()
    assert run("calls", SAMPLE, "--columns", "state", "-o", pipe)[0] == 0
    thread.join(10)
    assert got == [b"state\r\ncompleted\r\n"] and stat.S_ISFIFO(pipe.stat().st_mode)


# ---- names

NAMES = [
    b"new\nline.pcap",
    b"bad\xff\xfe.pcap",
    b"esc\x1b[31m.pcap",
    b"-dash.pcap",
    b"x" * 250 + b".pcap",
    "‮gpj.pcap".encode(),
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_names_of_any_bytes_are_read_and_shown_harmlessly(name: bytes, tmp_path: pathlib.Path) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    shutil.copy(SMALL, path)
    for command in ("summary", "captures --format table"):
        code, out, err = run(*command.split(), path)
        assert (code, err) == (0, "")
        assert all(each.isprintable() for each in out.splitlines())
    assert len(json.loads(run("captures", path, "--format", "json")[1])) == 1
    code, out, err = run("calls", path + b".none")
    assert (code, out, err.count("\n")) == (3, "", 1) and err.rstrip("\n").isprintable()
    code, _, err = run("calls", tmp_path, "--columns", "state")
    assert (code, err) == (0, "")


def test_names_that_begin_with_a_dash_go_behind_two(tmp_path: pathlib.Path) -> None:
    shutil.copy(SMALL, tmp_path / "-dash.pcap")
    environment = {"PYTHONPATH": str(ROOT)}
    assert run("calls", "--columns", "state", "--", "-dash.pcap", cwd=tmp_path, env=environment)[0] == 0
    assert run("calls", "-dash.pcap", cwd=tmp_path, env=environment)[0] == 2


def test_the_longest_name_that_a_file_may_have_is_written(tmp_path: pathlib.Path) -> None:
    path = tmp_path / ("ü" * 125 + "y.csv")
    assert run("calls", SMALL, "-o", path)[0] == 0 and path.is_file()
    assert list(tmp_path.iterdir()) == [path]
    code, _, err = run("calls", SMALL, "-o", tmp_path / ("y" * 300 + ".csv"))
    assert code == 2 and "File name too long" in err


# ---- terminals and streams


@pytest.mark.parametrize("command", ["summary $A", "calls $A --format table", "flow $A --id 0", "call $A --id 0"])
@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii:strict"},
     {"COLUMNS": "1"}, {"COLUMNS": "0"}, {"COLUMNS": "-7"}, {"COLUMNS": "²"}, {"COLUMNS": "9" * 30}, {"TERM": "dumb"},
     {"TERM": ""}],
    ids=lambda each: " ".join(each),
)  # fmt: skip
def test_no_terminal_is_too_strange(command: str, environment: dict[str, str]) -> None:
    code, out, err = shell(f"$S {command}", **environment)
    assert (code, err) == (0, "") and 10 < len(out) < 400_000


def test_closed_streams_have_no_effect_but_their_own(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "r.md"
    assert shell("$S calls $A >&-")[::2] == (0, "")
    assert shell("$S calls $A <&-")[0] == 0
    assert shell("$S calls - <&-") == (3, "", "sipanalyzer: -: standard input is closed\n")
    assert shell("$S calls /no/such >&- 2>&- <&-")[0] == 3
    assert shell(f"$S report $A -o {path} >&- 2>&- <&-")[0] == 0 and path.stat().st_size > 100


def test_nobody_needs_a_terminal_of_its_own() -> None:
    assert run("calls", SMALL, start_new_session=True)[0] == 0
    code, _, err = run("browse", SMALL, start_new_session=True)
    assert (code, err.count("\n")) == (2, 1)


def test_a_reader_that_leaves_early_hears_nothing() -> None:
    for command in ("messages $A", "summary $A", "report $A -o -", "explain list", "calls $A --format json"):
        assert shell(f"$S {command} | true")[::2] == (0, ""), command
