"""A finding in a few lines, where it is pointed at: what was seen, what to do, which frames. Floor 9, no Textual.

In: a finding. Out: styled lines (see :mod:`..output.terminal`).
"""

from __future__ import annotations

from ..facts import Finding
from ..output.terminal import Line, wrap

__all__ = ["explained"]

_FRAMES = 10
"""Frames that are named."""


def explained(finding: Finding, width: int, *, apart: bool = False) -> list[Line]:
    """A finding's sentences, `width` columns wide.

    Parameters
    ----------
    finding : Finding
        Which.
    width : int
        Columns.
    apart : bool
        Whether an empty line stands between sentences: where there is room.
    """
    parts = [(finding.explanation, "bold")]
    if finding.doubtful:
        parts.append((f"Doubtful: {finding.doubtful}", "yellow"))
    parts.append((f"What to do: {finding.advice}", ""))
    if finding.causes:
        parts.append((f"A consequence of {', '.join(finding.causes)}", "dim"))
    if finding.frames:
        shown = ", ".join(map(str, finding.frames[:_FRAMES]))
        more = ", ..." if len(finding.frames) > _FRAMES else ""
        parts.append((f"Frame{'s' if len(finding.frames) > 1 else ''} {shown}{more}", "dim"))
    lines: list[Line] = []
    for at, (text, style) in enumerate(parts):
        gap: list[Line] = [[]] if apart and at else []
        lines += [*gap, *([(line, style)] for line in wrap(text, width))]
    return lines
