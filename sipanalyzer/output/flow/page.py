"""A flow chart as one page for a browser. Floor 8.

In: a chart and the result that it was made from. Out: one HTML document that works offline. An arrow opens its message,
a bar the figures of its stream (``page.js``, ``message.js``); without JavaScript all of them stand below the chart. The
page's policy lets only these two scripts run and nothing reach a network; what came from the wire is escaped by
:mod:`.escape`, credentials and keys are blanked as in reports.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass

from ...result import TRANSPORTS, Messages, Result, Stream, host_port
from ..cells import local_time, people
from ..columns import COLUMNS
from ..secrets import without_secrets
from ..streams_table import STREAM_CELLS
from .escape import escaped, message_text, preformatted
from .model import FlowChart, Fold, Media, Message
from .palette import INK, KINDS
from .raw_message import earlier_alike, message_css, message_script, script
from .svg import draw_svg

__all__ = ["draw_page"]

_MOST_MESSAGES, _MOST_BYTES, _MOST_STREAMS = 3_000, 12_000_000, 500
"""What a page holds of raw messages and of streams."""
_PAPER = 1.4
"""Height over width up to which a chart is printed on ordinary paper; a longer one makes its own page (in a PDF)."""
_SMALLEST = 0.72
"""To this share of its size a wide chart shrinks before it is scrolled."""
_LONGEST_PX = 13_000
"""PDF ends at 200 inches."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What of a chart is in the page."""

    messages: tuple[int, ...]
    folds: dict[int, int]
    """Of a message that is folded the one that stands for its fold."""
    streams: tuple[int, ...]
    left_out: tuple[str, ...]
    """Sentences on what is not."""


def draw_page(result: Result, chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> str:
    """The chart as an HTML document.

    Parameters
    ----------
    result : Result
        What the chart was made from.
    chart : FlowChart
        What is drawn.
    tz : datetime.tzinfo
        Zone in which times are shown.
    """
    held = _hold(result, chart)
    svg = draw_svg(
        chart,
        tz,
        interactive=True,
        numbers={row: row for row in held.messages},
        stream_numbers={number: number for number in held.streams},
    )
    program = f"{message_script()}\n{script('page.js')}"
    title = escaped(chart.title[:300])
    pieces = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(program)}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
        f"<title>{title}</title><style>{_css(svg)}</style></head><body>",
        f'<main><div id="chart">{svg}</div><aside id="panel" aria-label="Message"></aside></main>',
        '<section id="list"><h2>Messages</h2>',
        *_messages(result.messages, held, tz, secrets=result.options.show_secrets),
        "<h2>Streams</h2>" if held.streams else "",
        *(_stream(result, number, tz) for number in held.streams),
        "</section><footer>",
        *(f"<p>{escaped(sentence)}</p>" for sentence in held.left_out),
        f"<p>{_made(result)}</p></footer>",
        f"<script>{program}</script></body></html>\n",
    ]
    return "\n".join(piece for piece in pieces if piece)


def _hold(result: Result, chart: FlowChart) -> _Held:
    """The messages that are drawn come first, then those that are folded, while there is room."""
    drawn = [row.message for row in chart.rows if isinstance(row, Message)]
    folds = [row for row in chart.rows if isinstance(row, Fold) and row.messages]
    of_fold = {message: row.messages[0] for row in folds for message in row.messages}
    wanted = dict.fromkeys([*drawn, *(row.messages[0] for row in folds), *of_fold])
    messages: list[int] = []
    room = _MOST_BYTES
    for message in wanted:
        room -= int(result.messages.length[message])
        if room < 0 or len(messages) == _MOST_MESSAGES:
            break
        messages.append(message)
    streams = list(dict.fromkeys(row.stream for row in chart.rows if isinstance(row, Media)))
    left_out = [
        f"{count} {things} cannot be opened in this page: it holds the first {most}."
        for count, things, most in (
            (len(wanted) - len(messages), "messages", len(messages)),
            (len(streams) - _MOST_STREAMS, "streams", _MOST_STREAMS),
        )
        if count > 0
    ]
    here = frozenset(messages)
    folds_here = {message: first for message, first in of_fold.items() if message in here and message != first}
    return _Held(tuple(sorted(messages)), folds_here, tuple(streams[:_MOST_STREAMS]), tuple(left_out))


def _messages(messages: Messages, held: _Held, tz: datetime.tzinfo, *, secrets: bool) -> Iterator[str]:
    earlier = earlier_alike(messages, held.messages)
    for row in held.messages:
        raw = messages.raw(row)
        harmless = raw if secrets else without_secrets(raw)
        source, target = (messages.endpoints[int(ends[row])] for ends in (messages.src, messages.dst))
        name = f"{_first_words(messages, row)} of frame {int(messages.frame[row])}"
        told = [
            local_time(int(messages.time[row]), tz),
            f"{host_port(source)} to {host_port(target)}",
            TRANSPORTS[int(messages.transport[row])],
            f"frame {int(messages.frame[row])}",
            *(["sent again"] if messages.retransmission[row] else []),
            *(["cut off by the capture"] if messages.truncated[row] else []),
        ]
        data = f' data-name="{escaped(name)}"'
        data += f' data-previous="m{earlier[row]}"' if row in earlier else ""
        data += f' data-fold="m{held.folds[row]}"' if row in held.folds else ""
        data += ' data-note="Credentials and keys are blanked (***)."' if harmless != raw else ""
        yield (
            f'<details id="m{row}"{data}><summary><b>{escaped(_first_words(messages, row))}</b>, '
            f"{escaped(', '.join(told))}</summary><pre>{preformatted(message_text(harmless))}</pre></details>"
        )


def _first_words(messages: Messages, row: int) -> str:
    """``INVITE``, ``200 OK``."""
    status = int(messages.status[row])
    words = f"{status} {messages.text('reason', row) or ''}" if status else messages.text("method", row) or "message"
    return words.strip()[:80]


def _stream(result: Result, number: int, tz: datetime.tzinfo) -> str:
    """All that is known of a stream, each figure with what it means."""
    stream = result.streams[number]
    rows = "".join(
        f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td><td>{escaped(meaning)}</td></tr>"
        for name, value, meaning in _figures(stream, result, tz)
    )
    way = f"RTP {stream.codec or ''}".strip() + f", {host_port(stream.src)} to {host_port(stream.dst)}"
    return f'<details id="s{number}"><summary><b>{escaped(way)}</b></summary><table>{rows}</table></details>'


def _figures(stream: Stream, result: Result, tz: datetime.tzinfo) -> Iterator[tuple[str, str, str]]:
    for column in COLUMNS["streams"]:
        cell = STREAM_CELLS.get(column.name)
        value = getattr(stream, column.name, None) if cell is None else cell(stream, result)
        if column.name == "capture" and isinstance(value, str):
            value = _file_name(value)
        if value is not None and value != "":
            unit = f" {column.unit}" if column.unit else ""
            yield column.name, people(value, column, tz) + unit, column.meaning


def _made(result: Result) -> str:
    files = [capture.file for capture in result.captures]
    name = _file_name(files[0]) if len(files) == 1 else f"{len(files)} captures"
    return f"From {escaped(name)}, by sipanalyzer {escaped(importlib.metadata.version('sipanalyzer'))}."


def _file_name(path: str) -> str:
    """Without its folder, which is of no use to those whom the page is sent to."""
    return path.replace("\\", "/").rpartition("/")[2] or path


# ---- the page's own
def _policy(program: str) -> str:
    """What the page may do: run its own script, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _css(svg: str) -> str:
    light, dark = (
        "".join(f"--{name}:{getattr(ink, ground)};" for name, ink in INK.items())
        + f"--key:{getattr(KINDS['invite'], ground)};"
        for ground in ("light", "dark")
    )
    return (
        f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f"{message_css()}{script('page.css')}{_paper(svg)}"
        f"@media screen{{#chart svg{{max-width:max(100%,{round(_SMALLEST * _size(svg)[0])}px)}}}}"
    )


def _paper(svg: str) -> str:
    """A long chart is printed (to PDF) on one page as long as itself, so that no row is cut in two."""
    width, height = _size(svg)
    if height > _LONGEST_PX or height <= _PAPER * max(width, 700):
        return f"@page{{margin:8mm;size:{'A4 landscape' if width > 1.3 * height else 'A4'}}}"
    return f"@page{{margin:24px;size:{width + 48}px {height + 120}px}}"


def _size(svg: str) -> tuple[int, int]:
    values = svg[svg.index('viewBox="') + 9 :].split('"', 1)[0].split()
    return int(values[2]), int(values[3])
