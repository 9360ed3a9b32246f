"""Does every submission, whatever it is, end with a definite score and a sentence about it?"""

import hashlib
import html
import re
from collections.abc import Callable
from pathlib import Path

import damage
import nbformat
import pytest
from nbformat import NotebookNode
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("bad input")

FILE = f"{SMALL}.ipynb"

# What is done to a solved notebook: (change, points for half, for double, what feedback says).
EDITED: dict[str, tuple[Callable[[NotebookNode], None], int, int, str]] = {
    "nothing-wrong": (lambda nb: None, 2, 1, ""),
    "answer-deleted": (damage.remove("half"), 0, 1, "The answer cell half was missing"),
    "both-deleted": (
        damage.remove("half", "test-half"), 0, 1, "The test cell test-half was missing",
    ),
    "answer-twice": (damage.again("half", 3), 2, 1, "The cell half was there 2 times"),
    "answer-retyped": (damage.retype("half"), 2, 1, "cell half had been turned into markdown"),
    "test-edited": (damage.edit_test, 0, 1, "The test cell test-half had been changed"),
    "marks-lost": (damage.lose_marks, 2, 1, "If its functions stand in another cell"),
    "syntax-error": (damage.append("half", "print('"), 0, 1, "not read the answer cell half"),
    "no-code": (damage.only_text, 0, 0, "There is no code of your own in this notebook"),
    "odd-text": (damage.odd_text, 2, 1, ""),
    "endless-end": (damage.endless, 2, 1, ""),  # behind all that is graded: it is not run
}  # fmt: skip


def folders(notebook: NotebookNode) -> dict[str, tuple[dict[str, bytes], int, int, str]]:
    """Folders as handed in: (files by name, points for half, for double, what feedback says)."""
    good = damage.text_of(notebook)
    return {
        "a-picture": ({FILE: b"\x89PNG\r\n\x00\xff"}, 0, 0, "not written as a notebook is"),
        "empty-file": ({FILE: b""}, 0, 0, "could not be read as a notebook: it is empty"),
        "old-format": ({FILE: damage.old_format(notebook)}, 2, 1, "in an old format (version 3)"),
        "wrong-name": (
            {"My <work> (1).ipynb": good}, 2, 1, "You handed in My ?work? (1).ipynb instead",
        ),
        "no-notebook": ({"notes.txt": b"later"}, 0, 0, "nor any other notebook"),
        "extra-files": (
            {FILE: good, "data.bin": b"\x00\xff" * 500_000, "other.ipynb": b"?"}, 2, 1, "",
        ),
    }  # fmt: skip


KINDS = [*EDITED, *folders(nbformat.v4.new_notebook())]


@pytest.fixture(scope="module")
def graded(new_course: Callable[[str], Course]) -> tuple[Course, dict, str]:
    """The whole bank, graded with feedback in one go; what each kind is to get, and a digest."""
    course = new_course(SMALL)
    release = course.released(SMALL)
    expected = {}
    for kind, (change, half, double, says) in EDITED.items():
        notebook = damage.solved(release)
        change(notebook)
        (course.hand_in(kind, SMALL) / FILE).write_bytes(damage.text_of(notebook))
        expected[kind] = (half, double, says)
    for kind, (files, half, double, says) in folders(damage.solved(release)).items():
        folder = course.hand_in(kind, SMALL)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        expected[kind] = (half, double, says)
    before = digest(course.root / "submitted")
    course.nbgrader("autograde", SMALL)
    course.nbgrader("generate_feedback", SMALL)
    return course, expected, before


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(f"{path.relative_to(folder)} {path.stat().st_mode}".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_gets_its_score_and_its_sentence(kind: str, graded: tuple[Course, dict, str]) -> None:
    course, expected, _ = graded
    half, double, says = expected[kind]
    assert course.scores(SMALL)[kind] == {"half": half, "double": double}
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", "", course.page(kind, SMALL))).split())
    assert says in words
    assert f"{half + double} of 3 points" in words
    assert ("About your submission" in words) == bool(says)


@pytest.mark.parametrize("kind", KINDS)
def test_page_has_no_network_no_script_and_no_hidden_test(
    kind: str, graded: tuple[Course, dict, str]
) -> None:
    page = graded[0].page(kind, SMALL)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "<script" not in page
    assert "hidden sentence" not in page
    assert len(page) < 1_000_000


def test_nothing_handed_in_is_touched(graded: tuple[Course, dict, str]) -> None:
    course, _, before = graded
    assert digest(course.root / "submitted") == before


def test_formula_is_drawn_without_the_network(graded: tuple[Course, dict, str]) -> None:
    assert "<mfrac><mrow><mi>z</mi></mrow><mrow><mn>2</mn></mrow></mfrac>" in graded[0].page(
        "nothing-wrong", SMALL
    )


def test_feedback_is_released_under_every_name_that_was_handed_in(
    graded: tuple[Course, dict, str],
) -> None:
    course = graded[0]
    course.nbgrader("release_assignment", SMALL)
    course.nbgrader("release_feedback", SMALL)
    pages = list((course.root / "feedback").rglob("*.html"))
    assert len(pages) == len(KINDS) + 1  # the wrong name and the right one
    assert len(list((course.root / "exchange").glob("*/feedback/*.html"))) == len(pages)
