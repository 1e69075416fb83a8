"""Arrays in a file that anybody can read and nothing can execute: kind, shape, little-endian bytes."""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

MOST_ELEMENTS: Final = 64_000_000
Kind = Literal["int8", "int16", "int32", "float16", "float32"]


class Tensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An array. `scales`: one per column of an int8 matrix, whose values are the bytes times that."""

    kind: Kind
    shape: tuple[int, ...]
    data: bytes
    scales: tuple[float, ...] = ()


def pack(values: npt.NDArray[np.generic], kind: Kind) -> Tensor:
    """`values` as `kind`. int8 is for matrices of weights: each column gets the scale that its largest value needs."""
    if not np.all(np.isfinite(values.astype(np.float64))):
        raise ValueError("weights must be finite")
    if kind == "int8":
        matrix = values.astype(np.float64)
        scales = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / 127
        data = np.rint(matrix / scales).astype("<i1").tobytes()
        return Tensor(
            kind=kind, shape=values.shape, data=data, scales=tuple(float(np.float32(scale)) for scale in scales)
        )
    with np.errstate(over="ignore"):  # seen on the next line
        cast = values.astype(np.dtype(kind).newbyteorder("<"))
    if not np.all(np.isfinite(cast.astype(np.float64))):
        raise ValueError(f"weights are too large for {kind}")
    return Tensor(kind=kind, shape=values.shape, data=cast.tobytes())


def unpack(tensor: Tensor) -> npt.NDArray[np.float32]:
    """The values as float32. Raise `ValueError` when size and shape do not fit, or a value is not finite."""
    values = _values(tensor).astype(np.float32)
    if tensor.scales:
        if values.ndim != 2 or len(tensor.scales) != values.shape[1]:
            raise ValueError("scales do not fit the matrix")
        values *= np.array(tensor.scales, np.float32)
    if not np.all(np.isfinite(values)):
        raise ValueError("weights must be finite")
    return values


def unpack_indices(tensor: Tensor, below: int) -> npt.NDArray[np.int32]:
    """The values as indices. Raise `ValueError` when one is not in [0, below)."""
    if tensor.kind not in ("int16", "int32"):
        raise ValueError(f"indices cannot be {tensor.kind}")
    values = _values(tensor).astype(np.int32)
    if values.size and (int(values.min()) < 0 or int(values.max()) >= below):
        raise ValueError("an index points outside")
    return values


def _values(tensor: Tensor) -> npt.NDArray[np.generic]:
    elements = math.prod(tensor.shape)
    kind = np.dtype(tensor.kind).newbyteorder("<")
    if (
        any(size < 0 for size in tensor.shape)
        or elements > MOST_ELEMENTS
        or elements * kind.itemsize != len(tensor.data)
    ):
        raise ValueError("size and shape of an array do not fit")
    return np.frombuffer(tensor.data, kind).reshape(tensor.shape)
