"""nbgrader's settings: read by every `nbgrader` command run from this folder, and by formgrader.

Everything is stock nbgrader but for the classes named `course.grading...`, which nbgrader
loads through its own settings. They are given by name, so that reading this file costs nothing.
"""

import os
from pathlib import Path

import nbgrader

c = get_config()  # nbgrader puts it there
root = Path(__file__).resolve().parent

# -- where things are --
c.CourseDirectory.course_id = "neural-networks-hands-on"
# Not the current folder, which is nbgrader's default: formgrader may be started elsewhere.
c.CourseDirectory.root = str(root)
# Copied neither to students nor from them.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".DS_Store"]
c.CourseDirectory.ignore += [
    ".course-progress.json",
    ".course-progress.json.part",
]  # the student's own
# In kilobytes. A notebook with its pictures is far below; nobody fills the disk by a submission.
c.CourseDirectory.max_file_size = 20_000
c.CourseDirectory.max_dir_size = 50_000

# A folder that students can write to and the instructor can read. For a class it is a shared
# folder outside the repository, given by $COURSE_EXCHANGE; on one's own machine it is exchange/.
exchange = Path(os.environ.get("COURSE_EXCHANGE") or root / "exchange").resolve()
if exchange == root / "exchange" and not exchange.exists():
    # `nbgrader list` fails without it, even before anything is released.
    exchange.mkdir(exist_ok=True)
    exchange.chmod(0o777)  # as `nbgrader release_assignment` would make it
c.Exchange.root = str(exchange)
# `nbgrader fetch_assignment` puts assignments where `make lab` does, and `submit` takes them there.
c.Exchange.assignment_dir = str(root / "work")

# Says at once what would only come out at grading: an empty folder, or one that is too large.
c.ExchangeFactory.submit = "course.grading.submit.Submit"

# -- release: source/ -> release/ --
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "course.grading.stubs.Stubs",  # in place of ClearSolutions: stubs that say what to write
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# -- running notebooks: autograde and validate --
# Nothing in a lesson runs for more than a few seconds; a laden machine gets some room.
c.Execute.timeout = 60
c.Execute.startup_timeout = 120
c.Execute.error_on_timeout = {
    "ename": "TooLong",
    "evalue": "stopped after 60 seconds",
    "traceback": ["This cell was stopped after 60 seconds. Look for a loop that never ends."],
}
# A cell that floods its output loses what can't be read in time, not the whole submission.
c.Execute.raise_on_iopub_timeout = False
# Saved widgets make nbconvert load their code from the network.
c.Execute.store_widget_state = False
c.LimitOutput.max_lines = 200
c.LimitOutput.max_traceback = 40
# nbgrader gives 0 for any output on stderr in a graded cell: a warning is not a wrong answer.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"\w*Warning: "

# -- autograde: submitted/ -> autograded/ --
# Takes in what stock nbgrader gives up on: a wrong file name, a file that is no notebook.
c.Autograde.exporter_class = "course.grading.intake.Intake"
c.Autograde.sanitize_preprocessors = [
    "course.grading.repair.Repair",  # in place of DeduplicateIds: missing, copied, edited cells
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "course.grading.judge.execute.Judge",  # in place of Execute: judges outside the kernel
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "course.grading.shorten.Shorten",  # in place of LimitOutput, which only counts lines
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Handing in late: nothing is taken off until you say how much, for example a tenth a day after an
# hour's grace, and half at most. `nbgrader db assignment add NAME --duedate=...` sets the deadline,
# `course extend` moves it for one student.
c.AssignLatePenalties.plugin_class = "course.grading.late.LatePolicy"
c.LatePolicy.grace_minutes = 60
c.LatePolicy.per_day = 0.0
c.LatePolicy.most = 0.5

# -- feedback, and the pages of formgrader --
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "course.grading.hide.HideTests",  # students don't get the hidden tests by their feedback
    "course.grading.cards.Cards",  # what our page says of each exercise
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.GenerateFeedback.post_convert_hook = "course.grading.feedback.complete"
# Pages work without the network. nbgrader's own templates come second, where ours has nothing.
c.HTMLExporter.extra_template_basedirs = [
    str(root / "course" / "grading" / "templates"),
    str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
]
# What a student writes and displays is shown to the instructor: no scripts.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "course.grading.formulas.markdown2html",
    "clean_html": "course.grading.formulas.clean_html",
}
