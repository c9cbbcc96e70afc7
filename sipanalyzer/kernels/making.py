"""Machine code that is not in the cache yet is made by other processes. Floor 1.

Comes in: a kernel that is called for the first time. Goes out: its code (:class:`~.objects.Code`), or None where numba
must do in this process. Compiling all that a capture needs takes one processor more than ten seconds, and numba lets
one thread of a process compile at a time: so when the kernel that walks records is missing, processes start on it and
on those that will be called next (:data:`AHEAD`, :data:`_FOLLOWERS`), each taking what no other has taken. They also
try what they made: should it bring a process down, it is not this one, and nothing is stored.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from .objects import Code, cache_folder, is_ours, kinds_of, load_code, path_of, store_code

__all__ = ["AHEAD", "find_code", "main"]

AHEAD: dict[str, str] = {
    "sip.find_spans": "uint8:1 int64:1 int64:1 uint8:1 int64 int64:3 int64:2",
    "rtp.update_streams": "int64:2 int64 int64 int32:1 int64:2 float64:2 uint32:2 int32:2 int32:2 int64:2 int64:2 "
    "int64:2 int32:1 int64:2 int64:2 int64:1 int64 int64 int64:2 float64:2 int64:2 int64:2 int64:1 int64:1",
    "rtp.close_streams": "int64 int64 int64:2 float64:2 int32:2 int64:2 float64:2 int64:1",
    "descriptions.take_apart": "uint8:1 int64:1 int64:1 int64 uint8:1 int64:1 int64:1 int64:2",
    "interning.intern_spans": "uint8:1 int64:3 int64 int64 int64 int64 int32:1 int64:2 int64:1 int32:1",
    "interning.enter_slots": "uint8:1 int64 int32:1 int64:2 int64 int64",
    "joining.join_lines": "uint8:1 int64:2 int64 int64 uint8:1 int64:1",
    "announcing.announce": "int64:2 int64:2",
    "survey.find_few": "int64:2 int64:1",
    "tcpstreams.follow": "uint8:1 int64:2 int64 int64 int64 int64:2 int64:1 uint8:1 uint8:1 int64:2 int64:1 int64:1 "
    "int64:1",
}
"""Kernels that most captures need, with the kinds of their arguments. In this order signalling can begin as soon as the
walk is made, and RTP no later than in another. A wrong line here costs time at the first run, nothing else; a test
finds it."""
_MOST = tuple(name for name in AHEAD if not name.startswith("tcpstreams."))
_FOLLOWERS: dict[str, tuple[str, ...]] = {
    "records.walk_pcap": _MOST,
    "records.walk_pcapng": _MOST,
    "tcpstreams.enter": ("tcpstreams.follow",),
}
"""Kernels that are called after one."""
_BREAKDOWNS = frozenset(
    int(getattr(signal, name, 0)) for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP")
)
"""Signals that machine code brings about; by others somebody ended a process, or memory was short."""
_POLL_S = 0.01
_workers: list[subprocess.Popen[bytes]] = []
_asked: set[tuple[str, tuple[str, ...]]] = set()
_lock = threading.Lock()


def name_of(function: Callable[..., Any]) -> str:
    """Module (of this package) and name of a kernel's function."""
    return f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"


def find_code(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Code | None:
    """The machine code of a kernel: loaded, or made elsewhere and then loaded; None where that cannot be done."""
    if sys.platform == "win32" or function.__module__.rpartition(".")[0] != __package__:
        return None
    kernel, kinds = name_of(function), kinds_of(arguments)
    try:
        found = load_code(kernel, kinds)
        if found is None and _begin(kernel, kinds):
            found = _await(kernel, kinds)
    except Exception:  # a cache that cannot be used in whatever way: numba can
        return None
    return found


def _begin(kernel: str, kinds: tuple[str, ...]) -> bool:
    """See to it that processes work on a kernel; false where it was tried in vain."""
    with _lock:
        cache_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        if _refusal(kernel, kinds).exists() or not is_ours(cache_folder().stat()):
            return False
        if (kernel, kinds) in _asked:
            return True
        path_of(kernel, kinds).unlink(missing_ok=True)  # it could not be loaded
        jobs = [(kernel, kinds)]
        jobs += [(name, tuple(AHEAD[name].split())) for name in _FOLLOWERS.get(kernel, ())]
        jobs = [job for job in jobs if job not in _asked and not path_of(*job).exists()]
        _asked.update(jobs)
        code = f"import sys; sys.path.insert(0, {_root()!r}); from {__name__} import main; main(sys.argv[1])"
        for _ in range(min(_processors(), len(jobs), 2)):
            _workers.append(
                subprocess.Popen(  # its output may not hold up whoever reads ours to the end
                    [sys.executable, "-c", code, json.dumps(jobs)],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    process_group=0,  # Ctrl-C is for us: what they make is of use to whoever comes next
                )
            )  # fmt: skip
    return True


def _await(kernel: str, kinds: tuple[str, ...]) -> Code | None:
    """Wait for a kernel that processes work on; None when they ended without it."""
    path, began = path_of(kernel, kinds), time.monotonic()
    while True:
        ended = [worker.poll() for worker in _workers]
        if path.exists():
            took = time.monotonic() - began
            if took > 1 and sys.stderr.isatty():
                print(f"sipanalyzer: compiled {kernel} in {took:.1f} s (once per version)", file=sys.stderr)
            return load_code(kernel, kinds)
        if _refusal(kernel, kinds).exists():
            return None
        if None not in ended:
            if any(code is not None and -code in _BREAKDOWNS for code in ended):  # trying it: not once more
                _refusal(kernel, kinds).touch(mode=0o600)
            return None
        time.sleep(_POLL_S)


def _refusal(kernel: str, kinds: tuple[str, ...]) -> pathlib.Path:
    """Is there where a kernel cannot be made into code that runs without numba."""
    return path_of(kernel, kinds).with_suffix(".none")


def _root() -> str:
    return str(pathlib.Path(__file__).parents[2])


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# ---- the other process


def main(text: str) -> None:
    """Make what of these jobs nobody else makes; then wait for what others began, in case they give up."""
    gc.disable()  # the process lives for seconds; looking for garbage takes one part in fourteen of them
    os.environ.setdefault("NUMBA_OPT", "1")  # what numba makes is optimised as a whole afterwards
    jobs = [(kernel, tuple(kinds)) for kernel, kinds in json.loads(text)]
    for patient in (False, True):
        for kernel, kinds in jobs:
            with _taken(path_of(kernel, kinds), patient) as taken:
                if taken and not path_of(kernel, kinds).exists() and not _refusal(kernel, kinds).exists():
                    _make(kernel, kinds)


def _make(kernel: str, kinds: tuple[str, ...]) -> None:
    from .numba_ import make_object, use_plain_items

    module, _, name = kernel.partition(".")
    try:
        use_plain_items()
        function = getattr(importlib.import_module(f"{__package__}.{module}"), name).python
        head, code = make_object(kernel, function, kinds)
        Code(head, code)  # loaded once by the process that made it, which may break
    except Exception:  # whatever numba or LLVM raise: the asking process compiles it by itself, and tells
        _refusal(kernel, kinds).touch(mode=0o600)
    else:
        store_code(head, code)


@contextlib.contextmanager
def _taken(path: pathlib.Path, patient: bool) -> Iterator[bool]:
    """Whether this process is the one to make it; a patient one waits for those who try."""
    import fcntl

    with path.with_suffix(".lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
