"""Which keys to offer to a server, in which order (ssh_config(5): IdentityFile, IdentitiesOnly).

1. keys of the agent that the configuration names, 2. named key files, 3. a few other keys of
the agent, 4. key files that nobody named but that lie in the usual place, 5. files that need
a passphrase. A certificate goes before its plain key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from spyglass.remote import keyfiles
from spyglass.remote.agent import Agent, AgentKey, AgentRefused
from spyglass.remote.hostkeys import fingerprint
from spyglass.remote.keyfiles import KeyFile, PrivateKey, UserCertificate

if TYPE_CHECKING:
    from spyglass.remote.sshconfig import Settings

OTHERS = 3  # keys of the agent that nobody named
PASSPHRASES = 3  # tries for one key file


class SkipKey(Exception):  # noqa: N818 - an order, not an error
    """This key can't be used after all; says why."""


class Passphrases(Protocol):
    """Who knows passphrases (see :class:`spyglass.remote.auth.Answers`)."""

    def secret(self, kind: str, subject: str, *, again: bool) -> str:
        """Ask for one."""

    def right(self, subject: str, given: list[tuple[str, str]]) -> None:
        """It was right."""


class Candidate(Protocol):
    """One thing to offer to the server.

    ``words`` is what a person reads of it; ``named``: the configuration or the profile names
    it; ``costly``: using it may bother a person, so the server is asked first.
    """

    words: str
    blob: bytes
    named: bool
    costly: bool

    def unlock(self) -> None:
        """Make :meth:`sign` possible (and ``blob`` known). Raises SkipKey."""

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """The signature for the wire. Raises SkipKey."""


@dataclass(slots=True)
class FromAgent:
    """A key of the agent, or a certificate for one."""

    agent: Agent
    key: bytes = field(repr=False)  # what the agent signs with
    blob: bytes = field(repr=False)  # what the server gets
    named: bool
    words: str
    costly: bool = True

    def unlock(self) -> None:
        """The agent sees to that."""

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Let the agent sign."""
        try:
            return self.agent.sign(self.key, data, algorithm)
        except AgentRefused as refusal:
            raise SkipKey("the agent did not sign") from refusal


@dataclass(slots=True)
class FromFile:
    """A key file, or a certificate for one."""

    file: KeyFile
    blob: bytes = field(repr=False)
    named: bool
    words: str
    passphrases: Passphrases = field(repr=False)
    private: PrivateKey | None = field(default=None, repr=False)
    costly: bool = False

    def __post_init__(self) -> None:
        """A passphrase would have to be asked for."""
        self.costly = self.file.encrypted

    def unlock(self) -> None:
        """Read the private key, with up to three passphrases."""
        try:
            self.private = self._with_passphrase() if self.file.encrypted else keyfiles.load(self.file.path)
        except keyfiles.Unusable as reason:
            raise SkipKey(str(reason)) from reason
        except keyfiles.WrongPassphrase as reason:
            raise SkipKey("no right passphrase") from reason
        self.blob = self.blob or self.private.blob

    def _with_passphrase(self) -> PrivateKey:
        subject = str(self.file.path)
        for again in range(PASSPHRASES):
            passphrase = self.passphrases.secret("passphrase", subject, again=bool(again))
            if not passphrase:
                raise SkipKey("no passphrase given")
            with suppress(keyfiles.WrongPassphrase):
                key = keyfiles.load(self.file.path, passphrase)
                self.passphrases.right(subject, [("passphrase", passphrase)])
                return key
        raise keyfiles.WrongPassphrase(subject)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Sign with the private key."""
        if self.private is None:
            raise SkipKey("it is locked")
        return self.private.sign(data, algorithm)


class Keyring:
    """The keys of one login, from the agent and from files."""

    def __init__(self, settings: Settings, passphrases: Passphrases) -> None:
        self._settings = settings
        self._passphrases = passphrases
        self._agent: Agent | None = None
        self._held: tuple[AgentKey, ...] = ()
        self._files: list[KeyFile] = []
        self._certificates: list[UserCertificate] = []
        self._used: set[bytes] = set()
        self._read = False

    def close(self) -> None:
        """Leave the agent. May be called from any thread."""
        if self._agent is not None:
            self._agent.close()

    def used(self, candidate: Candidate) -> None:
        """Do not offer this one again (a login may ask for a second key)."""
        if candidate.blob:
            self._used.add(candidate.blob)

    def remarks(self) -> list[str]:
        """What a person should know about keys that could not be offered."""
        return [f"{self._settings.short(file.path)}: {file.fault}." for file in self._files if file.fault]

    def candidates(self) -> Iterator[Candidate]:
        """What to offer, best first, each once."""
        if not self._read:
            self._read = True
            self._look()
        for candidate in self._ordered():
            if candidate.blob not in self._used or not candidate.blob:
                yield candidate

    def _look(self) -> None:
        found = [keyfiles.look(path) for path in self._settings.identity_files]
        self._files = [file for file in found if file]
        paths = [*self._settings.certificate_files, *(keyfiles.beside(file.path) for file in self._files)]
        read = [keyfiles.certificate(path) for path in dict.fromkeys(paths)]
        self._certificates = [certificate for certificate in read if certificate]
        if self._settings.identity_agent:
            with suppress(AgentRefused):  # a dead agent is as good as none
                self._agent = Agent(self._settings.identity_agent)
                self._held = self._agent.keys()

    def _ordered(self) -> list[Candidate]:
        named = self._named_of_agent()
        others = [] if self._settings.identities_only else self._others_of_agent(named)
        open_files = self._of_files(encrypted=False)
        asking = self._of_files(encrypted=True)
        if self._settings.explicit_identities:
            return [*named, *open_files, *others, *asking]
        return [*named, *others, *open_files, *asking]

    def _named_of_agent(self) -> list[Candidate]:
        """Keys that the agent holds and the configuration names, certificates first."""
        if self._agent is None:
            return []
        held = {key.blob for key in self._held}
        found: list[Candidate] = [
            self._from_agent(
                one.key, one.blob, named=True, words=f"agent, certificate {self._settings.short(one.path)}"
            )
            for one in self._certificates
            if one.key in held
        ]
        public = [file.public for file in self._files if file.public in held]
        return found + [self._from_agent(blob, blob, named=True) for blob in public]

    def _others_of_agent(self, named: list[Candidate]) -> list[Candidate]:
        taken = {candidate.blob for candidate in named}
        rest = [key.blob for key in self._held if key.blob not in taken]
        return [self._from_agent(blob, blob, named=False) for blob in rest[:OTHERS]]

    def _from_agent(self, key: bytes, blob: bytes, *, named: bool, words: str = "") -> Candidate:
        if self._agent is None:
            raise SkipKey("no agent")
        return FromAgent(self._agent, key, blob, named, words or f"agent {fingerprint(blob)}")

    def _of_files(self, *, encrypted: bool) -> list[Candidate]:
        held = {key.blob for key in self._held}
        found: list[Candidate] = []
        for file in self._files:
            if not file.private or file.encrypted is not encrypted or file.public in held:
                continue
            named = self._settings.explicit_identities
            for one in self._certificates:
                if one.key == file.public:
                    words = f"certificate {self._settings.short(one.path)}"
                    found.append(FromFile(file, one.blob, named, words, self._passphrases))
            words = f"key {self._settings.short(file.path)}"
            found.append(FromFile(file, file.public, named, words, self._passphrases))
        return found
