"""What `nbgrader_config.py` says, for commands of our own."""

from __future__ import annotations

from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader


def course_directory(root: Path) -> CourseDirectory:
    """nbgrader's folders and gradebook, as the settings of the course in `root` have them."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return CourseDirectory(config=config)
