"""Are forked kernels like fresh ones, and do they end when they should, whatever happens?"""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from ward import Ward, processes

pytestmark = pytest.mark.xdist_group("sandbox")


def parent_of(pid: int) -> int:
    """The process that a process was started by."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def soon(holds: Callable[[], bool]) -> bool:
    """Whether it holds within some seconds."""
    until = time.monotonic() + 10
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_each_kernel_has_random_numbers_of_its_own(ward):
    drawn = []
    for _ in range(2):
        ward.tell("start")
        drawn.append(
            ward.run(
                "import random, numpy as np, torch\n"
                "print(random.random(), np.random.rand(), torch.rand(1).item())"
            ).split()
        )
        ward.tell("end")
    assert all(one != other for one, other in zip(*drawn, strict=True))


def test_torch_computes_with_several_threads(kernel):
    kernel.run(
        "import torch, os; torch.set_num_threads(4); before = len(os.listdir('/proc/self/task'))"
    )
    kernel.run(
        "a = torch.rand(700, 700, dtype=torch.float64)\n"
        "product = a @ a.T\n"
        "torch.nn.functional.conv2d(torch.rand(8, 8, 64, 64), torch.rand(8, 8, 3, 3)).exp().sum()\n"
        "assert torch.allclose(product[5, 7], (a[5] * a[7]).sum())"
    )
    assert int(kernel.run("print(len(os.listdir('/proc/self/task')) - before)")) >= 3
    kernel.run(
        "x = torch.ones(3, requires_grad=True); x.sum().backward(); assert x.grad.sum() == 3"
    )


def test_the_parent_has_one_thread_and_touched_no_gpu(ward):
    pid = ward.tell("start")["pid"]
    parent = parent_of(parent_of(pid))
    assert len(os.listdir(f"/proc/{parent}/task")) == 1
    assert ward.run("import torch; print(torch.cuda.is_initialized())") == "False"
    ward.tell("end")


def test_a_kernel_imports_the_course_anew(kernel):
    said = kernel.run("from course import check\nimport torch\ncheck.equal(1, 1, 'one is one')")
    assert "All checks in this cell passed" in said
    said = kernel.tell("run", code="import course.grading.judge.court")["said"]
    assert "ModuleNotFoundError" in said


def test_a_restarted_kernel_knows_nothing_and_is_shut_in(kernel):
    kernel.run("left = 1; open('left', 'w').close(); open('/tmp/left', 'w').close()")
    kernel.tell("restart")
    assert kernel.run(
        "import os; print(os.listdir(), os.path.exists('/tmp/left'), os.getuid())"
    ) == ("[] False 1000")
    assert "NameError" in kernel.tell("run", code="left")["said"]


def test_an_interrupted_kernel_goes_on(kernel):
    answer = kernel.tell("interrupt", code="import time; time.sleep(60)", after=0.5)
    assert "KeyboardInterrupt" in answer["said"]
    assert kernel.run("print(6 * 7)") == "42"


def test_the_kernel_ends_when_its_guard_is_killed(ward):
    pid = ward.tell("start")["pid"]
    os.kill(parent_of(pid), signal.SIGKILL)
    assert soon(lambda: is_gone(pid))
    ward.tell("end")


def test_a_new_parent_takes_over_from_one_that_was_killed(ward):
    pid = ward.tell("start")["pid"]
    os.kill(parent_of(parent_of(pid)), signal.SIGKILL)
    assert soon(lambda: is_gone(pid))
    ward.tell("end")
    ward.tell("start")
    assert ward.run("print(6 * 7)") == "42"
    ward.tell("end")


def test_nothing_is_left_when_the_grader_is_killed(ward):
    folder = ward.home / "second"
    folder.mkdir()
    second = Ward(folder, ward.user)
    started = second.tell("start")
    mark = f"72{time.time_ns() % 10**6}"
    second.run(f"import subprocess; subprocess.Popen(['sleep', '{mark}'], start_new_session=True)")
    assert Path(started["folder"]).is_dir()
    second.process.kill()
    second.process.wait()
    assert soon(lambda: not processes(f"sleep {mark}") and not processes(started["folder"]))
    assert soon(lambda: not Path(started["folder"]).exists())


def test_kernels_without_a_sandbox_are_warm_all_the_same(ward):
    pid = ward.tell("start", sandbox=False, work=str(ward.home))["pid"]
    mark = f"73{time.time_ns() % 10**6}"
    assert ward.run("import os; print(os.getpid(), os.getcwd())") == f"{pid} {ward.home}"
    ward.run(f"import subprocess; subprocess.Popen(['sleep', '{mark}'])")
    ward.tell("end")
    assert soon(lambda: not processes(f"sleep {mark}"))


def test_any_program_of_jupyters_can_start_one_by_its_name():
    manager, client = start_new_kernel(kernel_name="course-graded")
    try:
        said: list[str] = []
        client.execute_interactive(
            "import os, json; print(json.dumps([os.getpid(), os.getuid()]))",
            output_hook=lambda message: said.append(message["content"].get("text", "")),
            timeout=60,
        )
        assert json.loads("".join(said)) == [1, 1000]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
