"""Arrays that notice who reads or writes outside: for kernels, whose compiled code checks nothing.

Interpreted, a kernel gets memoryviews; these raise beyond the last item but let a negative index count from the end,
as nothing compiled does, so :class:`Checked` raises for both. Compiled, an array is put at the very end of its memory
(:class:`Fence`): the next page may not be touched, and the bytes before it must stay as they were.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from sipanalyzer import kernels

_PAGE = mmap.PAGESIZE
_CANARY = 0xC5
_CANARY_BYTES = 256


class OutsideError(AssertionError):
    """A kernel went outside an array."""


class Checked:
    """A memoryview whose indices must be in 0..n-1, in every dimension."""

    __slots__ = ("_view", "shape")

    def __init__(self, array: Any) -> None:
        self._view = memoryview(array)
        self.shape = self._view.shape

    def _check(self, at: Any) -> None:
        places = at if type(at) is tuple else (at,)
        if len(places) != len(self.shape):
            raise OutsideError(f"index {at} of an array of {self.shape}")
        for place, size in zip(places, self.shape, strict=True):
            if not 0 <= place < size:
                raise OutsideError(f"index {at} of an array of {self.shape}")

    def _is_inside(self, at: Any) -> bool:
        """The common cases, fast; a positive index beyond the last raises by itself."""
        if type(at) is tuple:
            return len(at) == 2 and at[0] >= 0 <= at[1]
        if type(at) is slice:
            if not 0 <= at.start <= at.stop <= self.shape[0]:
                raise OutsideError(f"{at} of an array of {self.shape}")
            return True
        return bool(at >= 0)

    def __getitem__(self, at: Any) -> Any:
        if not self._is_inside(at):
            self._check(at)
        try:
            return self._view[at]
        except (IndexError, NotImplementedError):
            raise OutsideError(f"index {at} of an array of {self.shape}") from None

    def __setitem__(self, at: Any, value: Any) -> None:
        if not self._is_inside(at):
            self._check(at)
        try:
            self._view[at] = value
        except (IndexError, NotImplementedError):
            raise OutsideError(f"index {at} of an array of {self.shape}") from None

    def __len__(self) -> int:
        return len(self._view)


@contextlib.contextmanager
def checking() -> Iterator[None]:
    """Within, every interpreted kernel gets checked arrays, whoever calls it."""
    kernels.__dict__["memoryview"] = Checked  # `_Kernel.__call__` looks there first
    try:
        yield
    finally:
        del kernels.__dict__["memoryview"]


class Fence:
    """Memory whose last byte is followed by a page that nobody may touch."""

    def __init__(self, size: int) -> None:
        pages = -(-(size + _CANARY_BYTES) // _PAGE)
        self._map = mmap.mmap(-1, (pages + 1) * _PAGE)
        self._end = pages * _PAGE
        if sys.platform != "win32":
            address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
            if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(address + self._end), _PAGE, 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        self.room = self._end - _CANARY_BYTES

    def put(self, array: np.ndarray) -> np.ndarray:
        """A copy at the very end."""
        begin = self._end - array.nbytes
        self._map[begin - _CANARY_BYTES : begin] = bytes([_CANARY]) * _CANARY_BYTES
        copy: np.ndarray = np.ndarray(array.shape, array.dtype, buffer=self._map, offset=begin)
        copy[...] = array
        return copy

    def check(self, size: int) -> None:
        """What stands before an array of this many bytes must be as it was."""
        begin = self._end - size
        if self._map[begin - _CANARY_BYTES : begin] != bytes([_CANARY]) * _CANARY_BYTES:
            raise OutsideError("bytes before an array were written")


_fences: dict[int, Fence] = {}


def run_fenced(kernel: Any, arguments: tuple[Any, ...]) -> tuple[Any, list[np.ndarray]]:
    """Call a kernel compiled, its arrays in fenced memory; what it returns, and the arrays as it left them."""
    placed = []
    for number, each in enumerate(arguments):
        if isinstance(each, np.ndarray):
            fence = _fences.get(number)
            if fence is None or fence.room < each.nbytes:
                fence = _fences[number] = Fence(max(1 << 16, 2 * each.nbytes))
            placed.append(fence.put(each))
        else:
            placed.append(each)
    before = kernels.compiled()
    kernels.set_compiled(True)
    try:
        result = kernel(*placed)
    finally:
        kernels.set_compiled(before)
    arrays = [each for each in placed if isinstance(each, np.ndarray)]
    for number, each in enumerate(placed):
        if isinstance(each, np.ndarray):
            _fences[number].check(each.nbytes)
    return result, arrays


def run_checked(kernel: Any, arguments: tuple[Any, ...]) -> tuple[Any, list[np.ndarray]]:
    """Call a kernel interpreted, its arrays checked; what it returns, and copies of the arrays as it left them."""
    copies = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    with checking():
        before = kernels.compiled()
        kernels.set_compiled(False)
        try:
            result = kernel(*copies)
        finally:
            kernels.set_compiled(before)
    return result, [each for each in copies if isinstance(each, np.ndarray)]


def run_both(kernel: Any, *arguments: Any) -> tuple[Any, list[np.ndarray]]:
    """Call a kernel both ways, where there is a compiler; both must give the same, to the bit."""
    result, arrays = run_checked(kernel, arguments)
    if kernels.available():
        other, fenced = run_fenced(kernel, arguments)
        assert other == result, (result, other)
        for number, (one, two) in enumerate(zip(arrays, fenced, strict=True)):
            assert one.tobytes() == two.tobytes(), f"array {number} differs compiled"
    return result, arrays
