"""Colours and strokes of flow charts, plots and reports. Floor 8.

The colours are those of Okabe and Ito (distinct for all common kinds of colour blindness), lightened for a dark ground.
No meaning rests on colour alone: kinds of messages differ in stroke and weight too, so that a grey print tells them
apart.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "DIRECTIONS",
    "INK",
    "KINDS",
    "KIND_WORDS",
    "LEGS",
    "LOSS_STEPS",
    "SEVERITY",
    "Ink",
    "Look",
    "loss_step",
    "message_kind",
]


@dataclass(frozen=True, slots=True)
class Look:
    """How one thing is drawn."""

    light: str
    """Colour on a light ground, ``#rrggbb``."""
    dark: str
    """Colour on a dark ground."""
    terminal: str
    """rich style."""
    dash: tuple[int, ...] = ()
    """Lengths of dashes and gaps; empty: solid."""
    width: float = 1.5
    """Stroke, px."""


KINDS = {
    "invite": Look("#0072b2", "#56b4e9", "bold blue", width=2.2),
    "request": Look("#44546a", "#b6c2d1", "", width=1.5),
    "ending": Look("#8a4f7d", "#e0a3d0", "bold magenta", width=2.2),
    "provisional": Look("#5b6770", "#a7b1b9", "cyan", dash=(6, 4), width=1.4),
    "success": Look("#00795a", "#2fc39a", "bold green", width=2.0),
    "redirect": Look("#8a6100", "#f0c35e", "yellow", dash=(10, 3, 2, 3), width=1.8),
    "challenge": Look("#8a6100", "#f0c35e", "yellow", dash=(2, 3), width=1.8),
    "failure": Look("#b83c00", "#ff8a52", "bold red", dash=(12, 3), width=2.4),
}
"""Kinds of messages: INVITE; other requests; BYE and CANCEL; 1xx; 2xx; 3xx; 401, 407; other 4xx, 5xx, 6xx."""

KIND_WORDS = {
    "invite": "INVITE",
    "request": "other requests",
    "ending": "BYE, CANCEL",
    "provisional": "1xx",
    "success": "2xx",
    "redirect": "3xx",
    "challenge": "401, 407",
    "failure": "4xx, 5xx, 6xx",
}
"""The same in a legend."""

SEVERITY = {
    "error": Look("#b83c00", "#ff8a52", "bold red"),
    "warning": Look("#8a6100", "#f0c35e", "bold yellow"),
    "info": Look("#0072b2", "#56b4e9", "blue"),
}
DIRECTIONS = {
    "caller-to-callee": Look("#0072b2", "#56b4e9", "blue"),
    "callee-to-caller": Look("#d55e00", "#ff9a57", "yellow", dash=(6, 3)),
}
"""Streams in plots."""

LOSS_STEPS = (
    (0.0, "#cfe3da", "#1f4a3d"),
    (1.0, "#f3e3b0", "#5a4a16"),
    (3.0, "#f2bd86", "#7a4a12"),
    (10.0, "#e0814a", "#a4541d"),
    (100.0, "#a33a00", "#e0703a"),
)
"""Up to this share of packets lost or discarded (percent): colours of a bar on a light and on a dark ground. On light
ground each is darker than the one before, in grey print too."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of a page."""

    light: str
    dark: str


INK = {
    "ground": Ink("#ffffff", "#14181d"),
    "text": Ink("#1b2228", "#e4e8ec"),
    "quiet": Ink("#5b6770", "#98a2ab"),
    "line": Ink("#d3d9de", "#3a434c"),
    "panel": Ink("#f4f6f8", "#1d232a"),
}

LEGS = (
    Ink("#0072b2", "#56b4e9"),
    Ink("#e69f00", "#f0c35e"),
    Ink("#009e73", "#2fc39a"),
    Ink("#cc79a7", "#e0a3d0"),
    Ink("#d55e00", "#ff8a52"),
    Ink("#5b6770", "#a7b1b9"),
)
"""Margins of the legs of a session, in turn; a number stands beside each."""


def loss_step(percent: float) -> int:
    """Which of :data:`LOSS_STEPS` a share falls into; none lost is 0."""
    return next((at for at, (limit, _, _) in enumerate(LOSS_STEPS) if percent <= limit), len(LOSS_STEPS) - 1)


def message_kind(status: int, method: str | None) -> str:
    """Key of :data:`KINDS` for a message; `status` is 0 of a request."""
    if not status:
        return {"INVITE": "invite", "BYE": "ending", "CANCEL": "ending"}.get(method or "", "request")
    if status in (401, 407):
        return "challenge"
    return {1: "provisional", 2: "success", 3: "redirect"}.get(status // 100, "failure")
