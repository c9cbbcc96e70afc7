"""Kernels become machine code: the only file that names numba. Floor 1.

Comes in: a kernel's function and the kinds of its arguments. Goes out: object code that needs nothing of numba's when
it runs (:func:`make_object`), or a function compiled in this process (:func:`compile_here`).
"""

from __future__ import annotations

import contextlib
import functools
import operator
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import HELPERS, SYSTEM_HELPERS, WORD_HELPERS
from .objects import FAILED, SYMBOL, Head, cache_folder, processor

__all__ = ["compile_here", "make_object", "use_plain_items"]

_NO_COUNTING: dict[str, Any] = {"_nrt": False}
"""Kernels allocate nothing and their caller holds the arrays, so numba need not count references to them: it does so
atomically around every call of a helper, and that took two thirds of the time of decoding."""
_OPTIONS: dict[str, Any] = {**_NO_COUNTING, "no_cfunc_wrapper": True}
"""Nobody but kernels calls helpers; a way in for C takes longer to compile than most of them."""
_OUTSIDE = frozenset({"memcpy", "memmove", "memset", "read"})
"""What machine code may need of the process that it is loaded into; LLVM's intrinsics come out as these too."""


def _register_helpers() -> None:
    from numba.extending import register_jitable

    while HELPERS:
        called, how = HELPERS.pop()
        register_jitable(**_OPTIONS, **how)(called)
    while WORD_HELPERS:
        _register_word(*WORD_HELPERS.pop())
    while SYSTEM_HELPERS:
        function, system = SYSTEM_HELPERS.pop()
        (_register_reading if system == "read" else _register_moving)(function)


def _register_word(function: Callable[..., Any], size: int, order: str) -> None:
    """Tell numba's compiler how a :func:`~sipanalyzer.kernels.word_helper` is typed, and which instructions it is."""
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


def _register_reading(function: Callable[..., Any]) -> None:
    """Tell numba's compiler that a :func:`~sipanalyzer.kernels.system_helper` is the system's ``read``."""
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.core.imputils import lower_builtin
    from numba.core.typing.templates import Signature, signature
    from numba.extending import type_callable

    @type_callable(function)  # type: ignore[untyped-decorator]
    def typer(_context: Any) -> Callable[..., Signature]:
        return lambda descriptor, data, at, count: signature(types.int64, types.int64, data, types.int64, types.int64)

    @lower_builtin(function, types.Integer, types.Array, types.Integer, types.Integer)  # type: ignore[untyped-decorator]
    def lower(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        if sys.platform == "win32":
            return ir.Constant(ir.IntType(64), -1)
        descriptor, data, at, count = arguments
        octets = context.make_array(called.args[1])(context, builder, data).data
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(32), octets.type, ir.IntType(64)])
        read = cgutils.get_or_insert_function(builder.module, kind, "read")
        return builder.call(read, [builder.trunc(descriptor, ir.IntType(32)), builder.gep(octets, [at]), count])


def _register_moving(function: Callable[..., Any]) -> None:
    """Tell numba's compiler that a :func:`~sipanalyzer.kernels.system_helper` is the system's ``memmove``."""
    from numba.core import cgutils, types
    from numba.core.imputils import lower_builtin
    from numba.core.typing.templates import Signature, signature
    from numba.extending import type_callable

    @type_callable(function)  # type: ignore[untyped-decorator]
    def typer(_context: Any) -> Callable[..., Signature]:
        return lambda data, at, count, other, to: signature(
            types.none, data, types.int64, types.int64, other, types.int64
        )

    @lower_builtin(function, types.Array, types.Integer, types.Integer, types.Array, types.Integer)  # type: ignore[untyped-decorator]
    def lower(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        data, at, count, other, to = arguments
        source = context.make_array(called.args[0])(context, builder, data).data
        target = context.make_array(called.args[3])(context, builder, other).data
        cgutils.raw_memmove(builder, builder.gep(target, [to]), builder.gep(source, [at]), count, 1)
        return context.get_dummy_value()


def compile_here(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[..., Any]:
    """Compile for this process, out of numba's own cache where it is there."""
    import numba

    with _one_compiler():
        _register_helpers()
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, _numba_cache()
        try:
            compiled = numba.njit(cache=True, nogil=True, **_OPTIONS)(function)
        except (RuntimeError, OSError):  # nowhere to keep it
            compiled = numba.njit(nogil=True, **_OPTIONS)(function)
        finally:
            numba.config.CACHE_DIR = before
        began = time.monotonic()
        compiled.compile(tuple(map(numba.typeof, arguments)))
        compiled.disable_compile()  # one signature a kernel; a second is a bug that a test shows
        took = time.monotonic() - began
        if took > 1 and sys.stderr.isatty():
            print(f"sipanalyzer: compiled {function.__name__} in {took:.1f} s (once per version)", file=sys.stderr)
        return compiled  # type: ignore[no-any-return]


def _numba_cache() -> str:
    """Numba's own check looks at one file only, and would run stale code when a helper next door changed."""
    return str(cache_folder() / "numba")


@contextlib.contextmanager
def _one_compiler() -> Iterator[None]:
    """Processes one at a time: numba writes atomically but merges no index (its issue 4807)."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):  # Windows, a home that cannot be written: go on unlocked
            import fcntl

            folder = cache_folder()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context((folder / "lock").open("wb")), fcntl.LOCK_EX)
        yield


# ---- object code


@functools.cache
def use_plain_items() -> None:
    """Let items of arrays be what kernels mean by them: no index counts from the end, and arrays have no gaps.

    Numba asks at each place whether its number is negative, in code that takes long to write. From then on it holds for
    all that numba compiles in this process: for one that does nothing but make object code.
    """
    from numba.core import types
    from numba.core.imputils import lower_builtin
    from numba.core.types.containers import BaseTuple

    def place(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        array, kind = called.args[:2]
        value, index = arguments[:2]
        several = isinstance(kind, BaseTuple)
        kinds = tuple(kind) if several else (kind,)
        if array.layout != "C" or len(kinds) != array.ndim:
            raise NotImplementedError("an item of an array, not a part of it, and no gaps")
        model = context.data_model_manager[array]
        at = None
        for number, each in enumerate(kinds):
            part = context.cast(builder, builder.extract_value(index, number) if several else index, each, types.intp)
            length = builder.extract_value(model.get(builder, value, "shape"), number) if number else None
            at = part if at is None else builder.add(builder.mul(at, length), part)
        return builder.gep(model.get(builder, value, "data"), [at])

    def get(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        return context.unpack_value(builder, called.args[0].dtype, place(context, builder, called, arguments))

    def put(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        kind = called.args[0].dtype
        value = context.cast(builder, arguments[2], called.args[2], kind)
        context.pack_value(builder, kind, value, place(context, builder, called, arguments))
        return context.get_dummy_value()

    for kind in (types.Integer, BaseTuple):
        lower_builtin(operator.getitem, types.Array, kind)(get)
        lower_builtin(operator.setitem, types.Array, kind, types.Number)(put)


def make_object(kernel: str, function: Callable[..., Any], kinds: tuple[str, ...]) -> tuple[Head, bytes]:
    """Object code that runs without numba.

    Numba translates to LLVM's language; there the whole program is known, since nobody calls but one new function
    with plain words for arguments, and LLVM makes it small once more.

    Raises
    ------
    ValueError
        If what numba made does not look as expected, or needs something of numba's to run.
    """
    import llvmlite.binding as llvm
    import numba

    _register_helpers()
    compiled = numba.njit(no_cpython_wrapper=True, **_OPTIONS)(function)
    types = tuple(map(_type_of, kinds))
    with _for_linking():
        compiled.compile(types)
    made = compiled.overloads[types]
    result = str(made.signature.return_type)
    if result.startswith("UniTuple(int64 x "):
        result = f"int64*{len(made.signature.return_type)}"
    elif result not in {"int64", "bool", "none"}:
        raise ValueError(f"{kernel} returns {result}")
    module = llvm.parse_assembly(compiled.inspect_llvm(types))
    native, entry = made.fndesc.llvm_func_name, SYMBOL.format(function.__name__)
    declared = [str(each.type) for each in module.get_function(native).arguments]
    expected, text = _entry(entry, native, kinds, result)
    if declared != expected:
        raise ValueError(f"{kernel} takes {declared}, where {expected} were expected")
    module.link_in(llvm.parse_assembly(text))
    for each in (*module.functions, *module.global_variables):
        if not each.is_declaration and each.name != entry:
            each.linkage = "internal"
    cpu, features = processor()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=cpu, features=features, opt=3,
        reloc="static" if llvm.get_process_triple().startswith("x86") else "default", codemodel="jitdefault", jit=True,
    )  # fmt: skip
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
    outside = {each.name for each in (*module.functions, *module.global_variables) if each.is_declaration}
    needed = {name for name in outside if not name.startswith("llvm.")} - _OUTSIDE
    if needed:
        raise ValueError(f"{kernel} needs {', '.join(sorted(needed))}")
    return Head(kernel, kinds, result), machine.emit_object(module)


@contextlib.contextmanager
def _for_linking() -> Iterator[None]:
    """Let numba translate only: nobody runs what it makes before all is linked and made small as a whole.

    Optimising each helper and making machine code of it, in case Python calls it, takes a fifth of all compiling. Numba
    has no option for this; where its inner parts have other names than these, it compiles as ever.
    """
    from numba.core import codegen, typed_passes, untyped_passes
    from numba.core.registry import cpu_target

    def find(library: Any, _name: str) -> int:
        library._ensure_finalized()
        return 0

    parts: list[tuple[Any, str, str, Callable[..., Any]]] = [
        (codegen, "CPUCodeLibrary", "_optimize_final_module", lambda _library: None),
        (codegen, "JITCodeLibrary", "_finalize_specific", lambda _library: None),
        (codegen, "JITCodeLibrary", "get_pointer_to_function", find),
        (codegen, "JITCPUCodegen", "_add_module", lambda _codegen, _module: None),
        (codegen, "JITCPUCodegen", "set_env", lambda _codegen, _name, _env: None),
        # passes for expressions of whole arrays and for closures, of which kernels have none
        (typed_passes, "NopythonRewrites", "run_pass", lambda _pass, _state: False),
        (untyped_passes, "InlineClosureLikes", "run_pass", lambda _pass, _state: False),
    ]
    _ = cpu_target.target_context  # numba's own functions are made at this, and it runs them
    with contextlib.ExitStack() as stack:
        owners = [getattr(module, owner, None) for module, owner, _, _ in parts]
        if all(hasattr(owner, name) for owner, (_, _, name, _) in zip(owners, parts, strict=True)):
            for owner, (_, _, name, part) in zip(owners, parts, strict=True):
                stack.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, part)
        yield


def _type_of(kind: str) -> Any:
    from numba import types

    name, *rest = kind.split(":")
    scalar = types.boolean if name == "bool" else getattr(types, name)
    return types.Array(scalar, int(rest[0]), "C", readonly="r" in rest) if rest else scalar


def _entry(entry: str, native: str, kinds: tuple[str, ...], result: str) -> tuple[list[str], str]:
    """The function that is called with words, in LLVM's language, and the types that it hands on.

    Numba's functions take a place for the result, one for an exception, and of an array: two words that count
    references (none here), elements, bytes of one, address, shape, strides. They return 0, or -2 for None.
    """
    handed: list[tuple[str, str]] = [("ptr", "%result"), ("ptr", "%raised")]
    lines: list[str] = []

    def word(base: str, place: int, type_: str = "i64") -> str:
        name = f"%{base}.{place}"
        lines.append(f"{name}.at = getelementptr i64, ptr %{base}, i64 {place}")
        lines.append(f"{name} = load {type_}, ptr {name}.at")
        return name

    arrays = numbers = 0
    for kind in kinds:
        name, *rest = kind.split(":")
        if not rest:
            value = word("numbers", numbers)
            if name == "bool":
                lines.append(f"{value}.bool = trunc i64 {value} to i8")
            handed.append(("i8", f"{value}.bool") if name == "bool" else ("i64", value))
            numbers += 1
            continue
        size = np.dtype(name).itemsize
        address = word("arrays", arrays, "ptr")
        shape = [word("arrays", arrays + 1 + i) for i in range(int(rest[0]))]
        arrays += 1 + len(shape)
        strides = [str(size)]
        for length in reversed(shape[1:]):
            lines.append(f"{length}.stride = mul i64 {length}, {strides[0]}")
            strides.insert(0, f"{length}.stride")
        items = f"{address}.items"
        lines.append(f"{items} = sdiv exact i64 {_times(lines, shape, strides)}, {size}")
        handed += [("ptr", "null"), ("ptr", "null"), ("i64", items), ("i64", str(size)), ("ptr", address)]
        handed += [("i64", each) for each in (*shape, *strides)]
    types = [type_ for type_, _ in handed]
    body = "\n  ".join(lines)
    value = {"int64": "load i64, ptr %result", "bool": "load i8, ptr %result"}.get(result, "add i64 0, 0")
    return (
        types,
        f"""
declare i32 @{native}({", ".join(types)})
define i64 @{entry}(ptr %arrays, ptr %numbers, ptr %tuple) {{
  %alone = alloca i64
  %result = getelementptr i64, ptr {"%tuple" if "*" in result else "%alone"}, i64 0
  %raised = alloca ptr
  store i64 0, ptr %result
  {body}
  %status = call i32 @{native}({", ".join(f"{type_} {value}" for type_, value in handed)})
  %done = icmp eq i32 %status, 0
  %none = icmp eq i32 %status, -2
  %well = or i1 %done, %none
  %value = {value}
  %word = {"zext i8 %value to i64" if result == "bool" else "add i64 %value, 0"}
  %told = select i1 %well, i64 %word, i64 {FAILED}
  ret i64 %told
}}
""",
    )


def _times(lines: list[str], shape: list[str], strides: list[str]) -> str:
    """Bytes of an array: its first length by its first stride."""
    lines.append(f"{shape[0]}.bytes = mul i64 {shape[0]}, {strides[0]}")
    return f"{shape[0]}.bytes"
