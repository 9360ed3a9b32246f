"""Does a stub say what to write, and does no solution get past it?"""

import nbformat
import pytest
from nbformat import NotebookNode

from course.grading.stubs import Stubs


def stubbed(source: str) -> str:
    cell = nbformat.v4.new_code_cell(source)
    mark = {"grade": False, "solution": True, "locked": False, "grade_id": "x", "schema_version": 3}
    cell.metadata["nbgrader"] = mark
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=NotebookNode())
    return Stubs().preprocess(notebook, {})[0].cells[0].source


def test_each_region_becomes_a_sentence_with_its_functions_name() -> None:
    assert stubbed(
        "def relu(z):\n"
        '    """Rectifier."""\n'
        "    ### BEGIN SOLUTION return z where it is positive\n"
        "    return z.clamp(min=0)\n"
        "    ### END SOLUTION\n"
        "\n"
        "\n"
        "class Net:\n"
        "    def forward(self, x):\n"
        "        def inner():\n"
        "            return 1\n"
        "        ### BEGIN SOLUTION chain the layers\n"
        "        return x\n"
        "        ### END SOLUTION\n"
    ) == (
        "def relu(z):\n"
        '    """Rectifier."""\n'
        '    raise NotImplementedError("relu: return z where it is positive")\n'
        "\n"
        "\n"
        "class Net:\n"
        "    def forward(self, x):\n"
        "        def inner():\n"
        "            return 1\n"
        '        raise NotImplementedError("forward: chain the layers")\n'
    )


@pytest.mark.parametrize("text", ['say "z" \\ and', "σ′(z) = σ(z) · (1 − σ(z))", ""])
def test_any_sentence_makes_valid_python(text: str) -> None:
    source = stubbed(
        f"def f(z):\n    ### BEGIN SOLUTION {text}\n    return z\n    ### END SOLUTION"
    )
    space: dict = {}
    exec(source, space)
    with pytest.raises(NotImplementedError) as raised:
        space["f"](1)
    assert str(raised.value) == f"f: {text or 'your code goes here'}"


def test_a_solution_outside_a_function_is_replaced_too() -> None:
    source = stubbed("### BEGIN SOLUTION choose a number\nx = 3\n### END SOLUTION")
    assert source == 'raise NotImplementedError("choose a number")'


def test_an_answer_cell_without_markers_is_emptied() -> None:
    assert "secret" not in stubbed("secret = 3")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("### BEGIN SOLUTION a\n### BEGIN SOLUTION b\n### END SOLUTION", "begins inside another"),
        ("x = 1\n### END SOLUTION", "never began"),
        ("### BEGIN SOLUTION a\nx = 1", "never ends"),
    ],
)
def test_unbalanced_markers_stop_the_release(source: str, says: str) -> None:
    with pytest.raises(RuntimeError, match=says):
        stubbed(source)
