"""The judge's line to one student's kernel: requests, answers, and what can go wrong between."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from queue import Empty
from typing import Any, NoReturn

import zmq
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
SERVE = "get_ipython().kernel._course_agent.serve({turn!r})"

# How much may be printed, and how much returned, while one question is answered, in bytes.
FLOOD = 2_000_000
MOST = 256 * 2**20
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
        self.name = _text(told.get("name", "Exception"), 100)
        self.text = _text(told.get("text", ""), 2000)
        self.function = _text(told.get("function", ""), 100)
        self.line = _text(told.get("line", ""), 200)
        self.mixed = told.get("mixed") is True
        super().__init__(f"{self.name}: {self.text}")


def _text(value: Any, most: int) -> str:
    """What a stranger sent as a text: of some length, and fit to be written to a file."""
    return str(value)[:most].encode("utf-8", "replace").decode()


Answer = tuple[dict[str, Any], list[Any]]


class Link:
    """Talks to the agent in a kernel. One `Link` for each graded cell; `seconds` for all of it.

    `callback(question, buffers)` answers what the agent asks in the middle of a call. Each message
    to the agent carries a new random `turn`, and only an answer with it counts: what was sent too
    early, too late or twice has no effect.
    """

    def __init__(
        self, manager: Any, client: Any, seconds: float, callback: Callable[..., Answer]
    ) -> None:
        self._km, self._kc, self._callback = manager, client, callback
        self._deadline = time.monotonic() + seconds
        self._too_long = f"it was stopped after {seconds:g} seconds: look for an endless loop"
        self._printed = self._returned = 0
        self.broken = False
        self._turn = secrets.token_hex(8)
        serve = SERVE.format(turn=self._turn)
        self._serving = self._kc.execute(serve, silent=True, store_history=False)
        self._receive()  # the agent is there

    def request(self, op: dict[str, Any], buffers: list[bytes] | None = None) -> Answer:
        """Send a request; returns the answer. Raises StudentError, Trouble or wire.WireError.

        A callback may make requests of its own.
        """
        if self.broken:
            raise Trouble("the kernel was lost", lost=True)
        if self._is_late():
            raise Trouble(self._too_long, lost=False)
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
        self._turn = secrets.token_hex(8)
        content = {"value": "", "course": content, "turn": self._turn}
        message = session.msg("input_reply", content)
        session.send(channel.socket, message, buffers=buffers)

    def _receive(self) -> Answer:
        while True:
            answer = self._answer()
            if answer is not None:
                self._returned += sum(len(b) for b in answer[1])
                if self._returned > MOST:
                    self._give_up(f"it returned more than {MOST // 2**20} MB")
                if "callback" not in answer[0] or not self._is_late():
                    return answer
            # Looked at between any two messages, for a kernel may send them without end.
            if self._printed > FLOOD:
                self._stop(f"it printed more than {FLOOD // 1_000_000} MB")
            if self._is_late():
                self._stop(self._too_long)

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _answer(self) -> Answer | None:
        """The next message, if there is one soon and it is the agent's answer."""
        message = self._next_on_stdin()
        if message is None:
            self._watch()
            return None
        content = message["content"]
        if not isinstance(content, dict) or content.get("turn") != self._turn:
            return None  # forged, or somebody else's
        answer = content.get("course")
        return (answer, message["buffers"]) if isinstance(answer, dict) else None

    def _watch(self) -> None:
        """Between two looks for an answer: does anything answer still, and what did it print?"""
        if not run_sync(self._km.is_alive)():
            self._give_up("Python ended: by asking for it, or by using up the memory")
        reply = self._message(self._kc.shell_channel, 0)
        if reply is not None and reply["parent_header"].get("msg_id") == self._serving:
            self._give_up("what answers for them was taken away")
        for _ in range(1000):
            # A flood comes faster than it is read: what is known to be one is read no further.
            message = self._message(self._kc.iopub_channel, 0)
            if message is None or self._printed > FLOOD or self._is_late():
                return
            if message["parent_header"].get("msg_id") == self._serving:
                self._printed += len(str(message["content"]))

    def _next_on_stdin(self) -> dict[str, Any] | None:
        """The next message there. Nobody else reads that channel, so it takes no event loop."""
        socket: zmq.Socket = zmq.Socket.shadow(self._kc.stdin_channel.socket.underlying)
        try:
            if not socket.poll(int(1000 * _SLICE)):
                return None
            session = self._kc.session
            return session.deserialize(session.feed_identities(socket.recv_multipart())[1])
        except Exception:
            self._give_up("what it sent could not be read")

    def _message(self, channel: Any, seconds: float) -> dict[str, Any] | None:
        try:
            return run_sync(channel.get_msg)(timeout=seconds)
        except Empty:
            return None
        except Exception:  # not signed, not a message, nested too deeply to be read
            self._give_up("what it sent could not be read")

    def _stop(self, why: str) -> None:
        """Interrupt the call that is running; give the kernel up where it doesn't listen."""
        run_sync(self._km.interrupt_kernel)()
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            self._printed = 0  # it is being stopped already
            answer = self._answer()
            if answer is not None and "callback" not in answer[0]:
                raise Trouble(why, lost=False)
        self._give_up(why)

    def _give_up(self, why: str) -> NoReturn:
        self.broken = True
        raise Trouble(why, lost=True)


def value_of(answer: Answer, find: Callable[[dict[str, Any]], Any]) -> Any:
    """The value in an answer, decoded. Raises wire.WireError."""
    content, buffers = answer
    return wire.Decoder(buffers, find).decode(content.get("value"))
