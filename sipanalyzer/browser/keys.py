"""The keys of the browser: one list that bindings, help and ``docs/browser.md`` are made from. Floor 9, no Textual.

In: nothing. Out: :data:`KEYS`. Keys are those of sngrep where it has one for the thing.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KEYS", "Key", "written"]


@dataclass(frozen=True, slots=True)
class Key:
    """What one or several keys do on a screen."""

    keys: str
    """As Textual calls them, comma separated."""
    action: str
    """Name of the action."""
    short: str
    """A word or two, for the line at the bottom; empty: not shown there."""
    meaning: str


_MOVE = (
    Key("up,k", "up", "", "one line up"),
    Key("down,j", "down", "", "one line down"),
    Key("pageup,ctrl+b", "page_up", "", "one page up"),
    Key("pagedown,ctrl+f", "page_down", "", "one page down"),
    Key("ctrl+u", "half_page_up", "", "half a page up"),
    Key("ctrl+d", "half_page_down", "", "half a page down"),
    Key("home", "first", "", "to the beginning"),
    Key("end,G", "last", "", "to the end"),
    Key("left", "to_left", "", "further left"),
    Key("right", "to_right", "", "further right"),
)
_EVERYWHERE = (
    Key("escape,q,Q", "leave", "Back", "back; on the list of calls: quit"),
    Key("ctrl+c,ctrl+q", "quit", "", "quit"),
    Key("f1,question_mark,h,H", "help", "Help", "this page"),
    Key("L", "ground", "", "light or dark ground"),
)

KEYS: dict[str, tuple[Key, ...]] = {
    "everywhere": _EVERYWHERE,
    "moving": _MOVE,
    "lists": (
        Key(
            "enter", "open", "Show", "open: the flow of a call (of all that are marked), a finding's message, a stream"
        ),
        Key("space", "mark", "Mark", "mark, or take the mark away"),
        Key("f3,slash", "search", "Find", "show only rows with a text in any column"),
        Key(
            "f7,f,F", "filter", "Filter", "show only rows for which an expression is true, or with a text in a message"
        ),
        Key("f5,ctrl+l", "clear", "", "take filters and marks away"),
        Key("f4,x,X", "extended", "Legs", "flow with all legs of the conversation"),
        Key("f6,r,R", "raw", "Raw", "messages as they were on the wire"),
        Key("p", "page", "Page", "page of the call: findings with advice, facts"),
        Key("m", "media", "", "streams of the call"),
        Key("f2,s,S", "save", "Save", "save flow, packets, messages or this list to a file"),
        Key("less_than_sign", "sort_left", "", "sort by the column to the left"),
        Key("greater_than_sign", "sort_right", "", "sort by the column to the right"),
        Key("z", "turn_sort", "", "turn the order round"),
        Key("f10,t,T", "columns", "Columns", "choose columns"),
        Key("tab", "next_tab", "", "next list"),
        Key("shift+tab", "previous_tab", "", "list before"),
        Key("1,2,3,4,5,6", "tab", "", "calls, registrations, other requests, findings, streams, summary"),
        Key("i,I", "calls", "", "the list of calls (sngrep: only INVITE)"),
    ),
    "flow": (
        Key("enter", "open", "Open", "the message in full; a stream's quality; the call's page at a finding; unfold"),
        Key("space", "compare", "Diff", "mark a message; with the second one the two are compared"),
        Key("f4,x,X", "extended", "Legs", "all legs of the conversation, or the call alone"),
        Key("f6,r,R", "raw", "Raw", "all messages as they were on the wire"),
        Key("p", "page", "Page", "page of the call: findings with advice, facts"),
        Key("f3,m", "media", "RTP", "streams and keys, or none"),
        Key("f2,d", "sdp", "SDP", "what SDP says, or not"),
        Key("D", "only_sdp", "", "only messages with SDP, or all"),
        Key("n", "next_finding", "", "next finding"),
        Key("N", "previous_finding", "", "finding before"),
        Key("f7,c", "colours", "", "colour by kind, by Call-ID, by CSeq"),
        Key("f8,C", "paint", "", "colours of headers in the message on or off"),
        Key("w", "times", "Time", "times: seconds since the beginning, clock, seconds since the message before"),
        Key("W", "times_back", "", "likewise, the other way round"),
        Key("u", "unfold", "", "every message, or exchanges that repeat folded"),
        Key("t", "preview", "", "show or hide the message beside the flow"),
        Key("T", "usual_share", "", "as much room for the message as at the beginning"),
        Key("9", "wider", "", "more room for the message"),
        Key("0", "narrower", "", "less room for the message"),
        Key("s,S", "save", "Save", "save flow, packets or messages to a file"),
    ),
    "pages": (
        Key("f3,slash", "search", "Find", "find a text"),
        Key("n", "next", "Next", "find it again"),
        Key("N", "previous", "", "find it again, upwards"),
        Key("w", "wrap", "", "break long lines, or let them run on"),
        Key("f8,C", "paint", "", "colours of headers on or off"),
        Key("g", "go", "Flow", "flow of the call that it belongs to"),
        Key("f2,s,S", "save", "Save", "save it to a file"),
    ),
}
"""By screen: its keys in the order in which help shows them."""

_NAMES = {
    "slash": "/", "question_mark": "?", "less_than_sign": "<", "greater_than_sign": ">", "escape": "Esc",
    "enter": "Enter", "space": "Space", "pageup": "PgUp", "pagedown": "PgDn", "up": "Up", "down": "Down",
    "left": "Left", "right": "Right", "home": "Home", "end": "End", "tab": "Tab", "shift+tab": "Shift-Tab",
}  # fmt: skip


def written(keys: str) -> str:
    """Keys as people write them: ``F1 ? h``; a capital that does what its small letter does is not named."""
    each = keys.split(",")
    return " ".join(_name(key) for key in each if not (key.isupper() and key.lower() in each))


def _name(key: str) -> str:
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return f"Ctrl-{key[5:].upper()}"
    return key.upper() if key[:1] == "f" and key[1:].isdigit() else key
