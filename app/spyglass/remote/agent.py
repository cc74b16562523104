"""A small client of the SSH agent (draft-miller-ssh-agent): list the keys, let it sign.

paramiko's own takes the socket from the process's environment only (no IdentityAgent) and
can't sign by FIDO keys, which it does not know; here a key is just its blob.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field

from spyglass.remote.sshwire import Fields, number, string

LIST_TIMEOUT = 5.0
SIGN_TIMEOUT = 120.0  # a person may have to confirm, or to touch a key
_MAX_REPLY = 256 * 1024  # OpenSSH's own limit
_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}


class AgentRefused(Exception):  # noqa: N818 - it is what happened
    """The agent is gone, did not answer in time, or would not sign."""


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key (or certificate) that the agent holds: the public blob and its comment."""

    blob: bytes = field(repr=False)
    comment: str


class Agent:
    """A connection to one agent. Close it from any thread to end a waiting :meth:`sign`."""

    def __init__(self, path: str) -> None:
        """Connect to the agent's socket; raises AgentRefused when there is none."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(LIST_TIMEOUT)
        try:
            self._socket.connect(path)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
            self._socket.close()
            raise AgentRefused(str(error)) from error

    def keys(self) -> tuple[AgentKey, ...]:
        """What the agent holds, in its order. Raises AgentRefused."""
        kind, fields = self._request(bytes([_REQUEST_IDENTITIES]), LIST_TIMEOUT)
        if kind != _IDENTITIES_ANSWER:
            raise AgentRefused("no list of keys")
        try:
            return tuple(AgentKey(fields.string(), fields.text()) for _ in range(fields.number()))
        except ValueError as error:
            raise AgentRefused("a broken list of keys") from error

    def sign(self, blob: bytes, data: bytes, algorithm: str) -> bytes:
        """Return the signature (as it goes on the wire) by the key with this blob. Raises AgentRefused."""
        request = bytes([_SIGN_REQUEST]) + string(blob) + string(data) + number(_FLAGS.get(algorithm, 0))
        kind, fields = self._request(request, SIGN_TIMEOUT)
        if kind != _SIGN_RESPONSE:
            raise AgentRefused("the agent did not sign")
        try:
            return fields.string()
        except ValueError as error:
            raise AgentRefused("a broken signature") from error

    def close(self) -> None:
        """Leave; wakes a thread that waits for the agent."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _request(self, body: bytes, timeout: float) -> tuple[int, Fields]:
        try:
            self._socket.settimeout(timeout)
            self._socket.sendall(string(body))
            size = int.from_bytes(self._exactly(4), "big")
            if not 0 < size <= _MAX_REPLY:
                raise AgentRefused("not an agent")
            reply = self._exactly(size)
        except OSError as error:
            raise AgentRefused(str(error)) from error
        return reply[0], Fields(reply[1:])

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise AgentRefused("the agent hung up")
            data += piece
        return data
