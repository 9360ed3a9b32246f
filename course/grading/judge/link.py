"""The judge's line to one student's kernel: requests, answers, and what can go wrong between."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any

from jupyter_core.utils import run_sync

from course.grading.judge import wire

# Put before any of the student's code runs.
START = """\
import importlib.util as _u
_s = _u.find_spec("course.grading.judge.agent"); _m = _u.module_from_spec(_s)
_s.loader.exec_module(_m)
get_ipython().kernel._course_agent = _m.Agent(get_ipython().kernel)
del _u, _s, _m
"""
SERVE = "get_ipython().kernel._course_agent.serve()"

# How much may be printed while one question is answered, in bytes.
FLOOD = 2_000_000
# How long an interrupted kernel may take to say so, in seconds.
_PATIENCE = 5
_SLICE = 0.25


class Trouble(Exception):
    """The kernel did not answer: the text says why, `lost` whether it must be replaced."""

    def __init__(self, text: str, lost: bool) -> None:
        super().__init__(text)
        self.lost = lost


class StudentError(Exception):
    """The student's code raised an exception."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.name = str(told.get("name", "Exception"))[:100]
        self.text = str(told.get("text", ""))[:2000]
        self.function = str(told.get("function", ""))[:100]
        self.line = str(told.get("line", ""))[:200]
        self.mixed = told.get("mixed") is True
        super().__init__(f"{self.name}: {self.text}")


Answer = tuple[dict[str, Any], list[Any]]


class Link:
    """Talks to the agent in a kernel. One `Link` for each graded cell; `seconds` for all of it.

    `callback(question, buffers)` answers what the agent asks in the middle of a call.
    """

    def __init__(
        self, manager: Any, client: Any, seconds: float, callback: Callable[..., Answer]
    ) -> None:
        self._km, self._kc, self._callback = manager, client, callback
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._printed = 0
        self.broken = False
        self._kc.execute(SERVE, silent=True, store_history=False, allow_stdin=False)
        self._receive()  # the agent is there

    def request(self, op: dict[str, Any], buffers: list[bytes] | None = None) -> Answer:
        """Send a request; returns the answer. Raises StudentError, Trouble or wire.WireError."""
        if self.broken:
            raise Trouble("The kernel was lost.", lost=True)
        self._send(op, buffers or [])
        while True:
            answer, values = self._receive()
            if "callback" not in answer:
                break
            self._send(*self._callback(answer, values))
        if "error" in answer:
            raise StudentError(answer["error"] if isinstance(answer["error"], dict) else {})
        return answer, values

    def close(self) -> None:
        """Let the kernel go on to the next cell."""
        if not self.broken:
            self._send({"op": "done"}, [])

    def _send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        session, channel = self._kc.session, self._kc.stdin_channel
        message = session.msg("input_reply", {"value": "", "course": content})
        session.send(channel.socket, message, buffers=buffers)

    def _receive(self) -> Answer:
        while True:
            message = self._message(_SLICE)
            if message is not None:
                answer = message["content"].get("course")
                if message["msg_type"] != "input_request" or not isinstance(answer, dict):
                    continue  # forged, or somebody else's
                return answer, message["buffers"]
            self._watch()

    def _message(self, seconds: float) -> dict[str, Any] | None:
        try:
            return run_sync(self._kc.stdin_channel.get_msg)(timeout=seconds)
        except Empty:
            return None

    def _watch(self) -> None:
        """Between two looks for an answer: is the kernel alive, in time, and quiet enough?"""
        if not run_sync(self._km.is_alive)():
            self.broken = True
            raise Trouble("Python ended: by asking for it, or by using up the memory", lost=True)
        self._drain()
        if self._printed > FLOOD:
            self._stop(f"it printed more than {FLOOD // 1_000_000} MB")
        if time.monotonic() > self._deadline:
            self._stop(f"it was stopped after {self._seconds:g} seconds: look for an endless loop")

    def _drain(self) -> None:
        while True:
            try:
                message = run_sync(self._kc.iopub_channel.get_msg)(timeout=0)
            except Empty:
                return
            if message["msg_type"] == "stream":
                self._printed += len(message["content"].get("text", ""))

    def _stop(self, why: str) -> None:
        """Interrupt the call that is running; give the kernel up where it doesn't listen."""
        run_sync(self._km.interrupt_kernel)()
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            message = self._message(_SLICE)
            if message is not None and "course" in message["content"]:
                raise Trouble(why, lost=False)
            self._drain()
        self.broken = True
        raise Trouble(why, lost=True)


def value_of(answer: Answer, find: Callable[[dict[str, Any]], Any]) -> Any:
    """The value in an answer, decoded. Raises wire.WireError."""
    content, buffers = answer
    return wire.Decoder(buffers, find).decode(content.get("value"))
