"""A report as one page for a browser. Floor 8.

Owns how the page is put together: what stands in it as plain HTML (the first screen, findings, the first calls,
methods: all that mail previews and printers need), what lies in it compressed until somebody opens it (tables, calls,
libraries), and the policy that lets only the page's own scripts run and nothing reach a network. In: a
:class:`~.data.Report`. Out: the page in pieces, so that no more than a few calls are held at a time.

The scripts beside this file (``report.js`` and its fellows) are one program; they make elements with text, never with
markup, from everything that came from the wire.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from ..cells import Cell, number
from ..flow.palette import DIRECTIONS, INK, KINDS, SEVERITY
from ..flow.raw_message import message_css, message_script
from ..flow.svg import flow_css
from .bars import Bars, make_bars
from .data import Detail, Heading, Member, Report, Sheet
from .details import Details
from .libraries import Library, bokeh, datatables
from .pack import chunks, packed, packed_json, script_hash
from .page_findings import GRAVITY, Group, group_findings, worst_of_calls
from .sharing import make_in_order

__all__ = ["policy", "render_html"]

_SCRIPTS = ("report.js", "tables.js", "call.js", "charts.js", "start.js")
_CHUNK = 25
"""Calls that lie together: unpacked at once, and small enough that opening one is instant."""
_MANY = 200
"""Details from which on it pays to have them made by several processes."""
_FIRST = 25
_FEW = 3
"""Captures that are told fact by fact; more stand in a table."""
_SYMBOLS = {"fine": "\u2713", "error": "\u2715", "warning": "\u25b2", "info": "\u25cf"}
_WORDS = {"fine": "Nothing wrong found", "error": "Errors", "warning": "Warnings", "info": "Worth knowing"}
_ORDER = (
    "calls", "streams", "endpoints", "findings", "statistics", "registrations", "subscriptions", "pages", "probes",
    "rtcp", "intervals", "messages", "dialogs", "transactions", "captures",
)  # fmt: skip
_UNITS = {"ms": "_ms", "s": "_s", "%": "_percent", "B": "_bytes", "ppm": "_ppm", "kbit/s": "_kbit_s"}
_FIRST_COLUMNS = (
    "start", "caller", "callee", "state", "status_code", "duration_s", "post_dial_delay_ms", "loss_percent", "mos",
    "mos_scale", "findings",
)  # fmt: skip
"""Columns of calls on paper and without scripts."""
_STATISTICS = ("metric", "value", "unit", "basis", "note")


def render_html(report: Report, processes: int = 1) -> Iterator[bytes]:
    """The page, piece by piece, UTF-8.

    Parameters
    ----------
    report : Report
        Its details are asked for while the page is written, each once.
    processes : int
        How many share the work on the details (:mod:`.sharing`).

    Raises
    ------
    MissingLibrary
        If a package that delivers a script is not installed.
    """
    for piece in _template().generate(_context(report, processes)):
        yield piece.encode("utf-8", "replace")


def policy(scripts: list[str]) -> str:
    """The Content-Security-Policy under which only these inline scripts run."""
    hashes = " ".join(f"'{script_hash(each)}'" for each in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; connect-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )


@functools.cache
def _template() -> Any:
    import jinja2
    from markupsafe import Markup

    world = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, cache_size=0
    )
    world.filters["grouped"] = lambda value: f"{value:,}"
    world.globals["raw"] = Markup
    return world.from_string(_file("template.html.j2"))


@functools.cache
def _file(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text("utf-8")


@functools.cache
def _script() -> str:
    parts = [message_script(), *map(_file, _SCRIPTS)]
    return '(function () {\n"use strict";\n' + "\n".join(parts) + "\n}());\n"


def _context(report: Report, processes: int) -> dict[str, Any]:
    from markupsafe import Markup

    sheets = {each.name: each for each in report.sheets}
    calls, findings = sheets.get("calls"), sheets.get("findings")
    groups = group_findings(calls, findings)
    worst = [] if calls is None else worst_of_calls(calls, findings)
    libraries = [datatables(), bokeh()]
    own = _script()
    return {
        "report": report,
        "policy": policy([own, *(each.script for each in libraries)]),
        "style": Markup(_variables() + flow_css() + message_css() + _file("report.css")),  # all of it ours
        "script": Markup(own),
        "parts": _parts(report, sheets),
        "symbols": _SYMBOLS,
        "words": _WORDS,
        "columns": len(report.tiles) if len(report.tiles) <= 6 else -(-len(report.tiles) // 2),
        "bars": _bars(report),
        "groups": [_linked(group, calls) for group in groups],
        "first_calls": None if calls is None else _first_calls(calls, worst),
        "sheets": [
            _sheet_part(sheets[name]) for name in _ORDER if name in sheets and name not in ("calls", "findings")
        ],
        "libraries": libraries,
        "blocks": _blocks(report, worst, libraries, processes),
    }


def _bars(report: Report) -> Bars | None:
    """The timeline, where there is something to see in it."""
    timeline = report.timeline
    if timeline is None:
        return None
    begun = sum(map(sum, (timeline.answered, timeline.unanswered, timeline.failed, timeline.unknown)))
    return make_bars(timeline) if begun > 1 and len(timeline.labels) > 1 else None


def _blocks(
    report: Report, worst: list[str | None], libraries: list[Library], processes: int
) -> Iterator[tuple[str, str]]:
    """What lies compressed in the page: names and texts, made one by one."""
    yield "data-head", packed_json(_head(report, worst))
    for sheet in report.sheets:
        yield f"data-sheet-{sheet.name}", packed_json(_plain(sheet))
    for at, text in enumerate(_packed_details(report.details, processes)):
        yield f"data-calls-{at}", text
    for library, name in zip(libraries, ("datatables", "bokeh"), strict=True):
        yield f"script-{name}", _packed_library(library.script)
        if library.style:
            yield f"style-{name}", _packed_library(library.style)


def _packed_details(details: Iterator[Detail], processes: int) -> Iterator[str]:
    """Details in chunks; those of many calls are made by several processes."""
    if not isinstance(details, Details) or len(details) < _MANY:
        yield from map(_packed_part, chunks(details, _CHUNK))
        return
    made, count = details, len(details)
    made.prepare()

    def make(chunk: int) -> bytes:
        numbers = range(chunk * _CHUNK, min(count, (chunk + 1) * _CHUNK))
        return _packed_part([made.at(number) for number in numbers]).encode("ascii")

    for piece in make_in_order(-(-count // _CHUNK), make, processes):
        yield piece.decode("ascii")


def _packed_part(part: list[Detail]) -> str:
    names = [field.name for field in fields(Detail)]
    return packed_json([{name: getattr(each, name) for name in names} | _legs(each) for each in part])


@functools.lru_cache(maxsize=4)
def _packed_library(text: str) -> str:
    return packed(text, 9)


def _legs(detail: Detail) -> dict[str, Any]:
    names = [field.name for field in fields(Member)]
    return {"session": [{name: getattr(member, name) for name in names} for member in detail.session]}


def _head(report: Report, worst: list[str | None]) -> dict[str, Any]:
    """What the scripts must know before anything is opened."""
    return {
        "title": report.title,
        "zone": report.zone,
        "command": report.command,
        "detailed": list(report.detailed),
        "chunk": _CHUNK,
        "worst": worst,
        "sheets": [each.name for each in report.sheets],
        "symbols": _SYMBOLS,
        "colours": {ground: _inks(ground) for ground in ("light", "dark")},
    }


def _plain(sheet: Sheet) -> dict[str, Any]:
    return {
        "name": sheet.name,
        "title": sheet.title,
        "more": sheet.more,
        "headings": [
            [each.name, _title(each), each.unit, each.meaning, each.dtype, each.rank] for each in sheet.headings
        ],
        "rows": sheet.rows,
    }


def _parts(report: Report, sheets: dict[str, Sheet]) -> list[dict[str, Any]]:
    """The navigation."""
    parts: list[dict[str, Any]] = [{"name": "overview", "title": "Overview", "count": None, "dynamic": False}]
    for name in _ORDER:
        if name in sheets or name == "findings":
            sheet = sheets.get(name)
            count = None if name == "statistics" else 0 if sheet is None else len(sheet.rows) + sheet.more
            title = "Findings" if sheet is None else sheet.title
            still = name in ("calls", "findings", "statistics", "captures")
            parts.append({"name": name, "title": title, "count": count, "dynamic": not still})
    return [*parts, {"name": "methods", "title": "Methods", "count": None, "dynamic": False}]


def _linked(group: Group, calls: Sheet | None) -> dict[str, Any]:
    names = {} if calls is None else {each.name: at for at, each in enumerate(calls.headings)}

    def label(row: int) -> str:
        cells = [] if calls is None else calls.rows[row]
        who = [str(cells[names[name]] or "?") if name in names else "?" for name in ("caller", "callee")]
        return " \u2192 ".join(who)

    keep = {field.name: getattr(group, field.name) for field in fields(Group)}
    return keep | {"links": [(row, label(row)) for row in group.calls]}


def _first_calls(calls: Sheet, worst: list[str | None]) -> dict[str, Any]:
    """The calls that paper and mail previews show: the gravest first, each severity in order of time."""
    chosen = sorted(range(len(calls.rows)), key=lambda row: (GRAVITY.get(worst[row] or "", 3), row))[:_FIRST]
    shown, rows = _columns(calls, _FIRST_COLUMNS, [calls.rows[row] for row in chosen])
    return {
        "meaning": calls.meaning,
        "headings": shown,
        "rows": [(worst[row], cells) for row, cells in zip(chosen, rows, strict=True)],
        "more": len(calls.rows) + calls.more - len(chosen),
    }


def _sheet_part(sheet: Sheet) -> dict[str, Any]:
    """A table's section: what stands in it as plain HTML, and whether a table that sorts and filters does."""
    part = {
        "name": sheet.name,
        "title": sheet.title,
        "meaning": sheet.meaning,
        "dynamic": True,
        "static": None,
        "printed": False,
    }
    places = {each.name: at for at, each in enumerate(sheet.headings)}
    if sheet.name == "captures":
        facts = [
            [
                (_title(each), _text(row[at], each), each.meaning)
                for at, each in enumerate(sheet.headings)
                if row[at] is not None
            ]
            for row in sheet.rows
        ]
        few = len(facts) <= _FEW
        return part | {"static": facts if few else None, "dynamic": not few, "printed": True}
    if sheet.name == "statistics" and "scope" in places:
        whole = [row for row in sheet.rows if row[places["scope"]] in (None, "all")]
        shown, rows = _columns(sheet, _STATISTICS, whole)
        return part | {"static": rows, "shown": shown, "printed": True}
    return part


def _columns(
    sheet: Sheet, wanted: tuple[str, ...], rows: list[list[Cell]]
) -> tuple[list[dict[str, Any]], list[list[tuple[str, dict[str, Any]]]]]:
    """Some columns of some rows as texts: the headings, and per row pairs of a text and its heading."""
    places = {each.name: at for at, each in enumerate(sheet.headings)}
    picked = [(places[name], sheet.headings[places[name]]) for name in wanted if name in places]
    kinds = {"int": "number", "float": "number", "time": "time"}
    shown = [
        {"name": each.name, "title": _title(each), "meaning": each.meaning, "kind": kinds.get(each.dtype)}
        for _, each in picked
    ]
    texts = [[(_text(row[at], each), head) for (at, each), head in zip(picked, shown, strict=True)] for row in rows]
    return shown, texts


def _title(heading: Heading) -> str:
    """A column's name for people: ``post dial delay, ms``."""
    name, end = heading.name, _UNITS.get(heading.unit, "")
    if end and name.endswith(end):
        name = name.removesuffix(end)
    return name.replace("_", " ") + (f", {heading.unit}" if heading.unit else "")


def _text(value: Cell, heading: Heading) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if heading.name == "value" and value.is_integer():  # of the statistics: counts and figures in one column
            return f"{value:.0f}"
        return number(value, heading.unit)
    return str(value).replace(",", ", ") if heading.name == "findings" else str(value)


def _inks(ground: str) -> dict[str, str]:
    """Colours by name, on one ground."""
    inks = {name: getattr(ink, ground) for name, ink in INK.items()}
    looks = {name: getattr(look, ground) for name, look in (SEVERITY | DIRECTIONS).items()}
    kinds = {name: getattr(look, ground) for name, look in KINDS.items()}
    return inks | looks | kinds


@functools.cache
def _variables() -> str:
    """The colours as CSS: light, dark where the system is or the reader chose it, and light on paper."""
    light, dark = (
        ";".join(f"--{name}:{colour}" for name, colour in _inks(ground).items()) for ground in ("light", "dark")
    )
    return (
        f":root{{{light};color-scheme:light}}"
        f"@media screen and (prefers-color-scheme:dark){{:root[data-theme=auto]{{{dark};color-scheme:dark}}}}"
        f"@media screen{{:root[data-theme=dark]{{{dark};color-scheme:dark}}}}\n"
    )
