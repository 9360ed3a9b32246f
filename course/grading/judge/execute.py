"""nbgrader's `Execute`, with graded cells judged outside the student's kernel."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Float, Integer

from course.grading import notes
from course.grading.judge import court, docket, naming
from course.grading.judge.court import Verdict
from course.grading.judge.link import START, Link, Trouble
from course.grading.judge.subject import Kernel
from course.lesson import Variant

# How long an interrupted kernel may take to answer again, in seconds.
_PATIENCE = 10


class Judge(Execute):
    """Runs the student's cells in the kernel, and each locked graded cell in this process.

    What a graded cell asks comes from the gradebook, and what it is worth is decided by its verdict
    alone. A kernel that dies or hangs costs the question it died in: it is started again, the
    student's cells are run once more without the one that ended it, and the rest is graded.
    """

    question_seconds = Float(
        30, help="How long the student's code may take in one graded cell."
    ).tag(config=True)
    most_restarts = Integer(20, help="How often a submission's kernel is started again.").tag(
        config=True
    )

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all cells of `nb`; its graded cells get their verdicts as outputs."""
        self._docket = docket.load(self.parent.parent.coursedir, resources["nbgrader"])
        self._ran: list[str] = []  # the student's cells, to be run again in a new kernel
        self._sentences: list[str] = []
        self._has_agent = False
        self._restarts = 0
        beside = Path(resources["metadata"]["path"])
        with tempfile.TemporaryDirectory(prefix="submission-") as folder:
            # The student's files, and no notebook: the one beside them is the grader's.
            shutil.copytree(
                beside, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ipynb")
            )
            resources["metadata"]["path"] = folder
            try:
                nb, resources = super().preprocess(nb, resources, km)
            finally:
                resources["metadata"]["path"] = str(beside)
        notes.add(nb, self._sentences)
        return nb, resources

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell of the student's, or judge a graded one."""
        if not self._has_agent:
            self._start_agent()
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id in self._docket.questions:
            cell.outputs = _outputs(self._judge(grade_id))
        elif cell.cell_type == "code":
            self._run(cell, resources, index)
        return cell, resources

    # The student's cells --------------------------------------------------------------------------

    def _run(self, cell: NotebookNode, resources: dict[str, Any], index: int) -> None:
        name = _name(cell)
        try:
            super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            self._sentences.append(
                f"{name} ended Python: by asking for it, or by using up the memory. The rest was "
                "graded without it."
            )
            self._replace_kernel()
            return
        if not self._timed_out(cell):
            self._ran.append(cell.source)
            return
        self._sentences.append(
            f"{name} was stopped after {self.timeout} seconds. Look for a loop that never ends."
        )
        if not self._answers():
            self._replace_kernel()

    def _timed_out(self, cell: NotebookNode) -> bool:
        name = self.error_on_timeout["ename"]
        return any(o.get("ename") == name for o in cell.get("outputs", []))

    def _answers(self) -> bool:
        """Whether the kernel, just interrupted, takes requests again."""
        usual = self.timeout  # type: ignore[has-type]
        self.timeout = _PATIENCE
        try:
            return self.wait_for_reply(self.kc.kernel_info()) is not None
        except DeadKernelError:
            return False
        finally:
            self.timeout = usual

    # Graded cells ---------------------------------------------------------------------------------

    def _judge(self, grade_id: str) -> Verdict:
        kernel = Kernel(self._ran)
        seed = self._docket.seed(grade_id)
        try:
            kernel.link = Link(self.km, self.kc, self.question_seconds, kernel.answer_callback)
            verdict, functions = court.hear(self._docket.questions[grade_id], kernel, seed)
            if not (verdict.passed or verdict.lost or verdict.blank):
                verdict = self._named(verdict, grade_id, functions, seed)
            kernel.link.close()
        except Trouble as trouble:
            verdict = Verdict(False, f"Your functions could not be called: {trouble}.", lost=True)
        if verdict.lost or (kernel.link is not None and kernel.link.broken):
            self._replace_kernel()
        return verdict

    def _named(
        self, verdict: Verdict, grade_id: str, functions: dict[str, Any], seed: int
    ) -> Verdict:
        exercise = self._docket.exercise(grade_id)
        mistake: Variant | None = None
        if exercise is not None and self._docket.lesson is not None:
            try:
                mistake = naming.name(self._docket.lesson, exercise, functions, seed)
            except Trouble as trouble:
                return Verdict(False, verdict.told, verdict.on, lost=trouble.lost)
        if mistake is None:
            return verdict
        return Verdict(False, verdict.told, verdict.on, mistake.name, mistake.says)

    # The kernel -----------------------------------------------------------------------------------

    def _start_agent(self) -> None:
        self._has_agent = True
        self.wait_for_reply(self.kc.execute(START, silent=True, store_history=False))

    def _replace_kernel(self) -> None:
        """A new kernel in which the student's cells that ended well have been run once more."""
        self._restarts += 1
        if self._restarts > self.most_restarts:
            raise RuntimeError("the submission's kernel had to be started too often")
        run_sync(self.km.restart_kernel)(now=True)
        run_sync(self.kc.wait_for_ready)(timeout=self.startup_timeout)
        self._start_agent()
        kept = []
        for source in self._ran:
            if self.wait_for_reply(self.kc.execute(source, silent=True)) is not None:
                kept.append(source)
        self._ran = kept


def _outputs(verdict: Verdict) -> list[NotebookNode]:
    """What stands below a graded cell; nbgrader reads the score off it: an error, or none."""
    told = {
        "passed": verdict.passed,
        "blank": verdict.blank,
        "told": verdict.told,
        "on": verdict.on,
        "mistake": verdict.mistake,
        "hint": verdict.hint,
    }
    if verdict.passed:
        text = {"text/plain": "All checks passed."}
        return [new_output("display_data", data=text, metadata={"course": told})]
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


def _name(cell: NotebookNode) -> str:
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    if name:
        return f"The cell {notes.code(name)}"
    first = (cell.source.strip().splitlines() or [""])[0]
    return f"The cell that starts with {notes.code(first)}"
