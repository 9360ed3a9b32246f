"""The judge's hand in the student's kernel: calls what it is told to, and ships the results.

It knows no test, no expected value and no reference: only names and arguments arrive here. A
student may tamper with it; what can be reached that way is another value of one's own function.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import torch
from torch.utils._pytree import tree_leaves


def _own_copy(name: str) -> ModuleType:
    """A module under no name in `sys.modules`, which a notebook's code therefore doesn't change."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pretend = _own_copy("course.pretend")
trial = _own_copy("course.trial")
wire = _own_copy("course.grading.judge.wire")
trial.pretend = pretend  # type: ignore[attr-defined]


class Agent:
    """Answers the judge's requests over the kernel's stdin channel, one graded cell at a time."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._turn = ""  # what the judge's last message is known by; an answer repeats it
        self._kept: dict[int, Any] = {}

    def serve(self, turn: str) -> None:
        """Do what the judge asks until it says that it is done."""
        self._turn = turn
        while self._kernel.stdin_socket.poll(0):  # left over from a question that was stopped
            self._kernel.session.recv(self._kernel.stdin_socket)
        request, values = self._ask({}, [])
        while request.get("op") != "done":
            request, values = self._ask(*self._answer(request, values))

    def _answer(self, request: dict[str, Any], values: list) -> tuple[dict[str, Any], list[bytes]]:
        try:
            return self._do(request, values)
        except BaseException as problem:  # the student's: exit(), interrupts and all
            return {"error": _described(problem)}, []

    def _ask(self, answer: dict[str, Any], buffers: list[bytes]) -> tuple[dict[str, Any], list]:
        """Send an answer (or, within a call, a question) and wait for what the judge says."""
        kernel = self._kernel
        session, socket = kernel.session, kernel.stdin_socket
        sys.stdout.flush()
        content = {"prompt": "", "password": False, "course": answer, "turn": self._turn}
        session.send(
            socket,
            "input_request",
            content,
            kernel.get_parent("shell"),
            ident=kernel._get_shell_context_var(kernel._shell_parent_ident),
            buffers=buffers,
        )
        while True:
            # In slices, so that an interrupt is noticed.
            if socket.poll(50):
                _, reply = session.recv(socket)
                if reply is not None:
                    self._turn = reply["content"]["turn"]
                    return reply["content"]["course"], reply["buffers"]

    def _do(self, request: dict[str, Any], values: list) -> tuple[dict[str, Any], list[bytes]]:
        decoder = wire.Decoder(values, self._find)
        op = request["op"]
        if op == "kind":
            return self._kind(request["name"])
        target = self._target(request)
        if op == "next":
            try:
                return self._sent({"more": True}, next(target))
            except StopIteration:
                return self._sent({"more": False}, None)
        if op == "get":
            return self._sent({}, getattr(target, request["name"]))
        args, kwargs = decoder.decode(request["args"]), decoder.decode(request["kwargs"])
        how: dict[str, Callable] = {
            "look": trial.call_and_look,
            "gpu": trial.call_on_gpu,
            "work": trial.work,
            "plain": lambda f, a, k: f(*a, **k),
        }
        return self._sent({}, how[request["how"]](target, args, kwargs))

    def _sent(self, answer: dict[str, Any], value: Any) -> tuple[dict[str, Any], list[bytes]]:
        encoder = wire.Encoder(self._keep)
        answer["value"] = encoder.encode(value)
        return answer, encoder.buffers

    def _kind(self, name: str) -> tuple[dict[str, Any], list[bytes]]:
        missing = object()
        value = self._kernel.shell.user_ns.get(name, missing)
        if value is missing:
            return {"kind": "missing"}, []
        if callable(value):
            return {"kind": "callable"}, []
        return self._sent({"kind": "value"}, value)

    def _target(self, request: dict[str, Any]) -> Any:
        if "handle" in request:
            target = self._kept[request["handle"]]
        else:
            target = self._kernel.shell.user_ns[request["target"]]
        return target

    def _keep(self, value: Any) -> dict[str, Any]:
        number = id(value)
        self._kept[number] = value
        kinds = {
            "module": isinstance(value, torch.nn.Module),
            "iterator": hasattr(value, "__next__"),
            "callable": callable(value),
        }
        kind = next((k for k, holds in kinds.items() if holds), "object")
        return {"handle": number, "kind": kind, "type": type(value).__name__}

    def _find(self, described: dict[str, Any]) -> Any:
        """What the judge means: a library's function, an object kept here, or one of its own."""
        if "import" in described:
            module, name = described["import"]
            return getattr(importlib.import_module(module), name)
        if "handle" in described:
            return self._kept[described["handle"]]
        number = described["callback"]

        def callback(*args: Any) -> Any:
            tensors = [t for t in tree_leaves(args) if isinstance(t, torch.Tensor)]
            on_gpu = any(pretend.is_on_gpu(t) for t in tensors)
            if on_gpu and not all(pretend.is_on_gpu(t) for t in tensors if t.dim()):
                raise pretend.MixedDevices("called with tensors of the GPU and of the CPU")
            if any(isinstance(t, torch.Tensor) and t.requires_grad for t in args):
                return _Through.apply(self, number, *args)
            result = self._call_back("call", number, args)
            return pretend.to_gpu(result) if on_gpu else result

        return callback

    def _call_back(self, what: str, number: int, args: tuple) -> Any:
        encoder = wire.Encoder(self._keep)
        question = {"callback": number, "what": what, "args": encoder.encode(tuple(args))}
        reply, values = self._ask(question, encoder.buffers)
        while "op" in reply:  # the judge's function calls one of the student's
            reply, values = self._ask(*self._answer(reply, values))
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return wire.Decoder(values, self._find).decode(reply["value"])


class _Through(torch.autograd.Function):
    """A function of the judge's within the student's computation: gradients pass through it."""

    @staticmethod
    def forward(ctx: Any, agent: Agent, number: int, *args: Any) -> Any:
        ctx.agent, ctx.number, ctx.args = agent, number, args
        return agent._call_back("call", number, args)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        grads = ctx.agent._call_back("vjp", ctx.number, (*ctx.args, grad))
        return None, None, *grads


def _described(problem: BaseException) -> dict[str, Any]:
    """The exception's name and text, and the line of the notebook that it came from."""
    name = type(problem).__name__
    try:
        text = str(problem)
    except BaseException:
        text = ""
    told = {"name": name, "text": text[:2000], "mixed": isinstance(problem, pretend.MixedDevices)}
    own = [at for at in _frames(problem) if at[0].f_globals.get("__name__") == "__main__"]
    if own:
        frame, number = own[-1]
        lines = inspect.getsourcelines(frame.f_code)[0] if _has_source(frame) else []
        at = number - frame.f_code.co_firstlineno
        told["function"] = frame.f_code.co_name
        told["line"] = lines[at].strip()[:200] if 0 <= at < len(lines) else ""
    return told


def _frames(problem: BaseException) -> Iterator[tuple[Any, int]]:
    step = problem.__traceback__
    while step is not None:
        yield step.tb_frame, step.tb_lineno
        step = step.tb_next


def _has_source(frame: Any) -> bool:
    try:
        inspect.getsourcelines(frame.f_code)
    except (OSError, TypeError):
        return False
    return True
