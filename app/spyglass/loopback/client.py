"""The program that holds the helper's pipe: started once a run, asked in lines, ended by closing it."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from spyglass.errors import Denied, Failure, Missing
from spyglass.loopback import trust
from spyglass.loopback.addresses import WAYS, refused

PROTOCOL = 1
GREETING = "hello spyglass-loopback "
ANSWER = 10.0
"""Seconds that an answer may take."""
LOOK = 0.2
"""Seconds between two looks whether somebody still waits for the helper to start."""

_DISMISSED = 126  # pkexec(1), "Return value"
_log = logging.getLogger("spyglass")


def elevation(*, terminal: bool, ask: bool = True) -> list[str]:
    """What runs the helper as root: sudo where there is a terminal to ask in, else pkexec's dialog.

    (pkexec's own way to ask in a terminal is broken in polkit 122, Debian 12's.) Raises Failure.
    """
    if _no_new_rights():
        raise Denied("This program runs where no program can become root (no_new_privs)", WAYS)
    dialog, prompt = ["pkexec", "--disable-internal-agent"], ["sudo", "--"]
    ways = ([prompt, dialog] if terminal else [dialog]) if ask else [["sudo", "--non-interactive", "--"]]
    for way in ways:
        if shutil.which(way[0]):
            return way
    tried = " nor ".join(way[0] for way in ways)
    raise Missing(f"There is no {tried} on this computer to add an address with", WAYS)


def _no_new_rights(status: Path = Path("/proc/self/status")) -> bool:
    try:
        return "NoNewPrivs:\t1" in status.read_text("ascii", errors="replace")
    except OSError:
        return False


class Helper:
    """The privileged helper, started when the first address is added."""

    def __init__(self, command: Callable[[], Sequence[str]], *, once: bool = False) -> None:
        """``command`` gives the whole command line, and may raise a Failure.

        ``once``: a no of the person's, or the system's, stands; nobody is asked for the next address.
        """
        self._command, self._once = command, once
        self._refusal: Denied | None = None
        self.on_gone: Callable[[str, str], None] = lambda _address, _reason: None
        """Hears, from a thread, of an address that the helper gave up, and why."""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether it was started, and has not ended."""
        process = self._process
        return process is not None and process.poll() is None

    def start(self, check: Callable[[], None] = lambda: None) -> None:
        """Start it, unless it runs; blocks while a person is asked. Raises Failure.

        ``check`` is called now and then, and may raise what ends the waiting.
        """
        with self._lock:
            if self._process is not None and not self.running:
                self.close()
            if self._process is None:
                self._start(check)

    def add(self, address: str) -> None:
        """Put an address on the loopback interface. Raises Failure with the helper's reason."""
        with self._lock:
            if self._process is None:
                self._start()
            self._ask(f"add {address}", address)

    def remove(self, address: str) -> None:
        """Take an address away again."""
        with self._lock:
            if self._process is not None:
                self._ask(f"del {address}", address)

    def close(self) -> None:
        """End the helper, and with it its addresses; may be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            _pipe(process.stdin).close()  # this is what ends it
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):  # it waits for a password, and may be somebody else's by now
                process.terminate()
        if self._reader is not None:
            self._reader.join(3)
        if process.stderr is not None:
            process.stderr.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)

    def _start(self, check: Callable[[], None] = lambda: None) -> None:
        if self._refusal is not None:
            raise self._refusal
        try:
            self._launch(check)
        except Denied as refusal:
            self._refusal = refusal if self._once else None
            raise

    def _launch(self, check: Callable[[], None]) -> None:
        command = self._command()
        self._answers = queue.SimpleQueue()
        dialog = Path(command[0]).name == "pkexec"  # sudo speaks to the person, pkexec to the program
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if dialog else None,
            text=True,
            encoding="ascii",
            errors="replace",
            cwd="/",
        )
        self._reader = threading.Thread(
            target=self._read, args=(self._process,), name="loopback helper", daemon=True
        )
        self._reader.start()
        try:
            self._greeted(self._greeting(check))
        except BaseException:
            with contextlib.suppress(OSError):  # it may wait for a password, or be somebody else's by now
                self._process.terminate()
            self.close()
            raise

    def _greeting(self, check: Callable[[], None]) -> str | None:
        """The first line, after as long as a person takes for a password."""
        while True:
            check()
            with contextlib.suppress(queue.Empty):
                return self._answers.get(timeout=LOOK)

    def _greeted(self, line: str | None) -> None:
        if line is None:
            raise self._not_started()
        version = line.removeprefix(GREETING)
        if version != str(PROTOCOL):
            raise Denied(
                f"The helper {trust.HELPER} is of another version than this Spyglass",
                f"Install it anew. {trust.INSTALL}",
                code="untrusted-helper",
            )

    def _not_started(self) -> Failure:
        process = self._process
        status = process.wait(3) if process else 0
        if status == _DISMISSED:
            return Denied(
                "The address was not added: the question for a password was dismissed", WAYS, code="dismissed"
            )
        words = process.stderr.read() if process and process.stderr else ""
        return Denied(
            "The address was not added: the helper was not allowed to start", f"{_why_not(words)}{WAYS}"
        )

    def _ask(self, request: str, address: str) -> None:
        process = self._process
        assert process is not None  # noqa: S101 - the callers' business
        try:
            _pipe(process.stdin).write(request + "\n")
            _pipe(process.stdin).flush()
            answer = self._answers.get(timeout=ANSWER)
        except (OSError, queue.Empty):
            answer = None
        if answer is None:
            self.close()
            raise Failure("The helper for addresses on the loopback interface has ended", "Try again.")
        word, _, rest = answer.partition(" ")
        if word != "ok":
            raise refused(f"{address} was refused: {rest.partition(' ')[2]}")

    def _read(self, process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(OSError, ValueError), _pipe(process.stdout) as stream:
            for line in stream:
                self._hear(line.rstrip("\n"))
        self._answers.put(None)

    def _hear(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word != "gone":
            self._answers.put(line)
            return
        address, _, reason = rest.partition(" ")
        _log.warning("%s does not stand for a node any more: %s", address, reason)
        self.on_gone(address, reason)


def _why_not(words: str) -> str:
    """What pkexec's words mean for a person; they are the same in every language."""
    if "No authentication agent" in words:
        return "No program of this desktop asks for passwords; in a terminal sudo does. "
    if "Not authorized" in words:
        return "The password was not right, or this user may not become root. "
    return "".join(f"{line.rstrip('.')}. " for line in words.strip().splitlines()[:1])


def trusted(*, terminal: bool = False, ask: bool = True) -> list[str]:
    """The command line of the installed helper. Raises Failure when it can't be used."""
    if sys.platform != "linux":
        raise Missing("There is no helper for this system yet", WAYS)
    if os.geteuid() == 0:
        raise Denied(
            "Spyglass runs as root: the helper is for a user",
            "Run it as yourself, or add the address by hand: `ip address add`.",
        )
    path = trust.check()
    return [*elevation(terminal=terminal, ask=ask), str(path)]


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101 - both are pipes
    return stream
