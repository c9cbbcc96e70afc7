"""The engine room's door: one source a kernel, interpreted at first, compiled once there is enough to do.

Floor 1. Comes in: numpy arrays and integers. Goes out: the same arrays, changed in place, and integers. This is the
only file that names numba. A kernel is a plain function under :func:`kernel`; what kernels call is under
:func:`helper`. Both ways give the same bits (tests hold every kernel to it), so a kernel reads every byte as
``int(buf[i])`` and keeps products under 2**63.

Kernels are compiled into a per-user cache, by one process at a time, under a name that holds a digest of this folder:
numba's own check looks at one file only and would run stale code when a helper or a constant next door changed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pathlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

__all__ = ["available", "compiled", "helper", "hot_helper", "kernel", "rare_helper", "set_compiled", "word_helper"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_NO_COUNTING: dict[str, Any] = {"_nrt": False}
"""Kernels allocate nothing and their caller holds the arrays, so numba need not count references to them: it does so
atomically around every call of a helper, and that took two thirds of the time of decoding."""

_CALLED_BY_KERNELS: dict[str, Any] = {**_NO_COUNTING, "no_cfunc_wrapper": True}
"""Nobody but kernels calls helpers; a way in for C takes longer to compile than most of them."""

_default = False
_helpers: list[tuple[Callable[..., Any], dict[str, Any]]] = []
_word_helpers: list[tuple[Callable[..., Any], int, str]] = []
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
    _helpers.append((function, _CALLED_BY_KERNELS))
    return function


def hot_helper(function: _Function) -> _Function:
    """Mark a helper that a kernel calls for every packet: it is compiled into its callers.

    A call hands each array over as nine words; with several arrays that takes as long as the work.
    """
    _helpers.append((function, {**_CALLED_BY_KERNELS, "forceinline": True}))
    return function


def rare_helper(function: _Function) -> _Function:
    """Mark a helper that few packets need: it stays a call, even below a :func:`hot_helper` (numba hands that down).

    Compiled into each place where a hot helper stands, rare work costs seconds of compiling, and slows what is hot.
    """
    _helpers.append((function, {**_CALLED_BY_KERNELS, "forceinline": False}))
    return function


def word_helper(size: int, order: str) -> Callable[[_Function], _Function]:
    """Mark ``function(data, at)``, which reads an unsigned number of `size` bytes at `at`: one instruction compiled.

    Byte by byte it is slow and takes long to compile: numba asks at each byte whether its place counts from the end,
    and LLVM does not join what was asked one by one. `at` must not be negative; `order` is "big" or "little".
    """

    def mark(function: _Function) -> _Function:
        _word_helpers.append((function, size, order))
        return function

    return mark


def _register_word(function: Callable[..., Any], size: int, order: str) -> None:
    """Tell numba's compiler how a :func:`word_helper` is typed, and which instructions it is."""
    from numba.core import types
    from numba.core.imputils import lower_builtin
    from numba.core.typing.templates import Signature, signature
    from numba.extending import type_callable

    @type_callable(function)  # type: ignore[untyped-decorator]
    def typer(_context: Any) -> Callable[..., Signature]:
        return lambda data, at: signature(types.int64, data, types.int64)

    @lower_builtin(function, types.Array, types.Integer)  # type: ignore[untyped-decorator]
    def lower(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        word = getattr(types, f"uint{8 * size}")
        octets = context.make_array(called.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(octets, [arguments[1]]), context.get_value_type(word).as_pointer())
        value = builder.load(place, align=1)
        return context.cast(builder, builder.bswap(value) if order == "big" else value, word, types.int64)


@functools.cache
def _cache_folder() -> pathlib.Path:
    import numba

    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    root = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path("~/.cache").expanduser())
    return root / "sipanalyzer" / digest.hexdigest()[:16]


@contextlib.contextmanager
def _one_compiler() -> Iterator[None]:
    """Threads, then processes, one at a time: numba writes atomically but merges no index (its issue 4807)."""
    with _lock, contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):  # Windows, a home that cannot be written: go on unlocked
            import fcntl

            folder = _cache_folder()
            folder.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context((folder / "lock").open("wb")), fcntl.LOCK_EX)
        yield


class _Kernel:
    """A function that runs interpreted, or compiled for the one signature that it is called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._python = function
        self._compiled: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        if not _default:  # memoryviews hand out Python ints: no uint8 shifts, no overflow, faster than ndarray items
            return self._python(*[memoryview(a) if isinstance(a, np.ndarray) else a for a in arguments])  # type: ignore[arg-type]
        if self._compiled is None:
            with _one_compiler():
                if self._compiled is None:
                    self._compiled = self._compile(arguments)
        return self._compiled(*arguments)

    def _compile(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        import numba
        from numba.extending import register_jitable

        while _helpers:
            called, how = _helpers.pop()
            register_jitable(**how)(called)
        while _word_helpers:
            _register_word(*_word_helpers.pop())
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(_cache_folder())
        try:
            function = numba.njit(cache=True, nogil=True, **_CALLED_BY_KERNELS)(self._python)
        except (RuntimeError, OSError):  # nowhere to keep it
            function = numba.njit(nogil=True, **_CALLED_BY_KERNELS)(self._python)
        finally:
            numba.config.CACHE_DIR = before
        began = time.monotonic()
        function.compile(tuple(map(numba.typeof, arguments)))
        function.disable_compile()  # one signature a kernel; a second is a bug that a test shows
        took = time.monotonic() - began
        if took > 1 and sys.stderr.isatty():
            print(f"sipanalyzer: compiled {self._python.__name__} in {took:.1f} s (once per version)", file=sys.stderr)
        return function  # type: ignore[no-any-return]


def kernel(function: _Function) -> _Function:
    """Make `function` a kernel: interpreted, or compiled by numba once :func:`set_compiled` says so."""
    return _Kernel(function)  # type: ignore[return-value]
