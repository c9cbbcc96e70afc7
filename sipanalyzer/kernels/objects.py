"""Machine code of kernels out of the cache, loaded and called without numba. Floor 1.

Comes in: a kernel's name and the kinds of its arguments. Goes out: something to call, or None where the cache does not
hold it. Importing numba takes ten times as long as loading the code of all kernels does with llvmlite alone, and a call
through numba unboxes every array anew; here arrays that come again are recognised. Nothing is executed but what this
user wrote, for these sources, versions and this processor, and what still has the checksum that it was written with.

A cached file: SHA-256 of the rest; a line of JSON (:class:`Head`); object code with one function :data:`SYMBOL`
``(arrays, numbers, tuple)``: for each array its address and shape, for each number itself, all as words of 64 bits, and
where a tuple goes that is the result.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import operator
import os
import pathlib
import stat
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

__all__ = [
    "FAILED",
    "SYMBOL",
    "Code",
    "Head",
    "cache_folder",
    "is_ours",
    "kinds_of",
    "load_code",
    "path_of",
    "processor",
    "store_code",
]

SYMBOL = "sipanalyzer_{}"
"""Name of the function in the object code, with the kernel's name."""
FAILED = -(1 << 63)
"""What the machine code returns where Python would raise ArithmeticError."""
_CHECKSUM_BYTES = 32
_engine_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Head:
    """What a cached file says of itself."""

    kernel: str
    """Module and name."""
    kinds: tuple[str, ...]
    """Of the arguments; see :func:`kinds_of`."""
    result: str
    """``int64``, ``bool``, ``none``, or of a tuple such as ``int64*2``."""


def kinds_of(arguments: Sequence[Any]) -> tuple[str, ...]:
    """Kinds of a call's arguments: ``int64``, ``bool``, or of an array such as ``uint8:1`` dtype and dimensions.

    An array that must not be written is of another kind (``uint8:1:r``).

    Raises
    ------
    TypeError
        For arguments that kernels do not take: other objects, arrays with gaps, foreign byte order, no numbers.
    """
    return tuple(map(_kind, arguments))


def _kind(argument: Any) -> str:
    if isinstance(argument, np.ndarray):
        if not (argument.flags.c_contiguous and argument.flags.aligned and argument.dtype.isnative):
            raise TypeError(f"a kernel takes contiguous arrays of native numbers, not {argument.dtype} with strides")
        if argument.dtype.kind not in "iuf":
            raise TypeError(f"a kernel takes no array of {argument.dtype}")
        return f"{argument.dtype.name}:{argument.ndim}" + ("" if argument.flags.writeable else ":r")
    if isinstance(argument, bool | np.bool_):
        return "bool"
    if isinstance(argument, int | np.integer):
        return "int64"
    raise TypeError(f"a kernel takes arrays and integers, not {type(argument).__name__}")


# ---- where it lies


def processor() -> tuple[str, str]:
    """Name and features of the processor to compile for: this one, or what numba's own variables say.

    Valgrind shows a program another processor than the shell's; counting instructions needs code for any.
    """
    import llvmlite.binding as llvm

    name = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES", "" if name == "generic" else None)
    return name, llvm.get_host_cpu_features().flatten() if features is None else features


@functools.cache
def cache_folder() -> pathlib.Path:
    """The folder for machine code of these sources, made by these versions, for this processor.

    Raises
    ------
    ImportError
        Without llvmlite or numba.
    """
    import importlib.util

    import llvmlite

    spec = importlib.util.find_spec("numba")
    if spec is None or spec.origin is None:
        raise ImportError("numba is not installed")
    digest = hashlib.sha256(f"{llvmlite.__version__} {sys.version} {spec.origin}".encode())
    digest.update(" ".join(processor()).encode())
    with contextlib.suppress(OSError):  # numba's version, without the import of numba
        digest.update((pathlib.Path(spec.origin).parent / "_version.py").read_bytes())
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    root = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path("~/.cache").expanduser())
    return root / "sipanalyzer" / digest.hexdigest()[:16]


def path_of(kernel: str, kinds: tuple[str, ...]) -> pathlib.Path:
    """Where the machine code of a kernel for these kinds lies, if it was made."""
    return cache_folder() / f"{kernel}-{hashlib.sha256(' '.join(kinds).encode()).hexdigest()[:8]}.o"


def is_ours(status: os.stat_result) -> bool:
    """Whether nobody but this user (and root) can have written a file or folder."""
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o022


def store_code(head: Head, code: bytes) -> None:
    """Put machine code into the cache; whoever looks for it finds all of it or nothing.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    rest = json.dumps(asdict(head)).encode() + b"\n" + code
    path = path_of(head.kernel, head.kinds)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(hashlib.sha256(rest).digest() + rest)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def load_code(kernel: str, kinds: tuple[str, ...]) -> Code | None:
    """What the cache holds of a kernel, ready to be called; None where it holds nothing that can be trusted.

    Raises
    ------
    ImportError
        Without llvmlite.
    """
    path = path_of(kernel, kinds)
    try:
        with path.open("rb") as file:
            if not (is_ours(path.parent.stat()) and is_ours(os.fstat(file.fileno()))):
                return None
            content = file.read()
    except OSError:
        return None
    checksum, rest = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
    if hashlib.sha256(rest).digest() != checksum:
        return None
    line, _, code = rest.partition(b"\n")
    told = json.loads(line)
    head = Head(told["kernel"], tuple(told["kinds"]), told["result"])
    return Code(head, code) if (head.kernel, head.kinds) == (kernel, kinds) else None


# ---- how it is called


@functools.cache
def _engine() -> Any:
    """One engine of LLVM a process; it owns the loaded code. Called under the lock."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(codemodel="jitdefault", jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


class Code:
    """A kernel's machine code, called like the kernel.

    The last call's arrays are kept with their addresses and shapes: mostly the same come again, and are recognised by
    identity, which takes a tenth of the time of asking each for its memory. What is kept is replaced as a whole, so
    that threads may call at once.
    """

    def __init__(self, head: Head, code: bytes) -> None:
        import ctypes

        import llvmlite.binding as llvm

        name = head.kernel.rpartition(".")[2]
        with _engine_lock:
            engine = _engine()
            engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            engine.finalize_object()
            address = engine.get_function_address(SYMBOL.format(name))
        if not address:
            raise OSError(f"no {SYMBOL.format(name)} in the machine code")
        self.__name__, self._head = name, head
        kinds = head.kinds
        array_at = [i for i, kind in enumerate(kinds) if ":" in kind]
        number_at = [i for i, kind in enumerate(kinds) if ":" not in kind]
        self._count = len(kinds)
        self._arrays_of, self._numbers_of = _picker(array_at), _picker(number_at)
        self._bool_at = [i for i, kind in enumerate(kinds) if kind == "bool"]
        self._checks = [_check(kinds[i]) for i in array_at]
        self._pack = struct.Struct("=" + "".join("q" for _ in number_at)).pack
        prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
        self._function = prototype(address)  # ctypes lets go of the GIL
        name, _, length = head.result.partition("*")
        self._tuple = ctypes.c_int64 * int(length) if length else None
        self._finish = {"int64": None, "none": lambda _: None, "bool": bool}[name]
        self.forget_arrays()

    def forget_arrays(self) -> None:
        """Let go of the last call's arrays."""
        self._last: tuple[list[Any], bytes, list[bytes]] = ([None] * len(self._checks), b"", [b""] * len(self._checks))

    def __call__(self, *arguments: Any) -> Any:
        """Call the machine code.

        Raises
        ------
        TypeError
            If an argument is not of the kind that the code was made for.
        OverflowError
            If an integer has more than 64 bits.
        ArithmeticError
            If the kernel divided by zero.
        """
        if len(arguments) != self._count:
            raise TypeError(f"{self.__name__} takes {self._count} arguments, not {len(arguments)}")
        arrays = self._arrays_of(arguments)
        known, words, _ = self._last
        if not all(map(operator.is_, arrays, known)):
            words = self._renew(arrays)
        for i in self._bool_at:
            if not isinstance(arguments[i], bool | np.bool_):
                raise TypeError(f"argument {i + 1} of {self.__name__} is a bool, not {type(arguments[i]).__name__}")
        try:
            numbers = self._pack(*self._numbers_of(arguments))
        except struct.error as error:
            if all(isinstance(each, int | np.integer | np.bool_) for each in self._numbers_of(arguments)):
                raise OverflowError(f"{self.__name__}: {error}") from None
            raise TypeError(f"{self.__name__}: {error}") from None
        several = None if self._tuple is None else self._tuple()
        result = self._function(words, numbers, several)
        if result == FAILED:
            raise ArithmeticError(f"{self.__name__} divided by zero")
        if several is not None:
            return tuple(several)
        return result if self._finish is None else self._finish(result)

    def _renew(self, arrays: tuple[Any, ...]) -> bytes:
        """Check the arrays that are new, and remember them.

        Memory that is not numpy's may be asked back (a bytearray cannot grow while an array looks at it), so what looks
        at such memory is new at each call.
        """
        known, _, parts = self._last
        each = zip(arrays, known, parts, self._checks, strict=True)
        parts = [part if new is old else check(new) for new, old, part, check in each]
        words = b"".join(parts)
        kept = [new if new is old or _owned(new) else None for new, old in zip(arrays, known, strict=True)]
        self._last = kept, words, parts
        return words


def _owned(array: Any) -> bool:
    return bool(array.flags.owndata) or (type(array.base) is np.ndarray and bool(array.base.flags.owndata))


def _picker(places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Takes the arguments at `places` out of all; always a tuple."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    return (lambda arguments: (arguments[places[0]],)) if places else (lambda arguments: ())


def _check(kind: str) -> Callable[[Any], bytes]:
    """What checks an array to be of `kind`, and gives its address and shape."""
    name, dimensions, *rest = kind.split(":")
    dtype, ndim, written = np.dtype(name), int(dimensions), not rest
    pack = struct.Struct(f"={1 + ndim}Q").pack

    def check(array: Any) -> bytes:
        if type(array) is np.ndarray and array.dtype == dtype and array.ndim == ndim:
            flags = array.flags
            if flags.c_contiguous and flags.aligned and (flags.writeable or not written):
                return pack(array.__array_interface__["data"][0], *array.shape)
        raise TypeError(f"a contiguous array {kind} is needed, not {_told(array)}")

    return check


def _told(argument: Any) -> str:
    try:
        return _kind(argument)
    except TypeError as error:
        return f"{type(argument).__name__} ({error})"
