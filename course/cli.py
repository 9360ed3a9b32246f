"""`course ...`: what neither nbgrader nor Jupyter does already."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from course import build, leaks, publish
from course.build import BuildError
from course.classroom import command as classroom


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit status is 0, or 1 after one clear sentence on what went wrong."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(_root(), options)
    except BuildError as problem:
        print(problem, file=sys.stderr)
    except OSError as problem:
        print(f"{problem.strerror}: {problem.filename}", file=sys.stderr)
    return 1


def _root() -> Path:
    """The course folder that the current folder stands in."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "nbgrader_config.py").is_file() and (folder / "lessons").is_dir():
            return folder
    raise BuildError("This is not a course folder: go to the one that has lessons/ in it.")


def _build(root: Path, options: argparse.Namespace) -> int:
    wanted = options.lessons or build.names(root)
    if options.check:
        problems = build.check(root, wanted)
        print("\n".join(problems) or "source/ and release/ are what the lessons give.")
        return 1 if problems else 0
    built = build.build(root, wanted, options.force)
    print(f"Built {', '.join(built)}." if built else "Up to date.")
    return 0


def _sync(root: Path, options: argparse.Namespace) -> int:
    for name in options.lessons or build.names(root):
        edited = build.sync(root, name, options.force)
        print(f"{name}: {'the edits are in the lesson now' if edited else 'no edits'}.")
    return 0


def _publish(root: Path, options: argparse.Namespace) -> int:
    build.build(root, build.names(root))
    written = publish.publish(root, options.folder.resolve())
    print(f"{len(written)} files written to {options.folder}; none has an answer in it.")
    return 0


def _leaks(root: Path, options: argparse.Namespace) -> int:
    given = options.paths or [root / "release", root / "course"]
    found = leaks.scan(root, given)
    print("\n".join(found) or "Nothing that students must not see.")
    return 1 if found else 0


def _sample_class(root: Path, options: argparse.Namespace) -> int:
    from course.grading import sample  # imports nbgrader: not for the other commands

    build.lesson_path(root, options.assignment)
    build.build(root, [options.assignment])
    return sample.main(root, options)


def _shut_in(options: argparse.Namespace) -> None:
    """Have the kernels of a command shut in, or not. BuildError where that can't be had."""
    from course.grading.sandbox import probe

    if options.no_sandbox:
        os.environ["COURSE_NO_SANDBOX"] = "1"  # for nbgrader, which runs in processes of its own
    elif not os.environ.get("COURSE_NO_SANDBOX") and (missing := probe.what_is_missing()):
        raise BuildError(missing)


def _doctor(root: Path, _: argparse.Namespace) -> int:
    from course.grading import doctor  # imports nbgrader: not for the other commands

    return doctor.main(root)


def _check_grader(root: Path, options: argparse.Namespace) -> int:
    from course.grading import inspection  # imports nbgrader: not for the other commands

    _shut_in(options)
    for name in options.lessons:
        build.lesson_path(root, name)
    return inspection.main(root, options)


def _report(root: Path, options: argparse.Namespace) -> int:
    from course.grading.report import command  # imports nbgrader: not for the other commands

    return command.main(root, options)


def _extend(root: Path, options: argparse.Namespace) -> int:
    from course.grading import extend  # imports nbgrader: not for the other commands

    return extend.main(root, options)


def _marks(root: Path, options: argparse.Namespace) -> int:
    from course.grading import marks  # imports nbgrader: not for the other commands

    return marks.main(root, options)


def _why(root: Path, options: argparse.Namespace) -> int:
    from course.grading import why  # imports nbgrader and torch: not for the other commands

    _shut_in(options)
    return why.main(root, options)


def _autograde(root: Path, options: argparse.Namespace) -> int:
    from course.grading.pool import run  # imports nbgrader and Dask: not for the other commands

    return run.main(root, options)


def _classroom(root: Path, options: argparse.Namespace) -> int:
    return classroom.main(root, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable, summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        return sub

    sub = command("build", _build, "lessons/ to source/ and release/, where out of date")
    sub.add_argument("lessons", nargs="*", metavar="LESSON", help="default: all")
    sub.add_argument("--force", action="store_true", help="also what is up to date or edited")
    sub.add_argument("--check", action="store_true", help="only say what is out of date")

    sub = command("sync", _sync, "edits made in source/ with JupyterLab back into the lesson")
    sub.add_argument("lessons", nargs="*", metavar="LESSON", help="default: all")
    sub.add_argument("--force", action="store_true", help="although the lesson was edited too")

    sub = command("publish", _publish, "write the students' repository: no answers in it")
    sub.add_argument("folder", type=Path, metavar="DIR")

    sub = command("leaks", _leaks, "look for answers in what students are given")
    sub.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="default: release/, course/"
    )

    sub = command("sample-class", _sample_class, "a class of submissions with known scores")
    sub.add_argument("assignment", metavar="ASSIGNMENT")
    sub.add_argument("--students", type=int, default=12, metavar="N")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--force", action="store_true", help="overwrite submissions that are there")

    sub = command("autograde", _autograde, "grade a class's submissions, several at once")
    sub.add_argument("assignment", metavar="ASSIGNMENT")
    where = sub.add_mutually_exclusive_group()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    where.add_argument("--workers", type=int, default=cores, metavar="N", help="default: cores")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler that is there")
    sub.add_argument("--student", nargs="+", metavar="ID", help="default: all")
    sub.add_argument(
        "--regrade",
        choices=("changed", "all"),
        default="",
        help="also what is graded: the questions whose tests changed since, or all",
    )
    sub.add_argument("--db", default="", metavar="URL", help="the gradebook; default: as set")
    sub.add_argument(
        "--no-sandbox", dest="sandbox", action="store_false", help="not on a machine that counts"
    )

    sub = command("check-grader", _check_grader, "grade every catalogued answer for real")
    sub.add_argument("lessons", nargs="*", metavar="LESSON", help="default: all")
    sub.add_argument("--workers", type=int, default=2, metavar="N")
    sub.add_argument("--no-sandbox", action="store_true", help="don't shut the kernels in")

    sub = command("extend", _extend, "a later deadline for one student")
    sub.add_argument("assignment", metavar="ASSIGNMENT")
    sub.add_argument("student", metavar="STUDENT")
    sub.add_argument("--days", type=float, default=0, metavar="N", help="from everybody's deadline")
    sub.add_argument("--hours", type=float, default=0, metavar="N")

    sub = command("report", _report, "what a class got right and wrong, on one page")
    sub.add_argument("assignment", metavar="ASSIGNMENT")
    sub.add_argument("--to", type=Path, metavar="DIR", help="default: reports/ASSIGNMENT")

    sub = command("marks", _marks, "points in a file that Canvas or Moodle imports")
    sub.add_argument("assignments", nargs="*", metavar="ASSIGNMENT")
    sub.add_argument("--all", action="store_true", help="all of which anything is graded")
    sub.add_argument(
        "--to", nargs=2, required=True, metavar=("FORMAT", "FILE"), help="canvas, moodle or csv"
    )
    sub.add_argument("--missing", choices=("blank", "0"), default="blank", help="not handed in")
    sub.add_argument("--db", default="", metavar="URL", help="the gradebook; default: as set")

    sub = command("why", _why, "what happened in one exercise of one student, asked again")
    sub.add_argument("student", metavar="STUDENT")
    sub.add_argument("assignment", metavar="ASSIGNMENT")
    sub.add_argument("exercise", metavar="EXERCISE")
    sub.add_argument("--no-sandbox", action="store_true", help="don't shut the kernel in")

    sub = command("classroom", _classroom, "a JupyterHub for a class on this machine")
    classroom.add_arguments(sub)

    command("doctor", _doctor, "whether this machine can grade, and what it lacks")
    return parser


if __name__ == "__main__":
    sys.exit(main())
