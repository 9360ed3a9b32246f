"""A PostgreSQL server for a test, which nobody else can reach."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def server() -> Iterator[str]:
    """A server on a socket in a folder of its own; gives the URL of an empty database."""
    tool = [sys.executable, str(ROOT / "tools" / "postgres.py")]
    programs = Path(subprocess.check_output(tool, text=True).strip())
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # pytest's are root's alone, and too deep
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    try:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        own = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        rights = own if os.geteuid() == 0 else {}  # it refuses to run as root
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "course", "-A", "trust", "--no-sync"],
            check=True, capture_output=True, cwd="/", **rights,
        )  # fmt: skip
        running = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=",
             "-c", "fsync=off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **rights,
        )  # fmt: skip
        try:
            _wait(folder, running)
            yield f"postgresql+psycopg://course@/postgres?host={folder}"
        finally:
            running.terminate()
            running.wait()
    finally:
        shutil.rmtree(folder)


def _wait(folder: Path, running: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert running.poll() is None
        try:
            psycopg.connect(f"postgresql://course@/postgres?host={folder}").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError
