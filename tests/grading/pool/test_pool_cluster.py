"""Does a cluster that is somewhere else grade as one that the command starts?"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import ledger
import pytest
from running import STUDENTS, Running, copies, more_than
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("pool killed")

DASK = Path(__file__).resolve().parents[3] / "deploy" / "dask"


class Cluster:
    """`dask scheduler` and one `dask worker`, started as an operator does, far from the course.

    They and the command talk over TLS, by the settings in deploy/dask.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.address = f"tls://127.0.0.1:{self._port}"
        made_by = (DASK / "tls.yaml").read_text().partition("distributed:")[0]
        command = made_by.partition("#   ")[2].partition("\n#\n")[0].replace("\n#", "\n")
        subprocess.run(command, shell=True, check=True, cwd=folder, capture_output=True)
        settings = folder / "settings"
        settings.mkdir()
        text = (DASK / "tls.yaml").read_text().replace("KEYS", str(folder))
        (settings / "tls.yaml").write_text(text)
        self.env = {**os.environ, "DASK_CONFIG": str(settings), "PYTHONPATH": str(DASK.parents[1])}
        self._folder = folder
        self._processes: list[subprocess.Popen] = []

    def start(self) -> None:
        """Start both; the worker waits for the scheduler."""
        self._processes = [
            self._start("scheduler", "--port", str(self._port), "--no-dashboard"),
            self._start("worker", self.address, "--nworkers", "1", "--nthreads", "1",
                        "--no-dashboard", "--death-timeout", "60"),
        ]  # fmt: skip

    def kill_scheduler(self) -> None:
        """In the middle of whatever it does; the worker ends by itself."""
        scheduler, worker = self._processes
        scheduler.send_signal(signal.SIGKILL)
        scheduler.wait()
        worker.wait(timeout=60)

    def end(self) -> None:
        """Ask both to end."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=60)

    def _start(self, name: str, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{name}", *arguments],
            cwd=self._folder, env=self.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that runs."""
    made = Cluster(tmp_path)
    made.start()
    yield made
    made.end()


def test_the_scheduler_is_killed_and_started_again(
    slow_class: Course, reference: Course, copy_of: Callable[[Course], Course], cluster: Cluster
) -> None:
    course = copy_of(slow_class)
    course.env |= {"DASK_CONFIG": cluster.env["DASK_CONFIG"]}
    command = ("course.cli", "autograde", SMALL, "--scheduler", cluster.address)
    running = Running(course, *command)
    running.until(more_than(course, 1))
    cluster.kill_scheduler()
    status, said = running.end()
    assert status == 1
    assert "The scheduler went away. Start it and give the same command to go on." in said
    assert "Traceback" not in said
    first = copies(course)
    assert len(first) < len(STUDENTS)

    cluster.start()
    said = course.course(*command[1:])
    assert f"{len(STUDENTS) - len(first)} graded, 0 failed, {len(first)} graded before" in said
    assert copies(course).items() >= first.items()
    assert ledger.everything(course) == ledger.everything(reference)


def test_a_scheduler_that_is_not_there_is_said_so(slow_class: Course) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    said = slow_class.course("autograde", SMALL, "--scheduler", address, fails=True)
    assert f"There is no scheduler at {address}" in said
    assert "Traceback" not in said


def test_a_job_of_slurm_starts_one_worker_in_the_course_folder(tmp_path: Path) -> None:
    shutil.copy(DASK / "slurm.yaml", tmp_path)
    script = subprocess.check_output(
        [sys.executable, "-c",
         "from dask_jobqueue import SLURMCluster\n"
         "with SLURMCluster(interface='lo') as cluster: print(cluster.job_script())"],
        text=True, env={**os.environ, "DASK_CONFIG": str(tmp_path)}, cwd=tmp_path,
    )  # fmt: skip
    lines = script.strip().splitlines()
    for asked in ("-J course-autograde", "-n 1", "--cpus-per-task=1", "--mem=6G", "-t 01:00:00"):
        assert f"#SBATCH {asked}" in lines
    assert not any("-p " in line or "-A " in line for line in lines if "#SBATCH" in line)
    assert lines.index('cd "$SLURM_SUBMIT_DIR"') < len(lines) - 1
    assert ".venv/bin/python -m distributed.cli.dask_worker tcp://" in lines[-1]
    assert "--nthreads 1 " in lines[-1]
    assert "--nworkers" not in lines[-1]
