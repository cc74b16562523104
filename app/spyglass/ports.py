"""What a node's distribution port itself tells: whether a cookie fits, and why a node does not connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spyglass.errors import Failure, Unreachable

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Found
    from spyglass.remote.base import Remote

LIMIT = 5.0
"""Seconds for dialling the port."""


def prove(remote: Remote, found: Found, cookie: str) -> bool:
    """Whether the node knows this cookie; a no leaves a line in its log."""
    from spyglass.erlang import handshake, slots  # noqa: PLC0415 - late, so that SSH starts first

    stream = (found.remote or remote).dial(found.host, found.port, LIMIT)
    try:
        return handshake.greet(stream, slots.probe_name()).prove(cookie)
    finally:
        stream.close()


def explain(remote: Remote, found: Found) -> Failure:
    """Why Erlang said only ``false``: ask the distribution port itself."""
    name = found.info.node
    try:
        answering = _answering(remote, found)
    except Failure as failure:
        if failure.code == "sessions":
            return failure
        return _gone(f"{name} is gone since it was found: {failure.title}")
    except OSError:
        return _gone(f"{name} hung up", "Refresh the list of nodes, then try again.")
    if answering != name:
        return _gone(f"{answering} answers where {name} was")
    return Failure(
        f"{name} refuses the connection",
        "Its Erlang may be too old or too new for yours (OTP 23 and 27 never connect), "
        "or its cookie has changed.",
        code="refused-by-node",
    )


def _answering(remote: Remote, found: Found) -> str:
    from spyglass.erlang import handshake, slots  # noqa: PLC0415 - as above

    stream = (found.remote or remote).dial(found.host, found.port, LIMIT)
    try:
        return handshake.greet(stream, slots.probe_name()).peer.node
    finally:
        stream.close()


def _gone(title: str, hint: str = "Refresh the list of nodes.") -> Unreachable:
    return Unreachable(title, hint, code="node-gone")
