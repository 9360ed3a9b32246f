"""How often graded training passes: each right answer, and each wrong one, over many seeds.

An exercise that is graded on what its training achieves could fail a right answer by bad luck, or
pass a wrong one by good luck. Here every answer of the catalogue is judged with as many seeds as
asked for: right ones should pass each time, wrong ones never.

    python benchmarks/training.py [lesson ...] [--seeds 50] [--exercise NAME ...] [--right]
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

from course import lesson as lessons
from course.grading import bank
from course.grading.catalogue import Answer, alternatives, mistakes, solution

ROOT = Path(__file__).resolve().parent.parent
# The exercises of each lesson that are graded on what training achieves.
TRAINING = {
    "12_gan": ["train_gan", "players"],
    "13_diffusion": ["train"],
}


def answers(exercise: lessons.Exercise, right_only: bool) -> list[Answer]:
    """The solution, the other right answers, and the wrong ones."""
    right = [solution(exercise), *alternatives(exercise)]
    return right if right_only else [*right, *mistakes(exercise)]


def passes(
    lesson: lessons.Lesson, exercise: lessons.Exercise, answer: Answer, seeds: int
) -> tuple[int, list[float]]:
    """How many of the seeds 0, 1, ... the answer passes with, and the seconds that each took."""
    assert answer.source is not None
    passed, seconds = 0, []
    for seed in range(seeds):
        os.environ["COURSE_SEED"] = str(seed)
        started = time.perf_counter()
        passed += bank.judge(lesson, exercise, answer.source) is None
        seconds.append(time.perf_counter() - started)
    return passed, seconds


def main(options: argparse.Namespace) -> int:
    """Print a line for each answer; 1 where a right one failed or a wrong one passed."""
    wrong = 0
    for name in options.lessons or TRAINING:
        lesson = lessons.read(ROOT / "lessons" / f"{name}.py")
        for exercise in (lesson.exercises[e] for e in TRAINING[name]):
            if options.exercise and exercise.name not in options.exercise:
                continue
            print(f"{name}, {exercise.name}: passed of {options.seeds}, seconds at most")
            for answer in answers(exercise, options.right):
                passed, seconds = passes(lesson, exercise, answer, options.seeds)
                good = passed == (options.seeds if answer.right else 0)
                wrong += not good
                mark = "  " if good else "! "
                times = f"{statistics.median(seconds):6.2f} {max(seconds):6.2f}"
                print(f"{mark}{answer!s:45} {passed:5} {times}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("lessons", nargs="*", choices=[*TRAINING, []], help="all of them without")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--exercise", nargs="*", default=[], help="these exercises alone")
    parser.add_argument("--right", action="store_true", help="right answers alone")
    sys.exit(main(parser.parse_args()))
