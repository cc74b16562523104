"""A scratch node: an Erlang node started at a Remote for trying things out, which ends with us.

It is started by a script (``resources/discovery/scratch.sh``) on one piped command. The cookie goes in
by standard input; a beat now and then says that we still live. At the end of input, or when
the beats stay away for 25 s because this computer has vanished, the node halts.
"""

from __future__ import annotations

import random
import threading
from typing import Self

from spyglass import asset, log
from spyglass.errors import Failure, Lost, Missing
from spyglass.remote.base import Piped, Remote

BEAT = 8.0
"""Seconds between two beats; the node waits three times as long."""
_START = 15.0
_TRIES = 3
_LINE = 1000
_LOWEST, _HIGHEST = 20_000, 32_000  # below the ports that Linux gives out by itself (ip_local_port_range)


class Scratch:
    """A running scratch node; a context manager. ``node`` is its full name, ``otp`` its release."""

    def __init__(self, remote: Remote, cookie: str, short: str) -> None:
        """Start it. ``short`` begins its name, its port ends it. Raises Missing where there is no Erlang."""
        log.forget(cookie)
        self._over = threading.Event()
        self._piped, line = _start(remote, cookie, short)
        _, self.node, self.otp, elixir = line.split()
        self.elixir = elixir == "true"
        self._thread = threading.Thread(target=self._beat, name=f"beat {self.node}", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<Scratch {self.node}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End exactly this node; may be called twice."""
        self._over.set()
        self._piped.close()
        self._thread.join(5)

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            try:
                self._piped.sendall(b".")
            except OSError:
                return  # the connection is gone, and the node with it; others tell of that


def _start(remote: Remote, cookie: str, short: str) -> tuple[Piped, str]:
    script = asset("discovery/scratch.sh").read_text("utf-8")
    why = ""
    for _ in range(_TRIES):  # the port may be somebody's
        port = random.randint(_LOWEST, _HIGHEST)  # noqa: S311 - no secret
        piped = remote.pipe(["sh", "-c", script, "sh", f"{short}_{port}", str(port)])
        try:
            line = _greeting(piped, cookie)
        except BaseException:
            piped.close()
            raise
        if line.count(" ") == 3:
            return piped, line
        why = piped.why() or line
        piped.close()
        if line == "spyglass none":
            raise Missing(
                f"No Erlang was found on {remote.describe()}",
                "Install one there (erl on the login shell's PATH), or name a container that has it.",
                code="no-erlang-there",
            )
    raise Failure(
        f"No scratch node could be started on {remote.describe()}",
        log.redact(why.strip().splitlines()[-1][:300]) if why.strip() else "It gave no reason.",
        code="no-scratch",
    )


def _greeting(piped: Piped, cookie: str) -> str:
    """The line with which it says that it is up; what a login shell prints before it is passed over."""
    piped.settimeout(_START)
    had = b""
    try:
        piped.sendall(cookie.encode("latin-1") + b"\n")
        while not (line := _said(had)) and len(had) < 64 * _LINE:
            piece = piped.recv(_LINE)
            if not piece:
                return ""
            had += piece
    except TimeoutError:
        raise Failure("The scratch node did not start in time", "Try it again.", code="timeout") from None
    except OSError as exc:
        raise Lost("The connection broke while the scratch node started") from exc
    return line


def _said(had: bytes) -> str:
    *whole, _ = had.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in whole if line.startswith("spyglass ")), "")
