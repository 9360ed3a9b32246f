"""The bank of attacks: hostile submissions, read from the files beside this one.

An attack is a percent script. Its docstring says what it tries, and then, one a line,

    Loses: raised count            exercises that must score 0
    May lose: ramp                 exercises whose score is the attacker's own affair
    Says: words                    what it prints when it has come to its end
    Needs the sandbox: why         not to be run without: the judge alone can't keep it from happening

Every other exercise is answered rightly and must get all its points; attacks that only answer may
share a submission, each on its own exercises. The cells: `answer="raised"`
stands in that answer cell; plain cells before the first answer go to the notebook's start, those
after it to its end; `beside="name.py"` is a file handed in with it, and `link="name" to="path"` a
link; `edit=true` is code that changes the submitted `notebook`, run by whoever builds the submission.
"""

import ast
import copy
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from course.grading import catalogue
from course.lesson import Lesson

HERE = Path(__file__).resolve().parent
KINDS = ("forge", "read", "get_out", "exhaust", "cheat")
LESSON = HERE / "lesson.py"


@dataclass(frozen=True)
class Attack:
    """One hostile submission, and what it must come to."""

    name: str
    tries: str
    loses: frozenset[str]
    may_lose: frozenset[str]
    sandbox: str
    says: str
    cells: list[NotebookNode]

    @property
    def answers(self) -> set[str]:
        """The exercises whose answer cells it writes."""
        return {cell.metadata["answer"] for cell in self.cells if "answer" in cell.metadata}

    @property
    def is_plain(self) -> bool:
        """Whether all it does is to answer, so that it may share a submission with others."""
        return all("answer" in c.metadata for c in self.cells) and self.loses == self.answers


@dataclass
class Submission:
    """What one student hands in: an attack, or several on different exercises."""

    student: str
    attacks: list[Attack]

    def hand_in(self, folder: Path, name: str, release: NotebookNode, lesson: Lesson) -> None:
        """Write it to `folder`, as notebook `name` made of `release`."""
        cells = [cell for attack in self.attacks for cell in attack.cells]
        notebook = copy.deepcopy(release)
        answers = {c.metadata["answer"]: c.source for c in cells if "answer" in c.metadata}
        for cell in notebook.cells:
            if cell.id in lesson.exercises:
                right = catalogue.solution(lesson.exercises[cell.id]).source
                right = re.sub(r"  # CANARY.*", "", right or "")  # an honest student has no canary
                cell.source = answers.get(cell.id, right)
        first, at_end = 0, False
        for cell in cells:
            at_end |= "answer" in cell.metadata
            if "beside" in cell.metadata:
                path = folder / cell.metadata["beside"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(cell.source, encoding="utf-8")
            elif "edit" in cell.metadata:
                exec(compile(cell.source, self.student, "exec"), {"notebook": notebook})
            elif not cell.metadata:
                place = len(notebook.cells) if at_end else first
                notebook.cells.insert(place, nbformat.v4.new_code_cell(cell.source))
                first += not at_end
        (folder / f"{name}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
        for cell in cells:
            if "link" in cell.metadata:
                path = folder / cell.metadata["link"]
                path.unlink(missing_ok=True)
                path.symlink_to(cell.metadata["to"])


def submissions(attacks: list[Attack]) -> list[Submission]:
    """Submissions that hold each of `attacks` once, and an honest one."""
    made: list[Submission] = [Submission("honest", [])]
    shared: list[Submission] = []
    for attack in sorted(attacks, key=lambda a: -len(a.answers)):
        room = [s for s in shared if all(a.answers.isdisjoint(attack.answers) for a in s.attacks)]
        if attack.is_plain and room:
            room[0].attacks.append(attack)
            continue
        made.append(Submission(attack.name.replace("/", "-").replace("_", "-"), [attack]))
        if attack.is_plain:
            shared.append(made[-1])
    return made


def read() -> list[Attack]:
    """All attacks, by kind."""
    return [_read(path) for kind in KINDS for path in sorted((HERE / kind).glob("*.py"))]


def _read(path: Path) -> Attack:
    head, *cells = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells
    text = ast.literal_eval(head.source.strip())
    said = dict(re.findall(r"^([A-Z][a-z ]+): (.+)$", text, re.MULTILINE))
    return Attack(
        f"{path.parent.name}/{path.stem}",
        text.strip().splitlines()[0],
        frozenset(said.get("Loses", "").split()),
        frozenset(said.get("May lose", "").split()),
        said.get("Needs the sandbox", ""),
        said.get("Says", ""),
        cells,
    )
