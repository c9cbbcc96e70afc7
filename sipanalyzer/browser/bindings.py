"""Textual's bindings from the list of keys. Floor 9. In: :data:`~.keys.KEYS`. Out: bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from .keys import KEYS, written

__all__ = ["bindings"]


def bindings(screen: str) -> list[BindingType]:
    """The bindings of one screen of :data:`~.keys.KEYS`."""
    made: list[BindingType] = []
    for each in KEYS[screen]:
        first, *others = each.keys.split(",")
        action = each.action
        if action == "tab":
            made += [Binding(key, f"tab({key})", each.meaning, show=False) for key in (first, *others)]
            continue
        made.append(
            Binding(first, action, each.short or each.meaning, show=bool(each.short), key_display=written(first))
        )
        made += [Binding(key, action, each.meaning, show=False) for key in others]
    return made
