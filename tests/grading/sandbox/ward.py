"""A warder, told what to do from a test, as root or as an ordinary user."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
USER = 54_321  # nobody's


class Ward:
    """A process that starts kernels: `start`, `run`, `restart`, `interrupt`, `end`."""

    def __init__(self, folder: Path, user: int) -> None:
        self.home, self.user = folder, user
        prefix = []
        if user != os.getuid():
            prefix = [sys.executable, str(HERE / "as_user.py"), str(user)]
            os.chown(folder, user, user)
        env = {
            **os.environ, "HOME": str(folder), "TMPDIR": str(folder),
            "PYTHONPATH": str(HERE.parents[2]), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        env.pop("PYTEST_CURRENT_TEST", None)  # ipykernel prints in another way under pytest
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(HERE / "warder.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd="/",
        )  # fmt: skip

    def tell(self, what: str, **arguments: Any) -> dict[str, Any]:
        """What comes of it. Fails where that is an error."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"problem": "it ended"}')
        assert "problem" not in answer, answer["problem"]
        return answer

    def run(self, code: str) -> str:
        """What the code put out, which must have ended well."""
        answer = self.tell("run", code=code)
        assert answer["status"] == "ok", answer
        return answer["said"].strip()

    def close(self) -> None:
        """End it, and with it all its kernels."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


def processes(word: str) -> list[str]:
    """The command lines on this machine that have `word` in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found.append(line)
    return found
