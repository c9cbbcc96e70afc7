"""Textual's bindings from the list of keys. Floor 9. In: :data:`~.keys.KEYS`. Out: bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from .keys import KEYS

__all__ = ["bindings"]


def bindings(screen: str) -> list[BindingType]:
    """The bindings of one screen of :data:`~.keys.KEYS`."""
    return [
        Binding(key, f"tab({key})" if each.action == "tab" else each.action, each.meaning, show=False)
        for each in KEYS[screen]
        for key in each.keys.split(",")
    ]
