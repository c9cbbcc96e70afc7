"""Captures behind a URL, from a server on this machine."""

from __future__ import annotations

import functools
import http.server
import pathlib
import threading
from collections.abc import Iterator

import pytest

from sipanalyzer.errors import CaptureError
from sipanalyzer.pipeline import analyze


@pytest.fixture(scope="module")
def server(samples: pathlib.Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(samples))) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()


@pytest.mark.parametrize("name", ["busy.pcap", "gzipped.pcap.gz", "two_interfaces.pcapng"])
def test_a_capture_behind_a_url_is_read_as_the_file_is(server: str, samples: pathlib.Path, name: str) -> None:
    there, here = analyze(f"{server}/{name}"), analyze(samples / name)
    assert there.captures[0].file == f"{server}/{name}"
    assert [(c.call_id, c.state, c.packets) for c in there.calls] == [
        (c.call_id, c.state, c.packets) for c in here.calls
    ]
    assert there.packets_by_kind == here.packets_by_kind


def test_a_url_behind_which_nothing_is_gives_one_clear_error(server: str) -> None:
    with pytest.raises(CaptureError, match=r"nothing\.pcap"):
        analyze(f"{server}/nothing.pcap")
