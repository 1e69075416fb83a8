from __future__ import annotations

import numpy as np
import pytest

from yuzui.routing.tensors import Kind, Tensor, pack, unpack, unpack_indices


@pytest.mark.parametrize(("kind", "error"), [("float32", 1e-6), ("float16", 2e-3), ("int8", 2e-2)])
def test_what_is_packed_comes_back(kind: Kind, error: float) -> None:
    values = np.random.default_rng(1).normal(0, 1, (50, 3)) * np.array([1, 0.1, 0.01])
    back = unpack(pack(values, kind))
    assert np.all(np.abs(back - values) <= error * np.abs(values).max(axis=0))


def test_bytes_are_little_endian_on_every_machine() -> None:
    assert pack(np.array([1, 256]), "int32").data == b"\x01\x00\x00\x00\x00\x01\x00\x00"


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(kind="float32", shape=(2,), data=b"\0" * 4),
        Tensor(kind="float32", shape=(-1, -1), data=b"\0" * 4),
        Tensor(kind="float32", shape=(2**40, 2**40), data=b""),
        Tensor(kind="float32", shape=(1,), data=b"\x00\x00\xc0\x7f"),
        Tensor(kind="int8", shape=(1, 2), data=b"\0\0", scales=(1.0,)),
        Tensor(kind="int8", shape=(1, 1), data=b"\1", scales=(float("inf"),)),
    ],
    ids=["short", "negative", "huge", "nan", "scales", "infinite"],
)
def test_an_array_that_does_not_fit_itself_is_refused(tensor: Tensor) -> None:
    with pytest.raises(ValueError, match=r"fit|finite"):
        unpack(tensor)


@pytest.mark.parametrize("values", [[-1], [3]])
def test_an_index_stays_inside(values: list[int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        unpack_indices(pack(np.array(values), "int32"), 3)
    assert unpack_indices(pack(np.array([0, 2]), "int32"), 3).tolist() == [0, 2]


def test_indices_are_whole_numbers() -> None:
    with pytest.raises(ValueError, match="float32"):
        unpack_indices(pack(np.array([0.0]), "float32"), 3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_weights_that_the_kind_cannot_hold_are_not_packed(value: float) -> None:
    with pytest.raises(ValueError, match=r"finite|large"):
        pack(np.array([value]), "float16")
