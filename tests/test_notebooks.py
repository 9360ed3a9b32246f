"""The notebooks in a real kernel, from the first cell to the last."""

import time
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(path.stem for path in (ROOT / "lessons").glob("*.py"))
# On two CPU cores by themselves; here another worker's tests run beside, and take half.
SECONDS = dict.fromkeys(NAMES, 30) | {"07_cnn": 60, "12_gan": 60, "13_diffusion": 60}
BESIDE = 2

pytestmark = pytest.mark.xdist_group("notebooks")


@pytest.fixture(autouse=True)
def fresh_profile(tmp_path, monkeypatch) -> None:
    """No start-up files or settings of the user's own in the kernel."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))


def read(kind: str, name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / kind / name / f"{name}.ipynb", as_version=4)


def execute(notebook: nbformat.NotebookNode) -> None:
    """Run the notebook's cells; `nbclient.CellExecutionError` at the first that fails."""
    where = {"metadata": {"path": str(ROOT)}}
    nbclient.NotebookClient(notebook, timeout=120, resources=where).execute()


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.parametrize("grading", [False, True], ids=["student", "grading"])
@pytest.mark.parametrize("name", NAMES)
def test_the_solved_notebook_runs_cleanly_and_in_time(name, grading, monkeypatch):
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    if grading:
        monkeypatch.setenv("COURSE_GRADING", "1")
    notebook = read("source", name)
    started = time.perf_counter()
    execute(notebook)
    seconds = time.perf_counter() - started
    print(f"{name}: {seconds:.1f} s" + (", graded" if grading else ""))
    noise = [o for o in outputs(notebook) if o.output_type == "stream" and o.name == "stderr"]
    assert noise == []
    assert seconds <= BESIDE * SECONDS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_release_runs_to_the_first_exercise_and_says_what_to_write(name):
    notebook = read("release", name)
    with pytest.raises(nbclient.exceptions.CellExecutionError) as failure:
        execute(notebook)
    assert failure.value.ename == "NotImplementedError"
    first = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution"))
    message = first.source.split("NotImplementedError(")[1].split('"')[1]
    assert message.startswith(f"{first.metadata.nbgrader.grade_id}: ")
    assert message in failure.value.evalue


@pytest.mark.parametrize("name", NAMES)
def test_the_release_has_no_outputs(name):
    assert outputs(read("release", name)) == []
