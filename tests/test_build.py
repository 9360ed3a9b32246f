"""Are source/ and release/ what the lessons give, and is nothing lost or told on the way?"""

import json
import shutil
import subprocess
import sys

import nbformat
import pytest

from course import build, leaks, publish
from course.build import BuildError
from course.cli import main

NAME = "01_activations"
pytestmark = pytest.mark.xdist_group("build")


def test_what_is_committed_is_what_the_lessons_give(root):
    assert build.check(root, build.names(root)) == []


def test_a_second_build_does_nothing(course_copy):
    assert build.build(course_copy, [NAME]) == [NAME]  # no gradebook yet
    before = (course_copy / "release" / NAME / f"{NAME}.ipynb").read_bytes()
    assert build.build(course_copy, [NAME]) == []
    assert (course_copy / "release" / NAME / f"{NAME}.ipynb").read_bytes() == before


def test_an_edit_in_the_notebook_is_kept_until_it_is_synced(course_copy):
    path = build.notebook_path(course_copy, "source", NAME)
    edited = nbformat.read(path, as_version=4)
    edited.cells[0].source += "\n\nWritten in JupyterLab."
    nbformat.write(edited, path)
    with pytest.raises(BuildError, match="course sync"):
        build.build(course_copy, [NAME])
    assert build.sync(course_copy, NAME)
    assert "# Written in JupyterLab." in (course_copy / "lessons" / f"{NAME}.py").read_text()
    assert not build.sync(course_copy, NAME)
    assert build.build(course_copy, [NAME]) == []


def test_two_edits_at_once_are_not_merged_by_guess(course_copy):
    path = build.notebook_path(course_copy, "source", NAME)
    edited = nbformat.read(path, as_version=4)
    edited.cells[0].source += "\n\nWritten in JupyterLab."
    nbformat.write(edited, path)
    lesson = course_copy / "lessons" / f"{NAME}.py"
    lesson.write_text(lesson.read_text().replace("# %%\n", "# %%\n# Written here.\n", 1))
    with pytest.raises(BuildError, match=r"Both .* were changed"):
        build.sync(course_copy, NAME)


def test_a_notebook_with_outputs_only_is_not_an_edit(course_copy):
    path = build.notebook_path(course_copy, "source", NAME)
    run = nbformat.read(path, as_version=4)
    code = next(cell for cell in run.cells if cell.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="seen")]
    nbformat.write(run, path)
    assert not build.sync(course_copy, NAME)


def test_a_missing_lesson_names_those_there_are(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    assert main(["build", "01_activation"]) == 1
    assert f"The lessons are: {NAME}" in capsys.readouterr().err


def test_outside_a_course_folder_a_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 1
    assert "not a course folder" in capsys.readouterr().err


def test_students_are_given_no_answer(root):
    assert leaks.scan(root, [root / "release", root / "course"]) == []


@pytest.mark.parametrize("kind", ["solution", "hidden test", "mistake", "alternative", "output"])
def test_each_kind_of_leak_is_found(course_copy, kind):
    exercise = next(
        iter(build.lessons.read(build.lesson_path(course_copy, NAME)).exercises.values())
    )
    planted = {
        "solution": _longest(exercise.answer.split(leaks.BEGIN_SOLUTION)[1].splitlines()[1:]),
        "hidden test": _longest(exercise.test.split(leaks.BEGIN_HIDDEN)[1].splitlines()[1:]),
        "mistake": exercise.mistakes[0].says,
        "alternative": _longest(exercise.alternatives[0].source.splitlines()[1:]),
        "output": None,
    }[kind]
    path = build.notebook_path(course_copy, "release", NAME)
    released = nbformat.read(path, as_version=4)
    if planted is None:
        code = next(cell for cell in released.cells if cell.cell_type == "code")
        code.outputs = [nbformat.v4.new_output("stream", text="0.25")]
    else:
        released.cells.append(nbformat.v4.new_code_cell(f"    {planted}  # left here"))
    nbformat.write(released, path)
    found = leaks.scan(course_copy, [course_copy / "release"])
    assert found
    assert kind in found[0]


def test_what_one_lesson_shows_is_no_secret_of_another(course_copy):
    lesson = build.lesson_path(course_copy, NAME)
    exercise = next(iter(build.lessons.read(lesson).exercises.values()))
    hidden = _longest(exercise.test.split(leaks.BEGIN_HIDDEN)[1].splitlines()[1:])
    (course_copy / "course" / "given.py").write_text(hidden)
    assert leaks.scan(course_copy, [course_copy / "course"])
    other = f"# %% [markdown]\n# **Points** 0\n\n# %%\n{hidden}\n"
    (course_copy / "lessons" / "99_other.py").write_text(other)
    assert leaks.scan(course_copy, [course_copy / "course"]) == []


def _longest(lines):
    return max((line.strip() for line in lines if "###" not in line), key=len)


def test_what_is_published_has_no_answer_and_can_be_installed(course_copy, tmp_path_factory):
    target = tmp_path_factory.mktemp("students") / "repository"
    written = publish.publish(course_copy, target)
    names = {path.relative_to(target).as_posix() for path in written}
    assert f"release/{NAME}/{NAME}.ipynb" in names
    assert {"README.md", "Makefile", "course/check.py", "requirements.lock"} <= names
    assert not any(name.startswith(("lessons", "source", "course/grading")) for name in names)
    assert leaks.scan(course_copy, [target]) == []
    imported = "from course import check, data, device, widgets; print(check.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", imported], cwd=target, capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith(str(target))


def test_publishing_again_updates_and_leaves_other_files_alone(course_copy, tmp_path_factory):
    target = tmp_path_factory.mktemp("students") / "repository"
    publish.publish(course_copy, target)
    (target / ".git").mkdir()
    (target / "course" / "stale.py").write_text("")
    (target / "NEWS.md").write_text("ours")
    publish.publish(course_copy, target)
    assert not (target / "course" / "stale.py").exists()
    assert (target / "NEWS.md").read_text() == "ours"
    assert (target / ".git").is_dir()


def test_a_leak_stops_publishing(course_copy, tmp_path_factory):
    target = tmp_path_factory.mktemp("students") / "repository"
    shutil.copy(course_copy / "lessons" / f"{NAME}.py", course_copy / "course" / "forgotten.py")
    with pytest.raises(BuildError, match=r"forgotten\.py"):
        publish.publish(course_copy, target)
    assert not target.exists()


def test_another_folder_is_not_overwritten(course_copy, tmp_path_factory):
    target = tmp_path_factory.mktemp("thesis")
    (target / "thesis.tex").write_text("years of work")
    with pytest.raises(BuildError, match="not empty"):
        publish.publish(course_copy, target)
    assert [p.name for p in target.iterdir()] == ["thesis.tex"]


def test_the_release_says_what_it_is_worth(root):
    for name in build.names(root):
        released = json.loads(build.notebook_path(root, "release", name).read_text())
        points = [c["metadata"]["nbgrader"].get("points", 0) for c in released["cells"]
                  if "nbgrader" in c["metadata"]]  # fmt: skip
        assert released["metadata"]["course"]["points"] == sum(points)
