"""A real kernel with the agent in it, and a court to hear graded cells against it."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

from course.grading.judge import court
from course.grading.judge.court import Verdict
from course.grading.judge.link import START, Link
from course.grading.judge.sources import Cell
from course.grading.judge.subject import Kernel, RemoteFunction

T = TypeVar("T")


class Desk:
    """One student's kernel: `run` cells in it, `hear` graded cells about it."""

    def __init__(self) -> None:
        self._km = AsyncKernelManager()
        # ipykernel prints in another way where it finds itself under pytest.
        env = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
        run_sync(self._km.start_kernel)(env=env)
        self._kc = self._km.client()
        self._kc.start_channels()
        run_sync(self._kc.wait_for_ready)(timeout=120)
        self._kc.allow_stdin = False
        self._cells: list[Cell] = []
        self.functions: dict[str, RemoteFunction] = {}
        assert self.run(START) == "ok"
        self._cells.clear()

    def run(self, source: str) -> str:
        """Run one of the student's cells; the status of the reply."""
        message = self._kc.execute(source)
        self._cells.append(Cell(source))
        while True:
            reply: Any = run_sync(self._kc.shell_channel.get_msg)(timeout=120)
            if reply["parent_header"].get("msg_id") == message:
                return reply["content"]["status"]

    def hear(self, test: str, seconds: float = 20, seed: int = 1) -> Verdict:
        """The verdict on a graded cell."""
        kernel = self._linked(seconds)
        hearing = court.hear(test, kernel, seed)
        self.functions = hearing.functions
        kernel.link.close()
        return hearing.verdict

    def ask(self, question: Callable[[dict[str, RemoteFunction]], T], seconds: float = 20) -> T:
        """What `question` finds out about the functions that the last graded cell used."""
        kernel = self._linked(seconds)
        functions = {name: RemoteFunction(kernel, name) for name in self.functions}
        try:
            return question(functions)
        finally:
            kernel.link.close()

    def _linked(self, seconds: float) -> Kernel:
        kernel = Kernel(self._cells)
        kernel.link = Link(self._km, self._kc, seconds, kernel.answer_callback)
        return kernel

    def close(self) -> None:
        """End the kernel."""
        self._kc.stop_channels()
        run_sync(self._km.shutdown_kernel)(now=True)
