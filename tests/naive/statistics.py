"""Slow obvious twin of the statistics: each figure by a search of its own over all calls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sipanalyzer.facts import Registration
from sipanalyzer.result import Call, Result

S, MS = 1e9, 1e6


def figures(result: Result, wanted: Callable[[Call], bool], of: Callable[[Registration], bool]) -> dict[str, object]:
    """metric -> (value, basis) of some calls and registrations."""
    calls = [call for call in result.calls if not call.partial and wanted(call)]
    end = max(capture.last for capture in result.captures if capture.last is not None)
    answered = [call for call in calls if call.state in ("completed", "in-call")]
    failed = [call for call in calls if call not in answered and call.status_code is not None]
    byes = {(each.call_id, each.final_response): each.status_code for each in result.transactions}

    def outcome(*codes: int) -> int:
        return sum(call.status_code in codes for call in failed)

    def timer_f(call: Call) -> bool:
        return call.first_bye is not None and call.bye_final is None and end - call.first_bye >= 32 * S

    def sign(call: Call) -> int | None:
        return min((time for time in (call.ringing, call.answered) if time is not None), default=None)

    def share(above: int, below: int) -> tuple[float | None, int]:
        return (100 * above / below if below else None, below)

    redirected = sum(call.status_code // 100 == 3 for call in failed if call.status_code)
    decided = [call for call in calls if call.state not in ("setup", "ringing")]
    given_up = sum(call.state == "cancelled" and call.status_code is None for call in calls)
    found: dict[str, object] = {
        "calls": (len(calls), len(calls)),
        "SER": share(len(answered), len(calls) - redirected),
        "SEER": share(len(answered) + outcome(480, 486, 600, 603), len(calls) - redirected),
        "ISA": share(outcome(408, 500, 503, 504), len(calls)),
        "SCR": share(sum(call.state == "completed" and not timer_f(call) for call in calls), len(calls)),
        "ASR": share(len(answered), len(decided)),
        "NER": share(len(answered) + outcome(480, 486, 487, 600, 603) + given_up, len(decided)),
    }
    real = [call for call in failed if call.status_code and call.status_code >= 400]
    real = [call for call in real if call.status_code not in (401, 402, 407)]
    lists = {
        "SRD": [(sign(c) - c.start) / S for c in answered if sign(c) is not None],  # type: ignore[operator]
        "SRD failed": [((sign(c) or c.end) - c.start) / S for c in real],  # type: ignore[operator]
        "SDD": [
            (c.bye_final - c.first_bye) / MS  # type: ignore[operator]
            for c in calls
            if c.bye_final is not None and byes.get((c.call_id, c.bye_final), 200) == 200
        ],
        "SDT": [(c.first_bye - c.answered) / S for c in calls if c.first_bye and c.answered and not timer_f(c)],
        "SDT failed": [(c.first_bye - c.answered) / S + 32 for c in calls if c.first_bye and c.answered and timer_f(c)],
        "ACD": [(c.first_bye - c.answered) / S for c in calls if c.first_bye and c.answered],
        "PDD": [(sign(c) - c.start) / MS for c in calls if sign(c) is not None],  # type: ignore[operator]
    }
    registrations = [each for each in result.registrations if of(each)]
    lists["RRD"] = [each.registration_delay_ms for each in registrations if each.registration_delay_ms is not None]
    bad = [each for each in registrations if each.status_code and each.status_code >= 400]
    bad = [each for each in bad if each.status_code not in (401, 402, 407)]
    silent = [each for each in registrations if each.state == "no-response" and end - each.start >= 32 * S]
    found["IRA"] = share(len(bad) + len(silent), len(registrations))
    for name, values in lists.items():
        wants: dict[str, Callable[[list[float]], object]] = {
            "mean": np.mean, "median": np.median, "p95": lambda each: np.percentile(each, 95),
        }  # fmt: skip
        for measure, take in wants.items():
            found[f"{name} {measure}"] = (float(take(values)) if values else None, len(values))  # type: ignore[arg-type]
    found["ACD"] = found["ACD mean"]
    return found
