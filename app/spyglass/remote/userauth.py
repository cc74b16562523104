"""The client's half of a login, message by message (RFC 4252, RFC 4256).

paramiko's own sends each public key with a signature at once, so that an agent asks its
owner in vain, and runs the questions of keyboard-interactive in the transport's thread, so
that a person who thinks stops the connection. This one asks first, and only its caller waits.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from paramiko import Message, Transport

from spyglass.errors import Unreachable
from spyglass.remote.sshwire import key_type, string

SERVICE_REQUEST, SERVICE_ACCEPT = 5, 6
REQUEST, FAILURE, SUCCESS, BANNER = 50, 51, 52, 53
METHOD_SPECIFIC = 60  # PK_OK, INFO_REQUEST or PASSWD_CHANGEREQ: the method in use tells which
INFO_RESPONSE = 61
TIMEOUT = 60.0  # seconds for one answer of the server; PAM may delay a refusal for some
_PROMPTS = 50  # more at once is no question but an attack
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_CERTIFICATE = "-cert-v01@openssh.com"

Sign = Callable[[bytes, str], bytes]


class Kind(Enum):
    """What the server said."""

    SUCCESS = auto()
    REFUSED = auto()
    PARTIAL = auto()  # right, but something more is wanted
    GO_ON = auto()  # a key that would do; prompts; a wish for a new password
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; ``methods`` it would take next, ``prompts`` it wants answered."""

    kind: Kind
    methods: tuple[str, ...] = ()
    text: str = ""
    prompts: tuple[tuple[str, bool], ...] = ()


class HungUp(Exception):  # noqa: N818 - it is what happened
    """The server closed the connection; ``cause`` is what the transport knows of it."""

    def __init__(self, cause: Exception | None) -> None:
        super().__init__("the server closed the connection")
        self.cause = cause


class Conversation:
    """One login on one transport. Stands where paramiko expects its AuthHandler.

    The methods block for one answer. They raise HungUp when the connection ends, Unreachable
    when nothing comes for a minute. ``tries`` counts what servers count for MaxAuthTries,
    ``questions`` how often the server has asked something.
    """

    def __init__(self, transport: Transport, user: str) -> None:
        self._transport = transport
        self._user = user
        self._inbox: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._authenticated = False
        self._interactive = False
        self.banner: bytes | None = None
        self.tries = 0
        self.questions = 0
        transport.auth_handler = self  # type: ignore[assignment]

    # --- what paramiko's transport uses

    @property
    def _handler_table(self) -> dict[int, Callable[[Message], None]]:
        return {
            SERVICE_ACCEPT: self._on_accept,
            SUCCESS: self._on_success,
            FAILURE: self._on_failure,
            BANNER: self._on_banner,
            METHOD_SPECIFIC: self._on_specific,
        }

    def is_authenticated(self) -> bool:
        """Whether the server let us in."""
        return self._authenticated

    def get_username(self) -> str:
        """The account."""
        return self._user

    def abort(self) -> None:
        """Wake whoever waits: the connection has ended. May be called from any thread."""
        self._inbox.put(Answer(Kind.CLOSED))

    def _on_accept(self, message: Message) -> None:
        self._inbox.put(Answer(Kind.GO_ON, text=message.get_text()))

    def _on_success(self, _message: Message) -> None:
        self._authenticated = True
        self._transport._auth_trigger()  # type: ignore[attr-defined]
        self._inbox.put(Answer(Kind.SUCCESS))

    def _on_failure(self, message: Message) -> None:
        methods = tuple(message.get_list())
        kind = Kind.PARTIAL if message.get_boolean() else Kind.REFUSED
        self._inbox.put(Answer(kind, methods))

    def _on_banner(self, message: Message) -> None:
        self.banner = message.get_binary()

    def _on_specific(self, message: Message) -> None:
        if not self._interactive:
            self._inbox.put(Answer(Kind.GO_ON))
            return
        title, instruction = _text(message), _text(message)
        message.get_binary()  # a language tag, deprecated
        count = min(message.get_int(), _PROMPTS)
        prompts = tuple((_text(message), message.get_boolean()) for _ in range(count))
        text = "\n".join(part for part in (title, instruction) if part)
        self._inbox.put(Answer(Kind.GO_ON, text=text, prompts=prompts))

    # --- what a login does

    def none(self) -> Answer:
        """Begin; the answer tells what the server accepts (or lets us in without anything)."""
        self._send(bytes([SERVICE_REQUEST]) + string("ssh-userauth"))
        self._answer()
        return self._ask("none", counted=False)

    def probe(self, blob: bytes) -> Answer:
        """Would this public key do? GO_ON if so. The private key is not needed."""
        body = b"\0" + string(self.algorithm(blob)) + string(blob)
        return self._ask("publickey", body)

    def publickey(self, blob: bytes, sign: Sign) -> Answer:
        """Log in by a key or certificate; ``sign(data, signature algorithm)`` gives the signature."""
        algorithm = self.algorithm(blob)
        body = b"\1" + string(algorithm) + string(blob)
        session = string(self._transport.session_id or b"")
        signature = sign(session + self._request("publickey", body), algorithm.removesuffix(_CERTIFICATE))
        return self._ask("publickey", body + string(signature))

    def password(self, password: str) -> Answer:
        """Log in by a password. GO_ON: it is right but has expired."""
        return self._ask("password", b"\0" + string(password))

    def interactive(self) -> Answer:
        """Begin a round of keyboard-interactive. GO_ON: answer its prompts by :meth:`respond`."""
        return self._ask("keyboard-interactive", string("") + string(""))

    def respond(self, answers: list[str]) -> Answer:
        """Answer the prompts."""
        self.questions += 1
        body = bytes([INFO_RESPONSE]) + len(answers).to_bytes(4, "big") + b"".join(map(string, answers))
        self._send(body)
        return self._counted(self._answer())

    def algorithm(self, blob: bytes) -> str:
        """The signature algorithm for a key: its type, but SHA-2 for RSA (RFC 8332)."""
        name = key_type(blob)
        if not name.startswith("ssh-rsa"):
            return name
        extensions: dict[str, bytes] = getattr(self._transport, "server_extensions", {})
        offered = extensions.get("server-sig-algs", b"").decode("ascii", "replace").split(",")
        chosen = next((rsa for rsa in _RSA if rsa in offered), _RSA[0])
        return chosen + (_CERTIFICATE if name.endswith(_CERTIFICATE) else "")

    def _request(self, method: str, body: bytes = b"") -> bytes:
        return bytes([REQUEST]) + string(self._user) + string("ssh-connection") + string(method) + body

    def _ask(self, method: str, body: bytes = b"", *, counted: bool = True) -> Answer:
        self._interactive = method == "keyboard-interactive"
        self._send(self._request(method, body))
        answer = self._answer()
        return self._counted(answer) if counted else answer

    def _counted(self, answer: Answer) -> Answer:
        self.tries += answer.kind is Kind.REFUSED
        return answer

    def _send(self, packet: bytes) -> None:
        try:
            self._transport._send_message(Message(packet))  # type: ignore[attr-defined]
        except (OSError, EOFError) as error:
            raise HungUp(error) from error

    def _answer(self) -> Answer:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                answer = self._inbox.get(timeout=0.25)
            except queue.Empty:
                if self._transport.is_active():  # who closes a transport does not always call abort
                    continue
                answer = Answer(Kind.CLOSED)
            if answer.kind is Kind.CLOSED:
                raise HungUp(self._transport.get_exception())
            return answer
        raise Unreachable("The server does not answer during the login", "Try again, or look at its log.")


def _text(message: Message) -> str:
    """Words from the server, without what could drive a terminal."""
    text = message.get_binary().decode("utf-8", "replace").strip()
    return "".join(char for char in text if char.isprintable() or char == "\n")
