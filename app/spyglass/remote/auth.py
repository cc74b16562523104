"""Log in to an SSH server: agent, key files, keyboard-interactive, password, as OpenSSH orders them.

Each public key is shown to the server before its owner is bothered, so a passphrase, a touch
or a confirmation is asked for only where it helps. Servers hang up after a few wrong tries
(MaxAuthTries, six by default), so keys that nobody named are not all tried.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from spyglass.errors import Denied, Failure, Lost
from spyglass.log import forget
from spyglass.questions import Ask, Secret, Typed
from spyglass.remote.authkeys import Candidate, Keyring, SkipKey
from spyglass.remote.base import Stop
from spyglass.remote.sshconfig import Settings
from spyglass.remote.userauth import Answer, Conversation, HungUp, Kind

if TYPE_CHECKING:
    from spyglass.remote.transport import Transport

ROUNDS = 3  # of a password or of keyboard-interactive, as in OpenSSH
QUESTIONS = 50  # in one login; a server that goes on asking gets no answer
GUESSES = 4  # refusals after which keys that nobody named are left out: two tries stay for a password
_LOG = logging.getLogger("spyglass")


class Secrets(Protocol):
    """Where answers may be kept. ``put`` is told only answers that were right."""

    def get(self, kind: str, subject: str) -> str | None:
        """A kept answer."""

    def put(self, kind: str, subject: str, value: str) -> None:
        """Keep an answer, if the person wants that."""


def authenticate(
    transport: Transport, settings: Settings, ask: Ask, stop: Stop, *, secrets: Secrets | None = None
) -> str:
    """Log in and return how: ``agent SHA256:…``, ``key ~/.ssh/id_ed25519``, ``password`` and so on.

    Raises Denied (refused, or all ways tried), Lost (the connection ended), Cancelled,
    and what ``ask`` raises. Blocks; ``stop`` ends it, and the transport with it.
    """
    login = _Login(transport, settings, ask, stop, secrets)
    with stop.ending(login.abort):
        try:
            return login.run()
        except HungUp as hung_up:
            raise login.hung_up(hung_up) from hung_up
        finally:
            login.keyring.close()


class _Login:
    """The course of one login: what the server accepts now, and what has been tried."""

    def __init__(
        self, transport: Transport, settings: Settings, ask: Ask, stop: Stop, secrets: Secrets | None
    ) -> None:
        self.transport = transport
        self.settings = settings
        self.stop = stop
        self.talk = Conversation(transport, settings.user)
        self.answers = Answers(ask, secrets)
        self.keyring = Keyring(settings, self.answers)
        self.accepted: tuple[str, ...] = ()
        self.tried: list[str] = []
        self.left_out = 0
        self.steps: list[str] = []

    def abort(self) -> None:
        """End it from another thread."""
        self.talk.abort()
        self.keyring.close()
        self.transport.cut()

    def run(self) -> str:
        """Try every way that is open to both sides; return the words for what worked."""
        answer = self.talk.none()
        self.accepted = answer.methods
        if answer.kind is Kind.SUCCESS:
            return "no password"
        ways: dict[str, Callable[[], str]] = {
            "publickey": self._publickey,
            "keyboard-interactive": self._interactive,
            "password": self._password,
        }
        worn: set[str] = set()  # ways without anything left to try
        while True:
            way = next((w for w in self.settings.methods if w in self.accepted and w not in worn), None)
            if way is None:
                raise self.refusal()
            words = ways[way]()
            if not words:
                worn.add(way)
            elif self.talk.is_authenticated():
                return " and ".join([*self.steps, words])
            else:  # right, but the server wants one more (self.accepted has changed)
                self.steps.append(words)

    def _take(self, answer: Answer) -> bool:
        """Whether the server is content with the last step."""
        if answer.kind is Kind.PARTIAL:
            self.accepted = answer.methods
        return answer.kind in (Kind.SUCCESS, Kind.PARTIAL)

    # --- keys

    def _publickey(self) -> str:
        for candidate in self.keyring.candidates():
            self.stop.check()
            if self._no_more_guesses(candidate):
                self.left_out += 1
                continue
            self.keyring.used(candidate)
            try:
                content = self._take(self._try_key(candidate))
            except SkipKey as reason:
                self.tried.append(f"{candidate.words} ({reason})")
                continue
            self.tried.append(candidate.words)
            if content:
                return candidate.words
        return ""

    def _no_more_guesses(self, candidate: Candidate) -> bool:
        others = set(self.accepted) & set(self.settings.methods) - {"publickey"}
        return bool(others) and not candidate.named and self.talk.tries >= GUESSES

    def _try_key(self, candidate: Candidate) -> Answer:
        blob = candidate.blob
        if blob and candidate.costly:
            answer = self.talk.probe(blob)
            if answer.kind is not Kind.GO_ON:
                return answer
        candidate.unlock()
        return self.talk.publickey(candidate.blob, candidate.sign)

    # --- words

    def _interactive(self) -> str:
        self.tried.append("keyboard-interactive")
        for again in range(ROUNDS):
            answer = self.talk.interactive()
            given: list[tuple[str, str]] = []
            while answer.kind is Kind.GO_ON and self.talk.questions < QUESTIONS:
                now = self.answers.prompts(self.settings.label, answer, again=bool(again))
                answer = self.talk.respond([value for _, value in now])
                given += now
            if self._take(answer):
                self.answers.right(self.settings.label, given)
                return "keyboard-interactive"
            if not given:
                break  # refused without a question: the next round would be the same
        return ""

    def _password(self) -> str:
        self.tried.append("password")
        for again in range(ROUNDS):
            password = self.answers.secret("password", self.settings.label, again=bool(again))
            answer = self.talk.password(password)
            if answer.kind is Kind.GO_ON:
                raise self._expired()
            if self._take(answer):
                self.answers.right(self.settings.label, [("password", password)])
                return "password"
        return ""

    # --- what can go wrong

    def _expired(self) -> Failure:
        host, user = self.settings.alias, self.settings.user
        return Denied(
            f"The password of {user} on {host} has expired",
            f"Log in once with `ssh {self.settings.label}`, set a new one, then connect again.",
            code="password-expired",
        )

    def refusal(self) -> Failure:
        """All ways are tried."""
        accepts = ", ".join(self.accepted) or "nothing more"
        parts = [f"Tried: {', '.join(self.tried) or 'nothing'}. The server accepts: {accepts}."]
        parts += self.keyring.remarks()
        if self.left_out:
            parts.append(f"{self.left_out} more keys were not tried: name the right one by IdentityFile.")
        if self.steps:
            parts.append(f"It took {' and '.join(self.steps)}, but wants something more.")
        return Denied(f"{self.settings.alias} refused {self.settings.user}", " ".join(parts))

    def hung_up(self, event: HungUp) -> Failure:
        """The server closed the connection in the middle of it."""
        host = self.settings.alias
        if self.talk.tries and event.cause is None:  # it said goodbye (RFC 4253, 11.1), so the link is sound
            return Denied(
                f"{host} ended the login of {self.settings.user} after {self.talk.tries} refused tries",
                f"Tried: {', '.join(self.tried)}. Servers allow a few tries only: name the right key by "
                "IdentityFile and set IdentitiesOnly yes.",
                code="too-many-tries",
            )
        return Lost(
            f"{host} closed the connection during the login", "Try again, or look at the server's log."
        )


class Answers:
    """Gets secrets: first a kept one, once; then from the person. Each is told to the log's redaction."""

    def __init__(self, ask: Ask, secrets: Secrets | None) -> None:
        self._ask = ask
        self._secrets = secrets
        self._offered: set[tuple[str, str]] = set()

    def secret(self, kind: str, subject: str, *, again: bool, prompt: str = "", echo: bool = False) -> str:
        """A password or a passphrase."""
        question = Secret(kind=kind, subject=subject, prompt=prompt, echo=echo, again=again)  # type: ignore[arg-type]
        kept = self._kept(question.lasting, subject)
        if kept is not None:
            return forget(kept)
        answer = self._ask(question)
        return forget(answer.value if isinstance(answer, Typed) else str(answer))

    def _kept(self, kind: str, subject: str) -> str | None:
        if self._secrets is None or not kind or (kind, subject) in self._offered:
            return None
        self._offered.add((kind, subject))
        return self._secrets.get(kind, subject)

    def prompts(self, subject: str, answer: Answer, *, again: bool) -> list[tuple[str, str]]:
        """Answer the server's own prompts; return (kind, value) of each."""
        given = []
        for position, (prompt, echo) in enumerate(answer.prompts):
            words = "\n".join(part for part in ("" if position else answer.text, prompt) if part)
            value = self.secret("keyboard-interactive", subject, again=again, prompt=words or "?", echo=echo)
            lasting = Secret("keyboard-interactive", subject, words, echo).lasting
            given.append((lasting, value))
        return given

    def right(self, subject: str, given: list[tuple[str, str]]) -> None:
        """The server (or the key file) took these: they may be kept."""
        for kind, value in given:
            if kind and self._secrets is not None:
                self._secrets.put(kind, subject, value)
