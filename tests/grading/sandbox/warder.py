"""Starts kernels and runs code in them, as told by lines of JSON: `python warder.py`.

A process of its own, since tests ask for kernels as root and as an ordinary user.
"""

import asyncio
import json
import os
import sys
from typing import Any

from traitlets.config import Config

from course.grading.warm import nursery
from course.grading.warm.client import WarmManager


class Warder:
    """Holds one kernel at a time."""

    manager: Any = None
    client: Any = None

    async def start(self, work: str | None = None, **settings: Any) -> dict[str, Any]:
        """Start a kernel with these settings of the provisioner's."""
        self.manager = WarmManager(config=Config(WarmProvisioner=settings))
        await self.manager.start_kernel(cwd=work, env={**os.environ, "SECRET_TOKEN": "secret"})
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=60)
        self.client.allow_stdin = False
        return {"pid": self.manager.pid, "folder": str(nursery.shared.folder())}

    async def run(self, code: str, timeout: float = 60) -> dict[str, Any]:
        """Run code; its status, and all that it put out."""
        said: list[str] = []

        def listen(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "error":
                said.append(f"{content['ename']}: {content['evalue']}")
            said.append(content.get("text", ""))

        doing = self.client.execute_interactive(code, output_hook=listen, timeout=timeout)
        ending = self.manager.provisioner.wait()
        done, waiting = await asyncio.wait(
            [asyncio.ensure_future(doing), asyncio.ensure_future(ending)],
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in waiting:
            task.cancel()
        first = done.pop().result()
        status = first["content"]["status"] if isinstance(first, dict) else "dead"
        return {"status": status, "said": "".join(said), "why": self.manager.provisioner.why_ended}

    async def interrupt(self, code: str, after: float) -> dict[str, Any]:
        """Run code, and interrupt it."""
        task = asyncio.ensure_future(self.run(code))
        await asyncio.sleep(after)
        await self.manager.interrupt_kernel()
        return await task

    async def restart(self) -> dict[str, Any]:
        """Restart the kernel, as Jupyter does."""
        await self.manager.restart_kernel(now=True)
        await self.client.wait_for_ready(timeout=60)
        return {"pid": self.manager.pid}

    async def end(self) -> dict[str, Any]:
        """End the kernel."""
        self.client.stop_channels()
        await self.manager.shutdown_kernel(now=True)
        return {}


async def main() -> None:
    """Do what the lines say; a line for each."""
    warder = Warder()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        try:
            answer = await getattr(warder, asked.pop("do"))(**asked)
        except Exception as problem:
            answer = {"problem": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
