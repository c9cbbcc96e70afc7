"""Fuzz targets: what people see of an analysis, and what a second reading of the capture finds of it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import pathlib
import shutil
import tempfile
import warnings

import sipanalyzer
from sipanalyzer.analysis import Analysis
from sipanalyzer.errors import CaptureError, CaptureWarning
from sipanalyzer.output.call_page import call_lines
from sipanalyzer.output.report import report_bytes
from sipanalyzer.output.summary import summarize
from sipanalyzer.output.summary_page import summary_lines

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x1b\x07\x9b")
_MOST = 3


@functools.cache
def _folder() -> pathlib.Path:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _analysis(source: object) -> Analysis | None:
    with warnings.catch_warnings(), contextlib.suppress(CaptureError):
        warnings.simplefilter("ignore", CaptureWarning)
        return sipanalyzer.analyze(source, probation_candidates=64)  # type: ignore[arg-type]
    return None


def shown(data: bytes) -> None:
    """Pages, flow charts and reports of whatever was found, without anything that disturbs a terminal."""
    analysis = _analysis(io.BytesIO(data))
    if analysis is None:
        return
    result = analysis.result
    texts = [_text(summary_lines(summarize(result)))]
    for row, call in enumerate(result.calls[:_MOST]):
        texts += [_text(call_lines(result, call)), str(analysis.call(row).flow())]
    texts += [b"".join(report_bytes(result, None, each)).decode() for each in ("md", "html")]
    for text in texts:
        assert not _BIDI & set(text)
        text.encode()


def _text(lines: object) -> str:
    return repr(lines)


def read_again(data: bytes) -> None:
    """A second reading finds the packets of each stream, and the frames of each call, which hold its messages."""
    path = _folder() / "capture.pcap"
    path.write_bytes(data)
    analysis = _analysis(path)
    if analysis is None:
        return
    for number in range(min(_MOST, len(analysis.result.streams))):
        analysis.stream(number).packets()
    calls = analysis.result.calls
    for row in range(min(_MOST, len(calls))):
        view = analysis.call(row)
        taken = _folder() / "call.pcapng"
        view.extract(taken, force=True)
        again = _analysis(taken)
        assert again is not None
        mine, theirs = (
            sum(1 for each in one.result.calls if each.call_id == view.call_id) for one in (analysis, again)
        )
        assert mine == theirs
