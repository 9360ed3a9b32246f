"""Is the forbidden function found, wherever it hides, and nothing else?"""

import pytest

from course.grading.judge.sources import Cell, uses

BY_HAND = "def relu(z):\n    return z * (z > 0)\n"


def found(*cells, names=("relu", "clamp")):
    made = [cell if isinstance(cell, Cell) else Cell(cell) for cell in cells]
    return uses(made, "relu", set(names))


@pytest.mark.parametrize(
    "cell",
    [
        "def relu(z):\n    return torch.relu(z)",
        "def relu(z):\n    return z.relu_()",
        "def relu(z):\n    return torch.nn.ReLU()(z)",
        "def relu(z):\n    return F.relu(z)",
        "def relu(z):\n    return torch.ops.aten.relu(z)",
        "def relu(z):\n    return getattr(torch, 'relu')(z)",
        "def relu(z):\n    return getattr(torch, 're' + 'lu')(z)",
        "def relu(z):\n    return torch.__dict__['re' + 'lu'](z)",
        "def relu(z):\n    return eval('torch.re' + 'lu(z)')",
        "def relu(z):\n    return operator.methodcaller('re' + 'lu')(z)",
        "def relu(z):\n    from torch import relu as r\n    return r(z)",
        "from torch import relu as r\ndef relu(z):\n    return r(z)",
        "from torch import *\ndef my(z):\n    return clamp(z, 0)\ndef relu(z):\n    return my(z)",
        "r, s = torch.relu, 1\ndef relu(z):\n    return r(z)",
        "relu = torch.relu",
        "relu = lambda z: torch.relu(z)",
        "from torch import relu",
        "from beside import by_hand\ndef relu(z):\n    return by_hand(z)",
        "for r in [torch.relu]:\n    pass\ndef relu(z):\n    return r(z)",
        "if True:\n    def relu(z):\n        return torch.relu(z)",
        "torch.positive = torch.relu\ndef relu(z):\n    return torch.positive(z)",
        "class T:\n    def __call__(self, z):\n        return z.clamp(0)\nrelu = T()",
        "def change(f):\n    return torch.relu\n@change\n" + BY_HAND,
        BY_HAND + "def swap():\n    global relu\n    relu = torch.relu\nswap()",
        BY_HAND + "globals()['relu'] = torch.relu",
        BY_HAND + "import __main__\nsetattr(__main__, 'relu', torch.relu)",
        BY_HAND + "exec('relu = torch.relu')",
        "%time 1\n!ls\ndef relu(z):\n    return torch.relu(z)",
        "%%time\ndef relu(z):\n    return torch.relu(z)",
        "x = 1",
    ],
)
def test_it_is_found(cell):
    assert found(cell) is not None


@pytest.mark.parametrize(
    "cell",
    [
        BY_HAND,
        "%%time\n" + BY_HAND,
        "%matplotlib inline\n" + BY_HAND,
        "def relu(z):\n    'As torch.relu, by hand.'\n    return z.where(z > 0, 0 * z)",
        "def plot(z):\n    relu = torch.relu(z)\n    return relu\n" + BY_HAND,
        BY_HAND + "assert torch.equal(relu(z), torch.relu(z))",
        "relu = torch.relu\n" + BY_HAND,
        "model.eval()\npattern = re.compile('relu')\n" + BY_HAND,
        "def helper(z):\n    return z > 0\ndef relu(z):\n    return z * helper(z)",
        "def relu(z):\n    return z * (z > 0)\ndef deep(z):\n    return relu(relu(z))",
    ],
)
def test_nothing_is_found_where_nothing_is(cell):
    assert found(cell) is None


def test_the_line_is_that_of_the_function():
    assert found("import torch\n\n\ndef relu(z):\n    a = 1\n    return torch.relu(z)") == (
        "relu",
        3,
    )


def test_an_older_definition_is_forgotten_unless_the_cell_stopped():
    old = "def relu(z):\n    return torch.relu(z)"
    assert found(old, BY_HAND) is None
    assert found(old, Cell(BY_HAND, whole=False)) is not None


@pytest.mark.parametrize(
    "cell",
    [
        "def relu(z):\n    for v in z:\n        v *= v > 0",
        "def relu(z):\n    return torch.stack([v * (v > 0) for v in z])",
        "def relu(z):\n    return torch.stack(list(map(one, z)))",
        "def my(z):\n    while True:\n        pass\ndef relu(z):\n    return my(z)",
        "relu = lambda z: [v * (v > 0) for v in z]",
    ],
)
def test_a_loop_is_found(cell):
    assert found(cell, names=("for", "while", "map")) is not None


def test_a_cell_that_tries_a_function_in_a_loop_is_no_loop_of_the_function():
    assert found(BY_HAND, "for z in [1, 2]:\n    print(relu(z))", names=("for", "while")) is None
