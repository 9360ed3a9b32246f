"""Does `course doctor` say what this machine lacks, and does grading refuse where that counts?"""

import subprocess
import sys
from collections.abc import Callable

import damage
import pytest
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("sandbox")

# Linux itself then refuses user namespaces to all that is started there, root or not.
WITHOUT = ("unshare", "--user", "--map-root-user", "sh", "-c",
           'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"')  # fmt: skip


@pytest.fixture(scope="module")
def course(new_course: Callable[..., Course]) -> Course:
    """One student's right answers."""
    made = new_course(SMALL)
    made.nbgrader("generate_assignment", SMALL)
    notebook = damage.solved(made.released(SMALL))
    (made.hand_in("ada", SMALL) / f"{SMALL}.ipynb").write_bytes(damage.text_of(notebook))
    return made


def run(course: Course, *command: str) -> tuple[int, str]:
    done = subprocess.run(command, cwd=course.root, env=course.env, text=True, capture_output=True)
    return done.returncode, done.stdout + done.stderr


def test_a_machine_that_lacks_nothing(course: Course) -> None:
    status, said = run(course, sys.executable, "-m", "course.cli", "doctor")
    assert status == 0, said
    for name in ("user", "mount", "PID", "IPC", "network", "UTS", "cgroup"):
        assert f"✓ {name} namespace" in said
    for name in ("seccomp", "limits", "the sandbox as a whole", "the warm parent", "a kernel"):
        assert f"✓ {name}" in said
    assert "memory by cgroup v2" in said
    assert "forked and shut in, answers after" in said
    assert "sqlite, in the course folder" in said
    assert "✗" not in said
    assert said.strip().endswith("Ready to grade.")


def test_without_user_namespaces_it_says_so_and_nothing_is_graded(course: Course) -> None:
    python = (*WITHOUT, sys.executable, "-m", "course.cli")
    status, said = run(course, *python, "doctor")
    assert status == 1
    assert "✗ user namespace" in said
    assert "→ sudo sysctl -w user.max_user_namespaces=10000" in said
    assert "✗ the sandbox as a whole" in said
    assert said.strip().endswith("Not ready to grade: see the lines with ✗.")

    status, said = run(course, *python, "autograde", SMALL)
    assert status == 1
    assert "Nothing was graded, for submissions are strangers' code" in said
    assert "sysctl -w user.max_user_namespaces=10000" in said
    assert "Traceback" not in said
    assert not list(course.root.glob("autograded/*/*"))

    status, said = run(course, *python, "autograde", SMALL, "--no-sandbox", "--workers", "1")
    assert status == 0, said
    assert course.scores(SMALL) == {"ada": {"half": 2, "double": 1}}
