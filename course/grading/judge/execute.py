"""nbgrader's `Execute`, with graded cells judged outside the student's kernel."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import Execute
from traitlets import Bool, Float, Integer, default
from traitlets.config import Config

from course.grading import notes
from course.grading.judge import court, docket, naming, outputs
from course.grading.judge.court import Hearing, Verdict
from course.grading.judge.link import FLOOD, MOST, START, Link, Trouble
from course.grading.judge.sources import Cell
from course.grading.judge.subject import Kernel
from course.grading.sandbox import probe
from course.grading.warm import nursery
from course.grading.warm.client import WarmManager
from course.lesson import Variant
from course.threads import one_thread

# How long an interrupted kernel may take to answer again, in seconds.
_PATIENCE = 10
_NOT_RUN = "[not run while the notebook is graded: nothing from here on counts]"
# What the grader's environment may hold and no student's code should see.
_PRIVATE = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|JUPYTERHUB|COURSE_EXCHANGE")


class Judge(Execute):
    """Runs the student's cells in the kernel, and each locked graded cell in this process.

    What a graded cell asks comes from the gradebook, and what it is worth is decided by its verdict
    alone. A kernel that dies or hangs costs the question it died in: it is started again, the
    student's cells are run once more without the one that ended it, and the rest is graded.
    """

    timeout: int  # of nbgrader's `Execute`: how long one of the student's cells may take

    question_seconds = Float(
        30, help="How long the student's code may take in one graded cell."
    ).tag(config=True)
    submission_seconds = Float(
        900, help="How long one notebook may take; what is not graded by then scores 0."
    ).tag(config=True)
    most_restarts = Integer(20, help="How often a submission's kernel is started again.").tag(
        config=True
    )

    sandbox = Bool(
        help="Whether kernels are shut in, and grading refused where that can't be had. They are, "
        "unless $COURSE_NO_SANDBOX is set."
    ).tag(config=True)

    @default("sandbox")
    def _sandbox_default(self) -> bool:
        return not os.environ.get("COURSE_NO_SANDBOX")

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all cells of `nb`; its graded cells get their verdicts as outputs.

        Raises NbGraderException where kernels are to be shut in, and can't be.
        """
        self.refuse()
        self._docket = docket.load(self.parent.parent.coursedir, resources["nbgrader"])
        # Verdicts of an earlier grading that stand, by grade id.
        self._kept: dict[str, list[NotebookNode]] = resources.get("course", {}).get("kept", {})
        self._ran: list[Cell] = []  # the student's cells, to be run again in a new kernel
        graded = [i for i, cell in enumerate(nb.cells) if _grade_id(cell) in self._docket.questions]
        self._last = max(graded, default=-1)  # what comes after can't change a verdict
        self._sentences: list[str] = []
        self._given_up = ""  # why no kernel is started any more
        self._has_agent = False
        self._restarts = 0
        self._until = time.monotonic() + self.submission_seconds
        beside = Path(resources["metadata"]["path"])
        private = nursery.shared.folder() if self.is_warm() else None
        with (
            tempfile.TemporaryDirectory(prefix="submission-", dir=private) as folder,
            one_thread(),
        ):
            # The student's files, and no notebook: the one beside them is the grader's.
            work = Path(folder, "work")
            shutil.copytree(beside, work, ignore=_not_theirs)
            self._folder = folder
            resources["metadata"]["path"] = str(work)
            try:
                nb, resources = super().preprocess(nb, resources, km)
            finally:
                resources["metadata"]["path"] = str(beside)
        for cell in nb.cells:
            if cell.cell_type == "code" and _grade_id(cell) not in self._docket.questions:
                outputs.clean(cell)
        notes.add(nb, self._sentences)
        return nb, resources

    def refuse(self) -> None:
        """Raise NbGraderException, with what to do, where kernels can't be shut in and must be."""
        if self.sandbox and (missing := probe.what_is_missing()):
            raise NbGraderException(missing)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell of the student's, or judge a graded one."""
        if not self._has_agent:
            self._start_agent()
        if self._until < time.monotonic():
            self._give_up("The time for the whole notebook was used up")
        grade_id = _grade_id(cell)
        if grade_id in self._kept:
            cell.outputs = self._kept[grade_id]
        elif grade_id in self._docket.questions:
            seed = self._docket.seed(grade_id)
            verdict = self._judge(grade_id, seed)
            asked = self._docket.asked(grade_id)
            points = float(cell.metadata.nbgrader.points)
            cell.outputs = _outputs(verdict, seed, asked, points)
        elif cell.cell_type == "code" and index < self._last:
            self._run(cell, resources, index)
        elif cell.cell_type == "code":
            cell.outputs = [new_output("stream", name="stdout", text=_NOT_RUN)]
        return cell, resources

    # The student's cells --------------------------------------------------------------------------

    def _run(self, cell: NotebookNode, resources: dict[str, Any], index: int) -> None:
        cell.outputs = []
        if self._given_up:
            return
        self._shown = 0
        try:
            with self._watched(self.timeout + _PATIENCE):
                super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            self._lose(
                cell,
                "ended Python (by asking for it, or by using up the memory), or could not be "
                "stopped. The rest was graded without it",
            )
            return
        except Exception:  # nbclient, over a message that is none
            self._lose(cell, "sent what could not be read. The rest was graded without it")
            return
        names = {o.get("ename") for o in cell.outputs if o.get("output_type") == "error"}
        if self.error_on_timeout["ename"] not in names:
            self._ran.append(Cell(cell.source, whole=not names))
            return
        self._sentences.append(
            f"{_name(cell)} was stopped after {self.timeout} seconds. Look for a loop that never "
            "ends."
        )
        if not self._answers():
            self._replace_kernel()

    def _lose(self, cell: NotebookNode, why: str) -> None:
        self._sentences.append(f"{_name(cell)} {why}.")
        self._replace_kernel()

    def _answers(self) -> bool:
        """Whether the kernel, just interrupted, takes requests again."""
        usual = self.timeout
        self.timeout = _PATIENCE
        try:
            with self._watched(2 * _PATIENCE):
                return self.wait_for_reply(self.kc.kernel_info()) is not None
        except Exception:
            return False
        finally:
            self.timeout = usual

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """As nbclient's, up to so much output from a cell, and nothing for widgets."""
        kind = msg["msg_type"]
        self._shown += len(str(msg["content"])) if kind != "status" else 0
        if kind.startswith("comm_") or (kind != "status" and self._shown > FLOOD):
            return None
        return super().process_message(msg, cell, cell_index)

    # Graded cells ---------------------------------------------------------------------------------

    def _judge(self, grade_id: str, seed: int) -> Verdict:
        if self._given_up:
            return Verdict(False, self._given_up)
        kernel = Kernel(self._ran)
        try:
            with self._watched(self.question_seconds + _PATIENCE):
                kernel.link = Link(self.km, self.kc, self.question_seconds, kernel.answer_callback)
                hearing = court.hear(self._docket.questions[grade_id], kernel, seed)
                verdict = hearing.verdict
                if not (verdict.passed or verdict.stopped or verdict.blank or verdict.absent):
                    verdict = self._named(hearing, grade_id)
                kernel.link.close()
        except Trouble as trouble:
            verdict = Verdict(False, f"Your functions could not be called: {trouble}.", lost=True)
        if verdict.lost or (kernel.link is not None and kernel.link.broken):
            self._replace_kernel()
        return verdict

    def _named(self, hearing: Hearing, grade_id: str) -> Verdict:
        """The verdict of `hearing`, with the name of the mistake behind it where there is one."""
        verdict = hearing.verdict
        exercise = self._docket.exercise(grade_id)
        mistake: Variant | None = None
        answers = ""
        if exercise is not None and self._docket.lesson is not None:
            seed = self._docket.class_seed(grade_id)
            try:
                mistake, answers = naming.name(
                    self._docket.lesson, exercise, hearing.functions, seed, hearing.asked
                )
            except Trouble as trouble:
                return Verdict(False, verdict.told, verdict.on, lost=trouble.lost)
            except Exception:
                return verdict  # a value that can't even be compared is no known mistake
        if mistake is None:
            return Verdict(False, verdict.told, verdict.on, print=answers)
        return Verdict(False, verdict.told, verdict.on, mistake.name, mistake.says, print=answers)

    # The kernel -----------------------------------------------------------------------------------

    def create_kernel_manager(self) -> AsyncKernelManager:
        """A manager of warm kernels, whose clients take no message larger than a question's all."""
        if self.is_warm():
            self.kernel_manager_class = WarmManager
            self.shutdown_kernel = "immediate"  # it has nothing to say any more
        manager = super().create_kernel_manager()
        coursedir = self.parent.parent.coursedir
        manager.update_config(
            Config(
                WarmProvisioner={
                    "sandbox": self.sandbox,
                    "hidden": [coursedir.root, *manager.config.WarmProvisioner.get("hidden", [])],
                }
            )
        )
        manager.context.setsockopt(zmq.MAXMSGSIZE, MOST)
        return manager

    def is_warm(self) -> bool:
        """Whether kernels are forked from a warm parent."""
        return self.sandbox or sys.platform == "linux"

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start a kernel that knows nothing of the grader's, and no module of the student's yet."""
        kept = {k: v for k, v in os.environ.items() if not _PRIVATE.search(k.upper())}
        own = {
            # A file of the student's called like one of Python's would be loaded in its place.
            "PYTHONSAFEPATH": "1",
            # As quick for small nets, and sums are rounded alike on all machines.
            "OMP_NUM_THREADS": "1",
            # Code written there would be run by all later kernels.
            "IPYTHONDIR": tempfile.mkdtemp(prefix="ipython-", dir=self._folder),
        }
        super().start_new_kernel(env={**kept, **own}, **kwargs)

    def _start_agent(self) -> None:
        self._has_agent = True
        self.wait_for_reply(self.kc.execute(START, silent=True, store_history=False))

    def _replace_kernel(self) -> None:
        """A new kernel in which the student's cells that ended well have been run once more."""
        while not self._given_up:
            self._restarts += 1
            if self._restarts > self.most_restarts:
                self._give_up("Python had to be started too often")
            elif self._until < time.monotonic():
                self._give_up("The time for the whole notebook was used up")
            elif self._start_again() and self._replay():
                return

    def _start_again(self) -> bool:
        """Start a kernel on new ports: a process left by the old one may still hold those."""
        self._kill()
        try:
            self._cleanup_kernel()
            self.create_kernel_manager()
            self.start_new_kernel()
            self.start_new_kernel_client()
            self._start_agent()
        except (RuntimeError, DeadKernelError) as problem:
            self.log.warning("A kernel did not start: %s", problem)
            return False
        return True

    def _replay(self) -> bool:
        """Run the student's cells once more. Drops one that doesn't end; False if Python did."""
        for cell in list(self._ran):
            try:
                with self._watched(self.timeout + _PATIENCE):
                    reply = self.wait_for_reply(self.kc.execute(cell.source, silent=True))
            except Exception:
                self._ran.remove(cell)
                return False
            if reply is None:
                self._ran.remove(cell)
                if not self._answers():
                    return False
        return True

    def _give_up(self, why: str) -> None:
        self._given_up = self._given_up or f"{why}. What was left to grade scored 0."

    @contextmanager
    def _watched(self, seconds: float) -> Iterator[None]:
        """Kill the kernel where the block takes longer than that, whatever it waits for."""
        left = max(self._until - time.monotonic(), 1)
        timer = threading.Timer(min(seconds, left), self._kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _kill(self) -> None:
        if self.km is not None and self.km.provisioner is not None:
            run_sync(self.km.provisioner.kill)()


def _not_theirs(folder: str, names: list[str]) -> list[str]:
    """What is not copied to the kernel's folder: notebooks, links, and what is no file."""
    paths = {name: Path(folder, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if path.suffix == ".ipynb" or path.is_symlink() or not (path.is_file() or path.is_dir())
    ]


def _outputs(verdict: Verdict, seed: int, asked: str, most: float) -> list[NotebookNode]:
    """What stands below a graded cell; nbgrader reads the score off it.

    An error is 0, a result that is a number is that many points, and neither is all of them. The
    seed of the hidden inputs is kept with it, for an instructor who wants to see them again, and
    what was asked, for a regrade.
    """
    told = {
        "asked": asked,
        "seed": str(seed),  # JupyterLab would round so large a number
        "passed": verdict.passed,
        "blank": verdict.blank,
        "stopped": verdict.stopped,
        "told": verdict.told,
        "on": verdict.on,
        "mistake": verdict.mistake,
        "hint": verdict.hint,
        "print": verdict.print,
    }
    if verdict.passed:
        text = {"text/plain": "All checks passed."}
        made = [new_output("display_data", data=text, metadata={"course": told})]
        if verdict.points is not None and verdict.points < most:
            number = {"text/plain": repr(verdict.points)}
            made.append(new_output("execute_result", data=number, execution_count=None))
        return made
    lines = [verdict.told]
    if verdict.on:
        lines.append(f"The input was {verdict.on}.")
    if verdict.hint:
        lines.append(verdict.hint)
    return [
        new_output(
            "display_data", data={"text/plain": "\n".join(lines)}, metadata={"course": told}
        ),
        new_output("error", ename="NotYet", evalue=verdict.told, traceback=lines),
    ]


def _grade_id(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _name(cell: NotebookNode) -> str:
    name = _grade_id(cell)
    if name:
        return f"The cell {notes.code(name)}"
    first = (cell.source.strip().splitlines() or [""])[0]
    return f"The cell that starts with {notes.code(first)}"
