import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SAMPLE = ROOT / "sample_pcaps" / "announcement.pcap"
"""Of more bytes than a pipe holds: once all of it is written, most of it was read."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(autouse=True, scope="module")
def heard() -> Iterator[None]:
    """Signals are heard by the commands, also where what started the tests ignores some (nohup, ``&``)."""
    before = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)}
    for which, handler in before.items():
        if handler == signal.SIG_IGN:
            signal.signal(which, signal.SIG_DFL)
    yield
    for which, handler in before.items():
        signal.signal(which, handler)


@contextlib.contextmanager
def _fed(*arguments: str, data: bytes | None = None, **how: object) -> Iterator[subprocess.Popen[bytes]]:
    """The command with a pipe for standard input that stays open, after it took `data`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sipanalyzer", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, **how,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        process.stdin.write(SAMPLE.read_bytes() if data is None else data)
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        process.wait()


def _end(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Status, standard output, standard error; its standard input stays open."""
    process.wait(60)
    return process.returncode, process.stdout.read().decode(), process.stderr.read().decode()


def _whole(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "sipanalyzer", *arguments], stdout=subprocess.PIPE, cwd=ROOT, check=True, text=True,
        stdin=SAMPLE.open("rb"),
    ).stdout  # fmt: skip


@pytest.mark.parametrize(("which", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_while_a_pipe_is_read_gives_the_result_so_far_and_says_so(which: int, status: int) -> None:
    wish = ("calls", "-", "--columns", "state,caller,packets,lost")
    with _fed(*wish) as process:
        process.send_signal(which)
        code, out, err = _end(process)
    assert code == status
    assert out == _whole(*wish).replace("\n", "\r\n") and "completed" in out
    assert err == "sipanalyzer: interrupted after 1044 packets; what was read by then is reported\n".replace(
        "1044", f"{_packets():,}"
    )


def _packets() -> int:
    return int(_whole("captures", "-", "--columns", "packets").split()[1])


def test_what_was_interrupted_says_so_itself(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "r.html"
    told = f"interrupted after {SAMPLE.stat().st_size} bytes"
    with _fed("report", "-", "-o", str(path)) as process:
        process.send_signal(signal.SIGINT)
        assert _end(process)[0] == 130
    assert told in path.read_text("utf-8")
    with _fed("summary", "-") as process:
        process.send_signal(signal.SIGINT)
        code, out, _ = _end(process)
    assert code == 130 and told in " ".join(out.split())
    with _fed("captures", "-", "--format", "json") as process:
        process.send_signal(signal.SIGINT)
        assert json.loads(_end(process)[1])[0]["damage"] == told


def test_a_program_that_writes_to_us_may_finish_when_both_are_interrupted() -> None:
    data = SAMPLE.read_bytes()
    with _fed("captures", "-", "--columns", "packets,damage", data=data[:-9000]) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)  # tcpdump writes the packets that it has, and ends
        process.stdin.write(data[-9000:])
        process.stdin.close()
        code, out, err = _end(process)
    assert (code, out.split()) == (130, ["packets,damage", f"{_packets()},"])
    assert err == "sipanalyzer: interrupted, but all was read by then; what follows is whole\n"


def test_the_second_interrupt_ends_at_once() -> None:
    with _fed("summary", "-") as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        code, out, err = _end(process)
        assert time.monotonic() - began < 0.5
    assert (code, out, err) == (130, "", "sipanalyzer: interrupted\n")


def test_an_interrupt_before_anything_was_read_is_one_line() -> None:
    with _fed("summary", "-", data=SAMPLE.read_bytes()[:10]) as process:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert _end(process) == (130, "", "sipanalyzer: interrupted\n")


def test_who_hangs_up_gets_no_result() -> None:
    with _fed("summary", "-") as process:
        process.send_signal(signal.SIGHUP)
        assert _end(process) == (129, "", "sipanalyzer: interrupted\n")


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    with _fed("captures", "-", "--columns", "packets", preexec_fn=_ignore) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        process.stdin.close()
        code, out, err = _end(process)
    assert (code, out.split(), err) == (0, ["packets", str(_packets())], "")


def _ignore() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_a_finding_that_is_named_does_not_hide_the_interrupt() -> None:
    with _fed("calls", "-", "--fail-on", "info,warning,error") as process:
        process.send_signal(signal.SIGINT)
        assert _end(process)[0] == 130


def test_an_interrupt_leaves_no_half_file(tmp_path: pathlib.Path) -> None:
    writing = """
        import sipanalyzer.output.report as report
        def pieces(*_, **__):
            yield b"half"
            os.kill(os.getpid(), signal.SIGINT)
            yield b"whole"
        report.report_bytes = pieces
    """
    kept = tmp_path / "old.html"
    kept.write_text("old")
    assert _patched(writing, "report", str(SAMPLE), "-o", str(tmp_path / "r.html")) == (
        130,
        "sipanalyzer: interrupted\n",
    )
    assert _patched(writing, "report", str(SAMPLE), "-o", str(kept), "--force")[0] == 130
    assert list(tmp_path.iterdir()) == [kept] and kept.read_text() == "old"


def test_an_interrupt_leaves_no_half_workbook_and_no_scratch(tmp_path: pathlib.Path) -> None:
    writing = """
        import sipanalyzer.output.workbook as workbook
        def write(*_):
            os.kill(os.getpid(), signal.SIGTERM)
        workbook._write_sheet = write
    """
    arguments = ("calls", str(SAMPLE), "-o", str(tmp_path / "r.xlsx"))
    assert _patched(writing, *arguments, TMPDIR=str(tmp_path)) == (143, "sipanalyzer: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_commands_are_loaded_is_one_line() -> None:
    loading = """
        import click
        def interrupted(*_, **__):
            os.kill(os.getpid(), signal.SIGINT)
        click.version_option = interrupted
    """
    assert _patched(loading, "--help") == (130, "sipanalyzer: interrupted\n")


def _patched(how: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Status and standard error of the command after some lines of Python."""
    import textwrap

    code = "import os, signal, sys\n" + textwrap.dedent(how) + "from sipanalyzer.cli import run\nrun()\n"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, cwd=ROOT, text=True, timeout=30,
        env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_the_browser_gives_the_terminal_back(tmp_path: pathlib.Path) -> None:
    import pty
    import select
    import termios

    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, "-m", "sipanalyzer", "browse", str(SAMPLE)],
        stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    shown = b""
    try:
        deadline = time.monotonic() + 20
        while b"completed" not in shown and time.monotonic() < deadline:
            if select.select([master], [], [], 0.2)[0]:
                shown += os.read(master, 65536)
        process.send_signal(signal.SIGTERM)
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([master], [], [], 0.2)[0]:
                shown += os.read(master, 65536)
        while select.select([master], [], [], 0.2)[0]:
            shown += os.read(master, 65536)
        assert process.poll() == 143
        assert termios.tcgetattr(slave) == before
        assert shown.rfind(b"\x1b[?1049l") > shown.rfind(b"\x1b[?1049h") >= 0, "the other screen is left"
        assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l"), "the cursor is shown again"
        assert b"Traceback" not in shown
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
