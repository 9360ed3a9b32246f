"""How often graded training passes: each right answer, and each wrong one, over many seeds.

An exercise that is graded on what its training achieves could fail a right answer by bad luck, or
pass a wrong one by good luck. Here every answer of the catalogue is judged with as many seeds as
asked for: right ones should pass each time, wrong ones never. For right ones the worst figure is
printed, too, that any of the judged trainings achieved: some exercises ask it of the best of a few.

    python benchmarks/training.py [lesson ...] [--seeds 50] [--exercise NAME ...] [--right]
"""

import argparse
import statistics
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

from course import check
from course import lesson as lessons
from course.grading import bank
from course.grading.catalogue import Answer, alternatives, mistakes, solution
from course.threads import one_thread

ROOT = Path(__file__).resolve().parent.parent
# The exercises of each lesson that are graded on what training achieves: the variable of the graded
# cell that holds it, and whether its worst is the smallest or the largest. XorGPT's is yes or no.
TRAINING: dict[str, dict[str, tuple[str, Callable] | None]] = {
    "07_cnn": {"DigitsCNN": ("right", min)},
    "09_attention": {"XorGPT": None},
    "10_gnn": {"train_karate": ("right", min), "classify_graphs": ("shares", min)},
    "12_gan": {"train_gan": ("off", max), "players": ("best", min)},
    "13_diffusion": {"train": ("best", max)},
}


def answers(exercise: lessons.Exercise, right_only: bool) -> list[Answer]:
    """The solution, the other right answers, and the wrong ones."""
    right = [solution(exercise), *alternatives(exercise)]
    return right if right_only else [*right, *mistakes(exercise)]


def judge(lesson: lessons.Lesson, exercise: lessons.Exercise, source: str) -> tuple[bool, dict]:
    """Whether an answer passes, and the variables of its graded cell afterwards."""
    made = types.ModuleType("__main__")
    try:
        with one_thread():
            made = bank.notebook(lesson, exercise, source)
            bank.execute(exercise.test, made)
    except Exception:
        return False, vars(made)
    return True, vars(made)


def passes(
    lesson: lessons.Lesson, exercise: lessons.Exercise, answer: Answer, seeds: int
) -> tuple[int, list[float], list[float]]:
    """With how many of the seeds 0, 1, ... the answer passes, what it achieved, and its seconds."""
    assert answer.source is not None
    looked_at = TRAINING[lesson.name][exercise.name]
    passed, achieved, seconds = 0, [], []
    for seed in range(seeds):
        check.seed(seed)
        started = time.perf_counter()
        good, variables = judge(lesson, exercise, answer.source)
        passed += good
        seconds.append(time.perf_counter() - started)
        value = variables.get(looked_at[0], []) if looked_at else []
        achieved += value if isinstance(value, list) else [value]
    return passed, achieved, seconds


def main(options: argparse.Namespace) -> int:
    """Print a line for each answer; 1 where a right one failed or a wrong one passed."""
    wrong = 0
    for name in options.lessons or TRAINING:
        lesson = lessons.read(ROOT / "lessons" / f"{name}.py")
        for exercise in (lesson.exercises[e] for e in TRAINING[name]):
            if options.exercise and exercise.name not in options.exercise:
                continue
            print(f"{name}, {exercise.name}: passed of {options.seeds}, seconds, most, and worst")
            for answer in answers(exercise, options.right):
                passed, achieved, seconds = passes(lesson, exercise, answer, options.seeds)
                good = passed == (options.seeds if answer.right else 0)
                wrong += not good
                mark = "  " if good else "! "
                times = f"{statistics.median(seconds):6.2f} {max(seconds):6.2f}"
                worst = ""
                if answer.right and achieved and (looked_at := TRAINING[name][exercise.name]):
                    worst = f"{looked_at[1](achieved):.4g} of {len(achieved)}"
                print(f"{mark}{answer!s:45} {passed:5} {times}  {worst}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("lessons", nargs="*", choices=[*TRAINING, []], help="all of them without")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--exercise", nargs="*", default=[], help="these exercises alone")
    parser.add_argument("--right", action="store_true", help="right answers alone")
    sys.exit(main(parser.parse_args()))
