"""Notes of a chart: findings, hold, changes of codec, holes of the capture, long silences. Floor 8.

In: a result, its calls, the rows of the chart so far. Out: rows :class:`~.model.Note`, and remarks on what is left out.
A finding that is the consequence of another is not told again; of what is only worth knowing, what a reader needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ...facts import Finding
from ...result import Call, Result
from .descriptions import Said
from .lookups import Lookups
from .model import Fold, Note, Row
from .participants import Cast
from .seen import Seen, final_statuses
from .words import lasting, later, shown

__all__ = ["add_silences", "make_notes"]

_TELLING = ("transferred", "t38-fax")
"""Codes of mere information that a reader of the chart needs; the others say what its rows show."""
_IN_THE_END = (
    "session-timer-expiry", "unanswered-request", "retransmissions", "missing-ack", "missing-prack",
)  # fmt: skip
"""Codes of what shows in its last evidence: the note stands after that."""
_MOST_ALIKE = 3
"""Findings of one code that are told."""
_MOST_FINDINGS = 30
_MOST_HOLES, _MOST_CHANGES = 10, 60
_LONGEST = 320
_SILENCE_NS = 10_000_000_000
"""So long without anything to draw is told."""


class _Stage:
    """Whom a note concerns, and when."""

    def __init__(self, cast: Cast, seen: Sequence[Seen], start: int, end: int) -> None:
        self.cast, self.start, self.end = cast, start, end
        self.last = max(0, len(cast.participants) - 1)
        self.by_frame: dict[tuple[int, int], Seen] = {}
        for each in reversed(seen):
            self.by_frame[each.capture, each.frame] = each
        legs: dict[int, set[int]] = {}
        for each in seen:
            legs.setdefault(each.leg, set()).update((cast.sockets[each.src], cast.sockets[each.dst]))
        self.legs = legs

    def across(self, leg: int | None) -> tuple[int, int]:
        """All participants of a leg, or of the chart."""
        found = self.legs.get(leg) if leg is not None else None
        return (min(found), max(found)) if found else (0, self.last)

    def note(
        self,
        time: int,
        text: str,
        over: tuple[int, int],
        *,
        leg: int | None = None,
        severity: str | None = None,
        code: str | None = None,
        frame: int | None = None,
        capture: int | None = None,
    ) -> Note:
        time = min(max(time, self.start), self.end)
        text = shown(text, _LONGEST)
        return Note(time, time - self.start, text, severity, code, min(over), max(over), leg, frame, capture)


def make_notes(
    result: Result,
    calls: Sequence[Call],
    seen: Sequence[Seen],
    said: Mapping[int, Said],
    cast: Cast,
    lookups: Lookups,
    span: tuple[int, int],
) -> tuple[list[Note], list[str]]:
    """All notes but silences, and remarks on those left out.

    Parameters
    ----------
    result, calls
        What the chart is of.
    seen : sequence of Seen
        Its messages.
    said : mapping
        Their descriptions, by row.
    cast : Cast
        Who stands where.
    lookups : Lookups
        Indices of the result.
    span : (int, int)
        First and last time of the chart, ns; a note stands between.
    """
    stage = _Stage(cast, seen, *span)
    told, remarks = _findings(calls, lookups, stage)
    changes = list(_changes(calls, seen, said, stage))
    if len(changes) > _MOST_CHANGES:
        remarks.append(f"Hold and codecs changed {len(changes) - _MOST_CHANGES} times more than is noted.")
    return [*told, *changes[:_MOST_CHANGES], *_holes(result, calls, stage)], remarks


# ---- findings
def _findings(calls: Sequence[Call], lookups: Lookups, stage: _Stage) -> tuple[list[Note], list[str]]:
    notes: list[Note] = []
    count: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    once: set[int] = set()
    for leg, call in enumerate(calls):
        for finding in lookups.by_call.get(call.call_id, ()):
            if id(finding) in once or not _is_told(finding):
                continue
            once.add(id(finding))
            count[finding.code] += 1
            if count[finding.code] > _MOST_ALIKE or len(notes) >= _MOST_FINDINGS:
                left_out[finding.code] += 1
                continue
            notes.append(_finding_note(finding, leg, call, stage))
    listed = ", ".join(f"{number} more {code}" for code, number in left_out.items())
    return notes, [f"Findings without a note: {listed}."] if listed else []


def _is_told(finding: Finding) -> bool:
    if finding.severity == "info":
        return finding.code in _TELLING or (finding.doubtful is not None and not finding.causes)
    return not finding.causes


def _finding_note(finding: Finding, leg: int, call: Call, stage: _Stage) -> Note:
    over: set[int] = set()
    time = call.first_time if finding.time is None else finding.time
    if finding.stream is not None and finding.stream in stage.cast.streams:
        over.update(stage.cast.streams[finding.stream])
    elif finding.capture is not None:
        for frame in finding.frames:
            message = stage.by_frame.get((finding.capture, frame))
            if message is not None:
                over.update((stage.cast.sockets[message.src], stage.cast.sockets[message.dst]))
                time = max(time, message.time) if finding.code in _IN_THE_END else time
    text = finding.explanation
    if finding.doubtful:
        text = f"{text} Doubtful: {finding.doubtful}."
    return stage.note(
        time,
        text,
        (min(over), max(over)) if over else stage.across(leg),
        leg=leg,
        severity=finding.severity,
        code=finding.code,
        frame=finding.frame,
        capture=finding.capture,
    )


# ---- hold, codecs
def _changes(calls: Sequence[Call], seen: Sequence[Seen], said: Mapping[int, Said], stage: _Stage) -> Iterator[Note]:
    """Hold and its end, and another codec than was agreed on before; told once for all hops."""
    final = final_statuses(seen, ("INVITE", "UPDATE"))
    held: dict[tuple[int, int], bool] = {}
    codecs: dict[int, str] = {}
    for each in seen:
        what = said.get(each.row)
        if what is None:
            continue
        if what.part == "offer" and not each.status and each.to_tag >= 0 and each.method in ("INVITE", "UPDATE"):
            side = each.leg, each.from_tag
            holds = what.described.hold is not None
            if final.get(each.exchange, 200) < 300 and held.get(side, False) != holds:
                held[side] = holds
                who = _who(calls[each.leg], each, stage)
                text = f"{who} puts the call on hold" if holds else f"{who} takes the call off hold"
                yield _change(each, text, stage)
        elif what.part == "answer" and what.described.codec is not None:
            codec = what.described.codec
            if each.status >= 200 or not each.status:
                if codecs.get(each.leg, codec) != codec:
                    yield _change(each, f"codec now {shown(codec, 24)}", stage)
                codecs[each.leg] = codec


def _change(each: Seen, text: str, stage: _Stage) -> Note:
    over = stage.across(each.leg)
    return stage.note(each.time, text, over, leg=each.leg, frame=each.frame, capture=each.capture)


def _who(call: Call, each: Seen, stage: _Stage) -> str:
    """The side that sent a request, by its name on the chart."""
    person = stage.cast.participants[stage.cast.sockets[each.src]]
    named = person.name if person.role in ("caller", "callee") else None
    return named or (
        "the caller" if person.role == "caller" else "the callee" if person.role == "callee" else "one side"
    )


# ---- the capture, and time
def _holes(result: Result, calls: Sequence[Call], stage: _Stage) -> Iterator[Note]:
    """Moments in which the capture lost packets."""
    captures = sorted({call.capture for call in calls if 0 <= call.capture < len(result.captures)})
    holes = sorted(
        (begin, end, capture)
        for capture in captures
        for begin, end in result.captures[capture].holes
        if begin <= stage.end and end >= stage.start
    )
    for begin, end, capture in holes[:_MOST_HOLES]:
        text = f"the capture itself lost packets here, for {lasting(end - begin)}"
        yield stage.note(begin, text, (0, stage.last), severity="warning", code="capture-drops", capture=capture)


def add_silences(rows: Sequence[Row], participants: int) -> Iterator[Row]:
    """The rows, and before each that comes long after the one above it a note that says how long."""
    before: int | None = None
    for row in rows:
        if before is not None and row.time - before >= _SILENCE_NS:
            last = max(0, participants - 1)
            yield Note(row.time, row.offset, later(row.time - before), None, None, 0, last, None, None, None)
        end = row.end if isinstance(row, Fold) else row.time
        before = end if before is None else max(before, end)
        yield row
