"""What crosses the wire comes out the same; what should not, is refused."""

import pickle

import numpy as np
import pytest
import torch

from course.grading.judge import wire
from course.grading.judge.wire import Decoder, Encoder, WireError


def refuse(value):
    raise WireError(f"a {type(value).__name__}")


def there_and_back(value):
    encoder = Encoder(refuse)
    node = encoder.encode(value)
    return Decoder(encoder.buffers, refuse).decode(node)


@pytest.mark.parametrize("dtype", wire._NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_a_tensor_of_every_dtype_and_shape_comes_out_as_it_went(dtype, shape):
    value = (torch.rand(shape) * 100 - 50).to(dtype)
    got = there_and_back(value)
    assert got.dtype is dtype
    assert got.shape == value.shape
    assert torch.equal(got, value)
    assert got.data_ptr() != value.data_ptr() or not value.numel()


def test_views_come_out_with_their_values():
    value = torch.arange(12.0).reshape(3, 4)
    for view in (value.T, value[:, 1:3], value[0].expand(5, 4), value.to(torch.complex64).conj()):
        assert torch.equal(there_and_back(view), view)


def test_gradients_stay_asked_for():
    assert there_and_back(torch.ones(2, requires_grad=True)).requires_grad


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(10**30),
        1.5,
        float("inf"),
        "ü",
        (1, [2.0, {"a": (3,)}]),
        {1: "x"},
        torch.int8,
    ],
)
def test_a_plain_value_comes_out_as_it_went(value):
    got = there_and_back(value)
    assert got == value
    assert type(got) is type(value)


def test_nan_and_numpy_come_out_as_they_went():
    assert np.isnan(there_and_back(float("nan")))
    array = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(there_and_back(array), array)


def test_a_subclass_comes_out_plain():
    class Number(float):
        def __eq__(self, other):
            return True

        __hash__ = float.__hash__

    class Tensor(torch.Tensor):
        pass

    assert type(there_and_back(Number(2))) is float
    assert type(there_and_back(torch.ones(2).as_subclass(Tensor))) is torch.Tensor


DEEP = None
for _ in range(wire.DEPTH + 2):
    DEEP = {"list": [DEEP]}

BROKEN = [
    7, [], {}, {"x": 1}, {"int": "1" * 5000}, {"int": "x"}, {"int": None}, {"float": "x"},
    {"float": 1}, {"list": 5}, {"list": [7]}, {"dict": [1]}, {"dict": [[{"list": []}, None]]},
    {"dtype": "object"}, {"numpy": 1}, {"kept": 1}, {"tensor": "float32"}, DEEP,
    {"list": [None] * (wire.NODES + 1)},
]  # fmt: skip


@pytest.mark.parametrize("node", BROKEN, ids=lambda node: str(node)[:40])
def test_a_malformed_structure_is_refused(node):
    with pytest.raises(WireError):
        Decoder([b"1234"], refuse).decode(node)


@pytest.mark.parametrize(
    "change",
    [
        {"tensor": "float64"}, {"tensor": "object"}, {"tensor": ["float32"]}, {"shape": [2]},
        {"shape": [-1]}, {"shape": [-1, -1]}, {"shape": [2**62, 2**62]}, {"shape": [0, 2**70]},
        {"shape": None}, {"shape": ["x"]}, {"buffer": 1}, {"buffer": "x"}, {"buffer": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_tensor_that_does_not_fit_its_bytes_is_refused(change):
    node = {"tensor": "float32", "shape": [1], "buffer": 0, "device": "cpu", "grad": False}
    assert Decoder([b"1234"], refuse).decode(node).shape == (1,)
    with pytest.raises(WireError):
        Decoder([b"1234"], refuse).decode({**node, **change})


def test_a_boolean_is_0_or_1_whatever_its_byte():
    node = {"tensor": "bool", "shape": [3], "buffer": 0}
    got = Decoder([bytes([0, 1, 2])], refuse).decode(node)
    assert got.to(torch.uint8).tolist() == [0, 1, 1]


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool"])
def test_bytes_are_never_taken_for_a_pickle(dtype):
    class Boom:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    raw = pickle.dumps(Boom())
    raw += b"\0" * (-len(raw) % 4)
    size = torch.empty(0, dtype=wire._DTYPES[dtype]).element_size()
    node = {"tensor": dtype, "shape": [len(raw) // size], "buffer": 0}
    assert isinstance(Decoder([raw], refuse).decode(node), torch.Tensor)


def test_what_is_too_deep_too_many_or_too_large_is_not_sent(monkeypatch):
    deep: list = []
    deep.append(deep)
    monkeypatch.setattr(wire, "BYTES", 1000)
    for value in (deep, [0] * (wire.NODES + 1), torch.zeros(1001, dtype=torch.uint8)):
        with pytest.raises(WireError):
            Encoder(refuse).encode(value)


def test_half_a_character_does_not_arrive():
    assert Decoder([], refuse).decode("a\ud800") == "a?"
