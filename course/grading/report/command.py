"""`course report ASSIGNMENT`: write the page, print its summary."""

from __future__ import annotations

import argparse
from pathlib import Path

from course import build
from course.grading.report import page
from course.grading.report.result import Result, work_out
from course.grading.settings import course_directory


def main(root: Path, options: argparse.Namespace) -> int:
    """Run the command; 0, or BuildError where there is nothing to report."""
    build.lesson_path(root, options.assignment)
    result = work_out(root, course_directory(root).db_url, options.assignment)
    written = page.write(result, options.to or root / "reports" / options.assignment)
    print(summary(result))
    print(f"\nThe whole of it, with examples and tables: {written}")
    return 0


def summary(result: Result) -> str:
    """The report in a screenful of text."""
    n = len(result.submissions)
    lines = [
        f"{result.assignment}: {n} graded, mean {result.mean:.1f}, median {result.median:.1f} "
        f"of {result.most:g} points",
        "",
        f"{'exercise':28} {'got it':>7} {'tells apart':>12} {'unwritten':>10} {'stopped':>8}",
    ]
    for item in result.items:
        apart = "–" if item.discrimination is None else f"{item.discrimination:.2f}"
        share = f"{100 * item.facility:.0f} %"
        lines.append(
            f"{item.exercise:28} {share:>7} {apart:>12} {item.unwritten:>10} {item.stopped:>8}"
        )
    for title, patterns in (
        ("Mistakes made most", result.known[:5]),
        ("Alike, and in no catalogue", result.unknown[:5]),
    ):
        if patterns:
            lines += ["", f"{title}:"]
            lines += [
                f"{len(p.students):4}  {p.exercise}: {p.name or p.says.splitlines()[0][:90]}"
                for p in patterns
            ]
    lines += [
        "",
        f"{len(result.late)} late, {len(result.stopped)} answers stopped, "
        f"{len(result.pairs)} pairs of students with unusual code in common.",
    ]
    return "\n".join(lines)
