"""Does a student see what is done, from what was run and the notebook itself?"""

import json
import shutil
from pathlib import Path

import pytest

from course import journal, progress

RELEASE = "release/01_activations/01_activations.ipynb"
POINTS = 22


@pytest.fixture
def notebook(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a released notebook in it, as the kernel's own."""
    shutil.copy(root / RELEASE, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "work/01_activations/01_activations.ipynb")
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return tmp_path / "01_activations.ipynb"


@pytest.mark.usefixtures("notebook")
def test_nothing_is_done_at_first() -> None:
    steps = progress().steps
    assert {step.state for step in steps} == {"open"}
    assert sum(step.points for step in steps) == POINTS
    assert steps[0].title == "One neuron"
    assert "0 of 13 exercises pass" in progress().summary


@pytest.mark.usefixtures("notebook")
def test_a_cell_counts_as_it_was_last_run() -> None:
    first = lambda: progress().steps[0].state  # noqa: E731
    journal.note("neuron", "def neuron(): raise NotImplementedError('x')", True)
    assert first() == "open"
    journal.note("neuron", "def neuron(): return 1", True)
    assert first() == "written"
    journal.note("test-neuron", "check.close(neuron(), 2)", False)
    assert first() == "fails"
    journal.note("test-neuron", "check.close(neuron(), 2)", True)
    assert first() == "passes"
    shown = progress()
    assert "1 of 13 exercises pass their visible checks, 1 of 22 points" in shown.summary
    assert repr(shown).startswith("✓")
    assert shown._repr_html_().count("<tr>") == 14


@pytest.mark.usefixtures("notebook")
def test_it_lasts_beyond_the_kernel_and_hurts_no_one_when_broken() -> None:
    journal.note("neuron", "def neuron(): return 1", True)
    assert json.loads(Path(journal.FILE).read_text())["neuron"] == {"ok": True, "written": True}
    Path(journal.FILE).write_text("[half a fi")
    assert progress().steps[0].state == "open"
    journal.note("neuron", "def neuron(): return 1", True)
    assert progress().steps[0].state == "written"


def test_a_broken_or_missing_notebook_is_told(notebook: Path) -> None:
    notebook.write_text("{")
    assert "could not be read" in progress().summary
    notebook.unlink()
    assert "No notebook" in progress().summary


def test_nothing_is_written_down_while_grading(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_GRADING", "1")
    journal.note("neuron", "def neuron(): return 1", True)
    assert not (notebook.parent / journal.FILE).exists()
