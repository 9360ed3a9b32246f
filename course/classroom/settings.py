"""What Jupyter and nbgrader are told in the classroom: files for each role, written anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from course.classroom.folders import Folders

_HOURS = 3600
_EXTENSIONS = {
    "jupyterlab_jupytext": False,
    "nbgrader.server_extensions.assignment_list": True,
    "nbgrader.server_extensions.course_list": False,
    "nbgrader.server_extensions.formgrader": False,
    "nbgrader.server_extensions.validate_assignment": True,
}
_SERVER: dict[str, Any] = {
    "ServerApp": {
        # A server that nobody uses goes, and with it its memory; so does a notebook's kernel.
        "shutdown_no_activity_timeout": 2 * _HOURS,
        "kernel_websocket_connection_class": "course.websocket.Prompt",
    },
    "MappingKernelManager": {"cull_idle_timeout": 2 * _HOURS, "cull_interval": 300},
    "KernelSpecManager": {"allowed_kernelspecs": ["python3"]},  # not the graders' own
}
_CLOSED: dict[str, Any] = {
    # By TCP, any user of the machine could listen to what a kernel says.
    "KernelManager": {"transport": "ipc"},
}
# JupyterHub forbids every page to be put into a frame; formgrader is a page in a frame.
_FRAMES = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}

_PAGE: dict[str, Any] = {
    "@jupyter/nbgrader:course-list": True,
    "@jupyterlab/apputils-extension:announcements": True,  # news
    "jupyterlab-jupytext": True,
}
_INSTRUCTORS_PAGES = ("@jupyter/nbgrader:formgrader", "@jupyter/nbgrader:create-assignment")

_NBGRADER = '''"""nbgrader in the classroom, for {who}."""

import os

load_subconfig({config!r})
c = get_config()
c.Exchange.root = {exchange!r}
'''
_STUDENT_NBGRADER = """
c.CourseDirectory.root = os.environ["HOME"]
c.Exchange.assignment_dir = os.environ["HOME"]
c.ExchangeFactory.fetch_assignment = "course.classroom.exchange.FetchAssignment"
c.ExchangeFactory.fetch_feedback = "course.classroom.exchange.FetchFeedback"
c.ExchangeFactory.list = "course.classroom.exchange.List"
c.ExchangeFactory.submit = "course.classroom.exchange.Submit"
"""
_INSTRUCTOR_NBGRADER = """
c.CourseDirectory.root = {course!r}
c.ExchangeFactory.collect = "course.classroom.exchange.Collect"
c.ExchangeFactory.list = "course.classroom.exchange.List"
c.ExchangeFactory.release_assignment = "course.classroom.exchange.ReleaseAssignment"
c.ExchangeFactory.release_feedback = "course.classroom.exchange.ReleaseFeedback"
"""
# All servers of a trial run as one user, whose name says nothing.
_TRIAL_STUDENT = """
c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
"""
_TRIAL_INSTRUCTOR = """
c.ExchangeCollect.check_owner = False
"""


def write(folders: Folders, root: Path, trial: bool) -> None:
    """Write the settings of both roles; after what the course says itself."""
    exchange, course = str(folders.exchange), str(folders.course)
    configs = {"students": root, "the instructor": folders.course}
    student, instructor = (
        _NBGRADER.format(who=who, config=str(where / "nbgrader_config.py"), exchange=exchange)
        for who, where in configs.items()
    )
    student += _STUDENT_NBGRADER
    instructor += _INSTRUCTOR_NBGRADER.format(course=course)
    closed = {} if trial else _CLOSED  # the path to a trial's folder may be too long for sockets
    if trial:
        student, instructor = student + _TRIAL_STUDENT, instructor + _TRIAL_INSTRUCTOR
    _write(folders, "student", student, _SERVER | closed, formgrader=False)
    _write(folders, "instructor", instructor, _SERVER | closed, formgrader=True)


def _write(
    folders: Folders, role: str, nbgrader: str, server: dict[str, Any], formgrader: bool
) -> None:
    folder = folders.settings / role
    for part in ("jupyter_server_config.d", "labconfig"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(nbgrader, encoding="utf-8")
    extensions, page, app = dict(_EXTENSIONS), dict(_PAGE), dict(server["ServerApp"])
    if formgrader:
        extensions["nbgrader.server_extensions.formgrader"] = True
        app["tornado_settings"] = _FRAMES
    else:
        page |= dict.fromkeys(_INSTRUCTORS_PAGES, True)
    enabled = {"ServerApp": {"jpserver_extensions": extensions}}
    _json(folder / "jupyter_server_config.d" / "course.json", enabled)
    _json(folder / "jupyter_server_config.json", server | {"ServerApp": app})
    # The other extension manager asks a package index.
    _json(folder / "jupyter_lab_config.json", {"LabApp": {"extension_manager": "readonly"}})
    _json(folder / "labconfig" / "page_config.json", {"disabledExtensions": page})


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
