"""How fast a class is graded: by plain nbgrader, by nbgrader with our judge, by `course autograde`.

    python benchmarks/autograde.py [--students 60] [--sample 6] [NAME ...]

makes the sample class for each lesson NAME (01_activations and 10_gnn). Plain nbgrader and nbgrader
with the judge and ordinary kernels grade a sample, half of it before `course autograde` grades the
class and half of it after, so that all have the same share of what else the machine does. Marks of
submissions that plain nbgrader can grade must be equal. Throughput is counted between the first and
the last graded copy; what a command takes to start is told apart.

The model: a worker takes W seconds for a submission, as measured with one worker; the command takes
C seconds of a processor for each, whatever the number of workers. So N workers, each with a core of
its own, grade N / W a second, until that is 1 / C.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/grading")]

from small_course import Course, make  # noqa: E402 (the path comes first)

from course.grading import sample  # noqa: E402

# As nbgrader does without any settings, but for the time, which is the judge's here.
PLAIN = "c = get_config()\nc.CourseDirectory.root = {root!r}\nc.Execute.timeout = 60\n"
# The judge, with kernels as Jupyter starts them.
COLD = """
c.Judge.sandbox = False
c.Autograde.autograde_preprocessors = ["cold.Cold", *c.Autograde.autograde_preprocessors[1:]]
"""
COLD_JUDGE = """
from course.grading.judge.execute import Judge

class Cold(Judge):
    def is_warm(self):
        return False
"""
MODEL = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Run:
    """A command: its submissions, seconds to the first, seconds for each more, all seconds.

    `own` is what the command's process takes of a processor for each.
    """

    submissions: int
    first: float
    each: float
    seconds: float
    own: float

    def row(self, name: str) -> str:
        """A line of the table."""
        return (
            f"{name:42} {self.submissions:5} {self.first:9.1f} s {self.each:9.2f} s "
            f"{60 / self.each:9.1f}"
        )


def together(*runs: Run) -> Run:
    """Several runs of the same command as one."""
    count = sum(r.submissions for r in runs)
    parts = [r.submissions / count for r in runs]
    means = [
        sum(p * getattr(r, name) for p, r in zip(parts, runs, strict=True))
        for name in ("first", "each", "seconds", "own")
    ]
    return Run(count, *means)


def copy_of(course: Course, root: Path, students: list[str], settings: str | None = None) -> Course:
    """The course in another folder, with these submissions; other settings, or more after ours."""
    shutil.copytree(
        course.root, root, symlinks=True, ignore=shutil.ignore_patterns("submitted", "autograded")
    )
    for student in students:
        shutil.copytree(course.root / "submitted" / student, root / "submitted" / student)
    made = Course.__new__(Course)
    made.root = root
    made.env = {k: v.replace(str(course.root), str(root)) for k, v in course.env.items()}
    if settings == COLD:
        (root / "cold.py").write_text(COLD_JUDGE)
        with (root / "nbgrader_config.py").open("a") as file:
            file.write(settings)
    elif settings is not None:
        (root / "nbgrader_config.py").write_text(settings.format(root=str(root)))
    return made


def grade(course: Course, assignment: str, *command: str) -> Run:
    """Run a command that grades, and watch the graded copies come."""
    copies = f"autograded/*/{assignment}/{assignment}.ipynb"
    started, wall = time.time(), time.monotonic()
    running = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=course.root, env=course.env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    own: list[tuple[int, float]] = []
    process = psutil.Process(running.pid)
    while running.poll() is None:
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:
            break
        own.append((len(list(course.root.glob(copies))), spent.user + spent.system))
        time.sleep(0.2)
    said = running.communicate()[0]
    seconds = time.monotonic() - wall
    done = sorted(path.stat().st_mtime for path in course.root.glob(copies))
    if len(done) < 2:
        raise SystemExit(f"{' '.join(command)} graded nothing:\n{said[-3000:]}")
    spent_each = 0.0
    between = [(count, cpu) for count, cpu in own if count > 0]
    if between and between[-1][0] > between[0][0]:
        spent_each = (between[-1][1] - between[0][1]) / (between[-1][0] - between[0][0])
    each = (done[-1] - done[0]) / (len(done) - 1)
    return Run(len(done), done[0] - started, each, seconds, spent_each)


def measure(assignment: str, students: int, size: int, folder: Path) -> None:
    """Print the table of one lesson."""
    (folder / "course").mkdir()
    course = make(ROOT, folder / "course", assignment)
    course.nbgrader("generate_assignment", assignment)
    sample.write_class(assignment, students, course.root)
    names = sorted(path.name for path in (course.root / "submitted").glob("student-*"))
    honest = [n for n, fate in zip(names, _fates(), strict=False) if not fate][:size]
    halves = honest[: size // 2], honest[size // 2 :]
    ways = {"plain": PLAIN, "cold": COLD}
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    scores: dict[str, dict] = {way: {} for way in ways}
    for number, half in enumerate(halves):
        for way, settings in ways.items():
            made = copy_of(course, folder / f"{way}-{number}", half, settings)
            runs[way].append(grade(made, assignment, "nbgrader", "autograde", assignment))
            scores[way] |= made.scores(assignment)
        if number == 0:
            ours = copy_of(course, folder / "ours", names)
            workers = len(os.sched_getaffinity(0))
            command = ("course.cli", "autograde", assignment, "--workers")
            whole = grade(ours, assignment, *command, str(workers))
            few = copy_of(course, folder / "one", names[: max(12, size)])
            one = grade(few, assignment, *command, "1")
    given = ours.scores(assignment)
    for way, found in scores.items():
        for student in honest:
            if found[student] != given[student]:
                raise SystemExit(f"{student}: {way} {found[student]}, ours {given[student]}")
    plain, cold = (together(*runs[way]) for way in ways)
    print(f"\n{assignment}, a class of {students}: equal marks on {size} of it")
    print(f"{'':42} {'of it':>5} {'first':>11} {'each':>11} {'a minute':>9}")
    print(plain.row("nbgrader autograde"))
    print(cold.row("nbgrader autograde with the judge, cold"))
    print(one.row("course autograde --workers 1"))
    print(whole.row(f"course autograde --workers {workers}"))
    alone = plain.first + (students - 1) * plain.each
    print(
        f"{plain.each / whole.each:.1f} times plain nbgrader's throughput, "
        f"{cold.each / whole.each:.1f} times with the judge cold; the class with all starts: "
        f"{whole.seconds:.0f} s, plain nbgrader {alone:.0f} s"
    )
    print(f"model: W = {one.each:.2f} s, C = {1000 * whole.own:.0f} ms")
    for n in MODEL:
        rate = min(n / one.each, 1 / whole.own if whole.own else float("inf"))
        print(f"  {n:2} workers on {n:2} cores: {60 * rate:6.0f} a minute")


def _fates() -> list[str]:
    return [fate for *_, fate in sample._CLASS]


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", default=["01_activations", "10_gnn"], metavar="NAME")
    parser.add_argument("--students", type=int, default=60, metavar="N")
    parser.add_argument("--sample", type=int, default=6, metavar="N")
    options = parser.parse_args()
    print(f"on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in options.lessons:
        with tempfile.TemporaryDirectory(prefix="autograde-bench-") as folder:
            measure(name, options.students, options.sample, Path(folder))
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
