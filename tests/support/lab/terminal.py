"""A person at a terminal of the laptop: sees what a program writes, and types."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Sequence
from typing import Any, Self

from support.lab.laptop import Laptop


class Terminal:
    """A program of the laptop on a terminal of its own; use as a context manager."""

    def __init__(self, laptop: Laptop, argv: Sequence[str], **more: Any) -> None:
        self.screen = ""
        self._read_to = 0
        self._master, slave = os.openpty()
        try:
            command = ["setsid", "--ctty", "--wait", *argv]
            env = {"TERM": "xterm-256color", **more.pop("env", {})}
            self.guest = laptop.popen(command, env=env, stdin=slave, stdout=slave, stderr=slave, **more)
        finally:
            os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def expect(self, pattern: str, seconds: float = 20) -> re.Match[str]:
        """Wait until the program has written this since the last match; return the match."""
        deadline = time.monotonic() + seconds
        while not (found := re.compile(pattern).search(self.screen, self._read_to)):
            left = deadline - time.monotonic()
            if left < 0 or not self._more(left):
                raise TimeoutError(f"the terminal never showed {pattern!r}, but:\n{self.screen}")
        self._read_to = found.end()
        return found

    def type(self, text: str) -> None:
        """Press these keys; Enter is a newline, Ctrl-C is ``\\x03``."""
        os.write(self._master, text.encode())

    def wait(self, seconds: float = 20) -> int:
        """Read until the program ends; return its exit status."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self._more(left):
            pass
        return self.guest.wait(max(left, 1))

    def close(self) -> None:
        """End the program, and release the terminal."""
        self.guest.close()
        os.close(self._master)

    def _more(self, seconds: float) -> bool:
        """Read what is there within some seconds; False at the end, or when nothing came."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            block = os.read(self._master, 65536)
        except OSError:  # what Linux says when the other side is closed
            return False
        self.screen += block.decode(errors="replace")
        return bool(block)
