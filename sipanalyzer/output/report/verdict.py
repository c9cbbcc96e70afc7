"""The verdict of a report in words. Floor 8.

In: a result, and the data of :func:`~sipanalyzer.output.summary.summarize`. Out: a headline and sentences for somebody
who knows nothing of codes: what went wrong, in how many calls, between whom, the worst first; then what makes the
capture doubtful.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ...explanations import finding_title
from ...facts import SEVERITIES, Finding
from ...result import Result
from ..cells import visible
from ..derived import findings_of
from ..summary import NOTHING
from ..summary_parts import count_of
from .data import Verdict
from .tiles import worse

__all__ = ["SOUND", "calls_concerned", "make_verdict"]

SOUND = frozenset({
    "one-way-audio", "no-media", "late-media", "media-timeout", "high-loss", "far-end-loss", "high-jitter", "low-mos",
    "codec-mismatch", "ice-or-dtls-failed",
})  # fmt: skip
"""Findings that say: somebody heard badly, or nothing."""
SILENCE = frozenset({"one-way-audio", "no-media", "media-timeout", "ice-or-dtls-failed"})
"""Those of them that say: nothing."""
_ANSWERED = {
    "call-rejected": ("it was refused with {}", "refusals with {}"),
    "server-error": ("a server that failed with {}", "servers that failed with {}"),
}
"""Findings of which the status says more than the title: of one call, of several."""
_FAILED = ("rejected", "failed")
_SENTENCES = 8
"""Findings that have a sentence; the others are named."""
_CAPTURES = 3
_WEIGHT = {"fair": "figures may be a little off", "poor": "figures may be wrong"}


def make_verdict(result: Result, data: dict[str, Any]) -> Verdict:
    """The verdict.

    Parameters
    ----------
    result : Result
        Of an analysis.
    data : dict
        Its summary.
    """
    found = data["findings"]
    grave = [each for each in found if each["severity"] != "info"]
    doubts = list(_doubts(data))
    sentences = [*_told(result, grave, data["calls"]["count"]), *_notes(found), *doubts]
    return Verdict(
        severity=found[0]["severity"] if found else None,
        headline=visible(_headline(result, data, grave)),
        sentences=tuple(visible(each) for each in sentences),
        doubts=tuple(visible(each) for each in doubts),
    )


# ---- the headline
def _headline(result: Result, data: dict[str, Any], grave: Sequence[dict[str, Any]]) -> str:
    if data["number"] is not None and not data["calls"]["count"]:
        return f"There is no call of {data['number']} in what was read."
    if data["verdict"]["word"] == NOTHING:
        return "There is no SIP and no RTP here: nothing to judge."
    calls = data["calls"]["count"]
    by_call = calls_concerned(result)
    failed = {call.call_id for call in result.calls if call.state in _FAILED}
    heard = {
        call_id: about
        for call_id, findings in by_call.items()
        if call_id not in failed
        and (about := [each for each in findings if each.code in SOUND and each.severity != "info"])
    }
    if not failed and not heard:
        return _otherwise(data, grave, calls)
    sound, said = _sound(heard)
    clauses: list[str] = []
    told: str | None = None
    for count, what, troubled in ((len(failed), "failed", failed), (len(heard), sound, set(heard))):
        if count:
            of = "The call" if calls == 1 else f"{count:,}" if clauses else f"{count:,} of {calls:,} calls"
            reason, severity = _reason(result, troubled, by_call, said if troubled != failed else None)
            told = worse(told, severity)
            named = "the reason" if count == 1 else "the likeliest reason"
            clauses.append(f"{of} {what}" + (f"; {named}: {reason}" if reason else ""))
    besides = ""
    if grave and (told is None or SEVERITIES.index(grave[0]["severity"]) < SEVERITIES.index(told)):
        besides = f" Besides, {_lowered(grave[0]['title'])}{_times(grave[0], calls)}."
    return ". ".join(clauses) + f".{besides}"


def _sound(heard: dict[str, list[Finding]]) -> tuple[str, str | None]:
    """How calls sounded, and the code of the finding that says no more than that.

    What only warnings or doubtful findings say may have been heard, or not.
    """
    codes = [{each.code for each in about} for about in heard.values()]
    certain = any(each.severity == "error" and not each.doubtful for about in heard.values() for each in about)
    had = "had" if certain else "may have had"
    silent = [each & SILENCE for each in codes if each & SILENCE]
    if len(silent) < len(codes):
        return f"{had} bad sound" + (" or none" if silent else ""), None
    if all(each == {"one-way-audio"} for each in silent):
        return f"{had} sound in one direction only", "one-way-audio"
    if any("one-way-audio" in each for each in silent):
        return f"{had} no sound, or in one direction only", None
    return f"{had} no sound", "no-media"


def _otherwise(data: dict[str, Any], grave: Sequence[dict[str, Any]], calls: int) -> str:
    """No call failed or sounded bad."""
    if not grave:
        return f"Nothing wrong was found in {_what_there_was(data)}."
    worst = grave[0]
    lead = _lead(data["calls"])
    if not calls or not worst["calls"]:
        title = _lowered(worst["title"]) if lead else worst["title"]
        return f"{lead}{'; ' if lead else ''}{title}{_times(worst, calls)}."
    told = data["verdict"]["calls_with_errors" if worst["severity"] == "error" else "calls_with_warnings"]
    what = "an error" if worst["severity"] == "error" else "a warning"
    if calls == 1:
        return f"{lead}; there is {what}: {_lowered(worst['title'])}."
    has = "1 has" if told == 1 else f"{told:,} have"
    times = _times(worst, calls) if worst["calls"] != told else ""
    return f"{lead}, but {has} {what}: {_lowered(worst['title'])}{times}."


def _lead(calls: dict[str, Any]) -> str:
    """How calls went of which none failed: no more than was captured."""
    count, states = calls["count"], calls["by_state"]
    if not count:
        return ""
    open_ended = any(states.get(state) for state in ("setup", "ringing"))
    if count > 1:
        return f"None of {count:,} calls " + ("is seen to fail" if open_ended else "failed")
    if open_ended:
        return "How the call went was not captured"
    answered = any(states.get(state) for state in ("completed", "in-call"))
    return "The call was answered" if answered else "The call was not answered"


def _times(each: dict[str, Any], calls: int) -> str:
    if each["calls"] and calls > 1:
        return f" (in {count_of(each['calls'], 'call')})"
    return f" ({each['count']:,} times)" if each["count"] > 1 and not each["calls"] else ""


def _what_there_was(data: dict[str, Any]) -> str:
    told = [
        count_of(data[key]["count"], name)
        for key, name in (
            ("calls", "call"),
            ("registrations", "registration"),
            ("subscriptions", "subscription"),
            ("pages", "instant message"),
            ("streams", "stream"),
        )
        if data[key]["count"] and not (key == "streams" and data["calls"]["count"])
    ]
    if not told:
        return count_of(data["messages"]["count"], "SIP message")
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def calls_concerned(result: Result) -> dict[str, list[Finding]]:
    """Findings of each call (those of its streams among them), by Call-ID: the likeliest explanation first."""
    known = {call.call_id for call in result.calls}
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings_of(result):
        named = [finding.call_id]
        if finding.stream is not None:
            stream = result.streams[finding.stream]
            named += [stream.call_id, *stream.also_call_ids]
        for call_id in dict.fromkeys(named):
            if call_id is not None and call_id in known:
                found[call_id].append(finding)
    return found


def _reason(
    result: Result, troubled: set[str], by_call: dict[str, list[Finding]], said: str | None
) -> tuple[str, str | None]:
    """What most troubled calls have as their likeliest explanation, and its severity; not what was `said` already."""
    firsts: dict[str, list[Finding]] = defaultdict(list)
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for call in result.calls:
        if call.call_id in troubled and by_call.get(call.call_id):
            own = [each for each in by_call[call.call_id] if each.code not in SOUND or call.state not in _FAILED]
            if not own:  # no call fails for its sound
                continue
            first = next((each for each in own if each.severity != "info"), own[0])
            firsts[first.code].append(first)
            answers[first.code][f"{call.status_code or ''} {call.reason or ''}".strip()] += 1
    if not firsts:
        return "", None
    order = {severity: at for at, severity in enumerate(SEVERITIES)}
    code, group = max(firsts.items(), key=lambda each: (len(each[1]), -order[each[1][0].severity], each[0]))
    title = _lowered(finding_title(code))
    if code in _ANSWERED:
        some = [answer for answer, _ in answers[code].most_common(2) if answer]
        others = " and others" if len(answers[code]) > len(some) else ""
        title = (
            _ANSWERED[code][len(group) > 1].format((", " if others else " and ").join(some) + others) if some else title
        )
    share = f" ({count_of(len(group), 'call')})" if len(group) < len(troubled) else ""
    doubtful = f" (doubtful: {group[0].doubtful})" if all(each.doubtful for each in group) else ""
    if code == said and not share:
        title = ""
    return f"{title}{share}{doubtful}".strip(), min((each.severity for each in group), key=SEVERITIES.index)


def _lowered(text: str) -> str:
    """A sentence made a clause: its first letter small, unless the word is a name (``SIP``, ``INVITE``)."""
    word = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if word[1:].islower() or len(word) == 1 else text


# ---- sentences
def _told(result: Result, grave: Sequence[dict[str, Any]], calls: int) -> Iterator[str]:
    """A sentence for each code, with counts and who is concerned."""
    pairs = _pairs(result)
    for each in grave[:_SENTENCES]:
        doubtful = f" Doubtful: {each['doubtful']}." if each["doubtful"] else ""
        advice = f" What to do: {each['advice']}" if each["advice"] else ""
        if each["count"] == 1:
            yield f"{each['example']}{doubtful}{advice}"
            continue
        where = f"in {count_of(each['calls'], 'call')}" if each["calls"] and calls > 1 else f"{each['count']:,} times"
        between = _between(pairs[each["code"]])
        yield f"{each['title']}: {where}{between}. For example: {each['example']}{doubtful}{advice}"
    if len(grave) > _SENTENCES:
        rest = ", ".join(f"{_lowered(each['title'])}{_times(each, calls)}" for each in grave[_SENTENCES:])
        yield f"Also: {rest}."


def _pairs(result: Result) -> dict[str, Counter[tuple[str, str]]]:
    """By code: between which hosts its findings are, and how many."""
    calls = {call.call_id: call for call in result.calls}
    found: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for finding in findings_of(result):
        if finding.stream is not None:
            stream = result.streams[finding.stream]
            found[finding.code][stream.src[0], stream.dst[0]] += 1
        elif finding.call_id in calls:
            call = calls[finding.call_id]
            if call.src is not None and call.dst is not None:
                found[finding.code][call.src[0], call.dst[0]] += 1
    return found


def _between(pairs: Counter[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    (source, target), count = pairs.most_common(1)[0]
    total = sum(pairs.values())
    if len(pairs) == 1:
        return f", from {source} to {target}"
    return (
        f", most often ({count:,} of {total:,}) from {source} to {target}"
        if count > 1
        else f", between {len(pairs):,} pairs of hosts"
    )


def _notes(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    notes = [each for each in found if each["severity"] == "info"]
    if notes:
        told = [
            f"{_lowered(each['title'])}" + (f" ({each['calls']:,} calls)" if each["calls"] > 1 else "")
            for each in notes
        ]
        yield f"Worth knowing: {'; '.join(told)}."


def _doubts(data: dict[str, Any]) -> Iterator[str]:
    """How far the captures can be trusted, and what could not be read."""
    doubtful = [each for each in data["captures"] if each["grade"] in _WEIGHT]
    several = len(data["captures"]) > 1
    for each in sorted(doubtful, key=lambda each: each["grade"] != "poor")[:_CAPTURES]:
        name = f"The capture {each['file']}" if several else "The capture"
        why = f": {'; '.join(each['doubts'])}" if each["doubts"] else ""
        yield f"{name} is {each['grade']}, so {_WEIGHT[each['grade']]}{why}."
    if len(doubtful) > _CAPTURES:
        yield f"{count_of(len(doubtful) - _CAPTURES, 'more capture')} can be trusted as little."
    for each in data["captures"]:
        if each["damage"]:
            yield f"{each['file']} is damaged: {each['damage']}. What stands before that is told here."
    if data["unreadable"]:
        more = f" (and {len(data['unreadable']) - 1:,} more files)" if len(data["unreadable"]) > 1 else ""
        yield f"Not read: {data['unreadable'][0]}{more}."
    if data["number"] is not None:
        yield f"Only the calls of {data['number']} are told here."
