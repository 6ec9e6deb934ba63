"""A child process that is spoken to over its standard streams, one JSON object per line.

The parent writes `{"command": name, ...}`, the child answers with one object. Two properties matter more than speed:

- A child never outlives its parent. It ends when its stdin ends, and the kernel closes that pipe however the parent
  ends, also by SIGKILL. Children run in a session of their own, so Ctrl-C reaches only the parent, which then stops
  them in order, without a traceback from each.
- Nothing disturbs the conversation. The child keeps the real stdout for itself and points descriptor 1 at stderr, so a
  stray `print` lands there. What it writes to stderr is kept in a file, of which an error message shows the last line.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from otlp_fast.demo.errors import DemoError

Message = dict[str, Any]

_SECONDS_TO_END = 2.0


class Child:
    """The parent's side: starts `python -m module argument` and waits for its first message, the `greeting`."""

    greeting: Message

    def __init__(self, name: str, module: str, argument: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the child runs, see `close`
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, json.dumps(argument)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise DemoError(f"the {name} process could not be started: {error}") from None
        try:
            self.greeting = self._read()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The child's process id, to watch it by."""
        return self._process.pid

    def ask(self, command: str) -> Message:
        """Send a command and give the answer.

        Raises:
            DemoError: The child ended, or says that it cannot do this.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"command": command}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._ended() from None
        return self._read()

    def close(self) -> None:
        """Let the child end, or end it. Does nothing the second time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):  # It ended before it read the last command, which is buffered here.
            self._process.stdin.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._kill()
        except BaseException:
            self._kill()
            raise
        finally:
            self._process.stdout.close()
            self._errors.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> Message:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        message: Message = json.loads(line)
        if "error" in message:
            raise DemoError(f"the {self._name} process: {message['error']}")
        return message

    def _ended(self) -> DemoError:
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it wrote no error")
        return DemoError(f"the {self._name} process ended unexpectedly with status {status}: {last}")


class Conversation:
    """The child's side. Make it before anything else can write to stdout."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message: the greeting, or an answer."""
        self._out.write(json.dumps(message).encode() + b"\n")
        self._out.flush()

    def serve(self, commands: Mapping[str, Callable[[], Mapping[str, Any]]]) -> None:
        """Answer commands until the parent closes the pipe or is gone."""
        for line in sys.stdin.buffer:
            try:
                self.send(commands[json.loads(line)["command"]]())
            except BrokenPipeError:
                return
