"""Columns of the message store: their types, where their values stand, and growing them. Floor 4.

Comes in: names of columns of :class:`sipanalyzer.result.Messages`. Goes out: arrays with room.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels import sip as kernel

__all__ = ["SPACES", "SPANS", "TYPES", "grow", "make_columns"]

SPACES = {
    "method": "method", "cseq_method": "method", "call_id": "call_id", "from_tag": "tag", "to_tag": "tag",
    "branch": "branch", "from_uri": "uri", "to_uri": "uri", "request_uri": "uri", "contact": "uri",
    "reason": "reason", "user_agent": "user_agent", "content_type": "content_type", "whole": "whole",
}  # fmt: skip
"""Which interned columns share their numbers, so that a From tag can be compared with a To tag, and URIs with URIs."""

SPANS = {
    "method": kernel.METHOD, "cseq_method": kernel.CSEQ_METHOD, "call_id": kernel.CALL_ID,
    "from_tag": kernel.FROM_TAG, "to_tag": kernel.TO_TAG, "branch": kernel.BRANCH, "from_uri": kernel.FROM_URI,
    "to_uri": kernel.TO_URI, "request_uri": kernel.REQUEST_URI, "contact": kernel.CONTACT, "reason": kernel.REASON,
    "user_agent": kernel.AGENT, "content_type": kernel.CONTENT_TYPE, "whole": kernel.WHOLE,
}  # fmt: skip

TYPES = {
    "time": np.int64, "frame": np.int64, "capture": np.int32, "src": np.int32, "dst": np.int32,
    "transport": np.int8, "at": np.int64, "length": np.int32, "truncated": np.bool_,
    "status": np.int16, "cseq": np.int64, "content_length": np.int64, "body_at": np.int64, "body_length": np.int32,
    "malformed": np.bool_, **dict.fromkeys(SPANS, np.int32),
}  # fmt: skip
"""Narrow while they grow; 64 bits once finished."""


def make_columns() -> dict[str, npt.NDArray[Any]]:
    """Empty columns with a little room."""
    return {name: np.empty(64, kind) for name, kind in TYPES.items()}


def grow(columns: dict[str, npt.NDArray[Any]], count: int) -> None:
    """Make room for `count` messages, and half as many again."""
    room = len(columns["time"])
    if count > room:
        for name, old in columns.items():
            larger = np.empty(max(count, room + room // 2), old.dtype)
            larger[:room] = old
            columns[name] = larger
