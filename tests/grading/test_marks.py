"""Do marks arrive in Canvas and Moodle, whatever the names are, and do no harm on the way?"""

import csv
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from course import cli
from course.grading import marks

# What people are called, or might say they are.
NAMES = [
    "O'Neill, Jr.", 'Maria "Mia"', "two\nlines", "a\r\nb", "tab\there", "Ødegård", "李小龍", "Нина",
    "مريم", "=1+2", "+1", "-1+1", "@SUM(A1)", "\t=1+2", "\r=1", " =1", "＝1+2", "ends with \\",
    '\\", "x', "Points Possible", "a;b;c", "'", "", None, "x" * 128,
]  # fmt: skip
IDS = ["u0001", "007", "Ñu,2", 'say"so"', "a@b.org", "李", "1e5", "with space"]
FIRST, SECOND = "01_activations", "02_softmax"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two assignments of 5 and 2 points; the first is graded, for all but the last student."""
    path = tmp_path_factory.mktemp("filled") / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as made:
        for assignment, points in ((FIRST, 5), (SECOND, 2)):
            made.add_assignment(assignment, duedate="2026-01-12")
            made.add_notebook(assignment, assignment)
            made.add_grade_cell("test", assignment, assignment, max_score=points, cell_type="code")
        for k, name in enumerate(NAMES):
            student = IDS[k] if k < len(IDS) else f"s{k}"
            made.add_student(student, last_name=name, first_name=NAMES[k - 3], email=name)
            if k < len(NAMES) - 1:
                made.add_submission(FIRST, student)
                made.find_grade("test", FIRST, FIRST, student).auto_score = 1 + k % 4
        made.db.commit()
    return path


@pytest.fixture
def gradebook(filled: Path, tmp_path: Path) -> Iterator[Gradebook]:
    """A copy of it, to be changed."""
    shutil.copy(filled, tmp_path / "gradebook.db")
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as copy:
        yield copy


def table(gradebook: Gradebook, path: Path, kind: str, **settings: object) -> list[list[str]]:
    """What is in the file, read as Python, R and spreadsheets read it."""
    marks.FORMATS[kind](to=str(path), **settings).export(gradebook)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


@pytest.mark.parametrize("kind", marks.FORMATS)
def test_no_name_breaks_the_table_or_runs_as_a_formula(
    gradebook: Gradebook, tmp_path: Path, kind: str
) -> None:
    rows = table(gradebook, tmp_path / "marks.csv", kind)
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        assert not cell.strip().startswith(("=", "+", "@", "＝"))
        assert cell == "-" or not cell.startswith("-")
        assert "\n" not in cell
        assert "\t" not in cell
    said = {cell for row in rows for cell in row}
    for name in ("Ødegård", "李小龍", "Нина", "مريم"):
        assert any(name in cell for cell in said)


@pytest.mark.parametrize("kind", marks.FORMATS)
def test_every_id_arrives_as_it_is_with_its_points(
    gradebook: Gradebook, tmp_path: Path, kind: str
) -> None:
    rows = table(gradebook, tmp_path / "marks.csv", kind, assignment=[FIRST])
    column = {"canvas": 2, "moodle": 2, "csv": 3}[kind]
    points = rows[0].index("score" if kind == "csv" else FIRST)
    found = {row[column]: row[points] for row in rows if row[column] in {*IDS, "s24"}}
    expected = {name: str(1 + k % 4) for k, name in enumerate(IDS)}
    assert found == {**expected, "s24": "-" if kind == "moodle" else ""}


@pytest.mark.parametrize(
    "name", ["=1", "+49", "-x", "@x", "\tx", " x", "x ", "x\ny", "a\\b", "a  b"]
)
def test_an_id_that_would_not_arrive_is_refused(
    gradebook: Gradebook, tmp_path: Path, name: str
) -> None:
    gradebook.add_student(name)
    with pytest.raises(marks.BuildError, match="can't be exported"):
        table(gradebook, tmp_path / "marks.csv", "canvas")
    assert not (tmp_path / "marks.csv").exists()


def test_canvas_finds_its_columns_and_the_points_possible(
    gradebook: Gradebook, tmp_path: Path
) -> None:
    gradebook.update_or_create_student("s23", lms_user_id="4711")
    header, possible, *students = table(gradebook, tmp_path / "marks.csv", "canvas")
    # lib/gradebook_importer.rb of Canvas: what it asks of a header, and how it reads on.
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert header[2:5] == ["SIS User ID", "SIS Login ID", "Section"]
    assert header[5:] == [FIRST]  # of the other, nothing is graded
    assert "Points Possible" in possible[0]
    assert possible[5:] == ["5"]
    assert not [row for row in students if "Points Possible" in row[0]]
    # What the register calls a student counts, not the account; it is no number of Canvas's own.
    assert [row[1:4] for row in students if "4711" in row] == [["", "4711", "4711"]]
    assert "s23" not in {row[2] for row in students}
    assert all(any(cell.strip() for cell in row) for row in students)


def test_moodle_reads_the_same_although_a_backslash_escapes_there(
    gradebook: Gradebook, tmp_path: Path
) -> None:
    rows = table(gradebook, tmp_path / "marks.csv", "moodle")
    text = (tmp_path / "marks.csv").read_text(encoding="utf-8-sig")
    # As PHP's fgetcsv with its escape character, which Moodle sets.
    php = csv.reader(text.splitlines(keepends=True), escapechar="\\", doublequote=True)
    assert list(php) == rows
    assert rows[0][:4] == ["First name", "Last name", "ID number", "Email address"]


def test_penalties_manual_marks_and_extra_credit_count(
    gradebook: Gradebook, tmp_path: Path
) -> None:
    changed = gradebook.find_grade("test", FIRST, FIRST, "u0001")
    changed.manual_score, changed.extra_credit = 3.25, 0.5
    late = gradebook.find_submission_notebook(FIRST, FIRST, "u0001")
    late.late_submission_penalty = 1 / 3
    gradebook.find_submission_notebook(FIRST, FIRST, "007").late_submission_penalty = 99
    gradebook.db.commit()
    rows = table(gradebook, tmp_path / "marks.csv", "csv")
    of = {row[3]: dict(zip(rows[0], row, strict=True)) for row in rows}
    assert of["u0001"]["raw_score"] == "3.75"
    assert of["u0001"]["late_submission_penalty"] == "0.33"
    assert of["u0001"]["score"] == "3.42"
    assert of["007"]["score"] == "0"


def test_missing_is_blank_or_0_also_with_an_extension(gradebook: Gradebook, tmp_path: Path) -> None:
    gradebook.add_submission(FIRST, "s24")  # as `course extend` does
    path = tmp_path / "marks.csv"
    by_id = {row[2]: row[5] for row in table(gradebook, path, "canvas")}
    assert by_id["s24"] == ""
    by_id = {row[2]: row[5] for row in table(gradebook, path, "canvas", missing="0")}
    assert by_id["s24"] == "0"


def test_the_file_is_its_owners_alone(gradebook: Gradebook, tmp_path: Path) -> None:
    table(gradebook, tmp_path / "marks.csv", "csv")
    assert stat.S_IMODE((tmp_path / "marks.csv").stat().st_mode) == 0o600


@pytest.mark.usefixtures("gradebook")
def test_the_command_and_nbgrader_write_the_same(
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(root)
    db = f"sqlite:///{tmp_path}/gradebook.db"
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    assert cli.main(["marks", FIRST, "--to", "canvas", str(ours), "--db", db]) == 0
    assert f"{FIRST}: 24 handed in, 5 points, 24 still" in capsys.readouterr().out
    run = subprocess.run(
        [
            *(sys.executable, "-m", "nbgrader", "export", f"--db={db}", f"--to={theirs}"),
            "--exporter=course.grading.marks.Canvas",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert ours.read_bytes() == theirs.read_bytes()
    assert cli.main(["marks", "--to", "canvas", str(ours), "--db", db]) == 1
    assert cli.main(["marks", "--all", "--to", "excel", str(ours), "--db", db]) == 1
