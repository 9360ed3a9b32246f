"""What the judge keeps from happening, beside plain nbgrader; and what it costs.

    python benchmarks/grading.py [NAME ...]

grades the bank of attacks (or those with a NAME in theirs) twice, by the course's settings and by
nbgrader's own, and prints what each attack got. Then it prints how much longer a graded cell of
lesson 01 takes in the judge than by direct calls in one process.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests/grading" / p) for p in ("", "attacks", "judge"))]

import bank  # noqa: E402 (the path comes first)
import course_under_attack as attacked  # noqa: E402
import nbformat  # noqa: E402
from desk import Desk  # noqa: E402
from small_course import Course  # noqa: E402

from course import lesson as lessons  # noqa: E402
from course.grading import bank as catalogue  # noqa: E402
from course.lesson import Lesson  # noqa: E402

# As nbgrader does without any settings, but for the time: an ordinary kernel imports torch first.
PLAIN = "c = get_config()\nc.CourseDirectory.root = {root!r}\nc.Execute.timeout = 20\n"


@dataclass(frozen=True)
class Got:
    """What an attack came to: a forged point, something hidden seen, no score, an honest 0."""

    forged: bool
    saw: bool
    no_score: bool
    robbed: bool

    def __str__(self) -> str:
        words = {
            "forged points": self.forged, "saw what is hidden": self.saw,
            "no score": self.no_score, "lost honest points": self.robbed,
        }  # fmt: skip
        return ", ".join(word for word, holds in words.items() if holds) or "nothing"


def main(wanted: list[str]) -> None:
    """Print both parts."""
    attacks = [
        a for a in bank.read()
        if not a.sandbox and (not wanted or any(name in a.name for name in wanted))
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda kind: _outcomes(Path(folder), attacks, kind), (True, False)))
    print(f"{'attack':38} {'with the judge':32} with plain nbgrader")
    for attack in attacks:
        note = "  (needs the sandbox)" if attack.sandbox else ""
        judged, plain = (str(got[attack.name]) for got in both)
        print(f"{attack.name:38} {judged:32} {plain}{note}")
    for kind in bank.KINDS:
        counts = [
            sum(str(got[a.name]) != "nothing" for a in attacks if a.name.startswith(kind + "/"))
            for got in both
        ]
        total = sum(a.name.startswith(kind + "/") for a in attacks)
        print(f"{kind:8} {total:3} attacks: {counts[0]:3} succeed, {counts[1]:3} without it")
    _cost(lessons.read(ROOT / "lessons" / "01_activations.py"))


def _outcomes(folder: Path, attacks: list[bank.Attack], judged: bool) -> dict[str, Got]:
    """By attack, each handed in alone, for plain nbgrader runs a whole notebook in one process."""
    root = folder / ("judge" if judged else "plain")
    root.mkdir()
    alone = [bank.Submission(a.name.replace("/", "-").replace("_", "-"), [a]) for a in attacks]
    course = attacked.prepare(ROOT, root, alone)
    if not judged:
        (root / "nbgrader_config.py").write_text(PLAIN.format(root=str(root)))
    _grade(course, [] if judged else [one.student for one in alone])
    scores = course.scores(attacked.NAME)
    points = {name: e.points for name, e in attacked.spoken().exercises.items()}
    return {
        attack.name: _got(course, attack, scores.get(one.student, {}), points, one.student)
        for attack, one in zip(attacks, alone, strict=True)
    }


def _grade(course: Course, students: list[str]) -> None:
    """Autograde: all in one run with the judge (none given), else one by one.

    Plainly, one attack ends the run for all that come after it, or stays in IPython's settings.
    """
    command = [sys.executable, "-m", "nbgrader", "autograde", attacked.NAME]
    for one in [[f"--student={student}"] for student in students] or [[]]:
        subprocess.run(
            [*command, *one], cwd=course.root, env=course.env, capture_output=True, check=False
        )
        shutil.rmtree(course.env["IPYTHONDIR"], ignore_errors=True)


def _got(
    course: Course, attack: bank.Attack, scores: dict, points: dict[str, int], student: str
) -> Got:
    honest = set(points) - attack.loses - attack.may_lose
    path = course.root / "autograded" / student / attacked.NAME / f"{attacked.NAME}.ipynb"
    cells = nbformat.read(path, as_version=4).cells if path.is_file() else []
    # A graded cell's own traceback shows its lines to plain nbgrader's students as well.
    shown = str([c.outputs for c in cells if c.cell_type == "code"])
    no_score = any(scores.get(name) is None for name in points)
    return Got(
        forged=any(scores.get(name) for name in attack.loses),
        saw=attacked.CANARIES.search(shown) is not None,
        no_score=no_score,
        robbed=not no_score and any(scores[name] != points[name] for name in honest),
    )


def _cost(lesson: Lesson, repeats: int = 5) -> None:
    desk = Desk()
    added: list[float] = []
    given = [c.source for c in lesson.cells if c.cell_type == "code" and not lessons.key_of(c)]
    for source in given:
        if "widgets." not in source:
            desk.run(source)
    print(f"\n{'graded cell':28} {'direct':>9} {'judged':>9} {'more':>9}")
    for exercise in lesson.exercises.values():
        desk.run(exercise.answer)
        own = catalogue.notebook(lesson, exercise, exercise.answer)
        direct, judged = [], []
        for _ in range(repeats):
            start = time.perf_counter()
            catalogue.execute(exercise.test, own)
            between = time.perf_counter()
            verdict = desk.hear(exercise.test)
            judged.append(1000 * (time.perf_counter() - between))
            direct.append(1000 * (between - start))
            assert verdict.passed, verdict.told
        more = [j - d for j, d in zip(judged, direct, strict=True)]
        added += more
        middle = [statistics.median(times) for times in (direct, judged, more)]
        print(f"{exercise.name:28} " + " ".join(f"{ms:6.1f} ms" for ms in middle))
    desk.close()
    p95 = statistics.quantiles(added, n=20)[-1]
    print(f"the judge adds {statistics.median(added):.1f} ms (median), {p95:.1f} ms (95%)")
    print(f"on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
