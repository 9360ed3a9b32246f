"""`course autograde`: grade a class, show how far it is, and go on where it was stopped."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from course.build import BuildError
from course.grading.pool import cluster
from course.grading.pool.bundle import Bundle
from course.grading.pool.clerk import Clerk, Job
from course.grading.pool.cluster import ClusterLostError
from course.grading.pool.tables import ChangedMeanwhileError
from course.grading.sandbox import probe

# Removes a folder when the command has ended in whatever way; its workers take a moment longer.
_SWEEP = """
cat > /dev/null
for pause in 0.1 0.2 0.4 0.8 1.6 3.2; do rm -rf -- "$0" 2> /dev/null && exit; sleep $pause; done
"""
# How often a line says how far it is where there is no terminal, in seconds.
_NOW_AND_THEN = 15


def main(root: Path, options: argparse.Namespace) -> int:
    """Run the command; 0 if every submission was graded, 1 otherwise, 130 after Ctrl-C."""
    started = time.monotonic()
    clerk = Clerk(root, options.assignment, options.db, options.sandbox)
    with contextlib.closing(clerk), _alone(clerk) as scratch:
        students = _wanted(clerk, options.student)
        since = _since(clerk, options.regrade, students)
        jobs = clerk.plan(students, options.regrade, since)
        count = _Count(len(students), len(jobs), started)
        try:
            if jobs:
                _grade(clerk, jobs, count, options, scratch)
            status = 1 if count.failed else 0
            _marker(clerk).unlink(missing_ok=True)
        except ClusterLostError:
            count.say("The scheduler went away. Start it and give the same command to go on.")
            status = 1
        except KeyboardInterrupt:
            count.say("Stopped. What was graded is kept; give the same command to go on.")
            status = 130
        count.end()
    return status


def _wanted(clerk: Clerk, asked: list[str] | None) -> list[str]:
    there = clerk.handed_in()
    missing = [student for student in asked or () if student not in there]
    if missing:
        raise BuildError(f"{', '.join(missing)}: nothing handed in for {clerk.name}.")
    if not there:
        raise BuildError(f"Nobody has handed in {clerk.name}: nothing in submitted/ is of it.")
    return sorted(set(asked)) if asked else there


def _marker(clerk: Clerk) -> Path:
    return clerk.autograded / f".{clerk.name}.regrade"


def _since(clerk: Clerk, regrade: str, students: list[str]) -> int:
    """When a regrade of all began: now, or when one was begun that was stopped on the way."""
    if regrade != "all":
        return 0
    path, asks = _marker(clerk), json.dumps([clerk.asks(), students])
    if not (path.is_file() and path.read_text() == asks):
        path.write_text(asks)
    return path.stat().st_mtime_ns


@contextlib.contextmanager
def _alone(clerk: Clerk) -> Iterator[Path]:
    """A folder for the workers, for the one command that grades this assignment now."""
    clerk.autograded.mkdir(exist_ok=True)
    with (clerk.autograded / f".{clerk.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildError(f"{clerk.name} is being graded by another command.") from None
        folder = Path(tempfile.mkdtemp(prefix="autograde-"))
        sweeper = subprocess.Popen(
            ["sh", "-c", _SWEEP, str(folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            yield folder
        finally:
            assert sweeper.stdin is not None
            sweeper.stdin.close()
            sweeper.wait()


def _grade(
    clerk: Clerk, jobs: list[Job], count: _Count, options: argparse.Namespace, scratch: Path
) -> None:
    waiting = deque(jobs)

    def take() -> tuple[Job, Bundle] | None:
        while waiting:
            job = waiting.popleft()
            try:
                return job, clerk.bundle(job)
            except OSError as problem:
                count.failure(job.student, f"{problem.strerror}: {problem.filename}.")
        return None

    if clerk.sandbox and not options.scheduler and (missing := probe.what_is_missing()):
        raise BuildError(missing)
    connected = (
        cluster.remote(options.scheduler, clerk.sandbox)
        if options.scheduler
        else cluster.local(min(options.workers, len(jobs)), scratch)
    )
    with connected as client:
        count.begin()
        for job, bundle, result in cluster.graded(client, take):
            if isinstance(result, str):
                count.failure(job.student, result)
                continue
            with _uninterrupted():
                try:
                    moved = clerk.write(bundle, result)
                except ChangedMeanwhileError:
                    waiting.append(job)
                    continue
            if moved and options.regrade:
                count.say(moved)
            if result.problem:
                count.failure(job.student, result.problem)
            else:
                count.success()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of the block.

    To block the signal would not do: one of Dask's threads gets it, and Python raises it here.
    """
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


class _Count:
    """How far it is: a bar on a terminal, a line now and then elsewhere, a summary at the end."""

    def __init__(self, students: int, jobs: int, started: float) -> None:
        self._students, self._jobs, self._started = students, jobs, started
        self.graded = 0
        self.failed: dict[str, str] = {}
        self._bar: Any = None
        self._last = time.monotonic()

    def begin(self) -> None:
        """Show the bar."""
        self._bar = tqdm(total=self._jobs, unit="submission", disable=None, smoothing=0.1)

    def success(self) -> None:
        """One more is graded."""
        self.graded += 1
        self._step()

    def failure(self, student: str, why: str) -> None:
        """One more could not be graded."""
        self.failed[student] = why
        self._step()

    def say(self, text: str) -> None:
        """Print a line, above the bar."""
        if self._bar is None:
            print(text, flush=True)
        else:
            self._bar.write(text)

    def end(self) -> None:
        """Print what it came to."""
        if self._bar is not None:
            self._bar.close()
        for student, why in sorted(self.failed.items()):
            print(f"{student}: {why}")
        seconds = time.monotonic() - self._started
        rate = f", {60 * self.graded / seconds:.0f} a minute" if self.graded else ""
        before = self._students - self._jobs
        print(
            f"{self.graded} graded, {len(self.failed)} failed, {before} graded before; "
            f"{seconds:.1f} s{rate}."
        )

    def _step(self) -> None:
        if self._bar is not None and not self._bar.disable:
            self._bar.set_postfix(failed=len(self.failed), refresh=False)
            self._bar.update()
            return
        now, done = time.monotonic(), self.graded + len(self.failed)
        if now - self._last > _NOW_AND_THEN:
            self._last = now
            left = (self._jobs - done) * (now - self._started) / done
            print(
                f"{done} of {self._jobs}, {len(self.failed)} failed, {left:.0f} s left",
                file=sys.stderr, flush=True,
            )  # fmt: skip
