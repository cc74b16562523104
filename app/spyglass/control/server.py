"""The running app's side of the control socket: plain threads, one for each request.

A request is one line, ``{"v": 1, "do": …}``; the answer is any number of lines without
``ok`` (what happens meanwhile) and one with it. Only the person's own processes are
listened to, and nothing secret is ever answered.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from spyglass.control.claim import Claim
from spyglass.control.wire import REQUEST, VERSION, Wire
from spyglass.control.wishes import Answer, Hub, Says, Wishes
from spyglass.errors import BadInput, Failure
from spyglass.log import RING, Ring

GUESTS = 16
"""Requests served at the same time; more are turned away."""
WAIT = 5.0
"""Seconds within which a request has to come, from connecting on."""

_log = logging.getLogger("spyglass")


class Server:
    """Serves a claim's socket from entering to leaving, which gives the claim up.

    Enter it before what has to be closed before the next app may start: leaving first frees
    the name, then tells those who asked us to quit. ``on_show(arguments, token)`` and
    ``on_quit()`` are called in our threads; the token is the desktop's leave to raise a window.
    """

    def __init__(
        self,
        claim: Claim,
        hub: Hub,
        on_show: Callable[[list[str], str], None],
        on_quit: Callable[[], None],
        *,
        ring: Ring = RING,
    ) -> None:
        self._claim = claim
        self._wishes = Wishes(hub, ring, on_show)
        self._on_quit = on_quit
        self._wake, self._woken = socket.socketpair()
        self._free = threading.BoundedSemaphore(GUESTS)
        self._lock = threading.Lock()
        self._guests: dict[threading.Thread, socket.socket] = {}
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="control", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.send(b".")
        self._thread.join()
        self._claim.close()
        self._wishes.close()
        self._gone.set()
        with self._lock:
            guests = dict(self._guests)
        for guest, sock in guests.items():
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RD)
            guest.join(WAIT)
        self._wake.close()
        self._woken.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as ready:
            for end in (self._claim.listener, self._woken):
                ready.register(end, selectors.EVENT_READ)
            while all(key.fileobj is not self._woken for key, _ in ready.select()):
                with suppress(OSError):
                    self._welcome(self._claim.listener.accept()[0])

    def _welcome(self, sock: socket.socket) -> None:
        if not _ours(sock) or not self._free.acquire(blocking=False):
            sock.close()
            return
        guest = threading.Thread(target=self._host, args=(sock,), name="control guest", daemon=True)
        with self._lock:
            self._guests[guest] = sock
        guest.start()

    def _host(self, sock: socket.socket) -> None:
        try:
            with suppress(OSError):  # who asked has left
                self._converse(Wire(sock, REQUEST), sock)
        finally:
            with self._lock:
                del self._guests[threading.current_thread()]
            sock.close()
            self._free.release()

    def _converse(self, wire: Wire, sock: socket.socket) -> None:
        try:
            request = wire.receive(WAIT)
            if request is None:
                return
            answer = self._answer(request, Says(wire.send, lambda: _left(sock)))
        except Failure as failure:
            answer = {"ok": False, "title": failure.title, "hint": failure.hint, "code": failure.code}
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - the border: a defect must not end in silence
            _log.error("defect while answering a request", exc_info=True)
            answer = {"ok": False, "title": "Spyglass met a defect of its own", "hint": "See its log."}
        wire.send(answer)

    def _answer(self, request: dict[str, Any], says: Says) -> Answer:
        if request.get("v") != VERSION:
            raise BadInput(
                "The request is of another version", "Use the command line of the running Spyglass."
            )
        if request.get("do") != "quit":
            return self._wishes.grant(request, says)
        says.line({"doing": "Quitting"})
        self._on_quit()
        self._gone.wait()
        return {"ok": True}


def _ours(sock: socket.socket) -> bool:
    """Whether the other end is a process of this person (elsewhere the private directory sees to it)."""
    if sys.platform != "linux":
        return True
    record = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", record)  # struct ucred: unix(7)
    return bool(uid == os.getuid())


def _left(sock: socket.socket) -> bool:
    """Whether the other end has closed; it has nothing more to say, so anything else means no."""
    try:
        return not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
