"""Set-up: what it says where it can't go on, and that it does nothing twice.

The real scripts run on a small project with no dependencies, whose build backend stands in the
project itself: so pip needs no network.
"""

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import browser  # noqa: E402
import lab  # noqa: E402
import machine  # noqa: E402
import make_venv  # noqa: E402
import pip_run  # noqa: E402

PYPROJECT = """
[build-system]
requires = [{requires}]
build-backend = "backend"
backend-path = ["."]

[project]
name = "small"
version = "1"

[project.optional-dependencies]
more = []

[tool.ruff]
line-length = 100
"""

BACKEND = '''
"""Builds an empty wheel."""
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(folder + "/small-1-py3-none-any.whl", "w") as wheel:
        for name, text in {
            "METADATA": "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n",
            "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
            "RECORD": "",
        }.items():
            wheel.writestr("small-1.dist-info/" + name, text)
    return "small-1-py3-none-any.whl"

build_wheel = build_editable
'''

# A Python that says it is another, or lacks what Debian's python3 lacks.
STUB = """#!{python}
import runpy, sys
{lie}
sys.executable = __file__
if sys.argv[1] == "-c":
    exec(sys.argv[2])
else:
    sys.argv.pop(0)
    sys.path.insert(0, sys.argv[0].rpartition("/")[0])
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with our set-up scripts."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copytree(ROOT / "tools", folder / "tools")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.lock").touch()
    (folder / "pyproject.toml").write_text(PYPROJECT.format(requires=""))
    (folder / "backend.py").write_text(BACKEND)
    return folder


def environment(**changes: str) -> dict[str, str]:
    """The environment, less what the `make` that runs these tests puts there."""
    ours = ("TORCH_INDEX", "PORT", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "JUPYTER_CONFIG_PATH")
    return {k: v for k, v in os.environ.items() if k not in ours} | changes


def offline() -> dict[str, str]:
    """An environment in which pip finds an index that refuses, and nothing else."""
    settings = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    nothing = dict.fromkeys(("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"), "")
    return environment(PIP_CONFIG_FILE=os.devnull, **settings, **nothing)


def set_up(
    project: Path, *extras: str, python: str = sys.executable, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run set-up to its end."""
    command = [python, "tools/make_venv.py", *extras]
    return subprocess.run(
        command, cwd=project, env=env or offline(), capture_output=True, text=True
    )


def assert_one_sentence(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The run failed with exit code 1, and its last line alone says why."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    for part in parts:
        assert part in last


def stub_python(folder: Path, lie: str) -> tuple[str, dict[str, str]]:
    """A Python that lies about itself, and an environment whose PATH has no other."""
    folder.mkdir()
    stub = folder / "python3"
    stub.write_text(STUB.format(python=sys.executable, lie=lie))
    stub.chmod(0o755)
    return str(stub), environment(PATH=str(folder))


def test_a_second_set_up_does_nothing_and_needs_no_network(project: Path) -> None:
    first = set_up(project, "more")
    assert first.returncode == 0, first.stderr
    assert "Set-up is complete." in first.stderr
    assert (project / ".venv/bin/python").exists()
    assert not (project / ".venv/tmp").exists()

    start = time.perf_counter()
    again = set_up(project, "more")
    assert (again.returncode, again.stderr) == (0, "")
    assert time.perf_counter() - start < 2
    assert set_up(project).stderr == ""  # fewer extras than there are

    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace("= 100", "= 90"))
    assert set_up(project).stderr == ""  # how code is checked is not what is installed

    (project / "requirements.lock").write_text("# a new pin\n")
    update = set_up(project)
    assert "Set-up is complete." in update.stderr
    assert "Setting up" not in update.stderr  # in the .venv that is there
    assert set_up(project, "more").stderr == ""  # which has kept its extras


def test_a_set_up_that_was_killed_starts_afresh(project: Path) -> None:
    command = [sys.executable, "tools/make_venv.py"]
    started = subprocess.Popen(
        command, cwd=project, env=offline(), stderr=subprocess.DEVNULL, start_new_session=True
    )
    while not (project / ".venv/course.json").exists():
        time.sleep(0.005)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    after = set_up(project)
    assert after.returncode == 0, after.stderr
    assert "cut off half-way. Starting afresh." in after.stderr


def test_a_venv_of_someone_elses_is_left_alone(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv/precious").touch()
    assert_one_sentence(set_up(project), "There is a .venv that set-up did not make")
    assert (project / ".venv/precious").exists()


def test_a_moved_checkout_gets_a_venv_of_its_own(project: Path) -> None:
    assert set_up(project).returncode == 0
    moved = project.rename(project.parent / "elsewhere")
    assert set_up(moved).returncode == 0
    script = (moved / ".venv/bin/pip").read_text()
    assert str(moved) in script
    assert str(project) not in script


def test_an_index_that_cannot_be_reached(project: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT.format(requires='"setuptools"'))
    assert_one_sentence(set_up(project), "The package index can't be reached")
    silent = set_up(project, env=offline() | {"PIP_RETRIES": "0"})  # pip names no cause then
    assert_one_sentence(silent, "The package index can't be reached, or has no setuptools")

    # Nothing was installed, so nothing is thrown away when the network is back.
    (project / "pyproject.toml").write_text(PYPROJECT.format(requires=""))
    after = set_up(project)
    assert after.returncode == 0, after.stderr
    assert "afresh" not in after.stderr

    # An update that fails leaves what is there as it was.
    (project / "pyproject.toml").write_text(PYPROJECT.format(requires='"setuptools"'))
    assert_one_sentence(set_up(project), "The package index can't be reached")
    (project / "pyproject.toml").write_text(PYPROJECT.format(requires=""))
    assert set_up(project).stderr == ""


@pytest.mark.parametrize("version", [(3, 9, 1), (3, 99, 0)])
def test_a_python_that_is_too_old_or_too_new(
    project: Path, tmp_path: Path, version: tuple[int, int, int]
) -> None:
    lie = f"sys.version_info = {version}"
    python, env = stub_python(tmp_path / "bin", lie)
    result = set_up(project, python=python, env=env)
    assert_one_sentence(
        result,
        "The course needs Python 3.11 to 3.14",
        f"Python {version[0]}.{version[1]}:",
        "make PYTHON=",
    )
    assert not (project / ".venv").exists()


def test_a_newer_python_beside_an_old_one_is_taken(project: Path, tmp_path: Path) -> None:
    python, env = stub_python(tmp_path / "bin", "sys.version_info = (3, 9, 1)")
    newer = tmp_path / "bin" / f"python3.{sys.version_info.minor}"
    newer.symlink_to(os.path.realpath(sys.executable))
    result = set_up(project, python=python, env=offline() | {"PATH": env["PATH"]})
    assert result.returncode == 0, result.stderr
    assert f"Setting up .venv with {newer}" in result.stderr


def test_a_python_without_ensurepip(project: Path, tmp_path: Path) -> None:
    python, env = stub_python(tmp_path / "bin", "sys.modules['ensurepip'] = None")
    result = set_up(project, python=python, env=env)
    assert_one_sentence(
        result, f"sudo apt-get install python3.{sys.version_info.minor}-venv", "cannot make virtual"
    )


def test_no_python_at_all(project: Path) -> None:
    command = ["make", "setup", "PYTHON=no-such-python"]
    result = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True)
    assert result.returncode != 0
    assert result.stderr.startswith(
        "The course needs Python 3.11 or newer, and there is no no-such"
    )


def test_what_runs_first_can_be_read_by_an_old_python() -> None:
    for script in (machine, pip_run, make_venv):
        ast.parse(Path(script.__file__).read_text(), feature_version=(3, 6))


def test_a_disk_with_too_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    make_venv.check_disk()
    monkeypatch.setattr(make_venv, "NEEDED_GB", 1e9)
    with pytest.raises(machine.Stop, match=r"^The disk is full: set-up needs .* GB are free"):
        make_venv.check_disk()


def test_a_disk_that_fills_up_while_we_write(capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        with open("/dev/full", "w") as file:
            file.write("no room for this")

    with pytest.raises(SystemExit, match="1"):
        machine.run_to_end(write)
    assert capsys.readouterr().err.strip() == machine.DISK_FULL


def test_a_disk_that_fills_up_while_pip_writes() -> None:
    # What pip printed with .venv on a disk of 60 MB.
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert pip_run.why_it_failed(said, "pip.log") == machine.DISK_FULL


@pytest.fixture
def taken_port() -> int:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("address", ["127.0.0.1", ""])
def test_a_port_that_was_asked_for_and_is_taken(address: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = str(server.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "tools/lab.py"],
            cwd=ROOT,
            env=environment(PORT=port),
            capture_output=True,
            text=True,
        )
    assert_one_sentence(result, f"Port {port} is taken", "make lab PORT=")


def test_without_a_port_the_next_free_one_is_taken_and_named(
    taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setattr(lab, "FIRST_PORT", taken_port)
    port = lab.choose_port()
    assert port > taken_port
    assert f"Port {taken_port} is taken" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize("port", ["0", "lots", "65536", "-1"])
def test_a_port_that_is_none(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(machine.Stop, match="is not a port"):
        lab.choose_port()


def test_a_students_work_is_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "ROOT", str(tmp_path))
    for name in ("release/01_a/01_a.ipynb", "release/02_b/02_b.ipynb", "work/01_a/01_a.ipynb"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    lab.copy_release()
    assert (tmp_path / "work/01_a/01_a.ipynb").read_text() == "work/01_a/01_a.ipynb"
    assert (tmp_path / "work/02_b/02_b.ipynb").read_text() == "release/02_b/02_b.ipynb"


def test_a_browser_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_BROWSER", "/bin/true")
    with pytest.raises(machine.Stop, match=r"COURSE_BROWSER=/bin/true is not a Chromium"):
        browser.find()


def test_help_lists_every_target_in_a_line() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    shown = subprocess.run(
        ["make"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    ).stdout
    for target in targets:
        assert len(re.findall(rf"^  make {target} +\S", shown, re.M)) == 1, target
