"""The child process behind a local node: its pipes, its threads, and nothing of Erlang's meaning.

Requests and replies are lines (see ``spyglass_ctl.erl``): out ``id command base64 …``, in
one JSON object a line, either a reply with the request's ``id`` or an event. Three threads:
one reads replies, one drains the child's standard error (keeping the last lines), one hands
events to the listener in order, so that a listener may itself make requests.
"""

from __future__ import annotations

import base64
import itertools
import json
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from spyglass import log
from spyglass.errors import Failure, Lost, Missing

Event = dict[str, Any]
_LAST_WORDS = 50  # lines of standard error kept
_GRACE = 1.0  # seconds for each of: ending by itself, after SIGTERM, after SIGKILL


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """The child answered a request with an error; ``code`` and ``text`` are its own."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


class Child:
    """One running child that speaks the line protocol."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, on_event: Callable[[Event], None]
    ) -> None:
        """Start it; raises Missing when the program is not there."""
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[str, queue.SimpleQueue[Event]] = {}
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._over = False
        self._process = _spawn(argv, env, cwd)
        self._threads = [
            threading.Thread(target=work, name=f"erl {name}", daemon=True)
            for name, work in (("replies", self._read), ("errors", self._drain), ("events", self._deliver))
        ]
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"<Child pid {self._process.pid}{' over' * self._over}>"

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def last_words(self) -> list[str]:
        """The newest lines of its standard error, oldest first, without secrets."""
        return [log.redact(line) for line in list(self._words)]

    def request(self, command: str, args: Sequence[str], timeout: float) -> Any:
        """Send one request and wait for its value, at most ``timeout`` seconds.

        Raises Refused (the child's own error), Lost (the child is gone), Failure ``timeout``.
        """
        number = str(next(self._ids))
        answer: queue.SimpleQueue[Event] = queue.SimpleQueue()
        with self._lock:
            if self._over:
                raise self._gone()
            self._waiting[number] = answer
            self._send(" ".join([number, command, *map(_encoded, args)]))
        try:
            reply = answer.get(timeout=timeout)
        except queue.Empty:
            raise Failure(
                f"The local Erlang did not answer within {timeout:g} s ({command})",
                retry=True,
                code="timeout",
            ) from None
        finally:
            self._waiting.pop(number, None)
        if "ok" in reply:
            return reply["ok"]
        if "error" in reply:
            raise Refused(str(reply["error"]), str(reply.get("text", "")))
        raise self._gone()

    def _send(self, line: str) -> None:
        pipe = _opened(self._process.stdin)
        try:
            pipe.write(line.encode("ascii") + b"\n")
            pipe.flush()
        except (OSError, ValueError):
            raise self._gone() from None

    def _gone(self) -> Lost:
        words = self.last_words()
        return Lost("The local Erlang ended", words[-1] if words else "")

    def _read(self) -> None:
        with _opened(self._process.stdout) as pipe:
            for line in pipe:
                self._take(line)
        status = self._process.wait()
        with self._lock:
            self._over = True
            waiting = list(self._waiting.values())
        for answer in waiting:
            answer.put({})
        self._threads[1].join(_GRACE)  # so that its last words are complete
        self._events.put({"event": "exit", "status": status})
        self._events.put(None)

    def _take(self, line: bytes) -> None:
        try:
            message: Event = json.loads(line)
            number = message.get("id")
        except (ValueError, AttributeError):
            self._words.append(line.decode("utf-8", "replace").rstrip())
            return
        if number is None:
            self._events.put(message)
        elif (answer := self._waiting.get(number)) is not None:
            answer.put(message)

    def _drain(self) -> None:
        with _opened(self._process.stderr) as pipe:
            for line in pipe:
                text = line.decode("utf-8", "replace").strip()
                if text:
                    self._words.append(text)

    def _deliver(self) -> None:
        while (event := self._events.get()) is not None:
            self._on_event(event)

    def close(self) -> None:
        """Let it end by closing its standard input; make it end if it does not. Idempotent."""
        with self._lock:
            _shut(_opened(self._process.stdin))
        for insist in (self._process.terminate, self._process.kill, lambda: None):
            try:
                self._process.wait(_GRACE)
                break
            except subprocess.TimeoutExpired:
                insist()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2 * _GRACE)


def _spawn(argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(  # a session of its own: Ctrl-C in our terminal is ours to handle
            argv, env=env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:
        raise Missing(f"{argv[0]} cannot be started: {error.strerror}", "Choose another Erlang.") from error


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the child was started without this pipe")
    return pipe


def _shut(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # it had gone before; what was buffered is of no use


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode() or "-"
