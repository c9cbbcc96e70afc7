"""What was read, and how: the part of the summary's page that tells of files, settings and anomalies. Floor 8.

In: the data of :func:`.summary.summarize`. Out: styled lines (see :mod:`.terminal`). What a finding has said already is
not said again.
"""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Sequence
from typing import Any

from .cells import local_time, parse_time
from .settings import list_settings, measured, typed
from .summary_parts import LEFT, bytes_text, count_of, flow, item, time_text
from .terminal import Line, cut_path, wrap

__all__ = ["anomaly_part", "capture_part", "passed_over", "setting_part"]

_FILES = 3
_UNREADABLE = 8
_PASSED_OVER = 4
_FRAMES = 3
_SAID = {
    "sip-capture-duplicate": "capture-duplicates", "cut-packet": "truncated-capture", "clock-step": "clock-step",
    "sip-malformed": "malformed-sip",
}  # fmt: skip
"""Anomalies that a finding tells of."""
_DOUBTS = {
    "truncated-capture": ("cut by the snapshot length",), "one-sided-capture": ("only one direction",),
    "capture-drops": ("dropped while capturing", "miss packets at the same moment"), "clock-step": ("was set back",),
    "capture-duplicates": ("stand twice",),
}  # fmt: skip
"""Words of the doubts that a finding has told of, where it stands on the page with its sentence."""


def capture_part(data: dict[str, Any], width: int, tz: datetime.tzinfo) -> list[Line]:
    """The files: what they are, when, and what to bear in mind."""
    captures = data["captures"]
    lines: list[Line] = []
    if len(captures) > _FILES:  # the whole, and only those files of which there is something to tell
        packets, size = (sum(each[key] for each in captures) for key in ("packets", "bytes"))
        told = f", {count_of(packets, 'packet')}, {bytes_text(size)}"
        lines.append(item("Captures", (count_of(len(captures), "file"), "bold"), told))
        times = [each for each in captures if each["first"] is not None]
        if times:
            span = {"first": min(each["first"] for each in times), "last": max(each["last"] for each in times)}
            lines += [item("", line) for line in wrap(_span(span, tz), width - LEFT)]
    grave = [each["code"] for each in data["findings"] if each["severity"] != "info"] if len(captures) == 1 else []
    said = [phrase for code in grave for phrase in _DOUBTS.get(code, ())]
    for at, capture in enumerate(captures):
        notes = _notes(capture, said)
        if len(captures) <= _FILES or notes:
            lines.append(
                item("Capture" if at == 0 and not lines else "", (cut_path(capture["file"], width - LEFT), "bold"))
            )
        if len(captures) <= _FILES:
            kind = [capture["format"], *capture["link_types"], count_of(capture["packets"], "packet")]
            lines += flow("", "", [(each, "") for each in [*kind, bytes_text(capture["bytes"])]], width)
            if capture["first"] is not None:
                lines += [item("", line) for line in wrap(_span(capture, tz), width - LEFT)]
        lines += [item("", (line, style)) for text, style in notes for line in wrap(text, width - LEFT)]
    for reason in data["unreadable"][:_UNREADABLE]:
        lines += [item("", (line, "red")) for line in wrap(f"not read: {reason}", width - LEFT)]
    if len(data["unreadable"]) > _UNREADABLE:
        lines.append(item("", (f"and {len(data['unreadable']) - _UNREADABLE:,} more were not read", "red")))
    if data["passed_over"]:
        lines += [item("", (line, "dim")) for line in wrap(passed_over(data["passed_over"]), width - LEFT)]
    return lines


def passed_over(names: Sequence[str]) -> str:
    """One line on the files of a folder that are no captures: ``passed over 3 files that are no captures: a, b, c``."""
    some = ", ".join(pathlib.PurePath(name).name for name in names[:_PASSED_OVER])
    more = f" and {len(names) - _PASSED_OVER} more" if len(names) > _PASSED_OVER else ""
    files = "1 file that is no capture" if len(names) == 1 else f"{len(names)} files that are no captures"
    return f"passed over {files}: {some}{more}"


def _notes(capture: dict[str, Any], said: Sequence[str]) -> list[tuple[str, str]]:
    """What may make the figures doubtful, and was not told above."""
    said = [*said, "began before the capture", *(["the file breaks off"] if capture["damage"] else [])]
    style = "" if capture["grade"] == "good" else "yellow"
    notes = [(text, style) for text in capture["doubts"] if not any(words in text for words in said)]
    return notes + ([(f"damaged: {capture['damage']}", "red")] if capture["damage"] else [])


def _span(capture: dict[str, Any], tz: datetime.tzinfo) -> str:
    first, last = parse_time(capture["first"]), parse_time(capture["last"])
    begin, end = local_time(first, tz)[:19], local_time(last, tz)[:19]
    same_day = begin[:10] == end[:10]
    name = "UTC" if tz is datetime.UTC else str(tz)
    return f"{begin} to {end[11:] if same_day else end} {name} ({time_text((last - first) / 1e9)})"


def setting_part(settings: dict[str, Any], width: int) -> list[Line]:
    """Which settings are not the defaults, so that the result can be traced."""
    defaults = {each.name: each.default for each in list_settings()} if settings else {}
    told = []
    for name, value in settings.items():
        said, default = measured(name, value), defaults[name]
        instead = "" if default is None else f", not {typed(name, default)}"
        told.append((f"{name}={typed(name, value)}{f' ({said})' if said else ''}{instead}", ""))
    return [line for at, each in enumerate(told) for line in flow("Settings" if at == 0 else "", "", [each], width)]


def anomaly_part(data: dict[str, Any], width: int) -> list[Line]:
    """What was wrong with single packets."""
    told = {each["code"] for each in data["findings"]}
    lines: list[Line] = []
    for each in data["anomalies"]:
        if _SAID.get(each["code"]) in told:
            continue
        places = ""
        if each["frames"]:
            more = ", ..." if each["count"] > _FRAMES and len(each["frames"]) > _FRAMES else ""
            several = "frame" if len(each["frames"][:_FRAMES]) == 1 else "frames"
            places = f" ({several} {', '.join(map(str, each['frames'][:_FRAMES]))}{more})"
        details = f" [{'; '.join(each['details'][:3])}]" if each["details"] else ""
        text = f"{each['count']:,} x {each['meaning']}{details}{places}"
        for at, line in enumerate(wrap(text, width - LEFT - 4)):
            lines.append(item("" if lines else "Anomalies", (("    " if at else "") + line, "yellow")))
    return lines
