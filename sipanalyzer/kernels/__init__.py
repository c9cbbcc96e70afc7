"""The engine room's door: one source a kernel, interpreted at first, compiled once there is enough to do.

Floor 1. Comes in: numpy arrays and integers. Goes out: the same arrays, changed in place, and integers. A kernel is a
plain function under :func:`kernel`; what kernels call is under :func:`helper`. Both ways give the same bits (tests hold
every kernel to it), so a kernel reads every byte as ``int(buf[i])`` and keeps products under 2**63.

Compiled, a kernel is machine code out of a per-user cache, loaded and called without numba (:mod:`.objects`); where
it is not there yet, other processes make it (:mod:`.making`); and where that cannot be done, numba compiles it here
(:mod:`.numba_`).
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

__all__ = [
    "available",
    "compiled",
    "forget_arrays",
    "helper",
    "hot_helper",
    "kernel",
    "rare_helper",
    "set_compiled",
    "word_helper",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])

HELPERS: list[tuple[Callable[..., Any], dict[str, Any]]] = []
"""What kernels call, with numba's options; callees before callers."""
SYSTEM_HELPERS: list[tuple[Callable[..., Any], str]] = []
WORD_HELPERS: list[tuple[Callable[..., Any], int, str]] = []

_default = False
_kernels: list[_Kernel] = []
_lock = threading.RLock()
_told = False


def compiled() -> bool:
    """Whether kernels run compiled now."""
    return _default


def set_compiled(value: bool) -> bool:
    """Choose between compiled and interpreted kernels for the whole process; returns whether they are compiled now.

    Where numba has no build for this Python, kernels stay interpreted and standard error says so once.
    """
    global _default, _told
    if value and not available():
        if not _told:
            _told = True
            print("sipanalyzer: numba is not installed; large captures will take long", file=sys.stderr)
        value = False
    _default = value
    return value


@functools.cache
def available() -> bool:
    """Whether numba can be imported (it is not imported to find out)."""
    import importlib.util

    return os.environ.get("SIPANALYZER_NUMBA", "1") != "0" and importlib.util.find_spec("numba") is not None


def helper(function: _Function) -> _Function:
    """Mark a plain function that kernels call; it must stand above the kernels that call it."""
    HELPERS.append((function, {}))
    return function


def hot_helper(function: _Function) -> _Function:
    """Mark a helper that a kernel calls for every packet: it is compiled into its callers.

    A call hands each array over as nine words; with several arrays that takes as long as the work.
    """
    HELPERS.append((function, {"forceinline": True}))
    return function


def rare_helper(function: _Function) -> _Function:
    """Mark a helper that few packets need: it stays a call, even below a :func:`hot_helper` (numba hands that down).

    Compiled into each place where a hot helper stands, rare work costs seconds of compiling, and slows what is hot.
    """
    HELPERS.append((function, {"forceinline": False}))
    return function


def word_helper(size: int, order: str) -> Callable[[_Function], _Function]:
    """Mark ``function(data, at)``, which reads an unsigned number of `size` bytes at `at`: one instruction compiled.

    Byte by byte it is slow and takes long to compile: numba asks at each byte whether its place counts from the end,
    and LLVM does not join what was asked one by one. `at` must not be negative; `order` is "big" or "little".
    """

    def mark(function: _Function) -> _Function:
        WORD_HELPERS.append((function, size, order))
        return function

    return mark


def system_helper(called: str) -> Callable[[_Function], _Function]:
    """Mark a function that is a call of the system's library where kernels are compiled.

    ``read``: ``function(descriptor, data, at, count)`` reads up to `count` bytes of a file to ``data[at:]``; how many
    there were, 0 at the end, -1 where it fails. ``memmove``: ``function(data, at, count, other, to)`` copies bytes to
    ``other[to:]``, which may be `data`.
    """

    def mark(function: _Function) -> _Function:
        SYSTEM_HELPERS.append((function, called))
        return function

    return mark


class _Kernel:
    """A function that runs interpreted, or compiled for the one signature that it is called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.python = function
        self._compiled: Callable[..., Any] | None = None
        _kernels.append(self)

    def __call__(self, *arguments: Any) -> Any:
        if not _default:  # memoryviews hand out Python ints: no uint8 shifts, no overflow, faster than ndarray items
            return self.python(*[memoryview(a) if isinstance(a, np.ndarray) else a for a in arguments])  # type: ignore[arg-type]
        if self._compiled is None:
            self._compiled = self._compile(arguments)
        return self._compiled(*arguments)

    def _compile(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        """Machine code of other processes, made now if need be; or what numba makes here."""
        from . import making

        found = making.find_code(self.python, arguments)
        if found is not None:
            return found
        with _lock:
            if self._compiled is None:
                from . import numba_

                self._compiled = numba_.compile_here(self.python, arguments)
            return self._compiled

    def forget_arrays(self) -> None:
        if self._compiled is not None:
            getattr(self._compiled, "forget_arrays", lambda: None)()


def forget_arrays() -> None:
    """Let go of the arrays that compiled kernels were called with last (they are kept to be recognised)."""
    for each in _kernels:
        each.forget_arrays()


def kernel(function: _Function) -> _Function:
    """Make `function` a kernel: interpreted, or compiled once :func:`set_compiled` says so."""
    return _Kernel(function)  # type: ignore[return-value]
