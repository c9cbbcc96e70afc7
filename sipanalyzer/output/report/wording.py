"""Texts of the explanations as a report holds them: plain, without marks of Markdown. Floor 8.

In: names of metrics. Out: texts.
"""

from __future__ import annotations

from ...explanations import Explanation, explanation

__all__ = ["explained", "metric", "plain"]


def plain(text: str) -> str:
    """The text without backticks."""
    return text.replace("`", "")


def metric(name: str) -> Explanation:
    """What a figure is.

    Raises
    ------
    KeyError
        If no metric has that name.
    """
    return explanation("metric", name)


def explained(name: str) -> str:
    """Title and meaning of a figure."""
    told = metric(name)
    return plain(f"{told.title}. {told.meaning}")
