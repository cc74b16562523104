"""The person at the terminal: questions, progress, Ctrl-C.

Workers put questions and states into one queue; the main thread alone reads it and
prints, so an interrupt always meets a thread that can act on it.
"""

from __future__ import annotations

import getpass
import queue
import sys
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from spyglass.cli.output import plain
from spyglass.errors import Cancelled, Failure, NeedsAnswer
from spyglass.questions import Choice, Consent, HostKey, Question, Secret, Typed
from spyglass.status import Phase, Status


class Terminal:
    """Answers questions and shows progress on standard error.

    ``batch`` never asks; ``agrees`` has consented beforehand to what a command may lend.
    """

    def __init__(self, *, batch: bool, agrees: bool = False) -> None:
        """Progress is shown when standard error is a terminal."""
        self._batch = batch
        self._agrees = agrees
        self._progress = sys.stderr.isatty()
        self._shown = ""
        self._told = ""
        self._reached = False
        self._queue: queue.SimpleQueue[Status | tuple[Question, Future[Any]]] = queue.SimpleQueue()
        self._asked: set[Future[Any]] = set()
        self.last: Status | None = None

    # -- workers ----------------------------------------------------------------

    @property
    def may_ask(self) -> bool:
        """Whether there is a person to ask."""
        return not self._batch and _can_ask()

    def ask(self, _profile: str, question: Question) -> Any:
        """Block until the main thread has the answer."""
        if self._agrees and isinstance(question, Consent) and not question.danger:
            return True
        if not self.may_ask:
            raise unanswered(question)
        future: Future[Any] = Future()
        self._asked.add(future)
        self._queue.put((question, future))
        try:
            return future.result()
        except CancelledError:
            raise Cancelled from None
        finally:
            self._asked.discard(future)

    def withdraw(self, _profile: str) -> None:
        """Take back what is asked."""
        for future in list(self._asked):
            future.cancel()

    def hear(self, status: Status) -> None:
        """A new state of the connection."""
        self._queue.put(status)

    # -- the main thread -----------------------------------------------------------

    def until(self, done: Callable[[Status], bool]) -> Status:
        """Serve questions and show progress until a state satisfies ``done``."""
        if self.last is not None and done(self.last):
            return self.last
        while True:
            item = self._queue.get()
            if isinstance(item, Status):
                self.last = item
                self._show(item)
                if done(item):
                    self.clear()
                    return item
            else:
                self._answer(*item)

    def reach(self, done: Callable[[Status], bool]) -> Status:
        """As :meth:`until`, but an end of the connection becomes its Failure or Cancelled."""
        status = self.until(lambda s: done(s) or s.phase in {Phase.FAILED, Phase.OFFLINE})
        if status.phase is Phase.FAILED and status.problem:
            problem = status.problem
            raise Failure(problem.title, problem.hint, code=problem.code, retry=problem.retry)
        if status.phase is Phase.OFFLINE:
            raise Cancelled
        return status

    def clear(self) -> None:
        """Wipe the progress line."""
        if self._progress and self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = ""

    def _show(self, status: Status) -> None:
        self._reached = self._reached or status.phase is Phase.READY
        if status.phase is Phase.WAITING and status.problem and not self._reached:
            self._tell(status.problem.title)
        text = status.doing
        if not self._progress or not text or text == self._shown:
            return
        sys.stderr.write(f"\r\x1b[K{text} …")
        sys.stderr.flush()
        self._shown = text

    def _tell(self, why: str) -> None:
        """Why there is nothing yet, once: what holds until Ctrl-C would else wait without a word."""
        if why != self._told:
            self._told = why
            self.clear()
            say(plain(f"{why}. It is tried again and again, until Ctrl-C."))

    def _answer(self, question: Question, future: Future[Any]) -> None:
        self.clear()
        try:
            answer = put(question)
        except EOFError:
            future.cancel()
        except Cancelled:
            future.cancel()
        else:
            if not future.cancelled():
                future.set_result(answer)


def put(question: Question) -> Any:
    """Put one question to the person; raises Cancelled for a no that ends the matter."""
    match question:
        case HostKey(host, key_type, fingerprint, file):
            say(f"{host} is not known yet. Its {key_type} key is\n  {fingerprint}")
            answer = pick(
                "Trust it? [o]nce, [r]emember" + (f" in {file}" * bool(file)) + ", or [c]ancel: ", "orc"
            )
            if answer == "c":
                raise Cancelled
            return "once" if answer == "o" else "remember"
        case Secret():
            return _secret(question)
        case Choice(title, options, details):
            say(title)
            for number, option in enumerate(options, 1):
                more = details[number - 1] if number <= len(details) else ""
                say(f"  {number}  {option}  {more}".rstrip())
            return options[_number(len(options)) - 1]
        case Consent(title, text, action):
            say(f"{title}\n{text}")
            return pick(f"{action}? [y]es or [n]o: ", "yn") == "y"


def unanswered(question: Question) -> NeedsAnswer:
    """The Failure where nobody may be asked: it says what would have been asked."""
    match question:
        case HostKey(host, key_type, fingerprint):
            return NeedsAnswer(
                f"The host key of {host} is unknown ({key_type} {fingerprint})",
                "Connect once without --batch to look at it, or add the key to known_hosts.",
                code="host-key",
            )
        case Secret(kind, subject):
            return NeedsAnswer(f"The {kind} of {subject} is needed", "Run it without --batch, in a terminal.")
        case Choice(title, options):
            return NeedsAnswer(title, "Name one of: " + ", ".join(options))
        case Consent(title, _, action):
            return NeedsAnswer(
                title, f"It takes a person to agree to: {action}. Run it without --batch, in a terminal."
            )


def say(text: str) -> None:
    """Print a line for people, on standard error."""
    print(text, file=sys.stderr, flush=True)


def pick(prompt: str, letters: str) -> str:
    """Ask until one of the letters comes."""
    while True:
        say_on = input_line(prompt).strip().lower()[:1]
        if say_on and say_on in letters:
            return say_on


def input_line(prompt: str) -> str:
    """One line from the terminal; the prompt goes to standard error."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _number(most: int) -> int:
    while True:
        text = input_line(f"Number (1-{most}): ").strip()
        if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
            return int(text)


def _secret(question: Secret) -> str | Typed:
    """The secret, and whether the keyring may have it (asked only where it could)."""
    if question.again:
        say("That was not right.")
    words = question.prompt or f"{question.kind.capitalize()} of {question.subject}: "
    if question.echo:
        return input_line(words).rstrip("\n")
    typed = getpass.getpass(words, stream=sys.stderr)
    if not typed or "keyring" not in question.keep:
        return typed
    wanted = pick("Keep it in the system's keyring? [y]es or [n]o: ", "yn") == "y"
    return Typed(typed, "keyring" if wanted else "run")


def _can_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
