"""The command `browse` on a real terminal (a pseudo one), and without."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import termios
import time

import pytest

from tests.output.hostile import ATTACKS, hostile_capture

ROOT = pathlib.Path(__file__).parents[2]
SAMPLE = ROOT / "sample_pcaps" / "refused.pcap"
COMMAND = [sys.executable, "-m", "sipanalyzer", "browse"]
ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\]22;[a-z-]*\x07")


def test_without_a_terminal_it_says_so_in_one_line():
    done = subprocess.run([*COMMAND, str(SAMPLE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "terminal" in done.stderr


def test_a_wrong_option_is_told_before_anything_is_read():
    done = subprocess.run([*COMMAND, "--tz", "nowhere", str(SAMPLE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "nowhere" in done.stderr


class _Terminal:
    """A pseudo terminal with the command on it."""

    def __init__(self, arguments: list[str], *, standard_input: pathlib.Path | None = None, **environment: str) -> None:
        import pty

        self.before: list[object] = []
        variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", **environment}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child
            if standard_input is not None:
                os.dup2(os.open(standard_input, os.O_RDONLY), 0)
            os.chdir(ROOT)
            os.execvpe(COMMAND[0], [*COMMAND, *arguments], variables)
        self.before = termios.tcgetattr(self.fd)
        self.raw = b""

    def wait_for(self, text: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while text.encode() not in ESCAPES.sub(b"", self.raw):
            assert time.monotonic() < end, ESCAPES.sub(b"", self.raw)[-2_000:]
            if select.select([self.fd], [], [], 0.2)[0]:
                with contextlib.suppress(OSError):
                    self.raw += os.read(self.fd, 65_536)

    def rest(self) -> None:
        """Let it draw until nothing comes any more."""
        wait = 0.5
        while select.select([self.fd], [], [], wait)[0]:
            self.raw += os.read(self.fd, 65_536)
            wait = 0.1

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self.raw += os.read(self.fd, 65_536)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        raise AssertionError("it does not end")


pytestmark = pytest.mark.skipif(sys.platform == "win32" or not shutil.which("stty"), reason="no pseudo terminals here")


def test_it_opens_on_a_terminal_and_leaves_it_as_it_was():
    terminal = _Terminal([str(SAMPLE)])
    terminal.wait_for("refused-404")
    terminal.press("\r")
    terminal.wait_for("404 Not Found")
    terminal.press("qq")
    assert terminal.end() == 0
    assert b"\x1b[?1049h" in terminal.raw and b"\x1b[?1049l" in terminal.raw and b"\x1b[?25h" in terminal.raw
    assert b"Traceback" not in terminal.raw


def test_a_capture_from_standard_input_leaves_the_keyboard():
    terminal = _Terminal(["-"], standard_input=SAMPLE)
    terminal.wait_for("refused-404")
    terminal.press("q")
    assert terminal.end() == 0


def test_without_colours_there_are_none():
    terminal = _Terminal([str(SAMPLE)], NO_COLOR="1")
    terminal.wait_for("refused-404")
    terminal.press("q")
    assert terminal.end() == 0
    colours = {tuple(map(int, each.split(b";"))) for each in re.findall(rb"\x1b\[[34]8;2;([0-9;]+)m", terminal.raw)}
    assert all(red == green == blue for red, green, blue in colours)


def test_a_file_that_is_no_capture_opens_nothing(tmp_path):
    (tmp_path / "text.pcap").write_text("no capture")
    terminal = _Terminal([str(tmp_path / "text.pcap")])
    assert terminal.end() == 3 and b"\x1b[?1049h" not in terminal.raw


def test_a_hostile_capture_makes_the_terminal_do_nothing_but_show_it(tmp_path):
    """All lists; flow, raw messages and page of calls; what is no order to draw must be plain characters."""
    terminal = _Terminal([str(hostile_capture(tmp_path))])
    terminal.wait_for("script")
    for key in "23456":
        terminal.press(key)
        terminal.rest()
    terminal.press("1")
    for attack in ATTACKS:  # a terminal acts on control characters and direction, its libraries on brackets
        for key in "\rrqpqqj" if re.search(rb"[\x00-\x1f\x7f-\xff[]", attack) else "j":
            terminal.press(key)
            terminal.rest()
    terminal.press("qqq")
    assert terminal.end() == 0
    orders = set(ESCAPES.findall(terminal.raw))
    assert not orders & {b"\x1b[31m", b"\x1b[2J"}  # those of the attacks
    text = ESCAPES.sub(b"", terminal.raw).decode("utf-8")
    assert re.search("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text) is None
    for shown in ("\\x1b]52", "\\u202e", "[link=http", "HYPERLINK"):
        assert shown in text, shown
