"""Is a kernel shut in, as root and as an ordinary user? It is asked itself, and from outside."""

import os
import sys
import time
from pathlib import Path

import pytest
from ward import USER, processes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "attacks"))

import bank

pytestmark = pytest.mark.xdist_group("sandbox")
_TELLING = [attack for attack in bank.read() if attack.says]


@pytest.mark.parametrize("ward", [USER if os.getuid() == 0 else os.getuid()], indirect=True)
@pytest.mark.parametrize("attack", _TELLING, ids=lambda attack: attack.name)
def test_attacks_get_nowhere(ward, attack):  # where the tests run as root, they are graded so too
    ward.tell("start")
    for cell in attack.cells:
        if not cell.metadata:
            said = ward.run(cell.source)
            assert "CANARY" not in said
    assert attack.says in said
    ward.tell("end")


def test_the_user_owns_nothing_on_this_machine(kernel):
    status = dict(
        line.split(":\t", 1)
        for line in kernel.run("print(open('/proc/self/status').read())").splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split() == ["1000"] * 4
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    pid = kernel.tell("start")["pid"]
    outside = Path(f"/proc/{pid}/status").read_text()
    own = int(outside.split("Uid:")[1].split()[0])
    if kernel.user == 0:
        assert 60_000 < own < 65_000
        with pytest.raises(FileNotFoundError):
            (Path("/proc") / str(pid) / "root" / "root" / ".bashrc").read_text()


def test_each_namespace_is_its_own(ward):
    pid = ward.tell("start")["pid"]
    if not os.access(f"/proc/{pid}/ns/user", os.R_OK):
        pytest.skip("the namespaces of another user's process can't be read")
    for name in ("user", "mnt", "pid", "ipc", "net", "uts", "cgroup"):
        inside = os.stat(f"/proc/{pid}/ns/{name}").st_ino
        assert inside != os.stat(f"/proc/self/ns/{name}").st_ino
    ward.tell("end")


def test_the_environment_has_no_secrets(kernel):
    said = kernel.run("import os; print(dict(os.environ), open('/proc/self/environ').read())")
    assert "secret" not in said.lower()
    assert str(kernel.home) not in kernel.run("import os; print(dict(os.environ))")


def test_files_of_the_work_folder_are_copied_and_may_be_changed(ward):
    work = ward.home / "work"
    (work / "data").mkdir(parents=True)
    (work / "data" / "numbers.txt").write_text("1 2 3")
    (work / "notebook.ipynb").write_text("{}")
    (work / "link").symlink_to("/etc/passwd")
    ward.tell("start", work=str(work))
    assert ward.run("print(open('data/numbers.txt').read())") == "1 2 3"
    assert ward.run("import os; print(sorted(os.listdir()))") == "['data', 'notebook.ipynb']"
    ward.run("open('data/numbers.txt', 'w').write('4'); open('more', 'w').write('5')")
    ward.tell("end")
    assert (work / "data" / "numbers.txt").read_text() == "1 2 3"
    assert not (work / "more").exists()


def test_what_notebooks_do_works(kernel):
    kernel.run(
        "import multiprocessing, subprocess, sys, tempfile, torch, numpy as np\n"
        "import matplotlib.pyplot as plt\n"
        "plt.plot([1, 2]); plt.savefig('picture.png'); plt.close()\n"
        "with tempfile.NamedTemporaryFile('w') as file: file.write('x')\n"
        "assert subprocess.run(['echo', 'hello'], capture_output=True).stdout == b'hello\\n'\n"
        "assert subprocess.run([sys.executable, '-c', 'import numpy']).returncode == 0\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    assert pool.map(abs, [-1]) == [1]\n"
        "data = torch.utils.data.DataLoader(list(range(8)), batch_size=4, num_workers=1)\n"
        "assert sum(batch.sum().item() for batch in data) == 28\n"
        "torch.save({'a': torch.ones(2)}, 'model.pt')"
    )
    assert kernel.run("!echo from a shell") == "from a shell"
    assert "0.5" in kernel.run(
        "import time; time.sleep(0.01)\n%timeit -n1 -r1 sum([1])\nprint(0.5)"
    )


def test_memory_is_limited(ward):
    ward.tell("start", memory_mb=300)
    said = ward.tell("run", code="import torch; torch.zeros(10**11)")
    assert "RuntimeError" in said["said"]
    hog = "import mmap\nm = mmap.mmap(-1, 600_000_000)\nfor i in range(600): m.write(bytes(10**6))"
    assert ward.tell("run", code=hog + "\nimport time; time.sleep(5)") == {
        "status": "dead", "said": "", "why": "memory",
    }  # fmt: skip
    ward.tell("end")


def test_processes_files_and_time_are_limited(ward):
    ward.tell("start", processes=60, file_mb=5, open_files=100, disk_mb=20, cpu_seconds=2)
    forks = (
        "import os, time\ncount = 0\ntry:\n    while True:\n"
        "        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
        "        count += 1\nexcept BlockingIOError: print(count)"
    )
    assert 20 < int(ward.run(forks)) < 60
    assert (
        "File too large" in ward.tell("run", code="open('x', 'wb').write(bytes(9 * 10**6))")["said"]
    )
    assert (
        "Too many open"
        in ward.tell("run", code="f = [open('/dev/null') for _ in range(200)]")["said"]
    )
    fill = "for i in range(9): open(f'{i}', 'wb').write(bytes(4 * 10**6))"
    assert "No space left" in ward.tell("run", code=fill)["said"]
    assert ward.tell("run", code="while True: pass")["status"] == "dead"
    ward.tell("end")


def test_all_ends_with_the_kernel(ward):
    ward.tell("start")
    mark = f"71{time.time_ns() % 10**6}"
    ward.run(
        "import subprocess, sys\n"
        f"subprocess.Popen(['sleep', '{mark}'], start_new_session=True)\n"
        f"subprocess.run(['sh', '-c', 'trap \"\" TERM HUP; setsid sleep {mark} & exit'])"
    )
    assert len(processes(f"sleep {mark}")) == 2
    ward.tell("end")
    assert processes(f"sleep {mark}") == []


def test_a_folder_that_lies_in_what_is_shown_can_be_hidden(ward):
    hidden = Path(sys.base_prefix, "include")
    ward.tell("start", hidden=[str(hidden)])
    assert (
        ward.run(f"import os; print(os.listdir({str(hidden)!r}), os.path.isdir({sys.prefix!r}))")
        == "[] True"
    )
    ward.tell("end")


def test_too_large_a_folder_is_refused_with_a_sentence(ward):
    work = ward.home / "large"
    work.mkdir()
    (work / "file").write_bytes(bytes(30_000_000))
    with pytest.raises(AssertionError, match="More files than a kernel has room for"):
        ward.tell("start", work=str(work), disk_mb=20)
