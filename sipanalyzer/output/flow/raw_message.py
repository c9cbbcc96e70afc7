"""What a page needs to open a raw message: its text, the message to compare it with, its looks and its script. Floor 8.

In: the messages of a result. Out: texts for ``showMessage`` of ``message.js``, which this file hands out too. Pages of
flow charts and reports use the same.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable

from ...result import Messages
from .escape import message_text
from .palette import INK, KINDS

__all__ = ["earlier_alike", "message_css", "message_script", "message_text", "script"]


def script(name: str) -> str:
    """One of this package's scripts, as text."""
    return _script(name)


@functools.cache
def _script(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text("utf-8")


def message_script() -> str:
    """The script that defines ``showMessage(container, {raw, title, notes, previous, previousTitle})``."""
    return script("message.js")


def earlier_alike(messages: Messages, rows: Iterable[int]) -> dict[int, int]:
    """The message that each is best compared with: the last before it that says the same.

    Parameters
    ----------
    messages : Messages
        All of a result.
    rows : iterable of int
        Those of one chart, in order of time.

    Returns
    -------
    dict of int to int
        Of a request the last request before it with that method; of a response the last one with that status to that
        method, else of that class (180 and 183). What is the first of its kind is missing.
    """
    exact: dict[tuple[int, int], int] = {}
    alike: dict[tuple[int, int], int] = {}
    found: dict[int, int] = {}
    for row in rows:
        status, method = int(messages.status[row]), int(messages.method[row])
        of_class = (status // 100, method)
        before = exact.get((status, method), alike.get(of_class))
        if before is not None:
            found[row] = before
        exact[status, method] = alike[of_class] = row
    return found


@functools.cache
def message_css() -> str:
    """How a message that ``showMessage`` draws looks, on light and dark ground as charts do; names: ``sip-``."""
    light, dark = _colours("light"), _colours("dark")
    return (
        f".sip-message{{{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]) .sip-message{{{dark}}}}}"
        f"@media screen{{:root[data-theme=dark] .sip-message{{{dark}}}}}"
        ".sip-message{color:var(--sip-text);font:13px/1.45 system-ui,sans-serif}"
        ".sip-title{font-size:14px;margin:0 0 4px;overflow-wrap:anywhere}"
        ".sip-note{margin:2px 0;color:var(--sip-quiet);overflow-wrap:anywhere}"
        ".sip-bar{display:flex;flex-wrap:wrap;gap:6px;margin:8px 0}"
        ".sip-button{font:inherit;color:inherit;background:var(--sip-panel);border:1px solid var(--sip-line);"
        "border-radius:5px;padding:3px 10px;cursor:pointer}"
        ".sip-button[aria-pressed=true]{border-color:var(--sip-key);color:var(--sip-key);font-weight:600}"
        ".sip-button:focus-visible{outline:2px solid var(--sip-key)}"
        ".sip-raw,.sip-difference{font:12px/1.5 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;margin:0;"
        "padding:10px;background:var(--sip-panel);border:1px solid var(--sip-line);border-radius:6px;"
        "white-space:pre-wrap;overflow-wrap:anywhere;tab-size:4}"
        ".sip-start{font-weight:700;color:var(--sip-start)}.sip-name{color:var(--sip-key)}"
        ".sip-sdp .sip-name{color:var(--sip-sdp)}.sip-media{font-weight:700}.sip-body{color:var(--sip-quiet)}"
        ".sip-step{display:block;padding-left:2ch;text-indent:-2ch}.sip-same{opacity:.62}"
        ".sip-gone{background:var(--sip-gone)}.sip-come{background:var(--sip-come)}.sip-sign{user-select:none}"
        ".sip-changed{font-weight:700;text-decoration:underline}"
    )


def _colours(ground: str) -> str:
    inks = {name: getattr(ink, ground) for name, ink in INK.items()}
    looks = {
        "text": inks["text"],
        "quiet": inks["quiet"],
        "line": inks["line"],
        "panel": inks["panel"],
        "key": getattr(KINDS["invite"], ground),
        "sdp": getattr(KINDS["ending"], ground),
        "start": inks["text"],
        "gone": {"light": "#fbe3d6", "dark": "#4a2a18"}[ground],
        "come": {"light": "#d8efe6", "dark": "#123c30"}[ground],
    }
    return "".join(f"--sip-{name}:{colour};" for name, colour in looks.items())
