"""The pickle in a torch file, written and read by hand: a mapping from names to views of storages, and nothing else.

It is never unpickled. Its opcodes come from `pickletools`, which only splits them, and a stack machine takes those that
a mapping of tensors needs: no import, no call; a global is a name that stands in a table here or is refused.

Source: `torch.save` of 2.13, and `torch/_weights_only_unpickler.py` for what it reads.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from initcli.dtypes import DTYPES
from initcli.formats import Tensor

STORAGES = {
    "torch DoubleStorage": "float64",
    "torch FloatStorage": "float32",
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch ComplexFloatStorage": "complex64",
    "torch LongStorage": "int64",
    "torch IntStorage": "int32",
    "torch ShortStorage": "int16",
    "torch CharStorage": "int8",
    "torch ByteStorage": "uint8",
    "torch BoolStorage": "bool",
}
"""The storages that have an element type, and its name. The tensors of other types name it beside their storage."""
MAX_RANK = 64
"""The most axes of a tensor: NumPy 2 has no more, and torch 2.13 computes with no more."""

MAX_VALUES = 1_000_000
"""The most that stands on a pickle's stack: names and tensors, of which a pickle of 100 MB holds half a million."""

_UNTYPED = "torch.storage UntypedStorage"
_MAPPING, _PARAMETER = "collections OrderedDict", "torch._utils _rebuild_parameter"
_TYPED_VIEW, _UNTYPED_VIEW = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3"
_DTYPES = {f"torch {name}": name for name in DTYPES}
_KNOWN = {*STORAGES, _UNTYPED, _MAPPING, _PARAMETER, _TYPED_VIEW, _UNTYPED_VIEW, *_DTYPES}
"""Every global that a file may name."""


class View(NamedTuple):
    """A tensor as a view of the storage `key` of `nbytes`; `offset` and `strides` count elements, and stay within."""

    key: str
    nbytes: int
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Global(NamedTuple):
    name: str


class _Storage(NamedTuple):
    dtype: str | None
    key: str
    size: int


def render_pickle(tensors: Sequence[Tensor], ties: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return the pickle of an `OrderedDict` of tensors, each the whole of the storage that its index is the key of.

    The `ties`, by name the tensor that is meant, follow: their storages are those of their tensors.
    """
    rendered = {tensor.name: _render_tensor(tensor, str(key)) for key, tensor in enumerate(tensors)}
    rendered |= {tie: rendered[target] for tie, target in ties.items()}
    items = b"".join(_text(name) + tensor for name, tensor in rendered.items())
    return b"\x80\x02" + _new_mapping() + b"(" + items + b"u."


def parse_pickle(data: bytes) -> dict[str, View]:
    """Return the tensors of a pickle.

    Raises:
        ValueError: it is damaged, or holds anything but a mapping from names to tensors.
    """
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(data):
        machine.step(opcode.name, argument)
        if max(len(machine.stack), len(machine.marks)) > MAX_VALUES:
            raise ValueError(f"its pickle puts more than {MAX_VALUES:,} values one upon the other")
    (found,) = machine.stack
    if not isinstance(found, dict):
        raise ValueError("its pickle holds no mapping from names to tensors")
    for name, value in found.items():
        if not isinstance(value, View):
            raise ValueError(f"{name!r} in it is no tensor, and only a mapping from names to tensors is read")
    return found


def _render_tensor(tensor: Tensor, key: str) -> bytes:
    """Return the opcodes that rebuild a row-major tensor from its storage."""
    dtype, count = tensor.dtype.name, math.prod(tensor.shape)
    strides = [math.prod(max(size, 1) for size in tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape))]
    storage = next((name for name, typed in STORAGES.items() if typed == dtype), _UNTYPED)
    is_typed = storage != _UNTYPED
    place = _tuple(
        _text("storage"), _global(storage), _text(key), _text("cpu"), _integer(count if is_typed else tensor.nbytes)
    )
    view = [place + b"Q", _integer(0), _tuple(*map(_integer, tensor.shape)), _tuple(*map(_integer, strides))]
    rest = [b"\x89", _new_mapping(), *([] if is_typed else [_global(f"torch {dtype}")])]  # no gradient, no hooks
    return _global(_TYPED_VIEW if is_typed else _UNTYPED_VIEW) + _tuple(*view, *rest) + b"R"


def _new_mapping() -> bytes:
    return _global(_MAPPING) + b")R"


def _global(name: str) -> bytes:
    return b"c" + name.replace(" ", "\n").encode() + b"\n"


def _tuple(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def _text(text: str) -> bytes:
    return b"X" + len(text.encode()).to_bytes(4, "little") + text.encode()


def _integer(value: int) -> bytes:
    short = value < 2**31
    return (b"J" if short else b"\x8a\x08") + value.to_bytes(4 if short else 8, "little")


class _Machine:
    """A pickle's stack and memo; what stands on it is text, numbers, tuples, mappings, what torch's globals mean."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:
        """Follow one opcode."""
        match opcode:
            case "PROTO" | "STOP":
                pass
            case "BINUNICODE" | "BININT" | "BININT1" | "BININT2" | "LONG1":
                self.stack.append(argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                self.stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode])
            case "EMPTY_DICT" | "EMPTY_TUPLE":
                self.stack.append({} if opcode == "EMPTY_DICT" else ())
            case "GLOBAL":
                if argument not in _KNOWN:
                    raise ValueError(f"its pickle asks for `{argument.replace(' ', '.')}`, which is never called")
                self.stack.append(_Global(argument))
            case "MARK":
                self.marks.append(len(self.stack))
            case "TUPLE":
                self.stack.append(tuple(self._pop_marked()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self.stack.append(self._pop(int(opcode[-1])))
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[argument])
            case "SETITEM" | "SETITEMS":
                self._set_items(self._pop(2) if opcode == "SETITEM" else self._pop_marked())
            case "BINPERSID":
                self.stack.append(_parse_storage(*self._pop(1)))
            case "REDUCE":
                self.stack.append(_parse_call(*self._pop(2)))
            case "BUILD":
                self._pop(1)  # a state dict's `_metadata`: the versions of its modules
            case _:
                raise ValueError(f"its pickle has the opcode {opcode}, which no mapping of tensors needs")

    def _pop(self, count: int) -> tuple[Any, ...]:
        """Take the top `count` values, none of them below the last mark."""
        start = len(self.stack) - count
        if start < (self.marks[-1] if self.marks else 0):
            raise ValueError("its pickle takes more than it holds")
        taken = tuple(self.stack[start:])
        del self.stack[start:]
        return taken

    def _pop_marked(self) -> tuple[Any, ...]:
        """Take what stands above the last mark."""
        if not self.marks:
            raise ValueError("its pickle takes more than it holds")
        taken = tuple(self.stack[self.marks[-1] :])
        del self.stack[self.marks.pop() :]
        return taken

    def _set_items(self, items: tuple[Any, ...]) -> None:
        mapping = self.stack[-1]
        if not isinstance(mapping, dict) or not all(isinstance(key, str) for key in items[::2]):
            raise ValueError("its pickle holds a mapping whose keys are no names")
        mapping.update(zip(items[::2], items[1::2], strict=True))


def _parse_storage(place: Any) -> _Storage:
    """Return the storage that a persistent id stands for."""
    match place:
        case ("storage", _Global(name), str(key), str(_), int(size)) if name in STORAGES or name == _UNTYPED:
            return _Storage(STORAGES.get(name), key, size)
    raise ValueError("its pickle names a storage that is none of torch's")


def _parse_call(function: Any, arguments: Any) -> Any:
    """Return what a call of one of torch's functions makes."""
    match function, arguments:
        case _Global(name), () if name == _MAPPING:
            return {}
        case _Global(name), (View() as view, *_) if name == _PARAMETER:
            return view
        case _Global(name), (_Storage(str(dtype), _, _) as storage, offset, shape, strides, *_) if name == _TYPED_VIEW:
            return _parse_view(storage, dtype, offset, shape, strides)
        case (
            _Global(name),
            (_Storage(None, _, _) as storage, offset, shape, strides, _, _, _Global(dtype), *_),
        ) if name == _UNTYPED_VIEW and dtype in _DTYPES:
            return _parse_view(storage, _DTYPES[dtype], offset, shape, strides)
    raise ValueError("its pickle makes a call that no mapping of tensors needs")


def _parse_view(storage: _Storage, dtype: str, offset: Any, shape: Any, strides: Any) -> View:
    """Return a view that lies within its storage and is no larger, so that no tensor outgrows its file."""
    itemsize = DTYPES[dtype].itemsize
    nbytes = storage.size * (1 if storage.dtype is None else itemsize)
    if not (isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides) <= MAX_RANK):
        raise ValueError(f"a tensor's shape and strides are no two tuples of one length, of at most {MAX_RANK}")
    if not all(type(number) is int and number >= 0 for number in (offset, *shape, *strides)):
        raise ValueError("a tensor's offset, shape or strides are no counts")
    count = math.prod(shape)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count and (max(count, last + 1) * itemsize > nbytes):
        raise ValueError("a tensor reaches beyond its storage")
    return View(storage.key, nbytes, dtype, offset, shape, strides)
