"""A server that only lets people in, for what a real sshd can't do without accounts of the system.

Passwords, questions (keyboard-interactive) and logins of several steps; built on paramiko's
server side, over a socket pair.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import paramiko
from paramiko import PKey
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL
from paramiko.server import InteractiveQuery

from spyglass.remote.local import SocketStream
from spyglass.remote.sshwire import string
from spyglass.remote.transport import Transport

HOST_KEY = paramiko.ECDSAKey.generate()


@dataclass
class Doorman(paramiko.ServerInterface):
    """``steps``: each a set of methods, one of which must be right before the next step.

    ``seen`` notes each try in order, with what was shown.
    """

    steps: Sequence[Sequence[str]] = (("publickey", "keyboard-interactive", "password"),)
    password: str = "right"
    rounds: Sequence[Sequence[tuple[str, bool]]] = ((("Password: ", False),),)
    answers: Sequence[str] = ("right",)
    title: str = ""
    instructions: str = ""
    keys: Sequence[bytes] = ()
    expired: str = ""  # this password is right but has to be changed
    busy: threading.Event | None = None  # a try waits for it
    seen: list[tuple[str, Any]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    transport: Any = None
    _done: int = 0
    _given: list[str] = field(default_factory=list)

    def get_allowed_auths(self, username: str) -> str:
        return ",".join(self.steps[min(self._done, len(self.steps) - 1)])

    def _judge(self, method: str, shown: Any, right: bool) -> int:
        self.seen.append((method, shown))
        if not right or method not in self.steps[self._done]:
            return AUTH_FAILED
        self._done += 1
        return AUTH_SUCCESSFUL if self._done == len(self.steps) else AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_none(self, username: str) -> int:
        return AUTH_SUCCESSFUL if "none" in self.steps[0] else AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self.arrived.set()
        if self.busy:
            self.busy.wait(10)
        if password == self.expired:
            change = paramiko.Message(b"\x3c" + string("Your password has expired.") + string(""))
            self.transport._send_message(change)  # RFC 4252, 8: SSH_MSG_USERAUTH_PASSWD_CHANGEREQ
        return self._judge("password", password, password == self.password)

    def check_auth_publickey(self, username: str, key: PKey) -> int:
        return self._judge("publickey", key.asbytes(), right=key.asbytes() in self.keys)

    def check_auth_interactive(self, username: str, submethods: str | bytes) -> int | InteractiveQuery:
        self._given = []
        return self._query()

    def _query(self) -> InteractiveQuery:
        return InteractiveQuery(self.title, self.instructions, *self.rounds[self._asked])

    @property
    def _asked(self) -> int:
        """How many rounds of questions are answered."""
        count, left = 0, len(self._given)
        for questions in self.rounds:
            if left < max(len(questions), 1):
                break
            left -= max(len(questions), 1)
            count += 1
        return count

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        self._given += responses or [""]
        if self._asked < len(self.rounds):
            return self._query()
        return self._judge("keyboard-interactive", tuple(self._given), self._given == list(self.answers))


@contextmanager
def door(doorman: Doorman) -> Iterator[Transport]:
    """The client's transport, keys exchanged, in front of this doorman."""
    near, far = socket.socketpair()
    server = paramiko.Transport(far)
    server.add_server_key(HOST_KEY)
    server.start_server(event=threading.Event(), server=doorman)  # with an event it does not wait
    doorman.transport = server
    client = Transport(SocketStream(near))
    try:
        client.shake_hands(10)
        yield client
    finally:
        client.close()
        server.close()
        server.join(5)
